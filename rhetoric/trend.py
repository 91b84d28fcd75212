"""Shares over time: a point a period, a smooth line, and where the level changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from rhetoric.compare import holm
from rhetoric.errors import RhetoricError
from rhetoric.measure import MIN_CODED, Group, Measures, totals, weight_of
from rhetoric.prevalence import (
    LEVEL,
    Estimate,
    Floats,
    Totals,
    design_effect,
    estimate_share,
    t_quantile,
)
from rhetoric.table import PERIODS

SPAN = 2 / 3
MIN_SMOOTH = 5
MIN_CHANGE = 6
SIDE = 2
"""Periods, and documents, that must lie on each side of a change."""
MOST_PERIODS = 5000
"""More periods than this are a mistyped date, not a trend."""
PENALTY = 3.0
PERMUTATIONS = 4999
SIGNIFICANT = 0.05


class TrendError(RhetoricError):
    """A trend cannot be drawn."""


@dataclass(frozen=True, slots=True)
class Point:
    """One period: its name, its middle in years, and the estimate, NaN where there are no documents.

    `raw` is what the classifier counts; after a correction the estimate is NaN where fewer than
    `MIN_CODED` sentences of the period were coded, and `raw` is all there is.
    """

    period: str
    year: float
    estimate: Estimate
    raw: float = float("nan")
    coded: int = 0


@dataclass(frozen=True, slots=True)
class Smooth:
    """LOESS line with its pointwise band; arrays of shape (grid,)."""

    year: Floats
    share: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of level: `periods` names the first period of each new level.

    `p` tests whether there is any change at all, `p_holm` is adjusted for all lines tested together.
    """

    periods: tuple[str, ...]
    levels: tuple[float, ...]
    p: float
    p_holm: float = float("nan")


@dataclass(frozen=True, slots=True)
class Line:
    """One group's trend in one category; `smooth` and `changes` are None where there is too little for them."""

    category: str
    group: Group
    points: tuple[Point, ...]
    smooth: Smooth | None
    changes: Changes | None
    weight: float
    note: str = ""


def middle(period: str) -> float:
    """Middle of a period in years.

    >>> middle("2014"), middle("2014-Q1"), round(middle("2014-12"), 3)
    (2014.5, 2014.125, 2014.958)
    """
    year = float(period[:4])
    if "Q" in period:
        return year + (int(period[-1]) - 0.5) / 4
    return year + (int(period[5:]) - 0.5) / 12 if len(period) > 4 else year + 0.5


def span_of(first: str, last: str) -> list[str]:
    """All periods from one to another.

    >>> span_of("2013-Q3", "2014-Q2")
    ['2013-Q3', '2013-Q4', '2014-Q1', '2014-Q2']
    """
    if len(first) == 4:
        return [f"{year:04d}" for year in range(int(first), int(last) + 1)]
    parts, form = (4, "{:04d}-Q{}") if "Q" in first else (12, "{:04d}-{:02d}")
    ends = [int(p[:4]) * parts + int(p[6:] if "Q" in p else p[5:]) - 1 for p in (first, last)]
    return [form.format(i // parts, i % parts + 1) for i in range(ends[0], ends[1] + 1)]


def trend(
    measures: Measures,
    period: str,
    *,
    rng: np.random.Generator,
    level: float = LEVEL,
    span: float = SPAN,
    draws: int = PERMUTATIONS,
) -> list[Line]:
    """Draw the trend of every category and group.

    Args:
        measures: grouped by any columns and, last, by the period.
        period: "year", "quarter" or "month".
        rng: for the permutations.
        level: confidence level.
        span: share of the periods that each point of the smooth line looks at.
        draws: permutations of the change test.

    Raises:
        TrendError: another period, or dates that are all alike.
    """
    if period not in PERIODS or measures.by[-1:] != (period,):
        raise TrendError(f"the period must be one of {', '.join(PERIODS)}, got {period!r}")
    if not 0 < span <= 1:
        raise TrendError(f"span must be above 0 and at most 1, got {span}")
    periods = measures.frame[period].unique().sort().to_list()
    if len(periods) < 2:
        raise TrendError(f"all dates lie in {periods[0]}; a trend needs two periods at least (try --period month)")
    if (count := len(span_of(periods[0], periods[-1]))) > MOST_PERIODS:
        raise TrendError(
            f"the dates go from {periods[0]} to {periods[-1]}, which is {count:,} {period}s; is one of them wrong? "
            "(leave rows out with --where, or choose a longer --period)"
        )
    groups = sorted({group[:-1] for group in measures.groups()})
    lines = [
        _line(measures, category, group, periods, rng, level, span, draws)
        for category in measures.categories
        for group in groups
    ]
    return _adjusted(lines)


def _adjusted(lines: Sequence[Line]) -> list[Line]:
    tested = [i for i, line in enumerate(lines) if line.changes is not None and np.isfinite(line.changes.p)]
    result = list(lines)
    for i, p in zip(tested, holm([lines[i].changes.p for i in tested]), strict=True):  # type: ignore[union-attr]
        result[i] = replace(lines[i], changes=replace(lines[i].changes, p_holm=p))  # type: ignore[type-var]
    return result


def _line(
    measures: Measures, category: str, group: Group, periods: Sequence[str],
    rng: np.random.Generator, level: float, span: float, draws: int,
) -> Line:  # fmt: skip
    frame = measures.frame
    for name, value in zip(measures.by[:-1], group, strict=True):
        frame = frame.filter(pl.col(name) == value)
    frame = frame.sort([measures.by[-1], "document"])
    hits, weight = line_hits(frame, category, corrected=measures.corrected)
    units = frame["units"].to_numpy().astype(float)
    where = frame[measures.by[-1]].to_list()
    coded = frame["coded"].to_numpy() if measures.corrected else np.zeros(len(where), dtype=np.int64)
    raw = frame[f"raw_{category}"].to_numpy().astype(float)
    points = _points(periods, np.array(where), hits, units, raw, coded, measures.corrected, level)
    return Line(
        category, group, points,
        smooth(np.array([middle(p) for p in where]), Totals(hits, units), level=level, span=span),
        changes(where, Totals(hits, units), rng, draws), weight, _note(points, measures, category, frame),
    )  # fmt: skip


def line_hits(frame: pl.DataFrame, category: str, *, corrected: bool) -> tuple[Floats, float]:
    """Hits of each document, raw or with one weight of the predictions for the whole line."""
    if not corrected:
        return totals(frame, f"raw_{category}").hits, float("nan")
    without, change = totals(frame, f"without_{category}"), totals(frame, f"change_{category}")
    weight = weight_of(frame, category)
    return without.hits + weight * change.hits, weight


def _points(
    periods: Sequence[str], where: npt.NDArray[np.str_], hits: Floats, units: Floats,
    raw: Floats, coded: npt.NDArray[Any], corrected: bool, level: float,
) -> tuple[Point, ...]:  # fmt: skip
    design = design_effect(Totals(hits, units))
    points = []
    for period in span_of(periods[0], periods[-1]):
        chosen = where == period
        estimate = estimate_share(Totals(hits[chosen], units[chosen]), level, design)
        count = int(coded[chosen].sum())
        if corrected and count < MIN_CODED and chosen.any():
            nan = float("nan")
            estimate = replace(estimate, share=nan, se=nan, df=nan, low=nan, high=nan)
        share = float(raw[chosen].sum() / units[chosen].sum()) if chosen.any() else float("nan")
        points.append(Point(period, middle(period), estimate, share, count))
    return tuple(points)


def _note(points: Sequence[Point], measures: Measures, category: str, frame: pl.DataFrame) -> str:
    notes = []
    empty = [p.period for p in points if not p.estimate.documents]
    if empty:
        notes.append(
            f"no documents in {', '.join(empty[:8])}" + (f" and {len(empty) - 8} more" if len(empty) > 8 else "")
        )
    single = sum(p.estimate.documents == 1 for p in points)
    if single:
        notes.append(f"one document is all there is in {single} of {len(points)} periods: no interval for them")
    if not measures.corrected and not frame[f"raw_{category}"].sum():
        notes.append("nothing was found in any period")
    if measures.corrected and not frame[f"positives_{category}"].sum():
        notes.append("no coded sentence is in the category: nothing can be said of how its share changes")
    notes += _too_few(len(points) - len(empty))
    thin = sum(p.coded < MIN_CODED for p in points if p.estimate.documents)
    if measures.corrected and thin:
        notes.append(
            f"{thin} periods have fewer than {MIN_CODED} coded sentences: only the smooth line is corrected there"
        )
    return "; ".join(notes)


def _too_few(periods: int) -> list[str]:
    """What is not drawn or tested with so few periods."""
    if periods >= MIN_CHANGE:
        return []
    line = "" if periods >= MIN_SMOOTH else f", a smooth line {MIN_SMOOTH}"
    return [f"a test for changes of level needs {MIN_CHANGE} periods with documents{line}; there are {periods}"]


def smoother(years: Floats, grid: Floats, span: float) -> Floats:
    """LOESS as a matrix, shape (grid, years): what weight each point has at each place (statsmodels' lowess).

    Local lines with tricube weights, without robustness steps, are linear in the data, so smoothing
    each unit vector gives the whole operator.
    """
    from statsmodels.nonparametric.smoothers_lowess import lowess

    places, back = np.unique(grid, return_inverse=True)  # lowess needs the places in order
    columns = [lowess(unit, years, frac=span, it=0, xvals=places, is_sorted=True) for unit in np.eye(years.size)]
    return np.asarray(np.stack(columns, axis=1)[back])


def smooth(
    years: Floats, documents: Totals, *, level: float = LEVEL, span: float = SPAN, grid: int = 100
) -> Smooth | None:
    """Smooth line of a share with a pointwise band.

    The line is a ratio of two LOESS smooths, of hits and of units, so a long speech counts more than
    a short one. Its band is a score interval with a Student quantile for the effective number of
    units behind each place. How many these are follows from how far the documents lie from the line,
    which is where the clustering of sentences enters: the variance is the larger of that of an
    overdispersed binomial and that of documents which all vary alike, whatever their length.

    Returns:
        None where there are fewer than `MIN_SMOOTH` different dates, or no hits.
    """
    places, index = np.unique(years, return_inverse=True)
    if places.size < MIN_SMOOTH or not documents.hits.any():
        return None
    at = np.concatenate([np.linspace(places[0], places[-1], grid), places])
    weight = smoother(places, at, max(span, min(1.0, 4 / places.size)))[:, index]
    units = weight @ documents.units
    least = max(0.1 * documents.share, 1e-6)
    share = np.clip(weight @ documents.hits / units, 0.0, 1.0)
    fitted, own = np.clip(share[grid:][index], least, 1 - least), weight[grid:][index, np.arange(index.size)]
    df = max(documents.documents - float(np.sum(own * documents.units / units[grid:][index])), 1.0)
    variance = line_variance(weight[:grid] / units[:grid, None], documents, fitted, df)
    level_ = np.clip(
        np.maximum(share[:grid], documents.share), least, 1 - least
    )  # near 0 the variance is that of the rest
    effective = level_ * (1 - level_) / variance
    low, high = score_interval(share[:grid], effective, t_quantile(level, df))
    return Smooth(at[:grid], share[:grid], low, high)


def line_variance(pull: Floats, documents: Totals, fitted: Floats, df: float) -> Floats:
    """Variance of a line that is linear in the hits, from how far documents lie from it; shape (grid,).

    The larger of two: that of a binomial with Pearson's dispersion (at least 1), and that of documents
    which all vary alike, whatever their length.

    Args:
        pull: what a hit of each document adds to each place of the line, shape (grid, documents).
        documents: hits and units.
        fitted: the line at each document.
        df: documents less the parameters of the line.
    """
    residual = documents.hits - fitted * documents.units
    binomial = documents.units * fitted * (1 - fitted)
    dispersion = max(float(np.sum(residual**2 / binomial)) / df, 1.0)
    between = float(np.sum((residual / documents.units) ** 2)) / df
    return np.asarray(np.maximum(dispersion * (pull**2 @ binomial), between * (pull**2 @ documents.units**2)))


def score_interval(share: Floats, units: Floats, quantile: float) -> tuple[Floats, Floats]:
    """Score interval of shares (Wilson's formula) for an effective number of units and any quantile.

    Newcombe (1998), table I, method 3: 81 of 263 gives 0.2553 to 0.3662.

    >>> low, high = score_interval(np.array([81 / 263]), np.array([263.0]), 1.959964)
    >>> round(float(low[0]), 4), round(float(high[0]), 4)
    (0.2553, 0.3662)
    """
    extra = quantile**2 / units
    middle_ = (share + extra / 2) / (1 + extra)
    half = np.sqrt(extra * (share * (1 - share) + extra / 4)) / (1 + extra)
    return middle_ - half, middle_ + half


def changes(periods: Sequence[str], documents: Totals, rng: np.random.Generator, draws: int) -> Changes | None:
    """Find changes of level, and test whether there is any.

    The test asks whether one split of the periods sets the shares further apart than splits do when
    the documents are shuffled over the dates. Only if it does (p below 0.05) are changes located, by
    PELT (Killick, Fearnhead and Eckley 2012, from ruptures) on the shares weighted by their units,
    with a penalty of 3 log(periods) times the dispersion.

    Args:
        periods: period of each document, in order.
        documents: totals, in the same order.
        rng: for the shuffling.
        draws: how often to shuffle.

    Returns:
        None where there are fewer than `MIN_CHANGE` periods.
    """
    names = sorted(set(periods))
    if len(names) < MIN_CHANGE or not documents.hits.any():
        return None
    ends = np.cumsum([periods.count(name) for name in names])
    allowed = _allowed(ends)
    if not allowed.any():
        return None
    observed = split_gains(documents.hits[None], documents.units[None], ends)[0]
    order = rng.random((draws, documents.documents)).argsort(axis=1)
    shuffled = split_gains(documents.hits[order], documents.units[order], ends)
    best = observed[allowed].max()
    p = (int(np.sum(shuffled[:, allowed].max(axis=1) >= best * (1 - 1e-9))) + 1) / (draws + 1)
    if p >= SIGNIFICANT:
        return Changes((), (documents.share,), p)
    hits, units = _by_period(documents, ends)
    places = _pelt(hits, units) or [int(np.where(allowed, observed, -1.0).argmax()) + 1]
    levels = [hits[a:b].sum() / units[a:b].sum() for a, b in pairwise([0, *places, len(names)])]
    return Changes(tuple(names[i] for i in places), tuple(map(float, levels)), p)


def _allowed(ends: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Splits with enough periods and documents on both sides; entry i splits after period i."""
    after = np.arange(1, ends.size)
    left = ends[:-1]
    return np.asarray((after >= SIDE) & (ends.size - after >= SIDE) & (left >= SIDE) & (ends[-1] - left >= SIDE))


def split_gains(hits: Floats, units: Floats, ends: npt.NDArray[np.int64]) -> Floats:
    """How much each split lowers the weighted sum of squares.

    Args:
        hits: shape (orders, documents).
        units: shape (orders, documents).
        ends: number of documents up to and with each period, shape (periods,).

    Returns:
        Shape (orders, periods - 1).
    """
    h, u = (np.cumsum(x, axis=1) for x in (hits, units))
    left_h, left_u = h[:, ends[:-1] - 1], u[:, ends[:-1] - 1]
    right_h, right_u = h[:, -1:] - left_h, u[:, -1:] - left_u
    return np.asarray(left_u * right_u / u[:, -1:] * (left_h / left_u - right_h / right_u) ** 2)


def _by_period(documents: Totals, ends: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    starts = np.concatenate([[0], ends[:-1]])
    return np.add.reduceat(documents.hits, starts), np.add.reduceat(documents.units, starts)


def _pelt(hits: Floats, units: Floats) -> list[int]:
    """Return the first period of each new level, as numbers."""
    import ruptures

    share = hits / units
    signal = np.stack([share, units], axis=1)
    step = np.diff(share) ** 2 / (1 / units[1:] + 1 / units[:-1])
    dispersion = max(float(np.median(step)) / 0.455, 1e-12)  # 0.455: median of a squared standard normal
    search = ruptures.Pelt(custom_cost=_weighted_cost(), min_size=SIDE, jump=1).fit(signal)
    return [int(i) for i in search.predict(pen=PENALTY * float(np.log(share.size)) * dispersion)[:-1]]


def _weighted_cost() -> Any:
    """Weighted sum of squares around the segment's weighted mean, as a cost for ruptures."""
    from ruptures.base import BaseCost

    class WeightedCost(BaseCost):  # type: ignore[misc]
        model = "weighted_l2"
        min_size = 1

        def fit(self, signal: Floats) -> WeightedCost:
            share, units = signal.T
            self._sums = np.concatenate(
                [np.zeros((3, 1)), np.cumsum([units, units * share, units * share**2], axis=1)], axis=1
            )
            self.signal = signal
            return self

        def error(self, start: int, end: int) -> float:
            u, h, s = self._sums[:, end] - self._sums[:, start]
            return float(max(s - h**2 / u, 0.0))

    return WeightedCost()
