"""`rhetoric trend`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rhetoric.cli.options import (
    FILE,
    estimate_options,
    load,
    output_options,
    rows_options,
    seed_option,
    show,
    user_errors,
)

if TYPE_CHECKING:
    from rhetoric.trend import Line


@click.command()
@rows_options
@click.option("--by", multiple=True, metavar="COLUMN", help="One line for each group of this column (repeatable).")
@click.option("--period", type=click.Choice(["year", "quarter", "month"]), default="year", show_default=True)
@click.option(
    "--span",
    type=click.FloatRange(0.1, 1),
    default=2 / 3,
    help="Share of the periods that the smooth line looks at (default 2/3).",
)
@estimate_options
@output_options
@click.option("--smooth-out", type=FILE, help="Write the smooth lines and their bands to this file (csv, json).")
@seed_option
@user_errors
def trend(
    rows: tuple[Path, ...], facts: Path | None, where: tuple[str, ...], by: tuple[str, ...], period: str, span: float,
    category: tuple[str, ...], unit: str, audit: Path | None, coder: str, level: float, out: Path | None,
    plot: Path | None, as_json: bool, smooth_out: Path | None, random_seed: int,
) -> None:  # fmt: skip
    """Show how shares change over time: points, smooth line, and tested changes of level.

    \b
    Examples:
      rhetoric trend rows.jsonl --plot trend.svg
      rhetoric trend rows.csv --facts speakers.csv --by country --category criticism_west --plot trend.png
    """
    import numpy as np

    from rhetoric.figures import check_format, trend_figure
    from rhetoric.measure import measure
    from rhetoric.records import smooth_records, trend_records, write_records
    from rhetoric.trend import trend as draw_trend

    check_format(plot)
    if period in by:
        raise click.UsageError(f"--by {period} and --period {period} say the same; leave one out")
    loaded = load(rows, facts, where, category=category, audit=audit, coder=coder)
    measures = measure(loaded.rows, [*by, period], unit, loaded.audit, where)
    lines = draw_trend(measures, period, rng=np.random.default_rng(random_seed), level=level, span=span)
    if plot:
        trend_figure(lines, plot)
    if smooth_out:
        write_records(smooth_records(lines, by), smooth_out)
    show(trend_records(lines, by), _columns(lines, by), [*measures.notes, *_notes(lines)], as_json=as_json, out=out)


def _columns(lines: Sequence[Line], by: Sequence[str]) -> dict[str, list[str]]:
    from rhetoric.records import between, percent

    points = [(line, point) for line in lines for point in line.points]
    columns = {"category": [line.category for line, _ in points]}
    columns |= {name: [line.group[i] for line, _ in points] for i, name in enumerate(by)}
    return columns | {
        "period": [p.period for _, p in points],
        "documents": [str(p.estimate.documents) for _, p in points],
        "units": [f"{p.estimate.units:,.0f}" for _, p in points],
        "share": [percent(p.estimate.share) for _, p in points],
        "interval": [between(p.estimate.low, p.estimate.high) for _, p in points],
    }


def _notes(lines: Sequence[Line]) -> list[str]:
    from rhetoric.records import p_value, percent

    notes = []
    for line in lines:
        name = " ".join([line.category, *line.group])
        if line.changes and line.changes.periods:
            levels = " → ".join(percent(level) for level in line.changes.levels)
            notes.append(f"{name}: level changes in {', '.join(line.changes.periods)} ({levels}; "
                         f"p {p_value(line.changes.p)}, Holm {p_value(line.changes.p_holm)})")  # fmt: skip
        elif line.changes:
            notes.append(f"{name}: no change of level shown (p {p_value(line.changes.p)})")
        if line.note:
            notes.append(f"{name}: {line.note}")
    return notes
