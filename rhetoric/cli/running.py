"""Carrying out a run: progress on the screen or as JSON, and the ends it can come to."""

from __future__ import annotations

import json
import shlex
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import click
from tqdm import tqdm

from rhetoric.codebook import Codebook, default_codebook
from rhetoric.engines import ENGINES, Cluster
from rhetoric.errors import StoppedError
from rhetoric.parts import Settings, Step, Work
from rhetoric.runs import Changes, Manifest, counts_of, finish, left, locked, prepare
from rhetoric.shards import Counts
from rhetoric.summary import Summary

EXIT_SOME_FAILED, EXIT_STOPPED, EXIT_INTERRUPTED = 1, 3, 130
_SECONDS_BETWEEN = 1.0
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run: see `rhetoric.runs.prepare`."""

    folder: Path
    paths: tuple[str, ...]
    settings: Settings
    part_bytes: int
    engine: str = "local"
    cluster: Cluster = field(default_factory=Cluster)
    retry: bool = False


def carry_out(order: Order, *, quiet: bool, as_json: bool) -> int:
    """Label what is left of a run; return the exit code.

    Raises:
        RunError: it cannot be begun.
    """
    stopped = ""
    with locked(order.folder):
        try:
            with _interruptible():
                manifest = _label(order, quiet=quiet, as_json=as_json)
        except KeyboardInterrupt:
            stopped, code = "stopped", EXIT_INTERRUPTED
        except StoppedError as error:
            stopped, code = str(error), EXIT_STOPPED
        except OSError as error:
            stopped, code = f"{error.filename or order.folder}: {error.strerror or error}", EXIT_STOPPED
    if stopped:
        again = shlex.join(["rhetoric", "runs", "resume", str(order.folder)])
        click.echo(f"rhetoric: {stopped}; what is labelled so far is kept. Go on with: {again}", err=True)
        return code
    return EXIT_SOME_FAILED if manifest.counts.errors else 0


def _label(order: Order, *, quiet: bool, as_json: bool) -> Manifest:
    manifest, changes = prepare(order.folder, order.paths, order.settings, order.part_bytes, order.engine, order.retry)
    works = left(order.folder, manifest)
    if not quiet:
        _tell(changes, manifest, bool(works))
    progress = Progress(default_codebook(), counts_of(order.folder), _bytes_left(manifest, works), quiet, as_json)
    if works:
        steps = ENGINES[order.engine](works, order.settings, order.folder, order.cluster)
        try:
            for step in steps:
                progress.show(step)
        finally:
            steps.close()
            progress.close()
    if works or not manifest.ended:
        manifest = finish(order.folder, manifest)
    progress.end(manifest)
    return manifest


def _bytes_left(manifest: Manifest, works: Sequence[Work]) -> dict[str, int]:
    """Sizes of the input files of the parts that are left."""
    parts = {work.part for work in works}
    return {file.path: file.bytes for file in manifest.inputs if file.part in parts and not file.replaced}


def _tell(changes: Changes, manifest: Manifest, work: bool) -> None:
    for what, paths in (("new", changes.new), ("changed", changes.changed), ("not there any more, their rows are kept", changes.removed)):  # fmt: skip
        if paths:
            more = f" and {len(paths) - _SHOWN:,} more" if len(paths) > _SHOWN else ""
            click.echo(f"Input files {what}: {', '.join(sorted(paths)[:_SHOWN])}{more}", err=True)
    if not work:
        click.echo(f"Nothing is left to label; the run ended {manifest.ended or 'just now'}.", err=True)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let SIGTERM stop a run as SIGINT does."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Progress:
    """Sentences a second, time left, current file and shares so far: a bar on a screen, JSON Lines, or nothing in a pipe."""

    def __init__(self, codebook: Codebook, before: Counts, sizes: dict[str, int], quiet: bool, as_json: bool) -> None:
        """Begin with what was labelled before and the sizes of the files that are left."""
        self._codebook, self._total, self._sizes, self._json = codebook, before, sizes, as_json
        self._before = before.sentences
        self._all = sum(sizes.values())
        self._done = 0
        self._path = ""
        self._started = self._last = time.monotonic()
        hidden = quiet or as_json or not sys.stderr.isatty()
        self._bar = tqdm(total=self._all, unit="B", unit_scale=True, disable=hidden, leave=False, dynamic_ncols=True)
        self._quiet = quiet
        self._screen = sys.stdout  # an engine may put something else in its place

    def show(self, step: Step) -> None:
        """Count a step, and show it if the last time was a while ago."""
        self._total.add(step.counts)
        if step.path and step.path != self._path:
            size = self._sizes.pop(self._path, 0)
            self._done += size
            self._bar.update(size)
            self._path = step.path
        if time.monotonic() - self._last >= _SECONDS_BETWEEN:
            self._last = time.monotonic()
            self._bar.set_description_str(Path(self._path).name[:30], refresh=False)
            self._bar.set_postfix_str(f"{self._rate():,.0f} sentences/s; {self._shares()}", refresh=False)
            if self._json:
                self._line("progress", file=self._path, seconds_left=self._seconds_left())

    def close(self) -> None:
        """Take the bar off the screen."""
        self._bar.close()

    def end(self, manifest: Manifest) -> None:
        """Say what the whole run holds."""
        self._total = manifest.counts
        if self._json:
            self._line("end", seconds=round(time.monotonic() - self._started, 3), errors=manifest.counts.errors)
        elif not self._quiet:
            click.echo(self._summary().line(), err=True)

    def _line(self, event: str, **more: object) -> None:
        counts = self._total
        click.echo(
            json.dumps({
                "event": event, "documents": counts.documents, "sentences": counts.sentences, "labels": counts.labels,
                "sentences_per_second": round(self._rate(), 1), **more,
            }),
            self._screen,
        )  # fmt: skip

    def _rate(self) -> float:
        return (self._total.sentences - self._before) / max(time.monotonic() - self._started, 1e-9)

    def _seconds_left(self) -> float | None:
        elapsed = time.monotonic() - self._started
        return round(elapsed * (self._all - self._done) / self._done, 1) if self._done else None

    def _summary(self) -> Summary:
        c = self._total
        return Summary(self._codebook, c.documents, c.sentences, c.review, c.errors, Counter(c.labels))

    def _shares(self) -> str:
        summary = self._summary()
        return ", ".join(f"{c.name} {summary.share(c.key):.1%}" for c in self._codebook.categories)
