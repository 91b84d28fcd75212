"""Real documents where the user has them: coded stand-off, rebuilt by id, refused when the text differs."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rhetoric.codebook import Codebook
from training.data import LABELS, CodedSentence, Passage, gold_vector, read_jsonl

PASSAGES_PATH = LABELS / "passages.jsonl"
GOLD_PATH = LABELS / "gold.jsonl"
REREAD_PATH = LABELS / "reread.jsonl"
TEXTS_VARIABLE = "RHETORIC_TEXTS"
STATEMENTS = "corpus/statements.jsonl"


class CorpusError(Exception):
    """A coded document is missing or is not the text that was coded."""


@dataclass(frozen=True, slots=True)
class CorpusDocument:
    """A real document: its id is its path below the texts' folder, `#` and a row id for a table's row."""

    id: str
    text: str
    facts: Mapping[str, str]

    @property
    def sha256(self) -> str:
        """Sum of the text as UTF-8."""
        return hashlib.sha256(self.text.encode("utf-8")).hexdigest()


def texts_folder(given: Path | None = None) -> Path:
    """The folder of the real texts: as given, `$RHETORIC_TEXTS`, or `../shared` beside the checkout."""
    return given or Path(os.environ.get(TEXTS_VARIABLE, LABELS.parent.parent / "shared"))


def read_documents(folder: Path) -> dict[str, CorpusDocument]:
    """Read all documents of the corpus and the seeds, by id."""
    speakers: dict[str, dict[str, str]] = {}
    table = folder / "corpus" / "ungdc_speakers.csv"
    if table.is_file():
        with table.open(encoding="utf-8", newline="") as file:
            speakers = {row["file"]: row for row in csv.DictReader(file)}
    documents = {}
    for path in sorted((folder / "corpus" / "ungdc").glob("*.txt")):
        row = speakers.get(path.name, {})
        facts = {
            "source": "UN General Debate", "country": row.get("country_code", path.name[:3]),
            "year": row.get("year", path.stem[-4:]), "speaker": row.get("speaker", ""), "post": row.get("post", ""),
        }  # fmt: skip
        documents[f"corpus/ungdc/{path.name}"] = CorpusDocument(f"corpus/ungdc/{path.name}", _text(path), facts)
    statements = folder / STATEMENTS
    for row in read_jsonl(statements) if statements.is_file() else ():
        facts = {
            "source": row["source"], "country": "RUS" if row["source"].startswith("Kremlin") else "USA",
            "year": _year(row["date"]), "speaker": row["speaker"] or "", "title": row["title"] or "",
        }  # fmt: skip
        documents[f"{STATEMENTS}#{row['id']}"] = CorpusDocument(f"{STATEMENTS}#{row['id']}", row["text"], facts)
    for path in sorted((folder / "seeds").glob("*.txt")):
        documents[f"seeds/{path.name}"] = CorpusDocument(f"seeds/{path.name}", _text(path), {"source": "seeds"})
    return documents


def read_real(codebook: Codebook, folder: Path) -> list[Passage]:
    """Rebuild the coded passages from where their documents lie.

    Raises:
        CorpusError: a document is missing or its sum differs from the coded one's.
    """
    documents = read_documents(folder)
    gold = {row["passage"]: [gold_vector(keys, codebook) for keys in row["labels"]] for row in read_jsonl(GOLD_PATH)}
    return [rebuild(row, documents, gold[row["id"]]) for row in read_jsonl(PASSAGES_PATH) if row["id"] in gold]


def document_of(row: Mapping[str, Any], documents: Mapping[str, CorpusDocument]) -> CorpusDocument:
    """The document that a stand-off row was coded in.

    Raises:
        CorpusError: it is missing, or its text is another one.
    """
    document = documents.get(row["document"])
    if document is None:
        raise CorpusError(
            f"{row['document']} is not among the texts; put it there or set {TEXTS_VARIABLE} (`fit` can do without: --sources written)"
        )
    if document.sha256 != row["sha256"]:
        raise CorpusError(f"{row['document']} is not the text that was coded (its sha256 differs)")
    return document


def rebuild(
    row: dict[str, Any], documents: Mapping[str, CorpusDocument], labels: Sequence[tuple[float, ...]]
) -> Passage:
    """A passage from its stand-off row and its labels.

    Raises:
        CorpusError: as `read_real`.
    """
    document = document_of(row, documents)
    if len(labels) != len(row["spans"]):
        raise CorpusError(f"passage {row['id']} has {len(row['spans'])} sentences and {len(labels)} codings")
    turns: dict[int, list[CodedSentence]] = {}
    for (start, end), turn in zip(row["context"], row["context_turns"], strict=True):
        turns.setdefault(turn, []).append(CodedSentence(document.text[start:end], None))
    for (start, end), turn, gold in zip(row["spans"], row["turns"], labels, strict=True):
        turns.setdefault(turn, []).append(CodedSentence(document.text[start:end], gold))
    coded = tuple(tuple(t) for t in turns.values() if any(s.gold is not None for s in t))
    facts = {**document.facts, "round": row["round"], "stratum": row["stratum"]}
    return Passage(row["id"], row["document"], "real", facts, coded)


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8")


def _year(date: str | None) -> str:
    years = [word for word in (date or "").replace("-", " ").split() if len(word) == 4 and word.isdigit()]
    return years[0] if years else ""
