"""`rhetoric label`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO

import click
from tqdm import tqdm

from model.manifest import ModelError
from rhetoric.codebook import default_codebook
from rhetoric.errors import ReadError, RhetoricError
from rhetoric.export import WRITERS, format_of
from rhetoric.label import LabelledSentence, Labelling, label_document, load_classifier
from rhetoric.reading import find_files, read_path
from rhetoric.summary import Summary

EXIT_SOME_FAILED = 1

@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file (default: the screen).")
@click.option(
    "--format", "form", type=click.Choice(list(WRITERS)), help="Default: by the ending of --out, else jsonl."
)
@click.option("--quiet", is_flag=True, help="No progress bar and no summary.")
def label(paths: tuple[str, ...], out: Path | None, form: str | None, quiet: bool) -> None:
    """Label every sentence of text files, of the text files in folders, or of standard input (-).

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
    """
    try:
        failed = _label(paths, out, form, quiet)
    except (RhetoricError, ModelError) as error:
        raise click.UsageError(str(error)) from error
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
        failed = False
    sys.exit(EXIT_SOME_FAILED if failed else 0)


def _label(paths: tuple[str, ...], out: Path | None, form: str | None, quiet: bool) -> bool:
    """Label and write; return whether something could not be read."""
    form = form or (format_of(out) if out else "jsonl")
    if form == "parquet" and out is None:
        raise RhetoricError("Parquet is not for the screen; name a file with --out rows.parquet")
    book = default_codebook()
    summary = Summary(book)
    with ExitStack() as stack:
        file = _open(out, stack)
        WRITERS[form](_rows(_labellings(paths, summary, quiet), summary), file, book.keys)
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


def _labellings(paths: tuple[str, ...], summary: Summary, quiet: bool) -> Iterator[Labelling]:
    """Read and label file by file; what cannot be read is said and counted."""
    files = list(find_files(paths))
    classifier = None
    bar = tqdm(files, unit="file", disable=quiet or not sys.stderr.isatty(), leave=False)
    for entry in bar:
        try:
            if isinstance(entry, ReadError):
                raise entry
            document = read_path(entry)
        except ReadError as error:
            summary.failed += 1
            bar.clear()
            click.echo(f"rhetoric: {error}", err=True)
            continue
        classifier = classifier or load_classifier()
        yield label_document(document, classifier)


def _rows(labellings: Iterator[Labelling], summary: Summary) -> Iterator[LabelledSentence]:
    for labelling in labellings:
        summary.add(labelling)
        yield from labelling.sentences

