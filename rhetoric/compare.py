"""Groups compared: differences and ratios of shares, with a permutation test that shuffles documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt
import polars as pl

from rhetoric.errors import RhetoricError
from rhetoric.measure import MIN_POSITIVES, Measures, weight_of
from rhetoric.prevalence import LEVEL, Estimate, Floats, Totals, estimate_share, t_quantile

PERMUTATIONS = 9999
EXACT_LIMIT = 20_000
REST = "all others"


class ComparisonError(RhetoricError):
    """Groups cannot be compared."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Two groups' totals by document; a document that has sentences on both sides stands in both.

    Arrays have shape (parts,): `document` a number that both sides share, `first` whether the part
    belongs to the first group.
    """

    document: npt.NDArray[np.int64]
    first: npt.NDArray[np.bool_]
    hits: Floats
    units: Floats

    def side(self, first: bool) -> Totals:
        """Totals of one side."""
        chosen = self.first == first
        return Totals(self.hits[chosen], self.units[chosen])


@dataclass(frozen=True, slots=True)
class Comparison:
    """First group against second group in one category.

    `difference` is first minus second in shares, `ratio` first over second, `effect` Cohen's h;
    `p` comes from the permutation test, `p_holm` is adjusted for all comparisons made together,
    `smallest_p` is the least that this many documents could give. NaN where nothing can be said.
    """

    category: str
    first: str
    second: str
    share_first: Estimate
    share_second: Estimate
    difference: float
    difference_low: float
    difference_high: float
    ratio: float
    ratio_low: float
    ratio_high: float
    effect: float
    p: float
    smallest_p: float
    p_holm: float = float("nan")
    note: str = ""


def cohens_h(first: float, second: float) -> float:
    """Effect size for two shares: 2 asin(sqrt(p1)) - 2 asin(sqrt(p2)).

    Cohen (1988), *Statistical Power Analysis*, section 6.2: shares of .40 and .25 are phi = 1.369 and
    1.047, h = .322.

    >>> round(cohens_h(0.40, 0.25), 3)
    0.322
    """
    ends = np.clip([first, second], 0.0, 1.0)
    return float(2 * np.arcsin(np.sqrt(ends[0])) - 2 * np.arcsin(np.sqrt(ends[1])))


def mover_difference(
    first: tuple[float, float, float], second: tuple[float, float, float], correlation: float = 0.0
) -> tuple[float, float]:
    """Interval for a difference from the two estimates' own intervals (MOVER, square-and-add).

    Each argument is (estimate, low, high). Newcombe (1998, Statistics in Medicine 17: 873-890),
    table II, method 10: 56/70 against 48/80 with Wilson intervals gives 0.0524 to 0.3339.

    >>> low, high = mover_difference((0.8, 0.6918, 0.8769), (0.6, 0.4904, 0.7004))
    >>> round(low, 3), round(high, 3)
    (0.052, 0.334)
    """
    p1, l1, u1 = first
    p2, l2, u2 = second
    down = (p1 - l1) ** 2 - 2 * correlation * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    up = (u1 - p1) ** 2 - 2 * correlation * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2
    return p1 - p2 - float(np.sqrt(max(down, 0.0))), p1 - p2 + float(np.sqrt(max(up, 0.0)))


def ratio_interval(first: Estimate, second: Estimate, correlation: float, level: float) -> tuple[float, float]:
    """Interval for a ratio of shares: normal in the logarithm (delta method), Student quantile."""
    if not (first.share > 0 and second.share > 0 and np.isfinite(first.se) and np.isfinite(second.se)):
        return float("nan"), float("nan")
    a, b = first.se / first.share, second.se / second.share
    variance = a**2 + b**2 - 2 * correlation * a * b
    half = t_quantile(level, welch_df(a**2, first.df, b**2, second.df)) * float(np.sqrt(max(variance, 0.0)))
    middle = float(np.log(first.share / second.share))
    return float(np.exp(middle - half)), float(np.exp(middle + half))


def welch_df(first: float, df_first: float, second: float, df_second: float) -> float:
    """Degrees of freedom of a sum of two variances (Welch and Satterthwaite).

    >>> round(welch_df(4 / 10, 9, 1 / 10, 9), 2)
    13.24
    """
    below = first**2 / df_first + second**2 / df_second
    return (first + second) ** 2 / below if below > 0 else df_first + df_second


def studentised(first: npt.NDArray[np.bool_], sides: Sides) -> Floats:
    """Difference of shares over its cluster-robust standard error, for many ways to assign the parts.

    Args:
        first: shape (assignments, parts), whether a part is counted to the first group.
        sides: the parts.

    Returns:
        Shape (assignments,); infinite where the shares differ and no document varies.
    """
    shares, variance = [], np.zeros(first.shape[0])
    columns = np.stack([sides.hits, sides.units, sides.hits**2, sides.hits * sides.units, sides.units**2], axis=1)
    for member in (first, ~first):
        hits, units, hh, hu, uu = (member.astype(float) @ columns).T
        count = member.sum(axis=1)
        share = hits / units
        variance += np.maximum(hh - 2 * share * hu + share**2 * uu, 0) / units**2 * count / np.maximum(count - 1, 1)
        shares.append(share)
    difference = shares[0] - shares[1]
    scale = float(np.abs(sides.hits).sum() / sides.units.sum()) or 1.0
    difference = np.where(np.abs(difference) < 1e-12 * scale, 0.0, difference)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = difference / np.sqrt(np.where(variance < (1e-9 * scale) ** 2, 0.0, variance))
    return np.where(difference == 0, 0.0, t)


def assignments(sides: Sides, rng: np.random.Generator, draws: int) -> tuple[npt.NDArray[np.bool_], bool]:
    """Ways to assign documents to the groups, all of them where there are few, else random ones.

    A document on both sides may swap its parts; the others keep their number on each side.

    Returns:
        Shape (assignments, parts), and whether these are all.
    """
    counts = np.bincount(sides.document)
    paired = np.flatnonzero(counts[sides.document] == 2)
    single = np.flatnonzero(counts[sides.document] == 1)
    in_first = int(sides.first[single].sum())
    ways = comb(single.size, in_first) * 2 ** (paired.size // 2)
    if ways <= EXACT_LIMIT:
        return _all(sides, single, in_first, paired), True
    result = np.repeat(sides.first[None, :], draws, axis=0)
    chosen = single[rng.random((draws, single.size)).argsort(axis=1)[:, :in_first]]
    result[:, single] = False
    np.put_along_axis(result, chosen, values=True, axis=1)
    if paired.size:
        numbers, place = np.unique(sides.document[paired], return_inverse=True)
        swap = rng.random((draws, numbers.size)) < 0.5
        result[:, paired] ^= swap[:, place]
    return result, False


def _all(
    sides: Sides, single: npt.NDArray[np.int64], in_first: int, paired: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    chosen = list(combinations(range(single.size), in_first))
    numbers, place = np.unique(sides.document[paired], return_inverse=True)
    swaps = ((np.arange(2**numbers.size)[:, None] >> np.arange(numbers.size)) & 1).astype(bool)
    result = np.repeat(sides.first[None, :], len(chosen) * len(swaps), axis=0)
    rows = np.zeros((len(chosen), single.size), dtype=bool)
    for i, combination in enumerate(chosen):
        rows[i, list(combination)] = True
    result[:, single] = np.repeat(rows, len(swaps), axis=0)
    if paired.size:
        result[:, paired] ^= np.tile(swaps[:, place], (len(chosen), 1))
    return result


def permutation_test(sides: Sides, rng: np.random.Generator, draws: int = PERMUTATIONS) -> tuple[float, float]:
    """Two-sided permutation test by document, with a studentised difference.

    Exact if the documents of both groups are alike in every way; because the difference is
    studentised it also holds, for many documents, when only their shares are alike (Chung and
    Romano 2013, Annals of Statistics 41).

    Returns:
        The p-value and the smallest one possible.
    """
    ways, complete = assignments(sides, rng, draws)
    as_far = count_as_far(ways, sides)
    if complete:
        return as_far / len(ways), _least(sides, len(ways))
    return (as_far + 1) / (draws + 1), 1 / (draws + 1)


def count_as_far(ways: npt.NDArray[np.bool_], sides: Sides) -> int:
    """How many assignments set the groups at least as far apart as they are."""
    observed = abs(float(studentised(sides.first[None, :], sides)[0]))
    return int(np.sum(np.abs(studentised(ways, sides)) >= observed * (1 - 1e-9) - 1e-12))


def _least(sides: Sides, ways: int) -> float:
    """Smallest p-value of a complete enumeration: mirror images count as well where the sides are of one size."""
    counts = np.bincount(sides.document)
    single = counts[sides.document] == 1
    mirrored = 2 * int(sides.first[single].sum()) == int(single.sum())
    return min(1.0, (2 if mirrored else 1) / ways)


def compare_sides(
    sides: Sides,
    rng: np.random.Generator,
    *,
    level: float = LEVEL,
    draws: int = PERMUTATIONS,
    tested: Sides | None = None,
) -> Comparison:
    """Compare two groups; names and category are filled in by the caller.

    `tested` are the same documents with the totals that the test is made on, where these are others.
    """
    a, b = sides.side(first=True), sides.side(first=False)
    first, second = estimate_share(a, level), estimate_share(b, level)
    correlation = _correlation(sides, first, second)
    nan = float("nan")
    low, high = nan, nan
    if np.isfinite([first.low, second.low]).all():
        low, high = mover_difference(
            (first.share, first.low, first.high), (second.share, second.low, second.high), correlation
        )
    ratio = first.share / second.share if second.share > 0 else nan
    p, least = nan, nan
    note = _note(first, second)
    if min(a.documents, b.documents) >= 2 and (a.hits.any() or b.hits.any()):
        p, least = permutation_test(tested or sides, rng, draws)
    return Comparison(
        "", "", "", first, second, first.share - second.share, low, high,
        ratio, *ratio_interval(first, second, correlation, level), cohens_h(first.share, second.share), p, least, note=note,
    )  # fmt: skip


def _correlation(sides: Sides, first: Estimate, second: Estimate) -> float:
    """Correlation of the two shares through documents that stand on both sides: 0 where there are none."""
    counts = np.bincount(sides.document)
    shared = np.flatnonzero(counts == 2)
    if not shared.size or not (first.se > 0 and second.se > 0):
        return 0.0
    influence = np.zeros((2, counts.size))
    for row, chosen in enumerate((sides.first, ~sides.first)):
        influence[row, sides.document[chosen]] = sides.side(first=not row).influence()
    a, b = first.documents, second.documents
    small = np.sqrt(a / (a - 1) * b / (b - 1))  # as both variances have it
    return float(np.clip(small * (influence[0, shared] @ influence[1, shared]) / (first.se * second.se), -1, 1))


def _note(first: Estimate, second: Estimate) -> str:
    notes = []
    for name, estimate in (("first", first), ("second", second)):
        notes += [f"{name} group: {caution}" for caution in estimate.cautions]
    if first.documents == 1 or second.documents == 1:
        notes.append("a test needs at least two documents in each group")
    if first.hits == 0 and second.hits == 0:
        notes.append("nothing was found in either group: there is nothing to compare")
    elif second.share <= 0:
        notes.append("no ratio: nothing was found in the second group")
    return "; ".join(notes)


def compare(
    measures: Measures,
    groups: Sequence[str] = (),
    *,
    against: str = "",
    rng: np.random.Generator,
    level: float = LEVEL,
    draws: int = PERMUTATIONS,
) -> list[Comparison]:
    """Compare groups of one column, two by two or each with one other, and adjust for having made several.

    Args:
        measures: grouped by one column.
        groups: those to compare; all by default.
        against: "" for all pairs, `REST` for each with all others, or the name of a group.
        rng: for the permutations.
        level: confidence level.
        draws: random permutations where there are too many to go through.

    Raises:
        ComparisonError: an unknown group, or fewer than two.
    """
    known = [group[0] for group in measures.groups()]
    groups = list(dict.fromkeys(groups)) or known
    for name in (*groups, *([against] if against and against != REST else [])):
        if name not in known:
            raise ComparisonError(f"there is no {measures.by[0]} {name!r}; there is {', '.join(known)}")
    if len({*groups, against} - {"", REST}) < 2:
        raise ComparisonError(f"a comparison needs two groups, got {', '.join(groups)}")
    pairs = _pairs(groups, against)
    results = [
        replace(_compare_pair(measures, category, first, second, groups, rng, level, draws),
                category=category, first=first, second=second)
        for category in measures.categories
        for first, second in pairs
    ]  # fmt: skip
    return adjust(results)


def _pairs(groups: Sequence[str], against: str) -> list[tuple[str, str]]:
    if against:
        return [(group, against) for group in groups if group != against]
    return list(combinations(groups, 2))


def _compare_pair(
    measures: Measures, category: str, first: str, second: str, groups: Sequence[str],
    rng: np.random.Generator, level: float, draws: int,
) -> Comparison:  # fmt: skip
    others = [g for g in groups if g != first] if second == REST else [second]
    try:
        sides = sides_of(measures, category, first, others)
    except ComparisonError as error:
        nan = float("nan")
        empty = Estimate(nan, nan, nan, nan, nan, 0, 0.0, 0.0)
        return Comparison("", "", "", empty, empty, nan, nan, nan, nan, nan, nan, nan, nan, nan, note=str(error))
    tested = sides_of(measures, category, first, others, _common_weight(measures, category, (first, *others)))
    found = compare_sides(sides, rng, level=level, draws=draws, tested=tested)
    thin = [g for g in (first, *others) if measures.positives(category, (g,)) < MIN_POSITIVES]
    if measures.corrected and (first in thin or len(thin) == len(others)):
        note = f"no test: fewer than {MIN_POSITIVES} coded sentences of {', '.join(thin)} are in the category"
        return replace(found, p=float("nan"), smallest_p=float("nan"), note="; ".join(filter(None, [found.note, note])))
    return found


def _common_weight(measures: Measures, category: str, groups: Sequence[str]) -> float | None:
    """One weight of the predictions for all groups, None without an audit.

    A weight tuned on one group's few coded positives follows their chance and makes a test reject too
    often where positives are rare (benchmarks/coverage.py); one that both sides share does so less.
    """
    if not measures.corrected:
        return None
    return weight_of(measures.frame.filter(pl.col(measures.by[0]).is_in(list(groups))), category)


def sides_of(
    measures: Measures, category: str, first: str, others: Sequence[str], weight: float | None = None
) -> Sides:
    """Put the documents of two sides together; several groups on the second side are pooled by document.

    Corrected totals have each group's own weight of the predictions, or the given one.

    Raises:
        ComparisonError: a group has too few coded sentences for corrected totals.
    """
    names: list[str] = []
    hits: list[Floats] = []
    units: list[Floats] = []
    first_parts = 0
    for group in (first, *others):
        totals = measures.best(category, (group,), weight)
        if totals is None:
            raise ComparisonError(f"{group}: too few coded sentences for a corrected share")
        names += measures.documents((group,))["document"].to_list()
        hits.append(totals.hits)
        units.append(totals.units)
        first_parts = first_parts or totals.documents
    table = pl.DataFrame({
        "document": names, "first": np.arange(len(names)) < first_parts,
        "hits": np.concatenate(hits), "units": np.concatenate(units),
    }).group_by("document", "first", maintain_order=True).agg(pl.col("hits", "units").sum())  # fmt: skip
    number = np.unique(table["document"].to_numpy(), return_inverse=True)[1].astype(np.int64)
    return Sides(number, table["first"].to_numpy(), table["hits"].to_numpy(), table["units"].to_numpy())


def adjust(results: Sequence[Comparison]) -> list[Comparison]:
    """Fill in p-values adjusted by Holm's method (from statsmodels) over all tests that could be made."""
    made = [i for i, result in enumerate(results) if np.isfinite(result.p)]
    adjusted = holm([results[i].p for i in made])
    filled = list(results)
    for i, p in zip(made, adjusted, strict=True):
        filled[i] = replace(filled[i], p_holm=p)
    return filled


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment.

    >>> holm([0.01, 0.04, 0.03, 0.005])
    [0.03, 0.06, 0.06, 0.02]
    """
    if not p:
        return []
    from statsmodels.stats.multitest import multipletests

    return [round(float(x), 12) for x in multipletests(p, method="holm")[1]]
