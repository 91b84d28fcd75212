"""How many more sentences to code for an interval of a wanted width.

The variance of a corrected share has two parts. One comes from the documents: speeches differ, and
no coding makes it smaller. The other comes from the audit sample and falls with its size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from rhetoric.correction import AuditError
from rhetoric.measure import MIN_CODED, Group, Measures, measure
from rhetoric.prevalence import LEVEL, Floats, ratio_variance, t_quantile
from rhetoric.table import LabelledRows


@dataclass(frozen=True, slots=True)
class Plan:
    """What one group needs for one category.

    `half_width` is what is expected now, `floor` what remains if every sentence were coded (NaN where
    nothing shows how far documents differ), `more` the sentences still to code (None where even coding
    all would not reach the wanted width, or where that is not known); `note` says what can't be said.
    """

    category: str
    group: Group
    share: float
    coded: int
    half_width: float
    floor: float
    more: int | None
    note: str = ""


ONE_DOCUMENT = "one document: how far speeches differ is not known, so no width can be planned"
ALIKE = "nothing shows how far speeches differ, so the number is the least that must be coded, and may not be enough"
UNREACHED = "coding alone cannot reach the width, because speeches differ; only more documents can"
UNCORRECTED = f"fewer than {MIN_CODED} coded sentences: planned from the shares as counted"


def stratified_variance(size: Floats, sample: Floats, variance: Floats) -> float:
    """Variance of a total estimated from a stratified sample: sum of N (N - n) S^2 / n.

    Cochran (1977), section 5.6: 64 cities in two strata, 12 drawn from each: 1,090,827; drawn in
    proportion (6 and 18): 1,882,293.

    >>> cities, deviations = np.array([16.0, 48.0]), np.array([53_843.0, 5_581.0])
    >>> round(stratified_variance(cities, np.array([12.0, 12.0]), deviations))
    1090827
    >>> round(stratified_variance(cities, np.array([6.0, 18.0]), deviations))
    1882293
    """
    return float(np.sum(size * np.maximum(size - sample, 0) * variance / sample))


def growth(target: float, documents: float, size: Floats, sample: Floats, variance: Floats) -> float | None:
    """By how much a sample must grow for a variance of `target`; None where it cannot be reached.

    All variances are of the total. Solves documents + sum of N^2 S^2 / (c n) - N S^2 = target for c.
    """
    fixed = float(np.sum(size * variance))
    room = target - documents + fixed
    most = float(np.sum(size**2 * variance / np.maximum(sample, 1e-9)))
    if target < documents or room <= 0:
        return None
    return most / room


def plan(
    rows: LabelledRows,
    half_width: float,
    *,
    by: Sequence[str] = (),
    frame: pl.DataFrame,
    nominal: int = 100,
    level: float = LEVEL,
    where: Sequence[str] = (),
) -> Iterator[Plan]:
    """Plan the coding of each category and group.

    Args:
        rows: the run.
        half_width: wanted distance from the share to the ends of its interval (0.01 for one point).
        by: group columns.
        frame: strata of the run; with `coded` and `gold_KEY` where a first sample was coded
            (`rhetoric.audit.audited`), else the model's own probabilities stand in for what coding
            will show.
        nominal: sample a group to start from where nothing was coded.
        level: confidence level.
        where: conditions on the rows, see `rhetoric.measure.measure`.
    """
    if not 0 < half_width < 0.5:
        raise AuditError(f"the half-width must be between 0 and 0.5, such as 0.02 for ±2 points, got {half_width}")
    kept = rows
    for condition in where:
        kept = kept.where(condition)
    table = kept.grouped(by)[0].join(frame, on=["document", "sentence"], how="left", maintain_order="left")
    coded = "coded" in frame.columns
    measures = measure(rows, by, audit=frame if coded else None, where=where)
    for category in rows.categories:
        for group in measures.groups():
            part = table
            for name, value in zip(by, group, strict=True):
                part = part.filter(pl.col(name) == value)
            yield _plan_group(part, measures, category, group, half_width, nominal, level)


def _plan_group(
    part: pl.DataFrame,
    measures: Measures,
    category: str,
    group: Group,
    half_width: float,
    nominal: int,
    level: float,
) -> Plan:
    coded = measures.corrected
    best = measures.best(category, group)
    totals = best or measures.raw(category, group)
    size, sample, variance = _strata(part, category, coded, nominal)
    units = float(totals.units.sum())
    now = stratified_variance(size, np.maximum(sample, 1.0), variance)
    known = ratio_variance(totals) * units**2
    documents = known - (now if coded and best else 0.0)  # shares as counted have no part from the audit
    if documents < 1e-9:  # also what rounding leaves where all documents are alike
        documents = 0.0
    t = t_quantile(level, max(totals.documents - 1, 1))
    factor = (
        growth((half_width / t * units) ** 2, documents, size, sample, variance) if np.isfinite(documents) else None
    )
    drawn = int(part["coded"].sum()) if coded else 0
    more = None if factor is None else max(0, round(min(factor * sample.sum(), size.sum())) - drawn)
    wide = t * float(np.sqrt(documents + now)) / units
    return Plan(
        category,
        group,
        totals.share,
        drawn,
        wide if coded else float("nan"),
        t * float(np.sqrt(documents)) / units if documents > 0 else float("nan"),
        more,
        "; ".join(_notes(documents, more, counted=best is None)),
    )


def _notes(documents: float, more: int | None, *, counted: bool) -> Iterator[str]:
    """Say why a number is missing, or why it is the least."""
    if counted:
        yield UNCORRECTED
    if np.isnan(documents):
        yield ONE_DOCUMENT
    elif more is None:
        yield UNREACHED
    elif documents == 0:
        yield ALIKE


def _strata(part: pl.DataFrame, category: str, coded: bool, nominal: int) -> tuple[Floats, Floats, Floats]:
    """Sizes, samples and residual variances of the strata within a group.

    One pseudo-observation with the model's own expected variance keeps a stratum in which all
    codings agreed from counting as certain.
    """
    p = pl.col(f"probability_{category}")
    expected = (p * (1 - p)).mean().alias("expected")
    if not coded:
        table = part.group_by("stratum").agg(pl.len(), expected).sort("stratum")
        sample = np.full(table.height, nominal / table.height)
        return table["len"].to_numpy().astype(float), sample, table["expected"].to_numpy()
    error = (pl.col(f"gold_{category}") - p).filter(pl.col("coded"))
    table = part.group_by("stratum").agg(
        pl.len(), expected, pl.col("coded").sum(), ((error - error.mean()) ** 2).sum().fill_null(0.0).alias("squares")
    ).sort("stratum")  # fmt: skip
    n = table["coded"].to_numpy().astype(float)
    variance = (table["squares"].to_numpy() + table["expected"].to_numpy()) / np.maximum(n, 1)
    return table["len"].to_numpy().astype(float), np.maximum(n, 0.5), variance
