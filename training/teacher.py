"""Distillation: a bigger model labels the training passages, and the shipped one learns from that too.

Real passages that nobody coded have the teacher's probabilities as targets; coded ones, real and written, a mean of
gold label and probability (`Config.teacher_share`). What the teacher says is kept without text: by passage, or stand-off, as codings are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from training import sampling, splits
from training.corpus import PASSAGES_PATH, TEXTS_VARIABLE, CorpusDocument, CorpusError, rebuild
from training.data import Passage, evenly, read_jsonl
from training.metrics import Floats

DIGITS = 4
UNCODED = "taught"
"""The stratum of passages that only the teacher labelled."""
Rows = Sequence[dict[str, Any]]
Label = Callable[[Sequence[Passage]], Floats]
"""Passages → probabilities of their sentences, in order: shape (sentences, categories)."""


def uncoded(documents: Mapping[str, CorpusDocument], coded: Rows) -> list[dict[str, Any]]:
    """Stand-off rows of the passages without codings, of documents whose split is training (never the seeds)."""
    taken = _starts(coded)
    frame = sampling.frame(d for name, d in documents.items() if splits.assign(name, "real") == splits.TRAIN)
    return [
        sampling.passage_row(f"T{i:05d}", sampling.Drawn(passage, UNCODED, None), documents[passage.document], 0)
        for i, passage in enumerate(frame)
        if not any((passage.document, s.start) in taken for s in passage.sentences)
    ]


def teach(
    label: Label, categories: int, documents: Mapping[str, CorpusDocument], coded: Sequence[Passage], path: Path,
    limit: int | None = None,
) -> int:  # fmt: skip
    """Label the coded passages and those without codings; write them as JSON Lines, return the number of sentences.

    Of the passages without codings at most `limit`, evenly taken.

    Raises:
        CorpusError: there is no passage to label.
    """
    rows = [{"id": p.id, "text_sha256": text_sha256(p)} for p in coded]
    standoff = [] if limit == 0 else evenly(uncoded(documents, read_jsonl(PASSAGES_PATH)), limit)
    none = (0.0,) * categories
    passages = [*coded, *(rebuild(row, documents, [none] * len(row["spans"])) for row in standoff)]
    if not passages:
        raise CorpusError(
            f"there is no passage to label: none is coded, and no text without codings was asked for or found "
            f"({TEXTS_VARIABLE}, else ../shared)"
        )
    probabilities = iter(label(passages).round(DIGITS).tolist())
    with path.open("w", encoding="utf-8") as file:
        for row, passage in zip([*rows, *standoff], passages, strict=True):
            said = [next(probabilities) for _ in passage.sentences()]
            file.write(json.dumps({**row, "probabilities": said}) + "\n")
    return sum(len(list(p.sentences())) for p in passages)


def read_taught(
    path: Path, documents: Mapping[str, CorpusDocument], train: Sequence[Passage], share: float
) -> list[Passage]:
    """The training passages with what `teach` wrote mixed in by that share, and after them the passages without codings.

    Raises:
        CorpusError: a document is missing, or a passage is not the one that was labelled.
    """
    rows = read_jsonl(path)
    said = {row["id"]: row for row in rows if row.get("stratum") != UNCODED}
    taken = _starts(read_jsonl(PASSAGES_PATH))
    alone = [row for row in rows if row.get("stratum") == UNCODED and not _starts([row]) & taken]
    mixed = [_mixed(p, said[p.id], share) if p.id in said else p for p in train]
    return mixed + [rebuild(row, documents, [tuple(p) for p in row["probabilities"]]) for row in alone]


def text_sha256(passage: Passage) -> str:
    """Sum over the sentences of a passage, turn by turn."""
    text = json.dumps([[s.text for s in turn] for turn in passage.turns], ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def said_of(passage: Passage, row: Mapping[str, Any]) -> list[list[float]]:
    """What the teacher said of a coded passage: probabilities by sentence and category.

    Raises:
        CorpusError: it labelled another text.
    """
    if text_sha256(passage) != row.get("text_sha256"):  # None in files of before
        raise CorpusError(
            f"passage {passage.id} is not the one that was labelled; run `python -m training teach` again"
        )
    found: list[list[float]] = row["probabilities"]
    return found


def _mixed(passage: Passage, row: Mapping[str, Any], share: float) -> Passage:
    """The passage, its targets between gold labels (share 0) and the teacher's probabilities (share 1)."""
    said = iter(said_of(passage, row))
    turns = tuple(
        tuple(
            replace(s, gold=tuple(a + share * (b - a) for a, b in zip(s.gold, next(said), strict=True)))
            if s.gold
            else s
            for s in turn
        )
        for turn in passage.turns
    )
    return replace(passage, turns=turns)


def _starts(rows: Rows) -> set[tuple[str, int]]:
    """Where the sentences of stand-off rows begin: document and offset."""
    return {(row["document"], start) for row in rows for start, _ in row["spans"]}
