"""One page with everything, and beside it a folder with the data, the figures and how to make them again.

    report/
      index.html      self-contained: opens without a network
      data/*.csv      what every figure shows
      figures/*       SVG and PNG
      report.json     versions, files with their sums, options, the command

The same files, options and versions make the same bytes: nothing holds a date or a random number
that the seed does not give.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import rhetoric
from rhetoric import figures, records
from rhetoric import report_html as html
from rhetoric.agreement import agreement
from rhetoric.audit import Audit, audited, gold_codings
from rhetoric.codebook import Codebook
from rhetoric.codings import read_coding_tables
from rhetoric.compare import REST, Comparison, compare
from rhetoric.errors import RhetoricError
from rhetoric.keyness import KeynessError, in_category, keyness, typical_sentences
from rhetoric.measure import Measures, measure, shares
from rhetoric.prevalence import Estimate, Totals, estimate_share
from rhetoric.report_text import CITATIONS, Done, change_text, limits, methods, point_text
from rhetoric.table import LabelledRows
from rhetoric.trend import Line, trend

PACKAGES = ("matplotlib", "numpy", "openpyxl", "polars", "ruptures", "scipy", "statsmodels")
MAX_PAIRS = 6
"""With more groups than give this many pairs, each is compared with all others."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a report shows. `groups` empty means all; `codings` are files for the agreement section."""

    title: str = "Comparative rhetoric"
    by: str = ""
    groups: tuple[str, ...] = ()
    period: str = "year"
    where: tuple[str, ...] = ()
    unit: str = "sentence"
    level: float = 0.95
    coder: str = ""
    codings: tuple[str, ...] = ()
    examples: int = 3
    random_seed: int = 0


@dataclass(slots=True)
class _Draft:
    """A report in the making."""

    folder: Path
    rows: LabelledRows
    options: Options
    codebook: Codebook
    audit: Audit | None
    frame: pl.DataFrame | None
    command: str
    sections: list[tuple[str, str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    compared: bool = False
    trended: bool = False
    agreed: bool = False
    worded: bool = False

    def rng(self) -> np.random.Generator:
        """Fresh generator of the seed, so that no section depends on another."""
        return np.random.default_rng(self.options.random_seed)

    def data(self, name: str, found: Sequence[records.Record]) -> None:
        """Write a data file."""
        (self.folder / "data" / f"{name}.csv").write_text(records.as_csv(found), encoding="utf-8")

    def figure(
        self, name: str, draw: Callable[[Path], None], caption: str, titles: Mapping[str, str] | None = None
    ) -> str:
        """Write a figure as SVG and PNG; returns its HTML, with words for its links."""
        for ending in ("png", "svg"):
            draw(self.folder / "figures" / f"{name}.{ending}")
        return html.figure(self.folder / "figures" / f"{name}.svg", caption, titles)

    def add(self, anchor: str, heading: str, content: str) -> None:
        """Add a section."""
        self.sections.append((anchor, heading, content))


def write_report(
    folder: Path, rows: LabelledRows, options: Options, codebook: Codebook, audit: Audit | None, command: str
) -> Path:
    """Write a report; returns the path of its page.

    Args:
        folder: where to; made if missing, its files of an earlier report are replaced.
        rows: labelled rows of the whole run.
        options: what to show.
        codebook: printed in the report.
        audit: coded audit sample of these rows, if there is one.
        command: the command line that makes this report again.

    Raises:
        RhetoricError: the rows, the groups, the audit or the folder cannot be used.
    """
    _check_groups(rows, options)
    try:
        for name in ("data", "figures"):
            (folder / name).mkdir(parents=True, exist_ok=True)
            for old in (folder / name).iterdir():
                old.unlink()
    except OSError as error:
        raise RhetoricError(f"{folder}: {error.strerror or error}") from error
    frame = audited(audit, gold_codings(audit, options.coder)) if audit else None
    draft = _Draft(folder, rows, options, codebook, audit, frame, command)
    for section in (_shares, _comparison, _trend, _quality, _agreement, _examples):
        section(draft)
    _frame(draft)
    path = folder / "index.html"
    path.write_text(html.page(options.title, draft.sections, _lead(draft)), encoding="utf-8")
    return path


def _check_groups(rows: LabelledRows, options: Options) -> None:
    """Refuse groups that are not there: a report without them would look whole."""
    if options.groups and not options.by:
        raise RhetoricError(f"the groups {', '.join(options.groups)} need --by, the column that they are groups of")
    for condition in options.where:
        rows = rows.where(condition)
    known = set(rows.frame.select(rows.column(options.by)).to_series()) if options.groups else set()
    strange = [group for group in options.groups if group not in known]
    if strange:
        raise RhetoricError(f"there is no {options.by} {strange[0]!r}; there is {', '.join(sorted(known - {None}))}")


def _kept(draft: _Draft) -> LabelledRows:
    rows = draft.rows
    for condition in _conditions(draft.options):
        rows = rows.where(condition)
    return rows


def _conditions(options: Options) -> tuple[str, ...]:
    if not options.groups:
        return options.where
    quoted = ('"' + group.replace('"', '""') + '"' for group in options.groups)
    return (*options.where, f"{options.by}={','.join(quoted)}")


def _measure(draft: _Draft, by: Sequence[str]) -> Measures:
    return measure(draft.rows, by, draft.options.unit, draft.frame, _conditions(draft.options))


def _by(draft: _Draft) -> list[str]:
    return [draft.options.by] if draft.options.by else []


def _shares(draft: _Draft) -> None:
    measures = _measure(draft, _by(draft))
    found = list(shares(measures, level=draft.options.level))
    draft.data("shares", records.share_records(found, measures.by))
    draft.notes += [
        *measures.notes,
        *(f"{s.category}, {figures.group_name(s.group)}: {s.note}" for s in found if s.note),
    ]
    columns = {
        "category": [figures.category_name(s.category, draft.codebook) for s in found],
        "group": [figures.group_name(s.group) for s in found],
        "documents": [f"{s.raw.documents:,}" for s in found],
        f"{draft.options.unit}s": [f"{s.raw.units:,.0f}" for s in found],
        "as counted": [records.percent(s.raw.share) for s in found],
        "interval": [records.between(s.raw.low, s.raw.high) for s in found],
    }
    if measures.corrected:
        fixed = [s.corrected.estimate if s.corrected else None for s in found]
        columns["corrected"] = [records.percent(e.share if e else None) for e in fixed]
        columns["corrected interval"] = [records.between(e.low, e.high) if e else "–" for e in fixed]
        columns["coded"] = [str(s.corrected.coded) if s.corrected else "0" for s in found]
    picture = draft.figure(
        "shares",
        lambda path: figures.shares_figure(found, path),
        "Shares by group; in brackets the number of documents",
    )
    draft.add("shares", "Shares", picture + html.table(columns))


def _comparison(draft: _Draft) -> None:
    if not draft.options.by:
        return
    measures = _measure(draft, _by(draft))
    groups = [group[0] for group in measures.groups()]
    if len(groups) < 2:
        draft.notes.append(f"no comparison: {groups[0]} is the only {draft.options.by}")
        return
    against = REST if len(groups) * (len(groups) - 1) // 2 > MAX_PAIRS else ""
    results = compare(measures, against=against, rng=draft.rng(), level=draft.options.level)
    draft.data("comparison", records.comparison_records(results))
    draft.notes += [f"{r.category}, {r.first} and {r.second}: {r.note}" for r in results if r.note]
    draft.compared = True
    columns = {
        "category": [figures.category_name(r.category, draft.codebook) for r in results],
        "groups": [f"{r.first} − {r.second}" for r in results],
        "points": [records.number(100 * r.difference) for r in results],
        "interval": [records.numbers_between(100 * r.difference_low, 100 * r.difference_high) for r in results],
        "ratio": [records.number(r.ratio) for r in results],
        "h": [records.number(r.effect) for r in results],
        "p": [records.p_value(r.p) for r in results],
        "p (Holm)": [records.p_value(r.p_holm) for r in results],
    }
    picture = draft.figure(
        "comparison", lambda path: figures.comparison_figure(results, path), "Differences between groups"
    )
    draft.add("comparison", "Comparison", picture + html.table(columns) + _words(draft, results, groups))


def _words(draft: _Draft, results: Sequence[Comparison], groups: Sequence[str]) -> str:
    """Words and sentences of the strongest contrast in each category."""
    rows, parts = _kept(draft), []
    for category in rows.categories:
        own = [r for r in results if r.category == category and np.isfinite(r.effect)]
        if not own:
            continue
        result = max(own, key=lambda r: abs(r.effect))
        others = [g for g in groups if g != result.first] if result.second == REST else [result.second]
        sides = [in_category(rows, draft.options.by, chosen, category) for chosen in ([result.first], others)]
        try:
            found = keyness(sides[0], sides[1])
        except KeynessError:
            continue
        draft.worded = True
        draft.data(f"words-{category}", [asdict(word) for word in found])
        caption = f"{figures.category_name(category, draft.codebook)}: words of {result.first} against {result.second}"
        parts.append(f"<h3>{escape(caption)}</h3>")
        parts.append(draft.figure(
            f"words-{category}", lambda path, f=found, r=result, c=category: figures.keyness_figure(f, r.first, r.second, c, path),  # type: ignore[misc]
            "Words that set the two apart",
        ))  # fmt: skip
        for name, side, first in ((result.first, sides[0], True), (result.second, sides[1], False)):
            typical = typical_sentences(side, found, category, first=first, limit=draft.options.examples)
            parts.append(
                html.folded(
                    f"Typical of {name}", "".join(_quote(row, category) for row in typical.iter_rows(named=True))
                )
            )
    return "".join(parts)


def _quote(row: dict[str, Any], category: str) -> str:
    facts = [
        str(row["document"]),
        f"sentence {row['sentence']}",
        str(row.get("speaker") or ""),
        str(row.get("date") or ""),
    ]
    return html.quotation(
        row["text"], " · ".join([*filter(None, facts), f"probability {row[f'probability_{category}']:.2f}"])
    )


def _trend(draft: _Draft) -> None:
    period = draft.options.period
    kept = _kept(draft)
    dated = kept.frame.select(kept.column(period)).to_series().drop_nulls()
    if dated.n_unique() < 2:
        draft.notes.append(f"no trend: fewer than two {period}s are known")
        return
    measures = _measure(draft, [*_by(draft), period])
    lines = trend(measures, period, rng=draft.rng(), level=draft.options.level)
    draft.trended = True
    draft.data("trend", records.trend_records(lines, _by(draft)))
    draft.data("trend-smooth", records.smooth_records(lines, _by(draft)))
    parts = []
    for category in measures.categories:
        own = [line for line in lines if line.category == category]
        parts.append(draft.figure(
            f"trend-{category}", lambda path, chosen=own: figures.trend_figure(chosen, path, links=_link),  # type: ignore[misc]
            f"{figures.category_name(category, draft.codebook)} by {period}; a point leads to its sentences",
            {_link(line, p.period)[1:]: point_text(line, p, draft.options.unit) for line in own for p in line.points},
        ))  # fmt: skip
        parts.append(html.bullets(filter(None, map(change_text, own))))
        draft.notes += [f"{line.category}, {figures.group_name(line.group)}: {line.note}" for line in own if line.note]
    draft.add("trend", "Trend", "".join(parts))


def _link(line: Line, period: str) -> str:
    return "#" + html.anchor(line.category, *line.group, period)


def _quality(draft: _Draft) -> None:
    """Precision and recall of the classifier in this run, from the audit sample and by its design."""
    if draft.frame is None:
        draft.add(
            "quality",
            "Model quality",
            html.paragraph(
                "No coded audit sample of this run was given, so how well the classifier did here is not known."
            ),
        )
        return
    sample = draft.rows.frame.join(draft.frame.filter("coded"), on=["document", "sentence"])
    size = draft.frame.group_by("stratum").agg((pl.len() / pl.col("coded").sum()).alias("w"))
    sample = sample.join(size, on="stratum").sort("document", "sentence")
    found: list[dict[str, Any]] = []
    for key in draft.rows.categories:
        both, label, gold = (
            pl.col("w") * x
            for x in (pl.col(f"label_{key}") * pl.col(f"gold_{key}"), pl.col(f"label_{key}"), pl.col(f"gold_{key}"))
        )
        sums = sample.group_by("document", maintain_order=True).agg(
            both.sum().alias("both"), label.sum().alias("label"), gold.sum().alias("gold")
        )
        precision, recall = (_ratio(sums, part, draft.options.level) for part in ("label", "gold"))
        found.append({
            "category": key, "coded": sample.height, "positives": int(sample[f"gold_{key}"].sum()),
            "precision": precision.share, "precision_low": precision.low, "precision_high": precision.high,
            "recall": recall.share, "recall_low": recall.low, "recall_high": recall.high,
        })  # fmt: skip
    draft.data("quality", found)
    columns = {
        "category": [figures.category_name(q["category"], draft.codebook) for q in found],
        "coded": [f"{q['coded']:,}" for q in found],
        "of which in it": [f"{q['positives']:,}" for q in found],
        "precision": [records.percent(q["precision"]) for q in found],
        "precision interval": [records.between(q["precision_low"], q["precision_high"]) for q in found],
        "recall": [records.percent(q["recall"]) for q in found],
        "recall interval": [records.between(q["recall_low"], q["recall_high"]) for q in found],
    }
    note = html.paragraph(
        "Estimated from the audit sample with its inclusion probabilities, so it speaks of this whole run.", "note"
    )
    draft.add("quality", "Model quality", html.table(columns) + note)


def _ratio(sums: pl.DataFrame, part: str, level: float) -> Estimate:
    used = sums.filter(pl.col(part) > 0)
    return estimate_share(Totals(used["both"].to_numpy(), used[part].to_numpy()), level)


def _agreement(draft: _Draft) -> None:
    paths = [Path(p) for p in draft.options.codings]
    if draft.audit and not paths:
        paths = [draft.audit.folder]
    tables = [t for t in read_coding_tables(paths, draft.rows.categories) if len(t.coders) > 1] if paths else []
    if not tables:
        draft.add(
            "agreement",
            "Agreement",
            html.paragraph("No codings of two coders were given, so agreement cannot be shown."),
        )
        return
    found = [agreement(table, draft.rng(), level=draft.options.level) for table in tables]
    draft.agreed = True
    draft.data("agreement", records.agreement_records(found))
    draft.notes += [f"{a.category}: {a.note}" for a in found if a.note]
    columns = {
        "category": [figures.category_name(a.category, draft.codebook) for a in found],
        "coders": [str(len(a.coders)) for a in found],
        "sentences": [f"{a.units:,}" for a in found],
        "alpha": [records.number(a.alpha.value, 3) for a in found],
        "interval": [records.numbers_between(a.alpha.low, a.alpha.high, 3) for a in found],
        "Cohen's kappa": [records.number(a.cohen.value, 3) for a in found],
        "Fleiss' kappa": [records.number(a.fleiss.value, 3) for a in found],
        "agree": [records.percent(a.percent.value) for a in found],
    }
    draft.add("agreement", "Agreement", html.table(columns))


def _examples(draft: _Draft) -> None:
    """Sentences behind every point: those with the highest probability, by category, group and period."""
    rows = _kept(draft)
    names = [*_by(draft), *([draft.options.period] if draft.trended else [])]
    frame = rows.frame.with_columns(rows.column(name).alias(f"_{i}") for i, name in enumerate(names))
    parts = []
    for category in rows.categories:
        parts.append(f"<h3>{escape(figures.category_name(category, draft.codebook))}</h3>")
        own = frame.filter(pl.col(f"label_{category}")).drop_nulls([f"_{i}" for i in range(len(names))])
        own = own.sort([*(f"_{i}" for i in range(len(names))), f"probability_{category}", "document", "sentence"],
                       descending=[False] * len(names) + [True, False, False])  # fmt: skip
        groups = own.partition_by([f"_{i}" for i in range(len(names))], maintain_order=True) if names else [own]
        for group in (g for g in groups if g.height):
            values = [group[f"_{i}"][0] for i in range(len(names))]
            quotes = "".join(_quote(row, category) for row in group.head(draft.options.examples).iter_rows(named=True))
            summary = f"{', '.join(values) or 'all'}: {group.height:,} sentences"
            parts.append(html.folded(summary, quotes, html.anchor(category, *values)))
    draft.add("sentences", "Example sentences", "".join(parts))


def _frame(draft: _Draft) -> None:
    """Methods first, then codebook, limits, files and the command; and report.json."""
    done = _done(draft)
    paragraphs, cited = methods(done)
    references = "<h3>References</h3>" + html.bullets(CITATIONS[key] for key in cited)
    draft.sections.insert(0, ("methods", "Methods", "".join(map(html.paragraph, paragraphs)) + references))
    draft.sections.append(("limits", "Limits", html.bullets(limits(done, draft.notes))))
    draft.sections.append(("codebook", "Codebook", _codebook(draft.codebook, draft.rows.categories)))
    facts: dict[str, Any] = {
        "command": draft.command, "options": asdict(draft.options), "rhetoric": rhetoric.__version__,
        "python": ".".join(map(str, sys.version_info[:3])), "packages": {name: _version(name) for name in PACKAGES},
        "codebook": draft.codebook.version, "sources": [asdict(source) for source in draft.rows.sources],
    }  # fmt: skip
    (draft.folder / "report.json").write_text(
        json.dumps(facts, indent=2, ensure_ascii=False, default=str) + "\n", encoding="utf-8"
    )
    columns = {
        "file": [s.path for s in draft.rows.sources],
        "rows": [f"{s.rows:,}" for s in draft.rows.sources],
        "sha256": [s.sha256 for s in draft.rows.sources],
        "model": [s.model or "not recorded" for s in draft.rows.sources],
    }
    versions = ", ".join(
        [
            f"rhetoric {rhetoric.__version__}",
            f"Python {facts['python']}",
            *(f"{k} {v}" for k, v in facts["packages"].items()),
        ]
    )
    again = f"<pre>{escape(draft.command)}</pre>" + html.table(columns) + html.paragraph(versions, "note")
    draft.sections.append(("again", "Make it again", again))


def _done(draft: _Draft) -> Done:
    kept, options = _kept(draft).frame, draft.options
    groups = kept.select(_kept(draft).column(options.by)).to_series().n_unique() if options.by else 1
    return Done(
        kept.height, kept["document"].n_unique(), options.by, groups, options.period,
        draft.audit.design.design if draft.audit else "", int(draft.frame["coded"].sum()) if draft.frame is not None else 0,
        draft.compared, draft.trended, draft.agreed, draft.worded, options.unit, options.level,
    )  # fmt: skip


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _codebook(codebook: Codebook, categories: Sequence[str]) -> str:
    parts = [html.paragraph(f"{codebook.title}, version {codebook.version}"), html.bullets(codebook.rules)]
    for category in (c for c in codebook.categories if c.key in categories):
        parts += [
            f"<h3>{escape(category.name)}</h3>",
            html.paragraph(category.definition),
            html.paragraph(f"Test: {category.test}"),
        ]
        parts += [
            html.folded("Yes when", html.bullets(category.yes)),
            html.folded("No when", html.bullets(category.no)),
        ]
    return "".join(parts)


def _lead(draft: _Draft) -> str:
    done = _done(draft)
    warning = "" if draft.audit else " The classifier's errors are not corrected for in this report."
    return html.paragraph(f"{done.sentences:,} sentences in {done.documents:,} documents.{warning}")
