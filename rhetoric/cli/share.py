"""`rhetoric share`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rhetoric.cli.options import estimate_options, load, output_options, rows_options, show, user_errors

if TYPE_CHECKING:
    from rhetoric.measure import Share


@click.command()
@rows_options
@click.option(
    "--by",
    multiple=True,
    metavar="COLUMN",
    help="Group by this column (repeatable); year, quarter, month come from the date.",
)
@estimate_options
@output_options
@user_errors
def share(
    rows: tuple[Path, ...], facts: Path | None, where: tuple[str, ...], by: tuple[str, ...], category: tuple[str, ...],
    unit: str, audit: Path | None, coder: str, level: float, out: Path | None, plot: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Show what share of sentences is in each category, by group, with honest intervals.

    Intervals take documents, not sentences, as what varies. With --audit, shares are corrected for
    the classifier's errors.

    \b
    Examples:
      rhetoric share rows.jsonl --by speaker
      rhetoric share rows.csv --facts speakers.csv --by country --plot shares.png
      rhetoric share rows.csv --by country --audit audit/
    """
    from rhetoric.figures import check_format, shares_figure
    from rhetoric.measure import measure, shares
    from rhetoric.records import share_records

    check_format(plot)
    loaded = load(rows, facts, where, category=category, audit=audit, coder=coder)
    measures = measure(loaded.rows, by, unit, loaded.audit, where)
    found = list(shares(measures, level=level))
    if plot:
        shares_figure(found, plot)
    show(share_records(found, by), _columns(found, by, corrected=measures.corrected), [*measures.notes, *_notes(found)],
         as_json=as_json, out=out)  # fmt: skip


def _columns(shares: Sequence[Share], by: Sequence[str], *, corrected: bool) -> dict[str, list[str]]:
    from rhetoric.records import between, percent

    columns = {"category": [s.category for s in shares]}
    columns |= {name: [s.group[i] for s in shares] for i, name in enumerate(by)}
    columns |= {
        "documents": [f"{s.raw.documents:,}" for s in shares],
        "units": [f"{s.raw.units:,.0f}" for s in shares],
        "raw": [percent(s.raw.share) for s in shares],
        "interval": [between(s.raw.low, s.raw.high) for s in shares],
    }
    if corrected:
        columns |= {
            "coded": [str(s.corrected.coded) if s.corrected else "–" for s in shares],
            "corrected": [percent(s.corrected.estimate.share) if s.corrected else "–" for s in shares],
            "corrected interval": [
                between(s.corrected.estimate.low, s.corrected.estimate.high) if s.corrected else "–" for s in shares
            ],
        }
    return columns


def _notes(shares: Sequence[Share]) -> list[str]:
    return [f"{' '.join([s.category, *s.group])}: {s.note}" for s in shares if s.note]
