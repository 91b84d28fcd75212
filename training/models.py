"""What else could be shipped: other models on the same splits, one table.

Each row is trained on the training split, chooses its thresholds on the development split and is
scored on the test split by source. Rows are kept in `model/evaluation/models.json`, one at a time.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from transformers import PreTrainedTokenizerBase

from model.windows import normalise
from training.config import Config, read_config
from training.data import Passage
from training.decide import decide, fit_decisions
from training.fit import fit, gold_matrix, predict, really_spoken
from training.metrics import Floats, Ints, category_scores, macro_f1
from training.network import Network, base_folder

SHORT = {"epochs": 1, "average": 0.997, "plain_share": 0.25}
"""What rows that compare layouts and amounts of data change in the configuration, so that one takes minutes."""
Split = Mapping[str, Sequence[Passage]]
Logits = dict[str, Floats]
"""Split name → logits of its sentences, (sentences, categories)."""


def texts(passages: Sequence[Passage]) -> list[str]:
    """The coded sentences of passages, as the model would read them."""
    return [normalise(s.text) for p in passages for s in p.sentences()]


def tf_idf(split: Split, config: Config) -> Logits:
    """Words and pairs of words, logistic regression."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    model = make_pipeline(vectorizer, OneVsRestClassifier(LogisticRegression(C=10, class_weight="balanced")))
    model.fit(texts(split["train"]), gold_matrix(split["train"]))
    return {name: model.decision_function(texts(split[name])) for name in ("development", "test")}


FEW_SHOTS = 200
"""Sentences of each category, and of none, from which SetFit learns its embeddings."""


def setfit(split: Split, config: Config) -> Logits:
    """SetFit: embeddings of the base tuned on pairs of a few sentences, logistic regression on all (the bench extra)."""
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments

    folder = base_folder(config.base, config.base_sha256)
    tuned = SetFitModel.from_pretrained(
        folder, multi_target_strategy="one-vs-rest", local_files_only=True, device="cpu"
    )
    sentences, gold = texts(split["train"]), gold_matrix(split["train"])
    few = few_shots(gold, random.Random(config.random_seed))
    data = Dataset.from_dict({"text": [sentences[i] for i in few], "label": gold[few].tolist()})
    with tempfile.TemporaryDirectory() as work:
        arguments = TrainingArguments(
            output_dir=work,
            num_iterations=5,
            num_epochs=1,
            batch_size=16,
            seed=config.random_seed,
            report_to="none",
            save_strategy="no",
        )
        Trainer(model=tuned, args=arguments, train_dataset=data).train()
    return on_embeddings(tuned.model_body, split)


def few_shots(gold: Ints, rng: random.Random) -> list[int]:
    """Rows of sentences of each category, and of none: at most `FEW_SHOTS` of each kind."""
    kinds = [np.flatnonzero(column) for column in gold.T] + [np.flatnonzero(~gold.any(axis=1))]
    return sorted({int(i) for rows in kinds for i in rng.sample(rows.tolist(), min(FEW_SHOTS, len(rows)))})


def frozen(split: Split, config: Config) -> Logits:
    """Sentence embeddings of the base as it is, logistic regression."""
    from sentence_transformers import SentenceTransformer

    return on_embeddings(SentenceTransformer(base_folder(config.base, config.base_sha256), device="cpu"), split)


def on_embeddings(encoder: Any, split: Split) -> Logits:
    """Logistic regression on a sentence-transformers model's embeddings of single sentences."""
    with torch.autocast("cpu", torch.bfloat16):
        vectors = {name: encoder.encode(texts(passages), batch_size=64) for name, passages in split.items()}
    model = OneVsRestClassifier(LogisticRegression(C=10, max_iter=1000, class_weight="balanced"))
    model.fit(vectors["train"], gold_matrix(split["train"]))
    return {name: model.decision_function(vectors[name]) for name in ("development", "test")}


def fine_tuned(**changes: Any) -> Callable[[Split, Config], Logits]:
    """The network of `python -m training fit`, with options changed."""

    def row(split: Split, config: Config) -> Logits:
        config = replace(config, **changes)
        network, tokenizer = fit(split["train"], gold_matrix(split["test"]).shape[1], config)
        return predicted(network, tokenizer, split, config)

    return row


def predicted(network: Network, tokenizer: PreTrainedTokenizerBase, split: Split, config: Config) -> Logits:
    """Logits of the development and test sentences, in the precision of training."""
    with torch.autocast("cpu", torch.bfloat16, enabled=config.bfloat16):
        return {name: predict(network, tokenizer, split[name], config) for name in ("development", "test")}


def only(source: str, row: Callable[[Split, Config], Logits]) -> Callable[[Split, Config], Logits]:
    """Train on the passages of one source."""
    return lambda split, config: row({**split, "train": [p for p in split["train"] if p.source == source]}, config)


def share(part: float, row: Callable[[Split, Config], Logits]) -> Callable[[Split, Config], Logits]:
    """Train on a random part of the training groups: a point of the learning curve."""

    def smaller(split: Split, config: Config) -> Logits:
        groups = sorted({p.group for p in split["train"]})
        kept = set(random.Random(config.random_seed).sample(groups, int(len(groups) * part)))
        return row({**split, "train": [p for p in split["train"] if p.group in kept]}, config)

    return smaller


def from_the_repository(split: Split, config: Config) -> Logits:
    """What `fit --sources written --epochs 1` makes: anybody can, without the real texts."""
    return only("written", fine_tuned())(split, read_config(epochs=1))


ROWS: dict[str, Callable[[Split, Config], Logits]] = {
    "TF-IDF, logistic regression": tf_idf,
    "frozen MiniLM, logistic regression": frozen,
    "SetFit: MiniLM tuned on pairs, logistic regression": setfit,
    "MiniLM fine-tuned, single sentences, half of the data": share(0.5, fine_tuned(context="sentence")),
    "MiniLM fine-tuned, the sentence before in front, a quarter of the data": share(0.25, fine_tuned(context="pair")),
    "MiniLM fine-tuned, windows, a quarter of the data": share(0.25, fine_tuned()),
    "MiniLM fine-tuned, windows, half of the data": share(0.5, fine_tuned()),
    "MiniLM fine-tuned, windows, all of the data": fine_tuned(),
    "MiniLM fine-tuned, windows, real passages only": only("real", fine_tuned()),
    "MiniLM fine-tuned, windows, written passages only": from_the_repository,
}


SAVED = {
    "teacher": "all-mpnet-base-v2 fine-tuned, windows (the teacher)",
    "bigger": "six of the teacher's layers, one epoch more with what it says",
    "coded": "MiniLM, windows, four epochs, before narrowing",
    "taught": "the same, three epochs more with what the teacher says of all passages",
    "narrow": "six heads and 768 feed-forward units a layer, six epochs more as codings came in",
    "distilled": "the same, two epochs more with the teacher's labels and new written passages",
    "further": "the same, four epochs more with new written passages, averaged with the row above",
    "shipped": "the same, three epochs more with the teacher's vectors and its labels of all passages (as shipped)",
}
"""Rows of fits that were made with `python -m training fit` and kept: by the word for `--fit`."""


def score_row(name: str, split: Split, config: Config, keys: Sequence[str]) -> dict[str, Any]:
    """Train and score one row."""
    torch.manual_seed(config.random_seed)
    started = time.monotonic()
    logits = ROWS[name](split, config)
    return score(logits, split, keys) | {
        "minutes": round((time.monotonic() - started) / 60, 1),
        "epochs": config.epochs,
    }


def fit_minutes(facts: Mapping[str, Any]) -> tuple[float, int]:
    """Minutes and number of the fits that led to a kept one, by its fit.json."""
    before = facts.get("started_from")
    minutes, fits = fit_minutes(before) if before else (0.0, 0)
    return round(minutes + facts["minutes"], 1), fits + 1


def score(logits: Logits, split: Split, keys: Sequence[str]) -> dict[str, Any]:
    """Choose thresholds on development logits, score the test ones."""
    development = split["development"]
    decisions = fit_decisions(gold_matrix(development), logits["development"], really_spoken(development))
    probabilities, predicted = decide(logits["test"], decisions)
    gold = gold_matrix(split["test"])
    sources = np.array([test_set(p) for p in split["test"] for _ in p.sentences()])
    tests = {}
    for source in ("real", "seeds", "written"):
        where = sources == source
        scored = category_scores(gold[where], predicted[where], probabilities[where])
        tests[source] = {
            "macro_f1": round(macro_f1(gold[where], predicted[where]), 3),
            "average_precision": round(float(np.mean([s.average_precision for s in scored])), 3),
            "f1": {key: round(s.f1, 3) for key, s in zip(keys, scored, strict=True)},
        }
    return {"tests": tests}


def test_set(passage: Passage) -> str:
    """Which of the test sets a passage belongs to: the seeds, other real ones, written ones."""
    return "seeds" if passage.facts.get("stratum") == "seeds" else passage.source


def keep_row(path: Path, name: str, row: dict[str, Any]) -> None:
    """Add a row to the file of rows."""
    rows = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    rows[name] = row
    ordered = {n: rows[n] for n in (*ROWS, *SAVED.values()) if n in rows}
    path.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
