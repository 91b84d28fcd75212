"""Could a cheap first layer settle the clear "none" sentences? What it would gain, and what it would cost.

python -m benchmarks.cascade        needs `make setup-train` and the real texts; writes benchmarks/results/cascade.json

The first layer is a logistic regression on words and pairs of words, fitted on the training split to
tell sentences without any category. A sentence is settled below a cut, chosen on the development
split so that so many of the classifier's own positives fall below it. A window need not be encoded
where all its sentences are settled: all others stay exactly as they are.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import Pipeline, make_pipeline

from model.classifier import Classifier
from model.windows import normalise, windows
from rhetoric.codebook import default_codebook
from rhetoric.label import load_classifier, split_document
from rhetoric.reading import Document, Reader
from training import splits
from training.corpus import read_real, texts_folder
from training.data import Passage, evenly, read_written

RESULT = Path(__file__).resolve().parent / "results" / "cascade.json"
LOST = (0.0, 0.005, 0.01, 0.02)
"""Shares of the classifier's own positives on the development split that may fall below the cut."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, default=None, help="of the development and test splits (default: all)")
    parser.add_argument("--speeches", type=int, default=40, help="UN speeches, taken evenly, for the share of windows")
    options = parser.parse_args()
    book, assigned = default_codebook(), splits.read_splits()
    passages = [*read_written(book), *read_real(book, texts_folder(None))]
    train, development, test = (
        splits.select(passages, assigned, part) for part in (splits.TRAIN, splits.DEVELOPMENT, splits.TEST)
    )
    development, test = (evenly(part, options.passages) for part in (development, test))
    classifier = load_classifier()
    first = first_layer(train)
    positive = decisions(classifier, turns_of(development)).any(axis=1)
    doubtful = first.predict_proba(flat(turns_of(development)))[:, 1]
    speeches = read_speeches(options.speeches)
    gold, coded = gold_of(test)
    decided, doubt = decisions(classifier, turns_of(test)), first.predict_proba(flat(turns_of(test)))[:, 1]
    rows = []
    for lost in LOST:
        cut = float(np.quantile(doubtful[positive], lost))
        settled = np.where((doubt < cut)[:, None], 0, decided)
        rows.append({
            "positives_lost_on_development": lost, "cut": round(cut, 4),
            "f1": scores(gold, decided[coded]), "f1_with_cascade": scores(gold, settled[coded]),
            **shares(classifier, first, cut, speeches),
        })  # fmt: skip
        print(json.dumps(rows[-1]))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps({"speeches": len(speeches), "cuts": rows}, indent=1) + "\n", encoding="utf-8")


def turns_of(passages: Sequence[Passage]) -> list[list[str]]:
    return [[s.text for s in turn] for p in passages for turn in p.turns]


def flat(turns: Sequence[Sequence[str]]) -> list[str]:
    return [normalise(sentence) for turn in turns for sentence in turn]


def gold_of(passages: Sequence[Passage]) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Gold labels of the coded sentences, and which sentences are coded."""
    sentences = [s for p in passages for turn in p.turns for s in turn]
    return np.array([s.gold for s in sentences if s.gold is not None]), np.array(
        [s.gold is not None for s in sentences]
    )


def first_layer(train: Sequence[Passage]) -> Pipeline:
    """Words and pairs of words → is there any category?"""
    coded = [s for p in train for s in p.sentences()]
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2),
        LogisticRegression(C=10, max_iter=500, class_weight="balanced"),
    )
    return model.fit([normalise(s.text) for s in coded], [any(s.gold or ()) for s in coded])


def decisions(classifier: Classifier, turns: Sequence[Sequence[str]]) -> np.ndarray:  # type: ignore[type-arg]
    """The classifier's 0/1 decisions: (sentences, categories)."""
    thresholds = np.array([d.threshold for d in classifier.manifest.decisions.values()])
    return np.concatenate([np.round(p, 4) >= thresholds for p in classifier.predict_proba(turns)]).astype(int)


def scores(gold: Any, decided: Any) -> list[float]:
    """Macro-F1, then each category's."""
    each = f1_score(gold, decided, average=None, zero_division=0.0)
    return [round(float(f), 4) for f in (np.mean(each), *each)]


def read_speeches(number: int) -> list[list[list[str]]]:
    paths = sorted((texts_folder(None) / "corpus" / "ungdc").glob("*.txt"))
    with Reader() as reader:
        items = [item for path in paths[:: -(-len(paths) // number)] for item in reader.read(str(path))]
    return [[list(turn) for turn in split_document(item).turns if turn] for item in items if isinstance(item, Document)]


def shares(
    classifier: Classifier, first: Pipeline, cut: float, speeches: Sequence[Sequence[Sequence[str]]]
) -> dict[str, float]:
    """Of whole speeches: the share of sentences settled, and of word pieces in windows that need not be encoded."""
    manifest, tokenizer = classifier.manifest, classifier._tokenizer
    sentences = settled_sentences = pieces = settled_pieces = 0
    for turn in (turn for speech in speeches for turn in speech):
        settled = first.predict_proba(flat([turn]))[:, 1] < cut
        sentences, settled_sentences = sentences + len(turn), settled_sentences + int(settled.sum())
        ids = [e.ids for e in tokenizer.encode_batch_fast(flat([turn]), add_special_tokens=False)]
        for window in windows(ids, manifest.context, manifest.max_pieces, 0, 0):  # type: ignore[arg-type]
            pieces += len(window.pieces)
            if settled[[number for number, _, _ in window.sentences]].all():
                settled_pieces += len(window.pieces)
    return {
        "settled_sentences": round(settled_sentences / sentences, 4),
        "settled_pieces": round(settled_pieces / pieces, 4),
    }


if __name__ == "__main__":
    main()
