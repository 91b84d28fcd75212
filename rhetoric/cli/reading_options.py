"""The options about reading that every command which reads documents takes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from rhetoric.errors import ReadError
from rhetoric.reading.options import Limits, ReadOptions

_COLUMNS = ("text", "id", "title", "date", "speaker", "source", "place")
_DEFAULTS = Limits()


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of reading; it receives them as one `reading: ReadOptions`."""

    @functools.wraps(command)
    def with_reading(*args: Any, **kwargs: Any) -> Any:
        columns = {role: kwargs.pop(f"{role}_column") for role in _COLUMNS}
        limits = {name: kwargs.pop(name) for name in ("max_size", "max_memory", "timeout")}
        try:
            reading = ReadOptions(
                columns={role: name for role, name in columns.items() if name},
                rows=kwargs.pop("rows") or "",
                name_pattern=kwargs.pop("name_pattern") or "",
                facts_table=kwargs.pop("facts") or "",
                limits=Limits(size_mb=limits["max_size"], memory_mb=limits["max_memory"], seconds=limits["timeout"]),
            )
        except ReadError as error:
            raise click.UsageError(str(error)) from error
        return command(*args, reading=reading, **kwargs)

    for option in reversed(_options()):
        with_reading = option(with_reading)
    return with_reading


def _options() -> list[Callable[..., Any]]:
    columns = [
        click.option(f"--{role}-column", metavar="NAME", help=f"In tables: the column of the {_ROLES.get(role, role)}.")
        for role in _COLUMNS
    ]
    return [
        *columns,
        click.option("--rows", type=click.Choice(["document", "sentence"]), help="In tables: what a row is."),
        click.option("--name-pattern", metavar="PATTERN", help='Facts in file names: "{country}_{session}_{year}".'),
        click.option("--facts", metavar="CSV", help="A table of facts, joined on the file name."),
        click.option("--max-size", type=float, default=_DEFAULTS.size_mb, show_default=True, metavar="MB",
                     help="Largest document; tables and zips are streamed and may be larger."),
        click.option("--max-memory", type=float, default=_DEFAULTS.memory_mb, show_default=True, metavar="MB",
                     help="Most memory for reading."),
        click.option("--timeout", type=float, default=_DEFAULTS.seconds, show_default=True, metavar="SECONDS",
                     help="Longest time to read one document."),
    ]  # fmt: skip


_ROLES = {"id": "document's name"}
