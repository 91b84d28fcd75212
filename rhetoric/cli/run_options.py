"""The options of `rhetoric label` that make a run folder."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rhetoric.cli.running import Order
    from rhetoric.reading import ReadOptions

SHARD_SENTENCES, PART_MB = 10_000, 0.5
_NAMES = ("engine", "address", "workers", "shard_sentences", "part_mb", "retry", "as_json")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options that were given with --run."""

    folder: Path
    engine: str
    address: str
    workers: int
    shard_sentences: int
    part_mb: float
    retry: bool
    as_json: bool

    def order(self, paths: tuple[str, ...], reading: ReadOptions, any_language: bool, model: str) -> Order:
        """Put the options together with those of reading."""
        from rhetoric.cli.running import Order  # Polars is loaded for runs only
        from rhetoric.engines import Cluster
        from rhetoric.parts import Settings

        return Order(
            self.folder, paths, Settings(reading, any_language, self.shard_sentences, model), int(self.part_mb * 1e6),
            self.engine, Cluster(self.address, self.workers), self.retry,
        )  # fmt: skip


def run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of runs; it receives them as one `run`, None where --run was not given."""

    @functools.wraps(command)
    def with_run(*args: Any, **kwargs: Any) -> Any:
        folder = kwargs.pop("run")
        values = {name: kwargs.pop(name) for name in _NAMES}
        context = click.get_current_context()
        given = [
            name for name in _NAMES if context.get_parameter_source(name) is not click.core.ParameterSource.DEFAULT
        ]
        if folder is None and given:
            raise click.UsageError(f"--{given[0].removeprefix('as_').replace('_', '-')} goes with --run FOLDER")
        return command(*args, run=None if folder is None else RunOptions(folder, **values), **kwargs)

    for option in reversed(_OPTIONS):
        with_run = option(with_run)
    return with_run


_OPTIONS = (
    click.option("--run", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
                 help="Label into this run folder, or go on with it."),
    click.option("--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True,
                 help="Runs: all cores of this machine, or a Ray cluster."),
    click.option("--address", default="", metavar="ADDRESS",
                 help="Ray: the cluster's address (default: starts one on this machine)."),
    click.option("--workers", type=click.IntRange(min=0), default=0, show_default="one a core", help="Ray: how many label."),
    click.option("--shard-sentences", type=click.IntRange(min=1), default=SHARD_SENTENCES, show_default=True,
                 help="Runs: a shard ends after the document that reaches so many."),
    click.option("--part-mb", type=click.FloatRange(min=0, min_open=True), default=PART_MB, show_default=True,
                 metavar="MB", help="Runs: input files that are labelled as one piece."),
    click.option("--retry", is_flag=True, help="Runs: read anew what could not be read before."),
    click.option("--json", "as_json", is_flag=True, help="Runs: progress and result as JSON Lines on standard output."),
)  # fmt: skip
