"""Shares corrected with a coded audit sample: what the classifier says, mended by what people coded.

The method is design-based: the only assumption is that the audit sample was drawn with the recorded
probabilities. With f the prediction, y the coding, R whether a sentence was coded and pi the
probability that it was drawn, every sentence gets the pseudo-outcome

    g + R / pi * (y - g),    g = lambda * f + (stratum mean of y - lambda * f)

which is design-based supervised learning (Egami, Hinck, Stewart and Wei 2023, NeurIPS 36) with a
prediction that is recalibrated by stratum, and the tuned weight lambda of prediction-powered
inference, PPI++ (Angelopoulos, Duchi and Zrnic 2023, arXiv:2311.01453). At lambda = 0 it is the
stratified estimate from the coded sentences alone. Variances are clustered by document.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rhetoric.errors import RhetoricError
from rhetoric.prevalence import LEVEL, Estimate, Floats, Totals, estimate_share

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class AuditError(RhetoricError):
    """An audit sample cannot be drawn, read or used."""


@dataclass(frozen=True, slots=True)
class AuditedSentences:
    """One category's predictions and codings over a whole run.

    All arrays have shape (sentences,): `stratum` counts from 0, `units` is 1 or the words of the
    sentence, `prediction` the model's probability or yes/no, `coded` whether the sentence is in the
    audit sample, `gold` the coding (ignored where not coded).
    """

    stratum: Ints
    units: Floats
    prediction: Floats
    coded: Bools
    gold: Floats

    def __post_init__(self) -> None:
        """Refuse unequal lengths and strata in which fewer than two sentences were coded."""
        lengths = {a.shape for a in (self.stratum, self.units, self.prediction, self.coded, self.gold)}
        if len(lengths) != 1:
            raise AuditError(f"the arrays of an audit must have one length, got {sorted(lengths)}")
        size = np.bincount(self.stratum)
        sample = np.bincount(self.stratum[self.coded], minlength=size.size)
        thin = np.flatnonzero((size > 0) & (sample < np.minimum(size, 2)))
        if thin.size:
            raise AuditError(
                f"stratum {int(thin[0])} has {int(sample[thin[0]])} coded of {int(size[thin[0]])} sentences; "
                "at least two of every stratum must be coded"
            )


@dataclass(frozen=True, slots=True)
class Pseudo:
    """Pseudo-outcomes by sentence in two parts: at weight w of the predictions they are `without + w * change`.

    `product` and `square` are what each coded sentence adds to the two sums whose ratio is the best
    weight (0 for the others). All have shape (sentences,).
    """

    without: Floats
    change: Floats
    product: Floats
    square: Floats


@dataclass(frozen=True, slots=True)
class CorrectedShare:
    """Corrected share of one group, and what the coded sentences alone would say.

    `weight` is the tuned weight of the predictions, `coded` the number of coded sentences in the
    group and `positives` how many of them are in the category.
    """

    estimate: Estimate
    coded_only: Estimate
    totals: Totals
    weight: float
    coded: int
    positives: int


def spread_errors(values: Floats, audit: AuditedSentences) -> Floats:
    """Spread what is known of the coded sentences to all, by design.

    With r the mean of `values` over the coded sentences of a stratum of which n of N were coded:
    r for every sentence, plus N / n * (value - r) * sqrt(n / (n - 1)) for the coded ones. The root
    makes up for the mean that was estimated; a stratum that was coded whole keeps its values.
    Shape (sentences,).

    >>> audit = AuditedSentences(np.zeros(4, int), np.ones(4), np.zeros(4),
    ...                          np.array([True, True, True, True]), np.array([1.0, 0, 0, 0]))
    >>> spread_errors(audit.gold, audit).tolist()
    [1.0, 0.0, 0.0, 0.0]
    """
    coded, stratum = audit.coded, audit.stratum
    size = np.bincount(stratum).astype(float)
    n = np.maximum(np.bincount(stratum[coded], minlength=size.size), 1).astype(float)
    mean = np.bincount(stratum[coded], weights=values[coded], minlength=size.size) / n
    grow = np.where(n < size, size / n * np.sqrt(n / np.maximum(n - 1, 1)), 1.0)
    result = mean[stratum]
    result[coded] += grow[stratum[coded]] * (values[coded] - mean[stratum[coded]])
    return np.asarray(result)


def pseudo_outcomes(audit: AuditedSentences) -> Pseudo:
    """Make the pseudo-outcomes of every sentence of a run for one category."""
    f = audit.prediction * audit.units
    y = np.where(audit.coded, audit.gold, 0.0) * audit.units
    product, square = _tuning(y, f, audit)
    return Pseudo(spread_errors(y, audit), f - spread_errors(f, audit), product, square)


def _tuning(y: Floats, f: Floats, audit: AuditedSentences) -> tuple[Floats, Floats]:
    """What coded sentences add to the covariance of y and f, and to the variance of f, under the design."""
    coded, stratum = audit.coded, audit.stratum
    size = np.bincount(stratum).astype(float)
    n = np.maximum(np.bincount(stratum[coded], minlength=size.size), 1).astype(float)
    share = size**2 / (n * np.maximum(n - 1, 1)) * (1 - n / np.maximum(size, 1))
    away = []
    for values in (y, f):
        mean = np.bincount(stratum[coded], weights=values[coded], minlength=size.size) / n
        away.append(np.where(coded, values - mean[stratum], 0.0))
    return share[stratum] * away[0] * away[1], share[stratum] * away[1] ** 2


def tuned_weight(product: float, square: float) -> float:
    """The weight of the predictions that makes the sampling variance of the audit least, kept between 0 and 1.

    It is the covariance of coding and prediction over the variance of the prediction, each as the
    design weighs them: the regression coefficient of PPI++ (section 4) for a stratified sample. The
    documents' own part of the variance does not depend on it.
    """
    return float(np.clip(product / square, 0.0, 1.0)) if square > 0 else 0.0


def correct_share(
    without: Totals, change: Totals, weight: float, coded: int, positives: int, *, level: float = LEVEL
) -> CorrectedShare:
    """Corrected share of a group from the pseudo-outcomes of its documents.

    Args:
        without: totals at weight 0.
        change: what weight 1 adds to them, over the same units.
        weight: weight of the predictions, see `tuned_weight`.
        coded: coded sentences in the group.
        positives: how many of them are in the category.
        level: confidence level.
    """
    totals = Totals(without.hits + weight * change.hits, without.units)
    design = none_design(without, coded)
    return CorrectedShare(
        estimate_share(totals, level, design), estimate_share(without, level, design), totals, weight, coded, positives
    )


def none_design(totals: Totals, coded: int) -> float:
    """Design effect to use where no coded sentence is in the category: only the coded ones count as seen."""
    return float(totals.units.sum()) / coded if coded else float("nan")


def document_totals(values: Floats, units: Floats, document: Ints) -> Totals:
    """Totals by document of values given by sentence; documents without units are left out."""
    k = int(document.max()) + 1 if document.size else 0
    sums = np.bincount(document, weights=units, minlength=k).astype(float)
    used = sums > 0
    return Totals(np.bincount(document, weights=values, minlength=k).astype(float)[used], sums[used])
