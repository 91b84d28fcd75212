"""Distillation: a bigger model labels real passages of the training split, and the shipped one learns from that too.

Passages that nobody coded have the teacher's probabilities as targets; coded ones the mean of gold label and
probability. What the teacher says is kept stand-off, as codings are.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from scipy.special import expit
from transformers import PreTrainedTokenizerBase

from training import sampling, splits
from training.config import Config
from training.corpus import PASSAGES_PATH, TEXTS_VARIABLE, CorpusDocument, CorpusError, rebuild
from training.data import Passage, evenly, read_jsonl
from training.fit import gold_matrix, predict
from training.network import Network

DIGITS = 4
UNCODED = "taught"
"""The stratum of passages that only the teacher labelled."""
Rows = Sequence[dict[str, Any]]


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
    network: Network, tokenizer: PreTrainedTokenizerBase, config: Config, documents: Mapping[str, CorpusDocument],
    coded: Sequence[Passage], path: Path, limit: int | None = None,
) -> int:  # fmt: skip
    """Label passages, write them to `path` as JSON Lines, return the number of sentences.

    Those are the real ones among `coded` (of plain ones the share that the teacher's configuration shows in an epoch,
    drawn anew), and passages without codings, at most `limit`, evenly taken.

    Raises:
        CorpusError: there is no such passage.
    """
    rng = random.Random(config.random_seed)
    known = read_jsonl(PASSAGES_PATH)
    kept = {p.id for p in coded if p.source == "real" and (gold_matrix([p]).any() or rng.random() < config.plain_share)}
    rows = [row for row in known if row["id"] in kept]
    if limit != 0:
        rows += evenly(uncoded(documents, known), limit)
    if not rows:
        raise CorpusError(
            f"there is no passage to label: no coded one is shown by the teacher's configuration, and no text without "
            f"codings was asked for or found ({TEXTS_VARIABLE}, else ../shared)"
        )
    none = (0.0,) * network.head.out_features
    passages = [rebuild(row, documents, [none] * len(row["spans"])) for row in rows]
    with torch.autocast("cpu", torch.bfloat16, enabled=config.bfloat16):
        probabilities = iter(expit(predict(network, tokenizer, passages, config)).round(DIGITS).tolist())
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps({**row, "probabilities": list(islice(probabilities, len(row["spans"])))}) + "\n")
    return sum(len(row["spans"]) for row in rows)


def read_taught(path: Path, documents: Mapping[str, CorpusDocument], train: Sequence[Passage]) -> list[Passage]:
    """The training passages with what `teach` wrote mixed in, and after them the passages without codings.

    Raises:
        CorpusError: a document is missing, or a passage is not the one that was labelled.
    """
    rows = read_jsonl(path)
    said = {row["id"]: rebuild(row, documents, [tuple(p) for p in row["probabilities"]]) for row in rows}
    taken = _starts(read_jsonl(PASSAGES_PATH))
    mixed = [_mixed(p, said[p.id]) if p.id in said else p for p in train]
    return mixed + [said[row["id"]] for row in rows if row["stratum"] == UNCODED and not _starts([row]) & taken]


def _mixed(passage: Passage, taught: Passage) -> Passage:
    """The passage, its targets the means of gold labels and the teacher's probabilities."""
    if [[s.text for s in turn] for turn in passage.turns] != [[s.text for s in turn] for turn in taught.turns]:
        raise CorpusError(
            f"passage {passage.id} is not the one that was labelled; run `python -m training teach` again"
        )
    turns = tuple(
        tuple(
            replace(s, gold=tuple((a + b) / 2 for a, b in zip(s.gold, t.gold, strict=True))) if s.gold and t.gold else s
            for s, t in zip(turn, labelled, strict=True)
        )
        for turn, labelled in zip(passage.turns, taught.turns, strict=True)
    )
    return replace(passage, turns=turns)


def _starts(rows: Rows) -> set[tuple[str, int]]:
    """Where the sentences of stand-off rows begin: document and offset."""
    return {(row["document"], start) for row in rows for start, _ in row["spans"]}
