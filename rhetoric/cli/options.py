"""Options that the commands on labelled rows share."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from model.manifest import ModelError
from rhetoric.errors import RhetoricError

PATH = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, dir_okay=False)

Command = Callable[..., Any]


def rows_options(command: Command) -> Command:
    """Labelled rows, a side table, and what to keep of them."""
    for option in (
        click.option(
            "--where",
            multiple=True,
            metavar="COLUMN=VALUE",
            help="Keep rows with this value (repeatable; a,b for several, one with a comma in quotes).",
        ),
        click.option(
            "--facts",
            type=FILE,
            help="Table (csv, xlsx, jsonl, parquet) with facts of documents, joined on the file name; or a pattern of "
            "the file names, like {country}_{session}_{year}.",
        ),
        click.argument("rows", nargs=-1, required=True, type=PATH, metavar="ROWS..."),
    ):
        command = option(command)
    return command


def group_options(command: Command) -> Command:
    """Which groups of the column: `groups` and `group`, for `chosen_groups`."""
    for option in (
        click.option(
            "--group", multiple=True, metavar="A", help="Only this group (repeatable); its name may hold a ;."
        ),
        click.option("--groups", default="", metavar="A;B;…", help="Only these groups, separated by ; (default: all)."),
    ):
        command = option(command)
    return command


def chosen_groups(groups: str, group: Sequence[str]) -> list[str]:
    """Names of the groups that were asked for; none means all."""
    return [*(name.strip() for name in groups.split(";") if name.strip()), *group]


def estimate_options(command: Command) -> Command:
    """What is estimated, and how."""
    for option in (
        click.option("--level", type=click.FloatRange(0.5, 0.999), default=0.95, show_default=True, help="Confidence level."),
        click.option("--coder", default="", help="Whose codings of the audit count (default: adjudicated, else "
                                                 "unanimous)."),
        click.option("--audit", type=PATH, help="Audit folder: correct the shares with its coded sample."),
        click.option("--unit", type=click.Choice(["sentence", "word", "document"]), default="sentence", show_default=True,
                     help="Share of sentences, of words, or of documents that have the category at all."),
        click.option("--category", multiple=True, help="Only this category (repeatable; default: all)."),
    ):  # fmt: skip
        command = option(command)
    return command


def output_options(command: Command) -> Command:
    """Where results go."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table."),
        click.option("--plot", type=FILE, help="Draw a figure into this file (png, svg, pdf)."),
        click.option("--out", type=FILE, help="Write the numbers to this file (csv, json)."),
    ):
        command = option(command)
    return command


def seed_option(command: Command) -> Command:
    """Seed of whatever is random."""
    return click.option(
        "--random-seed", type=int, default=0, show_default=True, help="Seed: the same seed gives the same result."
    )(command)


def user_errors(command: Command) -> Command:
    """Turn errors that a user can mend into messages (exit code 2)."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (RhetoricError, ModelError) as error:
            raise click.UsageError(str(error)) from error

    return wrapped


model_option = click.option(
    "--model", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="FOLDER",
    help="A model of your own, as `python -m training export --to FOLDER` writes it (default: the shipped one).",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Loaded:
    """Rows that were read, the coded audit frame where one was given, and the conditions, not applied yet.

    An audit needs the run as it was drawn, so `measure` applies the conditions after it.
    """

    rows: Any
    audit: Any
    where: tuple[str, ...]

    @property
    def kept(self) -> Any:
        """Rows that meet the conditions."""
        rows = self.rows
        for condition in self.where:
            rows = rows.where(condition)
        return rows


def load(
    rows: Sequence[Path], facts: Path | None, where: Sequence[str], *,
    category: Sequence[str] = (), audit: Path | None = None, coder: str = "",
) -> Loaded:  # fmt: skip
    """Read rows and audit."""
    from dataclasses import replace

    from rhetoric.table import TableError, read_rows

    table = read_rows(rows, facts)
    unknown = [key for key in category if key not in table.categories]
    if unknown:
        raise TableError(f"there is no category {unknown[0]!r}; the rows have {', '.join(table.categories)}")
    if category:
        table = replace(table, categories=tuple(key for key in table.categories if key in category))
    frame = None
    if audit is not None:
        from rhetoric.audit import audited, gold_codings, read_audit

        drawn = read_audit(audit)
        frame = audited(drawn, gold_codings(drawn, coder))
    return Loaded(table, frame, tuple(where))


def show(
    records: Sequence[Mapping[str, Any]], columns: Mapping[str, Sequence[str]], notes: Sequence[str], *,
    as_json: bool, out: Path | None,
) -> None:  # fmt: skip
    """Print a table or JSON, write the file, and say on standard error what a reader must know."""
    from rhetoric.records import as_json as to_json
    from rhetoric.records import as_text, write_records

    if out:
        write_records(records, out)
    click.echo(to_json(records).rstrip() if as_json else as_text(columns))
    for note in dict.fromkeys(notes):
        click.echo(f"Note: {note}", err=True)
