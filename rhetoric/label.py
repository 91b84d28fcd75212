"""Documents → labelled sentences."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from model.classifier import Classifier, Pending
from model.manifest import WEIGHTS, Manifest
from rhetoric.codebook import Codebook, default_codebook
from rhetoric.errors import ReadError
from rhetoric.reading import Document, shown
from rhetoric.reading.language import NAMES
from rhetoric.segment import Segments
from rhetoric.voices import read_voices

Key = TypeVar("Key")
_AT_ONCE = 16
_CHARACTERS_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True)
class LabelledSentence:
    """One row of a labelling. `sentence` and `turn` count from 1; `text == document.text[start:end]`.

    `where` is the page, time or row of the source, "" where only the offsets tell; `encoding` is what
    the file was read as, "" for formats that say it themselves; `language`, `place` and `source` are the
    document's, "" where it tells none.
    """

    document: str
    title: str
    date: str
    speaker: str
    turn: int
    sentence: int
    start: int
    end: int
    text: str
    labels: tuple[str, ...]
    probabilities: Mapping[str, float]
    needs_review: bool
    where: str = ""
    language: str = ""
    encoding: str = ""
    place: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Labelling:
    """A document and its labelled sentences, in reading order."""

    document: Document
    sentences: tuple[LabelledSentence, ...]


def load_classifier(codebook: Codebook | None = None, folder: Path = WEIGHTS, threads: int | None = None) -> Classifier:
    """Load the shipped classifier, or the one in `folder`, for a codebook (the project's own by default).

    Raises:
        model.manifest.ModelError: the model does not fit the codebook or its files are damaged.
    """
    codebook = codebook or default_codebook()
    return Classifier.load(
        folder, categories=codebook.keys, codebook_version=codebook.version, threads=threads, cache=cache_folder()
    )


def cache_folder() -> Path:
    """Where the compiled model is kept between starts (`XDG_CACHE_HOME`, else ~/.cache)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rhetoric"


@dataclass(frozen=True, slots=True)
class Split:
    """A document with its turns and sentences, ready to be labelled."""

    document: Document
    segments: Segments
    speakers: tuple[str, ...]
    turns: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Begun:
    """A document that the classifier works on; `finish` waits for it."""

    split: Split
    pending: Pending
    manifest: Manifest

    def finish(self) -> Labelling:
        """Wait for the probabilities and decide."""
        document = self.split.document
        rows = (row for turn in self.pending.result() for row in turn.tolist())
        labelled = zip(self.split.segments.sentences, self.split.speakers, rows, strict=True)
        return Labelling(
            document,
            tuple(
                LabelledSentence(
                    document=document.name,
                    title=document.title,
                    date=document.date,
                    speaker=speaker,
                    turn=sentence.turn + 1,
                    sentence=number,
                    start=sentence.start,
                    end=sentence.end,
                    text=document.text[sentence.start : sentence.end],
                    where=document.where(sentence.start),
                    language=document.language,
                    encoding=document.encoding,
                    place=document.place,
                    source=document.source,
                    **_decide(row, self.manifest),
                )
                for number, (sentence, speaker, row) in enumerate(labelled, 1)
            ),
        )


def split_document(document: Document) -> Split:
    """Find the turns, sentences and speakers of a document."""
    reading = read_voices(document)
    return Split(document, reading.segments, reading.speakers, _turns(document.text, reading.segments))


def begin(split: Split, classifier: Classifier) -> Begun:
    """Give a document to the classifier without waiting for it."""
    return Begun(split, classifier.start(split.turns), classifier.manifest)


def labelled_language(item: Document | ReadError, any_language: bool) -> Document:
    """The document, if it was read and may be labelled.

    Raises:
        ReadError: it was not read, or is not in English and `any_language` is not set.
    """
    if isinstance(item, ReadError):
        raise item
    if any_language or not (told := foreign(item)):
        return item
    raise ReadError(f"{told}; to label it all the same, add --any-language")


def split_or_error(item: Document | ReadError, any_language: bool) -> Split | ReadError:
    """Split a document, or say why it was not read or is not labelled."""
    try:
        return split_document(labelled_language(item, any_language))
    except ReadError as error:
        return error


def foreign(document: Document) -> str:
    """What a document not in English must be told of, "" for others."""
    if document.language in ("", "en"):
        return ""
    language = NAMES.get(document.language, document.language)
    return f"{shown(document.name)}: this is in {language}, and the model was trained on English speeches only"


def label_overlapping(
    items: Iterable[tuple[Key, Split | ReadError | None]], classifier: Classifier
) -> Iterator[tuple[Key, Labelling | ReadError | None]]:
    """Label documents in order, some at the same time, so that the classifier never waits for the next one.

    What is no document comes back in its place; each item keeps its key.
    """
    waiting: deque[tuple[Key, Begun | ReadError | None, int]] = deque()
    characters = 0
    for key, content in items:
        size = len(content.document.text) if isinstance(content, Split) else 0
        waiting.append((key, begin(content, classifier) if isinstance(content, Split) else content, size))
        characters += size
        while len(waiting) > _AT_ONCE or characters > _CHARACTERS_AT_ONCE:
            first, begun, size = waiting.popleft()
            characters -= size
            yield first, begun.finish() if isinstance(begun, Begun) else begun
    for first, begun, _ in waiting:
        yield first, begun.finish() if isinstance(begun, Begun) else begun


def label_document(document: Document, classifier: Classifier) -> Labelling:
    """Label every sentence of a document."""
    return begin(split_document(document), classifier).finish()


def label_documents(documents: Iterable[Document], classifier: Classifier) -> Iterator[Labelling]:
    """Label documents one after the other, as they come."""
    for document in documents:
        yield label_document(document, classifier)


def _turns(text: str, segments: Segments) -> list[list[str]]:
    turns: list[list[str]] = [[] for _ in segments.turns]
    for sentence in segments.sentences:
        turns[sentence.turn].append(text[sentence.start : sentence.end])
    return turns


def _decide(row: Sequence[float], manifest: Manifest) -> dict[str, Any]:
    """Labels, probabilities (rounded as they are written, before anything is decided) and doubt."""
    probabilities = {key: round(p, 4) for key, p in zip(manifest.categories, row, strict=True)}
    decisions = manifest.decisions
    return {
        "labels": tuple(key for key, p in probabilities.items() if p >= decisions[key].threshold),
        "probabilities": probabilities,
        "needs_review": any(
            decisions[key].doubt[0] <= p <= decisions[key].doubt[1] for key, p in probabilities.items()
        ),
    }
