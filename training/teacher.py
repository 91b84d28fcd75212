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
from training.data import Passage, is_plain, read_jsonl
from training.fit import predict
from training.network import Network

DIGITS = 4
Rows = Sequence[dict[str, Any]]


def uncoded(documents: Mapping[str, CorpusDocument], coded: Rows) -> list[dict[str, Any]]:
    """Stand-off rows of the passages without codings, of documents whose split is training (never the seeds)."""
    taken = {(row["document"], start) for row in coded for start, _ in row["spans"]}
    frame = sampling.frame(d for name, d in documents.items() if splits.assign(name, "real") == splits.TRAIN)
    return [
        sampling.passage_row(f"T{i:05d}", sampling.Drawn(passage, "taught", None), documents[passage.document], 0)
        for i, passage in enumerate(frame)
        if not any((passage.document, s.start) in taken for s in passage.sentences)
    ]


def teach(
    network: Network, tokenizer: PreTrainedTokenizerBase, config: Config, documents: Mapping[str, CorpusDocument],
    coded: Sequence[Passage], path: Path, limit: int | None = None,
) -> int:  # fmt: skip
    """Label passages, write them to `path` as JSON Lines, return the number of sentences.

    Those are the real ones among `coded`, of which plain ones only `plain_share`, as the teacher saw them, and
    passages without codings, at most `limit`, evenly taken.

    Raises:
        CorpusError: there is no such passage.
    """
    rng = random.Random(config.random_seed)
    known = read_jsonl(PASSAGES_PATH)
    kept = {p.id for p in coded if p.source == "real" and (not is_plain(p) or rng.random() < config.plain_share)}
    rows = uncoded(documents, known)
    rows = [row for row in known if row["id"] in kept] + (rows if limit is None else evenly(rows, limit))
    if not rows:
        raise CorpusError(f"no text is left to label; the real texts are read from {TEXTS_VARIABLE}, else ../shared")
    none = (0.0,) * network.head.out_features
    passages = [rebuild(row, documents, [none] * len(row["spans"])) for row in rows]
    with torch.autocast("cpu", torch.bfloat16, enabled=config.bfloat16):
        probabilities = iter(expit(predict(network, tokenizer, passages, config)).round(DIGITS).tolist())
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps({**row, "probabilities": list(islice(probabilities, len(row["spans"])))}) + "\n")
    return sum(len(row["spans"]) for row in rows)


def evenly(rows: Rows, limit: int) -> list[dict[str, Any]]:
    """At most so many rows, taken evenly."""
    return [rows[i * len(rows) // limit] for i in range(limit)] if limit < len(rows) else list(rows)


def read_taught(path: Path, documents: Mapping[str, CorpusDocument], train: Sequence[Passage]) -> list[Passage]:
    """The training passages with what `teach` wrote mixed in, and after them the passages without codings.

    Raises:
        CorpusError: a document is missing or is not the text that was labelled.
    """
    taught = {row["id"]: row for row in read_jsonl(path)}
    mixed = [_mixed(p, taught.pop(p.id)["probabilities"]) if p.id in taught else p for p in train]
    return mixed + [
        rebuild(row, documents, [tuple(p) for p in row["probabilities"]]) for row in taught.values() if not row["round"]
    ]


def _mixed(passage: Passage, probabilities: Sequence[Sequence[float]]) -> Passage:
    """A passage whose targets are the means of gold labels and probabilities of shape (sentences, categories)."""
    said = iter(probabilities)
    turns = tuple(
        tuple(
            s
            if s.gold is None
            else replace(s, gold=tuple((a + b) / 2 for a, b in zip(s.gold, next(said), strict=True)))
            for s in turn
        )
        for turn in passage.turns
    )
    return replace(passage, turns=turns)
