"""The labelling function on a Ray cluster: Ray Data hands parts to workers, which write shards into the run folder.

The folder and the input files must be seen by all machines under the same paths. What Ray does
twice after a worker died has the same bytes, so the run's own shards are the only checkpoint.
"""

from __future__ import annotations

import io
import logging
import os
import pickle
import signal
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from rhetoric.errors import RhetoricError, StoppedError
from rhetoric.label import load_classifier
from rhetoric.parts import Settings, Step, Work, label_parts
from rhetoric.reading import Reader

_SHOWN = 1000
_STDERR = 2


class _Labeller:
    """A worker: loads the classifier once, then labels the parts it is given."""

    def __init__(self, settings: Settings, folder: str, here: str) -> None:
        os.chdir(here)  # input paths are as given to the command
        self._settings, self._folder = settings, Path(folder)
        self._reader = Reader(settings.reading)
        self._reader.start()
        self._classifier = load_classifier(folder=settings.weights, threads=1)

    def __call__(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        work = pickle.loads(row["work"])
        for step in label_parts([work], self._settings, self._reader, self._classifier, self._folder):
            if step.shard is not None:
                yield {"shard": pickle.dumps((work, step.shard))}


def label(works: Sequence[Work], settings: Settings, folder: Path, address: str, workers: int) -> Generator[Step]:
    """Label parts with the workers of a cluster; shards come in any order.

    Args:
        works: what is left of the run.
        settings: of the run.
        folder: of the run, seen by all machines.
        address: of the cluster; "" starts one on this machine, with a worker a core.
        workers: how many label; 0 for one a core of the cluster.

    Raises:
        RhetoricError: Ray is not installed, or the cluster cannot be reached.
        StoppedError: a part failed on a worker.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing leaves the machine
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # warnings of its inner parts tell a user nothing
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise RhetoricError("--engine ray needs Ray: pip install -c constraints.txt -e '.[cluster]'") from error
    with redirect_stdout(io.StringIO()):  # Ray prints there, where the progress as JSON goes
        yield from _label(ray, works, settings, folder, address, workers)


def _label(
    ray: Any, works: Sequence[Work], settings: Settings, folder: Path, address: str, workers: int
) -> Generator[Step]:
    ours = not ray.is_initialized()
    if ours:
        try:
            with _our_signals(), _silent():
                ray.init(address=address or "local", num_cpus=None if address else workers or None, include_dashboard=False,
                         logging_level=logging.ERROR, log_to_driver=False)  # fmt: skip
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise RhetoricError(f"no Ray cluster answers at {address!r}: {error}") from error
    try:
        cluster: dict[str, float] = ray.cluster_resources()
        count = min(workers or int(cluster.get("CPU", 1)), len(works))
        for work, shard in _shards(ray, works, settings, folder, count):
            yield from (Step(path=file.path) for file in work.files)
            yield Step(work.files[-1].path, shard.counts, shard)
    except ray.exceptions.RayError as error:
        raise StoppedError(" ".join(str(error).split())[-_SHOWN:]) from error
    finally:
        if ours:
            ray.shutdown()


@contextmanager
def _our_signals() -> Iterator[None]:
    """Keep what SIGINT and SIGTERM do to this process: Ray puts handlers of its own there, which end it with a trace."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def _silent() -> Iterator[None]:
    """Let nothing through to standard error, not even what Ray's inner parts write there past Python."""
    sys.stderr.flush()
    kept, null = os.dup(_STDERR), os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, _STDERR)
    try:
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)
        os.close(null)


def _shards(ray: Any, works: Sequence[Work], settings: Settings, folder: Path, workers: int) -> Iterator[Any]:
    ray.data.DataContext.get_current().enable_progress_bars = False  # the command has its own
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    rows = ray.data.from_items([{"work": pickle.dumps(work)} for work in works], override_num_blocks=len(works))
    labelled = rows.flat_map(
        _Labeller,
        fn_constructor_args=(settings, str(folder.resolve()), str(Path.cwd())),
        compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=2),
        num_cpus=1,
    )  # fmt: skip
    for row in labelled.iter_rows():
        yield pickle.loads(row["shard"])
