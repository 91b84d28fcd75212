"""`rhetoric report`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from rhetoric.cli.options import PATH, chosen_groups, group_options, load, rows_options, seed_option, user_errors


@click.command()
@rows_options
@click.option("--out", required=True, type=PATH, help="Folder for the report.")
@click.option("--title", default="Comparative rhetoric", show_default=True)
@click.option("--by", default="", metavar="COLUMN", help="Column whose groups are compared.")
@group_options
@click.option("--period", type=click.Choice(["year", "quarter", "month"]), default="year", show_default=True)
@click.option("--unit", type=click.Choice(["sentence", "word"]), default="sentence", show_default=True)
@click.option("--audit", type=PATH, help="Audit folder: correct the shares with its coded sample.")
@click.option("--coder", default="", help="Whose codings of the audit count.")
@click.option(
    "--codings", multiple=True, type=PATH, help="Codings for the agreement section (repeatable; default: the audit's)."
)
@click.option("--level", type=click.FloatRange(0.5, 0.999), default=0.95, show_default=True, help="Confidence level.")
@click.option(
    "--examples",
    type=click.IntRange(0, 50),
    default=3,
    show_default=True,
    help="Sentences shown for each group and period.",
)
@seed_option
@click.pass_context
@user_errors
def report(
    context: click.Context, rows: tuple[Path, ...], facts: Path | None, where: tuple[str, ...], out: Path, title: str, by: str,
    groups: str, group: tuple[str, ...], period: str, unit: str, audit: Path | None, coder: str,
    codings: tuple[Path, ...], level: float, examples: int, random_seed: int,
) -> None:  # fmt: skip
    """Write one page with methods, shares, comparison, trend, quality, agreement, sentences and limits.

    Beside the page lie the data as CSV, the figures as SVG and PNG, and the versions. The same
    command makes the same bytes again.

    \b
    Example:
      rhetoric report rows.csv --facts speakers.csv --by country --audit audit/ --out report/
    """
    from rhetoric.audit import read_audit
    from rhetoric.codebook import default_codebook
    from rhetoric.report import Options, write_report

    loaded = load(rows, facts, where)
    chosen = tuple(chosen_groups(groups, group))
    options = Options(
        title, by, chosen, period, where, unit, level, coder, tuple(map(str, codings)), examples, random_seed
    )
    page = write_report(
        out, loaded.rows, options, default_codebook(), read_audit(audit) if audit else None, _command(context)
    )  # fmt: skip
    click.echo(f"{page}")


def _command(context: click.Context) -> str:
    """Command line that gives these parameters, without those left at their default."""
    words = ["rhetoric", "report"]
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        if value is None or value == parameter.get_default(context) or value == ():
            continue
        values = value if isinstance(value, tuple) else (value,)
        name = [] if isinstance(parameter, click.Argument) else [parameter.opts[0]]
        words += [word for item in values for word in (*name, str(item))]
    return shlex.join(words)
