"""A round of coding on disk: drawn passages, sheets for two coders, an adjudicator's sheet, and back into labels/."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rhetoric.codebook import Codebook
from training.coding import Coding, CodingError, SheetPassage, adjudicate, disagreement_sheet, read_codings, sheet
from training.corpus import GOLD_PATH, PASSAGES_PATH, CorpusDocument
from training.data import LABELS, read_jsonl
from training.sampling import Drawn, passage_row

PER_SHEET = 34
DRAWN = "drawn.jsonl"
SHEETS = "sheet"
ADJUDICATION = "adjudication.txt"
CODERS = ("A", "B")
ADJUDICATOR = "G"

Documents = Mapping[str, CorpusDocument]


def write_round(drawn: Sequence[Drawn], documents: Documents, round_number: int, folder: Path) -> None:
    """Write the drawn passages (stand-off) and the sheets that coders read; the sheets stay outside the repository."""
    folder.mkdir(parents=True, exist_ok=False)
    first = 1 + max((int(r["id"][1:]) for r in read_jsonl(PASSAGES_PATH) if r["id"].startswith("P")), default=0)
    rows = [
        passage_row(f"P{i:04d}", d, documents[d.passage.document], round_number) for i, d in enumerate(drawn, first)
    ]
    _append(folder / DRAWN, rows)
    shown = [shown_passage(row, documents[str(row["document"])]) for row in rows]
    for i in range(0, len(shown), PER_SHEET):
        (folder / f"{SHEETS}_{i // PER_SHEET + 1:02d}.txt").write_text(
            sheet(shown[i : i + PER_SHEET]), encoding="utf-8"
        )


def write_adjudication(folder: Path, documents: Documents, codebook: Codebook) -> int:
    """Write the sheet of disagreements between A_*.txt and B_*.txt; return how many passages it has."""
    shown = [shown_passage(row, documents[row["document"]]) for row in read_jsonl(folder / DRAWN)]
    a, b = (answers(folder, coder, codebook) for coder in CODERS)
    text = disagreement_sheet(shown, a, b, codebook)
    (folder / ADJUDICATION).write_text(text, encoding="utf-8")
    return text.count("### ")


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
    """Add a coded round (A_*.txt, B_*.txt, G_*.txt in its folder) to labels/; return the number of passages.

    Raises:
        CodingError: a passage lacks a coding or an adjudication, or is in labels/ already.
    """
    rows = read_jsonl(folder / DRAWN)
    a, b, decided = (answers(folder, coder, codebook) for coder in (*CODERS, ADJUDICATOR))
    known = {row["id"] for row in read_jsonl(PASSAGES_PATH)}
    codings, gold = [], []
    for row in rows:
        name = row["id"]
        if name in known:
            raise CodingError(f"passage {name} is in {PASSAGES_PATH.name} already")
        if name not in a or name not in b:
            raise CodingError(f"passage {name} lacks a coding by {'A' if name not in a else 'B'}")
        labels, adjudicated = adjudicate(a[name], b[name], decided.get(name))
        codings += [
            {"passage": name, "coder": coder, "labels": [list(x) for x in one.labels], "doubt": list(one.doubt)}
            for coder, one in zip(CODERS, (a[name], b[name]), strict=True)
        ]
        gold.append({"passage": name, "labels": [list(x) for x in labels], "adjudicated": list(adjudicated)})
    _append(PASSAGES_PATH, rows)
    _append(LABELS / "codings.jsonl", codings)
    _append(GOLD_PATH, gold)
    return len(rows)


def answers(folder: Path, coder: str, codebook: Codebook) -> dict[str, Coding]:
    """A coder's answers to the sheets of a round."""
    sizes = {row["id"]: len(row["spans"]) for row in read_jsonl(folder / DRAWN)}
    return read_codings(sorted(folder.glob(f"{coder}_*.txt")), sizes, codebook)


def _append(path: Path, rows: Sequence[dict[str, object]]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
