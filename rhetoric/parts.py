"""The labelling function of every engine: parts of a run → shards.

A part is a few input files in order. Reading and splitting run ahead in a thread, inference in the
classifier's own threads, writing in another: they overlap, and memory is bound by documents, not by the corpus.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from model.classifier import Classifier
from model.manifest import WEIGHTS, sha256_of
from rhetoric.ahead import ahead
from rhetoric.errors import ReadError, StoppedError
from rhetoric.label import Labelling, Split, label_overlapping, split_or_error
from rhetoric.reading import Document, Reader, ReadOptions, shown
from rhetoric.shards import Counts, Place, Rows, Shard, write_shard

_AHEAD = 4
"""Documents that are read and split in advance."""


@dataclass(frozen=True, slots=True)
class Input:
    """An input file as it was when it was planned; `sha256` is "" where it could not be read, `error` says why.

    `replaced` files changed since: a later part has them anew.
    """

    path: str
    bytes: int
    sha256: str
    part: int
    error: str = ""
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """What is left of a part: its files, the number of its next shard, and where to go on."""

    part: int
    files: tuple[Input, ...]
    shard: int = 0
    start: Place = field(default_factory=Place)


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides the rows of a run, and how they are cut into shards; `model` is a model's folder ("": the shipped one)."""

    reading: ReadOptions = field(default_factory=ReadOptions)
    any_language: bool = False
    shard_sentences: int = 10_000
    model: str = ""

    @property
    def weights(self) -> Path:
        """The folder of the model."""
        return Path(self.model) if self.model else WEIGHTS


@dataclass(frozen=True, slots=True)
class Step:
    """A document of the file at `path` was labelled, or a shard was written; `counts` are not yet in another step."""

    path: str = ""
    counts: Counts = field(default_factory=Counts)
    shard: Shard | None = None


@dataclass(frozen=True, slots=True)
class _Item:
    """A document of a part, what hinders its reading, or (None) its end; `first` starts it."""

    work: Work
    path: str
    number: int
    after: Place
    content: Split | ReadError | None
    first: bool


def label_parts(
    works: Iterable[Work], settings: Settings, reader: Reader, classifier: Classifier, folder: Path
) -> Generator[Step]:
    """Label parts one after the other into shards of a run folder.

    Raises:
        OSError: a shard cannot be written; those before it are whole.
        StoppedError: a file of which a part is labelled has changed.
    """
    categories = classifier.manifest.categories
    rows = Rows(categories)
    number, writing = 0, None
    with ThreadPoolExecutor(1, "write") as executor, closing(ahead(_items(works, settings, reader), _AHEAD)) as items:

        def write(upto: _Item) -> Iterator[Step]:
            nonlocal rows, number, writing
            if writing is not None:
                yield Step(shard=writing.result())
            writing = executor.submit(_write, folder, rows, upto, number)
            rows, number = Rows(categories), number + 1

        before = None
        for item, labelled in label_overlapping(((item, item.content) for item in items), classifier):
            if item.first:
                number = item.work.shard
            if before is not None and labelled is not None and len(rows) >= settings.shard_sentences:
                yield from write(before)  # not sooner: the last shard of a part must not be left empty
            yield Step(item.path, _add(rows, item, labelled))
            if labelled is None:
                yield from write(item)
            before = item
        if writing is not None:
            yield Step(shard=writing.result())


def _add(rows: Rows, item: _Item, labelled: Labelling | ReadError | None) -> Counts:
    """Add a document's rows or its error, and count them."""
    if isinstance(labelled, Labelling):
        rows.add(item.path, item.number, labelled)
        return Counts.of_document(labelled)
    if labelled is not None:
        rows.add_error(item.path, item.number, str(labelled))
        return Counts(errors=1)
    return Counts()


def _write(folder: Path, rows: Rows, item: _Item, number: int) -> Shard:
    return write_shard(folder, rows.frame(), item.work.part, number, item.content is None, item.after)


def _items(works: Iterable[Work], settings: Settings, reader: Reader) -> Iterator[_Item]:
    """Read and split what is left of parts; each part ends with an item without content."""
    for work in works:
        first = True
        for index, file in enumerate(work.files[work.start.files :], work.start.files):
            done = work.start.items if index == work.start.files else 0
            for number, document in enumerate(_documents(file, done, reader), done + 1):
                yield _Item(
                    work,
                    file.path,
                    number,
                    Place(index, number),
                    split_or_error(document, settings.any_language),
                    first,
                )
                first = False
        yield _Item(work, "", 0, Place(len(work.files)), None, first)


def _documents(file: Input, done: int, reader: Reader) -> Iterator[Document | ReadError]:
    """Documents of a file from number `done` on; none of a file that a later part has anew.

    Raises:
        StoppedError: it changed after some of its documents were labelled.
    """
    if file.replaced:
        return
    if file.error:
        yield from [ReadError(file.error)][done:]
        return
    if file.sha256 and sum_of(file.path) != file.sha256:
        told = f"{shown(file.path)}: it changed while the run went on; run again"
        if done:  # the documents before would stand for the old file, those after it for the new one
            raise StoppedError(told)
        yield ReadError(told)
        return
    yield from reader.read(file.path, done)


def sum_of(path: str) -> str:
    """The sha256 of an input file, "" where it cannot be read; reading says why."""
    try:
        return sha256_of(Path(path))
    except (OSError, ValueError):
        return ""
