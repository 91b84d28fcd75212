"""From logits to probabilities and decisions: calibration, thresholds, the doubt band.

All of it is fitted on logits of sentences that the network was not trained on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve

from model.manifest import Decision
from training.metrics import Floats, Ints

DOUBT_PRECISION = 0.9
"""Above the doubt band at least this share of the yes decisions is right."""
DOUBT_MISSES = 0.2
"""Below the doubt band lies at most this share of a category's positives."""


def fit_decisions(gold: Ints, logits: Floats) -> list[Decision]:
    """Fit every category: Platt scaling, the threshold of best F1, the doubt band around it."""
    return [fit_decision(gold[:, j], logits[:, j]) for j in range(gold.shape[1])]


def fit_decision(gold: Ints, logits: Floats) -> Decision:
    """Fit one category from arrays of shape (sentences,); Platt scaling after Platt 1999."""
    platt = LogisticRegression(C=1e6).fit(logits[:, None], gold)
    slope, intercept = max(float(platt.coef_[0, 0]), 1e-3), float(platt.intercept_[0])
    p = expit(slope * logits + intercept)
    threshold = best_threshold(gold, p)
    return Decision(slope, intercept, threshold, doubt_band(gold, p, threshold))


def decide(logits: Floats, decisions: Sequence[Decision]) -> tuple[Floats, Ints]:
    """Calibrated probabilities and 0/1 decisions of logits, both (sentences, categories)."""
    slope, intercept, threshold = (
        np.array([getattr(d, name) for d in decisions]) for name in ("slope", "intercept", "threshold")
    )
    probabilities = expit(logits * slope + intercept)
    return probabilities, (probabilities >= threshold).astype(np.int64)


def best_threshold(gold: Ints, p: Floats) -> float:
    """The probability from which on "yes" gives the best F1, averaged over near-best ones for stability."""
    precision, recall, thresholds = precision_recall_curve(gold, p)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    near_best = thresholds[f1[:-1] >= f1.max() - 0.01]
    return round(float(np.median(near_best)), 4)


def doubt_band(gold: Ints, p: Floats, threshold: float) -> tuple[float, float]:
    """Ends of the band in which a person should look: see DOUBT_PRECISION and DOUBT_MISSES."""
    order = np.argsort(-p)
    above = np.cumsum(gold[order]) / np.arange(1, len(p) + 1)
    good = np.flatnonzero((above >= DOUBT_PRECISION) & (p[order] >= threshold))
    high = p[order][good[-1]] if len(good) else 1.0
    positives = np.sort(p[gold == 1])
    low = positives[int(len(positives) * DOUBT_MISSES)] if len(positives) else threshold
    return round(min(float(low), threshold), 4), round(max(float(high), threshold), 4)
