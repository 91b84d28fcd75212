"""Figures of merit, per category. Arrays have shape (sentences, categories) unless said otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CategoryScore:
    """Precision, recall, F1 and average precision of one category, with the number of gold positives."""

    positives: int
    precision: float
    recall: float
    f1: float
    average_precision: float


def category_scores(gold: Ints, predicted: Ints, probabilities: Floats) -> list[CategoryScore]:
    """Scores per category; average precision is NaN where there is no positive."""
    p, r, f, _ = precision_recall_fscore_support(gold, predicted, average=None, zero_division=0.0)
    return [
        CategoryScore(
            int(gold[:, j].sum()), float(p[j]), float(r[j]), float(f[j]),
            float(average_precision_score(gold[:, j], probabilities[:, j])) if gold[:, j].any() else float("nan"),
        )
        for j in range(gold.shape[1])
    ]  # fmt: skip


def macro_f1(gold: Ints, predicted: Ints) -> float:
    """Mean of the categories' F1."""
    return float(precision_recall_fscore_support(gold, predicted, average="macro", zero_division=0.0)[2])


def expected_calibration_error(gold: Ints, probabilities: Floats, bins: int = 10) -> float:
    """Expected calibration error of one category over bins of equal width; arrays of shape (sentences,).

    Source: Guo et al. 2017, "On calibration of modern neural networks", equation 3.

    >>> expected_calibration_error(np.array([1, 0, 1, 1]), np.array([0.9, 0.1, 0.9, 0.9]))
    0.1
    """
    which = np.minimum((probabilities * bins).astype(int), bins - 1)
    total = np.bincount(which, minlength=bins)
    gap = np.abs(np.bincount(which, gold, bins) - np.bincount(which, probabilities, bins))
    return round(float(gap[total > 0].sum() / len(gold)), 12)


def document_bootstrap(
    groups: Sequence[str], gold: Ints, predicted: Ints, draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Bootstrap over documents: draws of F1 per category (draws, categories) and of macro-F1 (draws,)."""
    names, index = np.unique(np.asarray(groups), return_inverse=True)
    per = np.zeros((len(names), gold.shape[1], 3))
    for k, counts in enumerate((gold & predicted, (1 - gold) & predicted, gold & (1 - predicted))):
        np.add.at(per[:, :, k], index, counts)
    weights = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    tp, fp, fn = np.moveaxis(np.einsum("dn,nck->dck", weights, per), 2, 0)
    f1 = 2 * tp / np.maximum(2 * tp + fp + fn, 1)
    return f1, f1.mean(axis=1)
