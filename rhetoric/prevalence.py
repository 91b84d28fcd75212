"""Shares of sentences with intervals that respect that sentences of one document are not independent.

Everything here starts from `Totals`: what each document adds to the numerator and the denominator
of a share. Raw counts make one kind of totals, coded audit samples another (see `correction`), and
comparison and trend work on both alike. Documents are the clusters throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from rhetoric.errors import RhetoricError

Floats = npt.NDArray[np.float64]

LEVEL = 0.95
FEW_DOCUMENTS = 8
"""Below this many documents an interval is wide and leans on its assumptions: it is given with a word of caution."""


class PrevalenceError(RhetoricError):
    """A share cannot be computed from what was given."""


class Caution(StrEnum):
    """What a reader must know of an estimate; the values are shown to users."""

    NO_UNITS = "no sentences"
    ONE_DOCUMENT = "one document: no interval for other speeches can be given"
    FEW_DOCUMENTS = "few documents: the interval is rough"
    NO_HITS = "none found: the upper end is what can still be hidden, given how documents of this kind cluster"
    ALL_HITS = "every sentence is in the category"
    FEW_HITS = "fewer than 5 found: the interval is rough"
    ALIKE = "all documents have the same share, so how far documents differ is not known: the interval is rough"


@dataclass(frozen=True, slots=True)
class Totals:
    """What each document adds to a share: `hits` over `units`, both of shape (documents,).

    `hits` are counts (of sentences, of words) or, after correction, estimated counts, which may be
    negative for a single document; `units` are counts of the same unit.
    """

    hits: Floats
    units: Floats

    def __post_init__(self) -> None:
        """Refuse arrays of different shapes and documents without units."""
        if self.hits.shape != self.units.shape or self.hits.ndim != 1:
            raise PrevalenceError(
                f"hits and units must be one number a document, got {self.hits.shape} and {self.units.shape}"
            )
        if np.any(self.units <= 0):
            raise PrevalenceError("a document without sentences cannot be part of a share; leave it out")

    @property
    def documents(self) -> int:
        """Number of documents."""
        return int(self.units.size)

    @property
    def share(self) -> float:
        """Hits over units, NaN where there are no documents."""
        return float(self.hits.sum() / self.units.sum()) if self.documents else float("nan")

    def influence(self) -> Floats:
        """What each document adds to the error of the share: (hits - share * units) / all units."""
        return np.asarray((self.hits - self.share * self.units) / self.units.sum())


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share with its standard error, degrees of freedom and interval; NaN where one cannot be given."""

    share: float
    se: float
    df: float
    low: float
    high: float
    documents: int
    units: float
    hits: float
    cautions: tuple[Caution, ...] = ()


def ratio_variance(totals: Totals) -> float:
    """Variance of a share over clusters: k/(k-1) * sum of squared influences (Taylor linearisation).

    Scheaffer, Mendenhall and Ott, *Elementary Survey Sampling*, example 8.2 (incomes of 25 city
    blocks out of 415): mean 8,801 dollars with a bound of 1,617 on the error, which is two standard
    errors after their finite-population factor.

    >>> residents = [8, 12, 4, 5, 6, 6, 7, 5, 8, 3, 2, 6, 5, 10, 9, 3, 6, 5, 5, 4, 6, 8, 7, 3, 8]
    >>> income = [96, 121, 42, 65, 52, 40, 75, 65, 45, 50, 85, 43, 54,
    ...           49, 53, 50, 32, 22, 45, 37, 51, 30, 39, 47, 41]
    >>> blocks = Totals(1000.0 * np.array(income), np.array(residents, dtype=float))
    >>> round(blocks.share), round(2 * float(np.sqrt((1 - 25 / 415) * ratio_variance(blocks))))
    (8801, 1617)
    """
    k = totals.documents
    if k < 2:
        return float("nan")
    influence = totals.influence()
    return float(k / (k - 1) * (influence @ influence))


def degrees_of_freedom(influence: Floats) -> float:
    """Degrees of freedom of a variance that is a sum of squared influences.

    Matches the first two moments (Satterthwaite 1946): 2 V^2 / Var(V), with k times the variance of
    the squares for Var(V). With the kurtosis b of the influences that is 2 k / (b - 1); b counts as
    3 at least, and the result is never above k - 1. So it is k - 1 where influences are about
    normal and falls where a few documents carry the variance.

    >>> degrees_of_freedom(np.array([0.01, -0.01] * 10))
    19.0
    >>> heavy = np.array([0.09, *[-0.01] * 9])  # one document carries nearly all
    >>> round(degrees_of_freedom(heavy), 4), round(float(2 * np.sum(heavy**2) ** 2 / (10 * np.var(heavy**2))), 4)
    (2.8125, 2.8125)
    """
    k = influence.size
    if k < 2:
        return float("nan")
    squares = influence**2
    total = squares.sum()
    if total <= 0:
        return float(k - 1)
    kurtosis = float(k * (squares @ squares) / total**2)  # 3 when normal and equal
    return float(np.clip(2 * k / (max(kurtosis, 3.0) - 1), 1.0, k - 1))


def t_quantile(level: float, df: float) -> float:
    """Two-sided Student quantile.

    >>> round(t_quantile(0.95, 10), 3)  # any printed t table
    2.228
    """
    from scipy.special import stdtrit

    return float(stdtrit(df, (1 + level) / 2))


def logit_interval(share: float, se: float, df: float, level: float = LEVEL) -> tuple[float, float]:
    """Interval for a share: symmetric in log-odds, Student quantile (method "xlogit" of R's survey::svyciprop).

    >>> low, high = logit_interval(0.1, 0.03, 1e9)
    >>> round(low, 4), round(high, 4)
    (0.0547, 0.176)
    """
    if not 0 < share < 1:
        return float("nan"), float("nan")
    half = t_quantile(level, df) * se / (share * (1 - share))
    ends = np.log(share / (1 - share)) + np.array([-half, half])
    low, high = 1 / (1 + np.exp(-np.clip(ends, -700, 700)))
    return float(low), float(high)


def wilson_interval(hits: float, units: float, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's interval, for independent units only (here: one yes or no a document). From statsmodels.

    Newcombe (1998, Statistics in Medicine 17), table I, method 3: 81 of 263 gives 0.2553 to 0.3662.

    >>> low, high = wilson_interval(81, 263)
    >>> round(low, 4), round(high, 4)
    (0.2553, 0.3662)
    """
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(hits, units, 1 - level, method="wilson")
    return float(low) if hits > 0 else 0.0, float(high) if hits < units else 1.0


def none_found_bound(units: float, level: float = LEVEL) -> float:
    """Upper end of the exact interval when none was found in `units` independent units (Clopper and Pearson).

    Newcombe (1998), table I, method 5: 0 of 20 gives an upper end of 0.1684.

    >>> round(none_found_bound(20), 4)
    0.1684
    """
    return float(1 - ((1 - level) / 2) ** (1 / max(units, 1e-9)))


def design_effect(totals: Totals) -> float:
    """How many times larger the variance is than if sentences were independent; NaN where it cannot be told."""
    share = totals.share
    if totals.documents < 2 or not 0 < share < 1:
        return float("nan")
    return ratio_variance(totals) / (share * (1 - share) / float(totals.units.sum()))


def estimate_share(totals: Totals, level: float = LEVEL, design: float = float("nan")) -> Estimate:
    """Estimate a share with its cluster-robust interval.

    Args:
        totals: hits and units of each document.
        level: confidence level.
        design: design effect known from other groups, used where nothing was found in this one or
            where its documents are all alike; without it each document counts as one unit there,
            which is safe and wide.

    Returns:
        An estimate whose cautions say what can't be said.
    """
    k, units, hits = totals.documents, float(totals.units.sum()), float(totals.hits.sum())
    nan = float("nan")
    if k == 0:
        return Estimate(nan, nan, nan, nan, nan, 0, 0.0, 0.0, (Caution.NO_UNITS,))
    share = totals.share
    if k == 1:
        return Estimate(share, nan, nan, nan, nan, 1, units, hits, (Caution.ONE_DOCUMENT,))
    few = (Caution.FEW_DOCUMENTS,) if k < FEW_DOCUMENTS else ()
    independent = units / max(design, 1.0) if design > 1e-9 else float(k)  # a design of 0 or NaN tells nothing
    if share <= 0 or share >= 1:
        bound = none_found_bound(independent, level)
        ends = (0.0, bound) if share <= 0 else (1 - bound, 1.0)
        caution = Caution.NO_HITS if share <= 0 else Caution.ALL_HITS
        return Estimate(float(np.clip(share, 0, 1)), nan, nan, *ends, k, units, hits, (caution, *few))
    se = float(np.sqrt(ratio_variance(totals)))
    rare = (Caution.FEW_HITS,) if min(hits, units - hits) < 5 else ()
    if se <= 1e-9 * min(share, 1 - share):
        ends = wilson_interval(share * independent, independent, level)
        return Estimate(share, nan, nan, *ends, k, units, hits, (Caution.ALIKE, *few, *rare))
    df = degrees_of_freedom(totals.influence())
    return Estimate(share, se, df, *logit_interval(share, se, df, level), k, units, hits, (*few, *rare))


def bootstrap_interval(
    totals: Totals, rng: np.random.Generator, level: float = LEVEL, draws: int = 4999
) -> tuple[float, float]:
    """Studentised cluster bootstrap of the log-odds: documents are drawn with replacement.

    Draws in which nothing (or everything) is a hit have no log-odds and are left out.
    """
    k, share = totals.documents, totals.share
    if k < 2 or not 0 < share < 1:
        return float("nan"), float("nan")
    weights = rng.multinomial(k, np.full(k, 1 / k), size=draws).astype(float)
    hits, units = weights @ totals.hits, weights @ totals.units
    shares = hits / units
    squares = weights @ np.stack([totals.hits**2, totals.hits * totals.units, totals.units**2], axis=1)
    variance = (squares[:, 0] - 2 * shares * squares[:, 1] + shares**2 * squares[:, 2]) * k / (k - 1) / units**2
    usable = (shares > 0) & (shares < 1) & (variance > 0)
    shares, se = shares[usable], np.sqrt(variance[usable])
    logit = np.log(share / (1 - share))
    t = (np.log(shares / (1 - shares)) - logit) / (se / (shares * (1 - shares)))
    scale = float(np.sqrt(ratio_variance(totals))) / (share * (1 - share))
    high_t, low_t = np.quantile(t, [(1 + level) / 2, (1 - level) / 2])
    ends = logit - np.array([high_t, low_t]) * scale
    low, high = 1 / (1 + np.exp(-ends))
    return float(low), float(high)


def pool(groups: Sequence[Totals]) -> Totals:
    """Put the documents of several groups together."""
    if not groups:
        return Totals(np.empty(0), np.empty(0))
    return Totals(np.concatenate([g.hits for g in groups]), np.concatenate([g.units for g in groups]))
