"""What drives the labelling function over the parts of a run: this machine's cores, or a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rhetoric.label import load_classifier
from rhetoric.parts import Settings, Step, Work, label_parts
from rhetoric.reading import Reader

Engine = Callable[[Sequence[Work], Settings, Path, "Cluster"], Generator[Step]]


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where a Ray cluster is ("" starts one on this machine), and how many workers label (0: one a core)."""

    address: str = ""
    workers: int = 0


def label_locally(works: Sequence[Work], settings: Settings, folder: Path, cluster: Cluster) -> Generator[Step]:
    """Label with all cores of this machine, in one process."""
    with Reader(settings.reading) as reader:
        reader.start()  # while the model loads
        with closing(label_parts(works, settings, reader, load_classifier(folder=settings.weights), folder)) as steps:
            yield from steps


def label_on_ray(works: Sequence[Work], settings: Settings, folder: Path, cluster: Cluster) -> Generator[Step]:
    """Label with the workers of a Ray cluster."""
    from rhetoric.ray_engine import label

    yield from label(works, settings, folder, cluster.address, cluster.workers)


ENGINES: dict[str, Engine] = {"local": label_locally, "ray": label_on_ray}
