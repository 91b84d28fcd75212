"""A trend to look into, as HTML: points tell their numbers and lead to the sentences behind them.

Pure functions without Gradio, for the page. What users wrote goes through `rhetoric.page.escape`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rhetoric import records
from rhetoric.figures import category_name, group_name, trend_figure
from rhetoric.measure import measure
from rhetoric.page import count, escape
from rhetoric.report_html import anchor, labelled_links
from rhetoric.report_text import change_text, point_text
from rhetoric.table import LabelledRows
from rhetoric.trend import Line, trend

MOST_GROUPS = 60
"""More small multiples than this are no longer a figure to read."""

MOST_SENTENCES = 20
"""Sentences shown behind a point, those with the highest probability first."""

_NO_GROUPS = ("title", "date", "turn", "sentence", "start", "end", "text", "words", "where", "needs_review")
PERMUTATIONS = 999
"""Fewer than on the command line, for a page that answers while one waits."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a user asked to see: `by` is a column, or "" for one line."""

    category: str
    by: str = ""
    period: str = "year"


@dataclass(frozen=True, slots=True)
class Explored:
    """The HTML, and the paths of the files to download: data, and the figure as SVG and PNG."""

    html: str
    files: tuple[Path, Path, Path]


def group_columns(rows: LabelledRows) -> list[str]:
    """Columns that tell a few groups apart."""
    usable = [c for c in rows.frame.columns if c not in _NO_GROUPS and not c.startswith(("label_", "probability_"))]
    return [c for c in usable if 1 < rows.frame.select(rows.column(c)).to_series().n_unique() <= MOST_GROUPS]


def explore(rows: LabelledRows, asked: Asked, folder: Path) -> Explored:
    """Draw the trend of one category, and put the sentences behind every point.

    Args:
        rows: labelled rows.
        asked: what to show.
        folder: where the files to download are written.

    Raises:
        RhetoricError: there is no such column, or no dates.
    """
    by = [asked.by] if asked.by else []
    measures = measure(replace(rows, categories=(asked.category,)), [*by, asked.period])
    lines = trend(measures, asked.period, rng=np.random.default_rng(0), draws=PERMUTATIONS)
    files = tuple(folder / f"trend-{asked.category}.{ending}" for ending in ("csv", "svg", "png"))
    records.write_records(records.trend_records(lines, by), files[0])
    for path in files[1:]:
        trend_figure(lines, path, links=_link)
    titles = {_name(line, p.period): point_text(line, p) for line in lines for p in line.points}
    figure = drawing(files[1], titles)
    name = category_name(asked.category)
    html = (
        f'<section class="rh rh-trend" aria-label="Trend"><h2 id="rh-trend-title">{escape(name)} by {asked.period}'
        f'{f", by {escape(asked.by)}" if asked.by else ""}</h2><p class="rh-facts">{scope(rows)}</p>'
        '<p class="rh-hint">Point at a dot for its numbers; click or tap it, or press Enter on it, for its sentences. '
        f'Shares are as the model counts them, not corrected for its errors.</p><div class="rh-drawing">{figure}</div>'
        f"{said([*measures.notes, *map(change_text, lines), *_line_notes(lines)])}"
        f'<div class="rh-behind" aria-live="polite">{_behind(rows, asked, lines, titles)}</div></section>'
    )  # fmt: skip
    return Explored(html, (files[0], files[1], files[2]))


def drawing(path: Path, titles: Mapping[str, str] | None = None) -> str:
    """An SVG file as part of the page: its links have titles, and it is inert in Gradio's templates."""
    svg = path.read_text(encoding="utf-8")
    linked = labelled_links(svg[svg.index("<svg") :], titles or {})
    return linked.replace("{{", "&#123;&#123;").replace("${", "&#36;{")


def scope(rows: LabelledRows) -> str:
    """How much was looked at."""
    return f"{count(rows.frame.height, 'sentence')} · {count(rows.frame['document'].n_unique(), 'document')}"


def _name(line: Line, period: str) -> str:
    return anchor(line.category, *line.group, period)


def _link(line: Line, period: str) -> str:
    return "#" + _name(line, period)


def _line_notes(lines: Sequence[Line]) -> list[str]:
    return [f"{group_name(line.group)}: {line.note}" for line in lines if line.note]


def said(notes: Sequence[str]) -> str:
    """Notes as a list, each once."""
    items = "".join(f"<li>{escape(note)}</li>" for note in dict.fromkeys(notes) if note)
    return f"<details open><summary>What can be said</summary><ul>{items}</ul></details>" if items else ""


def _behind(rows: LabelledRows, asked: Asked, lines: Sequence[Line], titles: Mapping[str, str]) -> str:
    """A hidden section a point; the page's script shows the one that is asked for."""
    names = [*([asked.by] if asked.by else []), asked.period]
    frame = rows.frame.with_columns(rows.column(name).alias(f"_{i}") for i, name in enumerate(names))
    found = frame.filter(pl.col(f"label_{asked.category}")).sort(
        f"probability_{asked.category}", "document", "sentence", descending=[True, False, False]
    )
    groups: dict[tuple[Any, ...], pl.DataFrame] = found.partition_by([f"_{i}" for i in range(len(names))], as_dict=True)
    parts = []
    for line in lines:
        for point in line.points:
            if not point.estimate.documents:
                continue
            own = groups.get((*line.group, point.period), found.head(0))
            quotes = "".join(_quote(row, asked.category) for row in own.head(MOST_SENTENCES).iter_rows(named=True))
            rest = own.height - MOST_SENTENCES
            more = f"<p>… and {rest:,} more.</p>" if rest > 0 else ""
            none = "" if own.height else "<p>No sentence is in the category.</p>"
            name = _name(line, point.period)
            parts.append(
                f'<section id="{name}" tabindex="-1" hidden><h3>{escape(titles[name])}</h3>{none}{quotes}{more}</section>'
            )
    return "".join(parts)


def _quote(row: Mapping[str, Any], category: str) -> str:
    facts = (row["document"], f"sentence {row['sentence']}", row.get("speaker"), row.get("date"))
    source = " · ".join(str(fact) for fact in facts if fact)
    text = re.sub(r"\s+", " ", row["text"])
    probability = f"probability {row[f'probability_{category}']:.2f}"
    return f"<blockquote>{escape(text)}<cite>{escape(f'{source} · {probability}')}</cite></blockquote>"
