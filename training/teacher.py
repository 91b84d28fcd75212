"""Distillation: a bigger model labels real passages that nobody coded, and the shipped one learns from its probabilities.

Only documents of the training split are labelled so. The labels are kept stand-off, as codings are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from scipy.special import expit
from transformers import PreTrainedTokenizerBase

from training import sampling, splits
from training.config import Config
from training.corpus import PASSAGES_PATH, TEXTS_VARIABLE, CorpusDocument, CorpusError, rebuild
from training.data import Passage, read_jsonl
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
    path: Path, limit: int | None = None,
) -> int:  # fmt: skip
    """Label the uncoded passages, write them to `path` as JSON Lines, return the number of sentences.

    `limit` is how many passages at most, evenly taken.

    Raises:
        CorpusError: there is no passage without codings.
    """
    if not (rows := uncoded(documents, read_jsonl(PASSAGES_PATH))):
        raise CorpusError(f"no text is left to label; the real texts are read from {TEXTS_VARIABLE}, else ../shared")
    rows = rows[:: max(1, len(rows) // limit)] if limit else rows
    none = (0.0,) * network.head.out_features
    passages = [rebuild(row, documents, [none] * len(row["spans"])) for row in rows]
    with torch.autocast("cpu", torch.bfloat16, enabled=config.bfloat16):
        probabilities = iter(expit(predict(network, tokenizer, passages, config)).round(DIGITS).tolist())
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps({**row, "probabilities": list(islice(probabilities, len(row["spans"])))}) + "\n")
    return sum(len(row["spans"]) for row in rows)


def read_taught(path: Path, documents: Mapping[str, CorpusDocument]) -> list[Passage]:
    """Read what `teach` wrote; each sentence has the teacher's probabilities in the place of gold labels.

    Raises:
        CorpusError: a document is missing or is not the text that was labelled.
    """
    return [rebuild(row, documents, [tuple(p) for p in row["probabilities"]]) for row in read_jsonl(path)]
