"""The labelled passages: written ones from the repository, real ones rebuilt from stand-off codings."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from datasets import Features, List, Value, load_dataset

from rhetoric.codebook import Codebook

LABELS = Path(__file__).resolve().parent.parent / "labels"
WRITTEN_PATH = LABELS / "written.jsonl"

WRITTEN_FEATURES = Features(
    {
        "id": Value("string"),
        "country": Value("string"),
        "year": Value("int32"),
        "genre": Value("string"),
        "side": Value("string"),
        "speaker": Value("string"),
        "register": Value("string"),
        "sentences": [
            {
                "text": Value("string"),
                "turn": Value("int32"),
                "speaker": Value("string"),
                "labels": List(Value("string")),
                "near_misses": List(Value("string")),
            }
        ],
    }
)
"""One row a passage. `turn` counts from 0; `speaker` of a sentence is as printed, "" where the text names none."""


@dataclass(frozen=True, slots=True)
class CodedSentence:
    """A sentence and its gold labels as 0/1 in label order; context sentences have None and carry no loss.

    Where a teacher labelled it, its probabilities stand in their place.
    """

    text: str
    gold: tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class Passage:
    """Consecutive sentences by turn. `group` is what a split keeps together (document, near-duplicates)."""

    id: str
    group: str
    source: str
    facts: dict[str, Any]
    turns: tuple[tuple[CodedSentence, ...], ...]

    def sentences(self) -> Iterator[CodedSentence]:
        """The coded sentences, in order."""
        return (s for turn in self.turns for s in turn if s.gold is not None)


def read_written(codebook: Codebook, path: Path = WRITTEN_PATH) -> list[Passage]:
    """Read the written passages (JSON Lines with `WRITTEN_FEATURES`)."""
    rows = load_dataset("json", data_files=str(path), features=WRITTEN_FEATURES, split="train")
    return [_written_passage(row, codebook) for row in rows]


def _written_passage(row: dict[str, Any], codebook: Codebook) -> Passage:
    turns: dict[int, list[CodedSentence]] = {}
    for s in row["sentences"]:
        turns.setdefault(s["turn"], []).append(CodedSentence(s["text"], gold_vector(s["labels"], codebook)))
    facts = {k: row[k] for k in ("country", "year", "genre", "side", "speaker", "register")}
    return Passage(row["id"], row["id"], "written", facts, tuple(map(tuple, turns.values())))


def gold_vector(labels: Sequence[str], codebook: Codebook) -> tuple[int, ...]:
    """Labels as 0/1 in label order; an unknown label is an error."""
    for label in labels:
        codebook[label]
    return tuple(int(key in labels) for key in codebook.keys)


def dataset_sha256(passages: Sequence[Passage]) -> str:
    """Sum over the texts and gold labels of passages, in order."""
    parts = [[p.id, [[[s.text, s.gold] for s in turn] for turn in p.turns]] for p in passages]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode("utf-8")).hexdigest()


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """Read a JSON Lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


Item = TypeVar("Item")


def evenly(items: Sequence[Item], limit: int | None) -> list[Item]:
    """At most so many (None: all), taken evenly, in order."""
    if limit is None or limit >= len(items):
        return list(items)
    return [items[i * len(items) // limit] for i in range(limit)]
