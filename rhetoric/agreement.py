"""How far coders agree: Krippendorff's alpha, kappas and percent agreement, with bootstrap intervals.

Any number of coders; codings may be missing. The bootstrap draws documents (or passages), because
sentences of one passage are not independent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from rhetoric.errors import RhetoricError
from rhetoric.prevalence import LEVEL, Floats

DRAWS = 999
SURE, TENTATIVE = 0.8, 0.667
"""Krippendorff (2004), *Content Analysis*, page 241: rely on alpha from 0.800, tentatively from 0.667."""

MISSING = -1


class AgreementError(RhetoricError):
    """Codings cannot be read or compared."""


@dataclass(frozen=True, slots=True)
class CodingTable:
    """What coders said in one category.

    `codes` has shape (units, coders) and holds numbers of `values`, or `MISSING`; `cluster` has
    shape (units,) and numbers the document or passage of each unit.
    """

    category: str
    coders: tuple[str, ...]
    values: tuple[str, ...]
    codes: npt.NDArray[np.int64]
    cluster: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        """Refuse a table whose shapes do not fit."""
        if self.codes.shape != (self.cluster.size, len(self.coders)):
            raise AgreementError(
                f"codings of shape {self.codes.shape} do not fit {self.cluster.size} units and {len(self.coders)} coders"
            )

    def counts(self) -> Floats:
        """How many coders gave each value; shape (units, values)."""
        return np.stack([(self.codes == i).sum(axis=1) for i in range(len(self.values))], axis=1).astype(float)


@dataclass(frozen=True, slots=True)
class Coefficient:
    """A coefficient with its interval; NaN where it is not defined."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement in one category.

    `units` are those that two coders or more have coded. `cohen` is the mean over the pairs of
    coders, `fleiss` is over the units that all have coded; `positive` is the share of codings that
    are not the most frequent value.
    """

    category: str
    coders: tuple[str, ...]
    units: int
    clusters: int
    positive: float
    alpha: Coefficient
    cohen: Coefficient
    fleiss: Coefficient
    percent: Coefficient
    note: str


def krippendorff_alpha(counts: Floats) -> float:
    """Krippendorff's alpha for nominal values; NaN where all codings are of one value.

    Krippendorff (2011), *Computing Krippendorff's Alpha-Reliability*, example C (four observers,
    twelve units, five values, codings missing): 0.743.

    >>> observers = ["123321412...", "1233224125.3", ".3332342251.", "12332441251."]
    >>> units = [[line[i] for line in observers] for i in range(12)]
    >>> counts = np.array([[unit.count(value) for value in "12345"] for unit in units], dtype=float)
    >>> round(krippendorff_alpha(counts), 3)
    0.743

    Args:
        counts: shape (units, values), how many coders gave each value.
    """
    coders = counts.sum(axis=1)
    counts, coders = counts[coders >= 2], coders[coders >= 2]
    n, by_value = float(coders.sum()), counts.sum(axis=0)
    agreeing = float(np.sum(np.sum(counts * (counts - 1), axis=1) / (coders - 1)))
    by_chance = float(np.sum(by_value * (by_value - 1)))
    if n <= 1 or by_chance >= n * (n - 1):
        return float("nan")
    return ((n - 1) * agreeing - by_chance) / (n * (n - 1) - by_chance)


def percent_agreement(counts: Floats) -> float:
    """Share of pairs of codings of one unit that agree.

    >>> percent_agreement(np.array([[2.0, 0], [1, 1], [0, 3]]))
    0.8
    """
    coders = counts.sum(axis=1)
    pairs = float(np.sum(coders * (coders - 1)))
    return float(np.sum(counts * (counts - 1))) / pairs if pairs else float("nan")


def fleiss(counts: Floats) -> float:
    """Fleiss' kappa (from statsmodels) over the units that all coders have coded; NaN where it is not defined.

    Fleiss' example as given in most textbooks (10 units, 14 coders, 5 values): 0.210.

    >>> rows = [[0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
    ...         [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7]]
    >>> round(fleiss(np.array(rows, dtype=float)), 3)
    0.21
    """
    from statsmodels.stats.inter_rater import fleiss_kappa

    coders = counts.sum(axis=1)
    whole = counts[coders == coders.max()] if coders.size else counts
    if not whole.size or coders.max() < 2 or np.count_nonzero(whole.sum(axis=0)) < 2:
        return float("nan")
    return float(fleiss_kappa(whole))


def cohen(codes: npt.NDArray[np.int64], values: int) -> float:
    """Cohen's kappa (from statsmodels), its mean over all pairs of coders; NaN where no pair has one.

    Two coders who agree on 35 of 50 (20 yes, 15 no) and differ on 5 and 10 have kappa 0.40.

    >>> codes = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], [20, 5, 10, 15], axis=0)
    >>> round(cohen(codes, 2), 2)
    0.4
    """
    from statsmodels.stats.inter_rater import cohens_kappa

    found = []
    for first, second in combinations(range(codes.shape[1]), 2):
        both = codes[(codes[:, first] != MISSING) & (codes[:, second] != MISSING)][:, [first, second]]
        table = np.bincount(both[:, 0] * values + both[:, 1], minlength=values**2).reshape(values, values)
        if both.size and not (np.count_nonzero(table.sum(axis=0)) == 1 == np.count_nonzero(table.sum(axis=1))):
            found.append(float(cohens_kappa(table, return_results=False)))
    return float(np.mean(found)) if found else float("nan")


def cluster_draws(cluster: npt.NDArray[np.int64], rng: np.random.Generator, draws: int) -> list[npt.NDArray[np.int64]]:
    """Units of bootstrap samples in which whole clusters are drawn with replacement."""
    order = np.argsort(cluster, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(cluster[order])) + 1)
    return [
        np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))]) for _ in range(draws)
    ]  # fmt: skip


def agreement(table: CodingTable, rng: np.random.Generator, *, level: float = LEVEL, draws: int = DRAWS) -> Agreement:
    """Measure agreement in one category.

    Raises:
        AgreementError: fewer than two coders, or no unit that two have coded.
    """
    if len(table.coders) < 2:
        raise AgreementError(f"agreement needs two coders, got {', '.join(table.coders) or 'none'}")
    coded = (table.codes != MISSING).sum(axis=1)
    kept = CodingTable(table.category, table.coders, table.values, table.codes[coded >= 2], table.cluster[coded >= 2])
    if not kept.cluster.size:
        raise AgreementError(f"{table.category}: no sentence was coded by two of {', '.join(table.coders)}")
    counts = kept.counts()
    clusters = int(np.unique(kept.cluster).size)
    samples = cluster_draws(kept.cluster, rng, draws) if clusters > 1 else []
    whole = bool((coded[coded >= 2] == len(table.coders)).any())
    by_value = counts.sum(axis=0)
    return Agreement(
        kept.category, kept.coders, kept.cluster.size, clusters, 1 - float(by_value.max() / by_value.sum()),
        alpha=_with_interval(lambda s: krippendorff_alpha(counts[s]), kept.cluster.size, samples, level),
        cohen=_with_interval(lambda s: cohen(kept.codes[s], len(kept.values)), kept.cluster.size, samples, level),
        fleiss=_with_interval(lambda s: fleiss(counts[s]) if whole else float("nan"), kept.cluster.size, samples, level),
        percent=_with_interval(lambda s: percent_agreement(counts[s]), kept.cluster.size, samples, level),
        note=_note(krippendorff_alpha(counts), clusters, float(by_value.sum() - by_value.max())),
    )  # fmt: skip


def _with_interval(
    coefficient: Callable[[npt.NDArray[np.int64]], float],
    units: int,
    samples: Sequence[npt.NDArray[np.int64]],
    level: float,
) -> Coefficient:
    """Percentile interval over the bootstrap samples in which the coefficient is defined."""
    value = coefficient(np.arange(units))
    drawn = np.array([coefficient(sample) for sample in samples]) if np.isfinite(value) else np.empty(0)
    drawn = drawn[np.isfinite(drawn)]
    if drawn.size < max(100, len(samples) // 2):
        return Coefficient(value, float("nan"), float("nan"))
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return Coefficient(value, float(low), float(high))


def _note(alpha: float, clusters: int, rare: float) -> str:
    notes = []
    if not np.isfinite(alpha):
        notes.append("all codings are alike: alpha and kappa are not defined, and agreement beyond chance is unknown")
    elif alpha < TENTATIVE:
        notes.append(f"alpha below {TENTATIVE}: too low to rely on")
    elif alpha < SURE:
        notes.append(f"alpha below {SURE}: for tentative conclusions only")
    if clusters == 1:
        notes.append("one document: no interval")
    if np.isfinite(alpha) and rare < 20:
        notes.append(f"only {rare:.0f} codings of the rarer kind: alpha rests on few cases")
    return "; ".join(notes)


def coding_table(category: str, codings: Mapping[tuple[str, str], Mapping[str, str]]) -> CodingTable:
    """Make a table of codings by (cluster, unit) and coder; coders and values are sorted by name."""
    coders = tuple(sorted({coder for row in codings.values() for coder in row}))
    values = tuple(sorted({value for row in codings.values() for value in row.values()}))
    clusters = {name: i for i, name in enumerate(sorted({cluster for cluster, _ in codings}))}
    codes = np.full((len(codings), len(coders)), MISSING, dtype=np.int64)
    numbers = {value: i for i, value in enumerate(values)}
    for line, row in enumerate(codings.values()):
        for column, coder in enumerate(coders):
            if coder in row:
                codes[line, column] = numbers[row[coder]]
    cluster = np.array([clusters[name] for name, _ in codings], dtype=np.int64)
    return CodingTable(category, coders, values, codes, cluster)
