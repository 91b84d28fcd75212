"""A round of coding on disk: passages, sheets for coders, an adjudicator's sheet, and back into labels/.

The passages are either drawn from real documents (two coders, A and B) or written for the project with
their writer's labels, which are the first coding (a second coder, B).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rhetoric.codebook import Codebook, CodebookError
from training.coding import Coding, CodingError, SheetPassage, adjudicate, disagreement_sheet, read_codings, sheet
from training.corpus import GOLD_PATH, PASSAGES_PATH, CorpusDocument, document_of
from training.data import LABELS, WRITTEN_FEATURES, WRITTEN_PATH, gold_vector, read_jsonl
from training.sampling import Drawn, passage_row

PER_SHEET = 34
DRAWN, WRITTEN = "drawn.jsonl", "written.jsonl"
SHEETS = "sheet"
ADJUDICATION = "adjudication.txt"
CODERS = ("A", "B")
ADJUDICATOR, WRITER = "G", "writer"

Documents = Mapping[str, CorpusDocument]


def write_round(drawn: Sequence[Drawn], documents: Documents, round_number: int, folder: Path) -> None:
    """Write the drawn passages (stand-off) and the sheets that coders read; the sheets stay outside the repository."""
    new_folder(folder)
    first = 1 + max((int(r["id"][1:]) for r in read_jsonl(PASSAGES_PATH) if r["id"].startswith("P")), default=0)
    rows = [
        passage_row(f"P{i:04d}", d, documents[d.passage.document], round_number) for i, d in enumerate(drawn, first)
    ]
    _append(folder / DRAWN, rows)
    write_sheets([shown_passage(row, documents[str(row["document"])]) for row in rows], folder)


def write_written_round(files: Sequence[Path], folder: Path, codebook: Codebook) -> int:
    """Put newly written passages into a round's folder, with sheets for the second coder; return their number.

    Raises:
        CodingError: a line is no passage, has an unknown label, or an id that is there already.
    """
    known = {row["id"] for row in read_jsonl(WRITTEN_PATH)}
    rows: list[dict[str, Any]] = []
    for file in files:
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            row = _written_row(line, f"{file.name}, line {number}", codebook)
            if row["id"] in known:
                raise CodingError(f"{file.name}, line {number}: there is a passage {row['id']} already")
            known.add(row["id"])
            rows.append(row)
    new_folder(folder)
    _append(folder / WRITTEN, rows)
    write_sheets([shown_written(row) for row in rows], folder)
    return len(rows)


def _written_row(line: str, where: str, codebook: Codebook) -> dict[str, Any]:
    try:
        row: dict[str, Any] = json.loads(line)
        if missing := WRITTEN_FEATURES.keys() - row.keys():
            raise CodingError(f"{where}: a passage needs {', '.join(sorted(missing))}")
        for sentence in row["sentences"]:
            gold_vector([*sentence["labels"], *sentence["near_misses"]], codebook)
            SheetPassage(row["id"], sentence["speaker"], "", (sentence["text"],), {sentence["turn"]: ""})
    except (ValueError, TypeError, KeyError, AttributeError, CodebookError) as error:
        raise CodingError(f"{where}: this is not a written passage ({error})") from error
    return row


def new_folder(folder: Path) -> None:
    """Make a round's folder."""
    if folder.exists():
        raise CodingError(f"{folder} is there already; a round needs a folder of its own")
    folder.mkdir(parents=True)


def write_sheets(shown: Sequence[SheetPassage], folder: Path) -> None:
    """Write the sheets of a round."""
    for i in range(0, len(shown), PER_SHEET):
        (folder / f"{SHEETS}_{i // PER_SHEET + 1:02d}.txt").write_text(
            sheet(shown[i : i + PER_SHEET]), encoding="utf-8"
        )


def write_adjudication(folder: Path, documents: Documents, codebook: Codebook) -> int:
    """Write the sheet of disagreements between the two codings; return how many passages it has."""
    rows, written = _round(folder)
    a, b = _both(folder, codebook)
    shown = [shown_written(row) if written else shown_passage(row, document_of(row, documents)) for row in rows]
    text = disagreement_sheet(shown, a, b, codebook)
    (folder / ADJUDICATION).write_text(text, encoding="utf-8")
    return text.count("### ")


def shown_written(row: dict[str, Any]) -> SheetPassage:
    """What a coder is shown of a written passage: everything but its writer's labels."""
    sentences = row["sentences"]
    before = {
        i: f"{s['speaker']}:"
        for i, s in enumerate(sentences, 1)
        if s["speaker"] and (i == 1 or s["turn"] != sentences[i - 2]["turn"])
    }
    facts = (row["genre"].replace("_", " "), row["country"], str(row["year"]), row["speaker"])
    return SheetPassage(row["id"], ", ".join(facts), "", tuple(s["text"] for s in sentences), before)


def shown_passage(row: dict[str, Any], document: CorpusDocument) -> SheetPassage:
    """What a coder is shown of a drawn passage."""

    def text(start: int, end: int) -> str:
        return " ".join(document.text[start:end].split())

    spans, turns = row["spans"], row["turns"]
    before = {i + 1: text(spans[i - 1][1], spans[i][0]) for i in range(1, len(spans)) if turns[i] != turns[i - 1]}
    facts = (document.facts.get(k, "") for k in ("source", "country", "year", "speaker", "title"))
    context = " ".join(text(*span) for span in row["context"])
    return SheetPassage(row["id"], ", ".join(filter(None, facts)), context, tuple(text(*s) for s in spans), before)


def gather(folder: Path, codebook: Codebook) -> int:
    """Add a coded round to labels/; return the number of passages.

    Its folder holds the answers of the coders (A_*.txt, which a written round lacks, and B_*.txt) and G_*.txt.

    Raises:
        CodingError: a passage lacks a coding or an adjudication, or is in labels/ already.
    """
    rows, written = _round(folder)
    path = WRITTEN_PATH if written else PASSAGES_PATH
    coders = (WRITER if written else CODERS[0], CODERS[1])
    a, b = _both(folder, codebook)
    decided = answers(folder, ADJUDICATOR, codebook)
    known = {row["id"] for row in read_jsonl(path)}
    codings, gold = [], []
    for row in rows:
        name = row["id"]
        if name in known:
            raise CodingError(f"passage {name} is in {path.name} already")
        labels, adjudicated = adjudicate(a[name], b[name], decided.get(name))
        codings += [
            {"passage": name, "coder": coder, "labels": [list(x) for x in one.labels], "doubt": list(one.doubt)}
            for coder, one in zip(coders, (a[name], b[name]), strict=True)
        ]
        gold.append({"passage": name, "labels": [list(x) for x in labels], "adjudicated": list(adjudicated)})
    if written:
        rows = [_with_gold(row, found["labels"]) for row, found in zip(rows, gold, strict=True)]
    else:
        _append(GOLD_PATH, gold)
    _append(path, rows)
    _append(LABELS / "codings.jsonl", codings)
    return len(rows)


def _with_gold(row: dict[str, Any], labels: Any) -> dict[str, Any]:
    """A written passage with its gold labels; a category that only its writer gave is a near miss."""
    sentences = [
        s | {"labels": found, "near_misses": sorted({*s["near_misses"], *s["labels"]} - {*found})}
        for s, found in zip(row["sentences"], labels, strict=True)
    ]
    return row | {"sentences": sentences}


def _both(folder: Path, codebook: Codebook) -> tuple[dict[str, Coding], dict[str, Coding]]:
    """The two codings of a round; of a written one the first is its writer's.

    Raises:
        CodingError: a passage lacks one.
    """
    rows, written = _round(folder)
    given = {r["id"]: Coding(r["id"], tuple(tuple(s["labels"]) for s in r["sentences"]), ()) for r in rows if written}
    both = given or answers(folder, CODERS[0], codebook), answers(folder, CODERS[1], codebook)
    for coder, found in zip(CODERS, both, strict=True):
        if missing := [row["id"] for row in rows if row["id"] not in found]:
            raise CodingError(f"passage {missing[0]} lacks a coding by {coder} ({len(missing)} in all)")
    return both


def _round(folder: Path) -> tuple[list[dict[str, Any]], bool]:
    """The passages of a round, and whether they were written for the project."""
    for name, written in ((WRITTEN, True), (DRAWN, False)):
        if (folder / name).is_file():
            return read_jsonl(folder / name), written
    raise CodingError(f"{folder} holds neither {DRAWN} nor {WRITTEN}: it is not a round's folder")


def answers(folder: Path, coder: str, codebook: Codebook) -> dict[str, Coding]:
    """A coder's answers to the sheets of a round."""
    rows, written = _round(folder)
    sizes = {row["id"]: len(row["sentences" if written else "spans"]) for row in rows}
    return coded_passages(folder, coder, sizes, codebook)


def coded_passages(folder: Path, coder: str, sizes: Mapping[str, int], codebook: Codebook) -> dict[str, Coding]:
    """A coder's answers in a folder, for passages of so many sentences."""
    return read_codings(sorted(folder.glob(f"{coder}_*.txt")), sizes, codebook)


def _append(path: Path, rows: Sequence[dict[str, object]]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
