"""Documents → labelled sentences."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.classifier import Classifier
from model.manifest import WEIGHTS, Manifest
from rhetoric.codebook import Codebook, default_codebook
from rhetoric.reading import Document
from rhetoric.segment import Segments
from rhetoric.voices import read_voices


@dataclass(frozen=True, slots=True)
class LabelledSentence:
    """One row of a labelling. `sentence` and `turn` count from 1; `text == document.text[start:end]`.

    `where` is the page, time or row of the source, "" where only the offsets tell; `encoding` is what
    the file was read as, "" for formats that say it themselves; `language` is the document's.
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


def label_document(document: Document, classifier: Classifier) -> Labelling:
    """Label every sentence of a document."""
    reading = read_voices(document)
    segments = reading.segments
    probabilities = classifier.predict_proba(_turns(document.text, segments))
    rows = (row for turn in probabilities for row in turn.tolist())
    manifest = classifier.manifest
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
                **_decide(row, manifest),
            )
            for number, (sentence, speaker, row) in enumerate(
                zip(segments.sentences, reading.speakers, rows, strict=True), 1
            )
        ),
    )


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
