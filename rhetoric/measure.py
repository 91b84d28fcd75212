"""From labelled rows to totals by document: the table that shares, comparison and trend all start from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from rhetoric.correction import AuditedSentences, CorrectedShare, correct_share, pseudo_outcomes, tuned_weight
from rhetoric.prevalence import LEVEL, Estimate, Totals, design_effect, estimate_share, pool, wilson_interval
from rhetoric.table import UNITS, LabelledRows, TableError

MIN_CODED = 20
"""Fewer coded sentences than this in a group give no corrected share."""
MIN_POSITIVES = 5
"""Fewer coded positives than this make a corrected share rough."""

PARTS = ("without", "change", "product", "square", "positives")
"""Columns that an audit adds for each category: see `rhetoric.correction.Pseudo`."""

Group = tuple[str, ...]
ALL: Group = ()


@dataclass(frozen=True, slots=True)
class Measures:
    """One row a document and group: `units`, `raw_KEY` and, with an audit, the pseudo-outcomes' sums.

    With an audit there are the columns of `PARTS` for each category, and `coded`. `by` are the group columns; a document stands once in each group in which it has
    sentences.
    """

    frame: pl.DataFrame
    categories: tuple[str, ...]
    by: tuple[str, ...]
    unit: str
    corrected: bool
    notes: tuple[str, ...] = ()

    def groups(self) -> tuple[Group, ...]:
        """Groups in order of their names; one group without a name where there is no column to group by."""
        if not self.by:
            return (ALL,)
        return tuple(sorted(self.frame.select(self.by).unique().iter_rows()))

    def documents(self, group: Group) -> pl.DataFrame:
        """Rows of one group."""
        frame = self.frame
        for name, value in zip(self.by, group, strict=True):
            frame = frame.filter(pl.col(name) == value)
        return frame

    def raw(self, category: str, group: Group) -> Totals:
        """Totals of what the classifier says."""
        return totals(self.documents(group), f"raw_{category}")

    def corrected_share(
        self, category: str, group: Group, level: float = LEVEL, weight: float | None = None
    ) -> CorrectedShare | None:
        """Corrected share of a group, or None where fewer than `MIN_CODED` of its sentences were coded."""
        documents = self.documents(group)
        coded = int(documents["coded"].sum())
        if coded < MIN_CODED:
            return None
        return correct_share(
            totals(documents, f"without_{category}"),
            totals(documents, f"change_{category}"),
            weight_of(documents, category) if weight is None else weight,
            coded,
            int(documents[f"positives_{category}"].sum()),
            level=level,
        )

    def positives(self, category: str, group: Group) -> int:
        """How many coded sentences of a group are in a category; 0 without an audit."""
        return int(self.documents(group)[f"positives_{category}"].sum()) if self.corrected else 0

    def best(self, category: str, group: Group, weight: float | None = None) -> Totals | None:
        """Corrected totals with an audit (None where too little was coded), raw ones without.

        The predictions have the group's own tuned weight, or the given one.
        """
        if not self.corrected:
            return self.raw(category, group)
        share = self.corrected_share(category, group, weight=weight)
        return share.totals if share else None


@dataclass(frozen=True, slots=True)
class Share:
    """Share of one category in one group, raw and, with an audit, corrected; `note` says what can't be said."""

    category: str
    group: Group
    raw: Estimate
    corrected: CorrectedShare | None
    note: str


def totals(documents: pl.DataFrame, column: str) -> Totals:
    """Totals from a column of a measures table."""
    return Totals(documents[column].cast(pl.Float64).to_numpy(), documents["units"].cast(pl.Float64).to_numpy())


def weight_of(documents: pl.DataFrame, category: str) -> float:
    """Tuned weight of the predictions for the documents of a measures table."""
    return tuned_weight(float(documents[f"product_{category}"].sum()), float(documents[f"square_{category}"].sum()))


def measure(
    rows: LabelledRows,
    by: Sequence[str] = (),
    unit: str = "sentence",
    audit: pl.DataFrame | None = None,
    where: Sequence[str] = (),
) -> Measures:
    """Sum labels, and pseudo-outcomes where there is an audit, by document and group.

    Args:
        rows: labelled sentences.
        by: columns to group by.
        unit: "sentence", "word" (a sentence counts its words) or "document" (has it the category at all).
        audit: the table of `rhetoric.audit.audited`: document, sentence, stratum, coded, gold_KEY.
        where: conditions (see `LabelledRows.where`), applied after the audit has been taken in, which
            needs the whole run.

    Raises:
        TableError: an unknown unit or column, or an audit together with the unit "document".
    """
    if unit not in UNITS:
        raise TableError(f"unit must be one of {', '.join(UNITS)}, got {unit!r}")
    if audit is not None and unit == "document":
        raise TableError("an audit corrects shares of sentences or words, not of documents; choose another --unit")
    if audit is not None:
        rows = _with_pseudo(rows, audit, unit)
    for condition in where:
        rows = rows.where(condition)
    if audit is not None:
        _refuse_strange(rows.frame)
    frame, notes = rows.grouped(by)
    keys = list(dict.fromkeys([*by, "document"]))
    units = pl.col("words") if unit == "word" else pl.lit(1)
    if unit == "word":
        frame, silent = _with_words(frame)
        notes = (*notes, *silent)
    sums = [(pl.col(f"label_{key}") * units).sum().alias(f"raw_{key}") for key in rows.categories]
    if audit is not None:
        kept = [f"{part}_{key}" for key in rows.categories for part in PARTS]
        sums += [pl.col(name).sum() for name in (*kept, "coded")]
    if unit == "document":
        sums = [pl.col(f"label_{key}").any().cast(pl.Int64).alias(f"raw_{key}") for key in rows.categories]
    all_units = pl.lit(1).alias("units") if unit == "document" else units.sum().alias("units")
    if unit == "sentence":
        all_units = pl.len().alias("units")
    table = (
        frame.group_by(keys, maintain_order=True)
        .agg(all_units, pl.col("date").first() if "date" not in by else pl.len().alias("_"), pl.len().alias("sentences"), *sums)
        .sort(keys)
    )  # fmt: skip
    return Measures(table, rows.categories, tuple(by), unit, audit is not None, (*rows.notes, *notes))


def _with_words(frame: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Sentences that have words, and a note of documents that thereby go whole.

    Raises:
        TableError: none has a word.
    """
    kept = frame.filter(pl.col("words") > 0)
    if kept.is_empty():
        raise TableError("no sentence has a word, so there is no share of words; count sentences (--unit sentence)")
    lost = frame["document"].n_unique() - kept["document"].n_unique()
    return kept, ((f"{lost:,} documents have no words and are left out",) if lost else ())


def _with_pseudo(rows: LabelledRows, audit: pl.DataFrame, unit: str) -> LabelledRows:
    """Add pseudo-outcomes by sentence. They come from the whole run that was audited, so this goes before filtering."""
    frame = rows.frame.join(audit, on=["document", "sentence"], how="left", maintain_order="left")
    known = frame["stratum"].is_not_null()
    if int(known.sum()) < audit.height:
        raise TableError(
            f"the audit sample was drawn from {audit.height:,} sentences, of which "
            f"{audit.height - int(known.sum()):,} are "
            "not in these rows; give all rows of the audited run (--where can leave some out afterwards)"
        )
    strange = [key for key in rows.categories if f"gold_{key}" not in audit.columns]
    if strange:
        raise TableError(f"the audit has no codings of {', '.join(strange)}; leave it out with --category")
    inside = frame.filter(known)
    units = inside["words"].to_numpy().astype(float) if unit == "word" else np.ones(inside.height)
    columns = [pl.col("document"), pl.col("sentence")]
    for key in rows.categories:
        gold = inside[f"gold_{key}"].fill_null(0.0).to_numpy()
        sentences = AuditedSentences(
            stratum=inside["stratum"].to_numpy().astype(np.int64),
            units=units,
            prediction=inside[f"probability_{key}"].to_numpy(),
            coded=inside["coded"].to_numpy(),
            gold=gold,
        )
        pseudo = pseudo_outcomes(sentences)
        positives = gold * inside["coded"].to_numpy()
        parts = (pseudo.without, pseudo.change, pseudo.product, pseudo.square, positives)
        columns += [pl.lit(pl.Series(f"{part}_{key}", values)) for part, values in zip(PARTS, parts, strict=True)]
    frame = frame.join(inside.select(columns), on=["document", "sentence"], how="left", maintain_order="left")
    return replace(rows, frame=frame)


def _refuse_strange(frame: pl.DataFrame) -> None:
    strange = frame.filter(pl.col("stratum").is_null())
    if strange.height:
        first = strange.row(0, named=True)
        raise TableError(
            f"sentence {first['sentence']} of {first['document']} is not in the run from which the audit sample was "
            f"drawn ({strange.height:,} such sentences); leave them out with --where, or draw a sample from these rows"
        )


def shares(measures: Measures, categories: Sequence[str] | None = None, level: float = LEVEL) -> Iterator[Share]:
    """Share of each category in each group, categories in label order."""
    for category in categories or measures.categories:
        groups = measures.groups()
        raw = {group: measures.raw(category, group) for group in groups}
        design = design_effect(pool(list(raw.values())))
        for group in groups:
            estimate = _estimate(raw[group], measures.unit, level, design)
            corrected = measures.corrected_share(category, group, level) if measures.corrected else None
            yield Share(category, group, estimate, corrected, _note(estimate, corrected, measures, group))


def _estimate(raw: Totals, unit: str, level: float, design: float) -> Estimate:
    """Cluster-robust interval; Wilson's where each document is a unit."""
    estimate = estimate_share(raw, level, design)
    if unit != "document":
        return estimate
    low, high = wilson_interval(estimate.hits, estimate.units, level)
    share = raw.share
    return Estimate(share, float(np.sqrt(share * (1 - share) / raw.documents)), np.inf, low, high,
                    raw.documents, estimate.units, estimate.hits)  # fmt: skip


def _note(raw: Estimate, corrected: CorrectedShare | None, measures: Measures, group: Group) -> str:
    """Say in words what the numbers cannot carry."""
    notes = [str(caution) for caution in raw.cautions]
    if not measures.corrected:
        return "; ".join(notes)
    if corrected is None:
        coded = int(measures.documents(group)["coded"].sum())
        return "; ".join([*notes, f"{coded} coded sentences: too few for a corrected share (at least {MIN_CODED})"])
    return "; ".join([*notes, *correction_notes(raw, corrected)])


def correction_notes(raw: Estimate, corrected: CorrectedShare) -> list[str]:
    """Say whether the correction moved the share, and whether the model's labels helped it."""
    fixed, alone = corrected.estimate, corrected.coded_only
    notes = []
    if corrected.positives < MIN_POSITIVES:
        notes.append(f"only {corrected.positives} coded sentences are in the category: the corrected share is rough")
    if not np.isfinite(fixed.se):
        return notes
    if np.isfinite(alone.se) and alone.se > 0 and fixed.se > 0.95 * alone.se:
        notes.append("the model adds little here: the coded sentences alone give about the same interval")
    if np.isfinite(fixed.low) and fixed.low <= raw.share <= fixed.high:
        notes.append("the raw share lies inside the corrected interval: no error is shown")
    elif np.isfinite(fixed.low):
        notes.append(f"the raw share is too {'high' if raw.share > fixed.high else 'low'}")
    return notes
