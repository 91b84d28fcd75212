"""From logits to probabilities and decisions: calibration, thresholds, the doubt band.

All of it is fitted on logits of development sentences, which the network was not trained on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve

from model.manifest import Decision
from training.metrics import Bools, Floats, Ints

DOUBT_PRECISION = 0.9
"""Above the doubt band at least this share of the yes decisions is right, of sentences weighted as below."""
DOUBT_MISSES = 0.2
"""Below the doubt band lies at most this share of a category's positives, weighted as below."""
REFERENCE_PREVALENCE = 0.08
"""The share of a category in the real texts that decisions are made for. The corpora coded here are mostly UN debates,
which hold next to no NGO pledges; whoever looks for a category has texts with more of it."""


def fit_decisions(gold: Ints, logits: Floats, real: Bools) -> list[Decision]:
    """Fit every category: Platt scaling, the threshold of best F1, the doubt band around it.

    `gold` and `logits` have shape (sentences, categories); `real`, of shape (sentences,), says which sentences were
    really spoken. See `reference_weights` for what each sentence counts.
    """
    return [fit_decision(gold[:, j], logits[:, j], reference_weights(gold[:, j], real)) for j in range(gold.shape[1])]


def reference_weights(gold: Ints, real: Bools) -> Floats:
    """What each sentence counts: real and written ones alike in sum, positives REFERENCE_PREVALENCE of the real ones.

    Without real positives or negatives every sentence counts the same.
    """
    positive = gold.astype(bool)
    if not (real & positive).any() or not (real & ~positive).any():
        return np.ones(len(gold))
    weights = np.where(real, 0.0, 1 / max(1, int((~real).sum())))
    weights[real & positive] = REFERENCE_PREVALENCE / (real & positive).sum()
    weights[real & ~positive] = (1 - REFERENCE_PREVALENCE) / (real & ~positive).sum()
    return np.asarray(weights / weights.mean())


def fit_decision(gold: Ints, logits: Floats, weights: Floats) -> Decision:
    """Fit one category from arrays of shape (sentences,); Platt scaling after Platt 1999."""
    platt = LogisticRegression(C=1e6).fit(logits[:, None], gold, weights)
    slope, intercept = max(float(platt.coef_[0, 0]), 1e-3), float(platt.intercept_[0])
    p = expit(slope * logits + intercept)
    threshold = best_threshold(gold, p, weights)
    return Decision(slope, intercept, threshold, doubt_band(gold, p, weights, threshold))


def decide(logits: Floats, decisions: Sequence[Decision]) -> tuple[Floats, Ints]:
    """Calibrated probabilities and 0/1 decisions of logits, both (sentences, categories)."""
    slope, intercept, threshold = (
        np.array([getattr(d, name) for d in decisions]) for name in ("slope", "intercept", "threshold")
    )
    probabilities = expit(logits * slope + intercept)
    return probabilities, (probabilities >= threshold).astype(np.int64)


def best_threshold(gold: Ints, p: Floats, weights: Floats) -> float:
    """The probability from which on "yes" gives the best F1, averaged over near-best ones for stability."""
    precision, recall, thresholds = precision_recall_curve(gold, p, sample_weight=weights)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    near_best = thresholds[f1[:-1] >= f1.max() - 0.01]
    return round(float(np.median(near_best)), 4)


def doubt_band(gold: Ints, p: Floats, weights: Floats, threshold: float) -> tuple[float, float]:
    """Ends of the band in which a person should look: see DOUBT_PRECISION and DOUBT_MISSES."""
    order = np.argsort(-p)
    positives, counted = np.cumsum((weights * gold)[order]), np.cumsum(weights[order])
    good = np.flatnonzero((positives / counted >= DOUBT_PRECISION) & (p[order] >= threshold))
    high = p[order][good[-1]] if len(good) else 1.0
    enough = np.flatnonzero(positives >= (1 - DOUBT_MISSES) * positives[-1])
    low = p[order][enough[0]] if positives[-1] > 0 else threshold
    return round(min(float(low), threshold), 4), round(max(float(high), threshold), 4)
