"""`rhetoric share`."""

from __future__ import annotations

from pathlib import Path

import click

from rhetoric.cli.options import estimate_options, load, output_options, rows_options, show, user_errors


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
    from rhetoric.records import share_columns, share_notes, share_records

    check_format(plot)
    loaded = load(rows, facts, where, category=category, audit=audit, coder=coder)
    measures = measure(loaded.rows, by, unit, loaded.audit, where)
    found = list(shares(measures, level=level))
    if plot:
        shares_figure(found, plot)
    show(share_records(found, by), share_columns(found, by, corrected=measures.corrected),
         [*measures.notes, *share_notes(found)], as_json=as_json, out=out)  # fmt: skip
