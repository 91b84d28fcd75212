"""`rhetoric label`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import click
from tqdm import tqdm

from model.manifest import ModelError
from rhetoric.cli.reading_options import reading_options
from rhetoric.codebook import default_codebook
from rhetoric.errors import ReadError, RhetoricError
from rhetoric.export import WRITERS, format_of
from rhetoric.label import LabelledSentence, Labelling, label_document, load_classifier
from rhetoric.reading import Document, Reader, ReadOptions, find_files, shown
from rhetoric.reading.language import NAMES
from rhetoric.summary import Summary

EXIT_SOME_FAILED = 1


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read, and whether what is not in English is labelled."""

    options: ReadOptions
    any_language: bool


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file (default: the screen)."
)
@click.option("--format", "form", type=click.Choice(list(WRITERS)), help="Default: by the ending of --out, else jsonl.")
@click.option("--quiet", is_flag=True, help="No progress bar and no summary.")
@click.option(
    "--any-language", is_flag=True, help="Label documents that are not in English, which the model was not trained on."
)
@reading_options
def label(
    paths: tuple[str, ...], out: Path | None, form: str | None, quiet: bool, any_language: bool, reading: ReadOptions
) -> None:
    """Label every sentence of files, of the files in folders, or of standard input (-).

    Read are txt, md, html, pdf, docx, odt, rtf, srt, vtt, csv, tsv, xlsx, jsonl, parquet and zips of
    these; `rhetoric inspect PATH` shows what is read of a file.

    \b
    A row is one sentence:
      document       path as given
      title, date, speaker
                     as far as the document tells
      turn           number of the speaker's turn, from 1
      sentence       number of the sentence in the document, from 1
      start, end     where it stands in the document's text, in characters
      text           the sentence as it stands
      labels         the categories it has, often none
      probabilities  by category, calibrated
      needs_review   true where a probability is too close to call
      where          page, time or row of the source, where it has them
      language, encoding
                     what the document was found to be in
    """
    try:
        failed = _label(paths, out, form, quiet, Reading(reading, any_language))
    except (RhetoricError, ModelError) as error:
        raise click.UsageError(str(error)) from error
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
        failed = False
    sys.exit(EXIT_SOME_FAILED if failed else 0)


def _label(paths: tuple[str, ...], out: Path | None, form: str | None, quiet: bool, reading: Reading) -> bool:
    """Label and write; return whether something could not be read."""
    form = form or (format_of(out) if out else "jsonl")
    if form == "parquet" and out is None:
        raise RhetoricError("Parquet is not for the screen; name a file with --out rows.parquet")
    book = default_codebook()
    summary = Summary(book)
    with ExitStack() as stack:
        reader = stack.enter_context(Reader(reading.options))
        reader.start()  # while the model loads
        file = _open(out, stack)
        WRITERS[form](_rows(_labellings(paths, summary, quiet, reader, reading.any_language), summary), file, book.keys)
        file.flush()
    if not quiet:
        click.echo(summary.line(), err=True)
    return summary.failed > 0


def _open(out: Path | None, stack: ExitStack) -> IO[bytes]:
    if out is None:
        return sys.stdout.buffer
    try:
        return stack.enter_context(out.open("wb"))
    except OSError as error:
        raise RhetoricError(f"{out}: {error.strerror or error}") from error


def _labellings(
    paths: tuple[str, ...], summary: Summary, quiet: bool, reader: Reader, any_language: bool
) -> Iterator[Labelling]:
    """Read and label file by file; what cannot be read is said and counted."""
    files = list(find_files(paths))
    classifier = None
    bar = tqdm(files, unit="file", disable=quiet or not sys.stderr.isatty(), leave=False)
    for entry in bar:
        for item in [entry] if isinstance(entry, ReadError) else reader.read(entry):
            try:
                document = _readable(item, any_language)
            except ReadError as error:
                summary.failed += 1
                bar.clear()
                click.echo(f"rhetoric: {error}", err=True)
                continue
            classifier = classifier or load_classifier()
            yield label_document(document, classifier)


def _readable(item: Document | ReadError, any_language: bool) -> Document:
    """The document, if it was read and may be labelled; a foreign one with a warning.

    Raises:
        ReadError: it was not read, or is not in English and `any_language` is not set.
    """
    if isinstance(item, ReadError):
        raise item
    if item.language in ("", "en"):
        return item
    language = NAMES.get(item.language, item.language)
    told = f"{shown(item.name)}: this is in {language}, and the model was trained on English speeches only"
    if not any_language:
        raise ReadError(f"{told}; to label it all the same, add --any-language")
    click.echo(f"rhetoric: warning: {told}; its labels are not to be relied on", err=True)
    return item


def _rows(labellings: Iterator[Labelling], summary: Summary) -> Iterator[LabelledSentence]:
    for labelling in labellings:
        summary.add(labelling)
        yield from labelling.sentences
