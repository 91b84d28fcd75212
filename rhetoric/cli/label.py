"""`rhetoric label`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import click
from tqdm import tqdm

from model.manifest import WEIGHTS, ModelError
from rhetoric.ahead import ahead
from rhetoric.cli.options import model_option
from rhetoric.cli.reading_options import reading_options
from rhetoric.cli.run_options import RunOptions, run_options
from rhetoric.codebook import default_codebook
from rhetoric.errors import ReadError, RhetoricError
from rhetoric.export import WRITERS, format_of, keep_apart, open_out
from rhetoric.label import (
    LabelledSentence,
    Labelling,
    Split,
    foreign,
    label_overlapping,
    load_classifier,
    split_or_error,
)
from rhetoric.reading import Reader, ReadOptions, find_files
from rhetoric.summary import Summary

EXIT_SOME_FAILED = 1
_AHEAD = 4
"""Documents that are read and split in advance."""


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
@model_option
@run_options
@reading_options
def label(
    paths: tuple[str, ...], out: Path | None, form: str | None, quiet: bool, any_language: bool, model: Path | None,
    run: RunOptions | None, reading: ReadOptions,
) -> None:  # fmt: skip
    """Label every sentence of files, of the files in folders, or of standard input (-).

    Read are txt, md, html, pdf, docx, odt, rtf, srt, vtt, csv, tsv, xlsx, jsonl, parquet and zips of
    these; `rhetoric inspect PATH` shows what is read of a file.

    With --run FOLDER, rows go into a run: a folder that survives crashes, goes on where it was broken
    off, takes in new files, and can be labelled by many machines. See `rhetoric runs`.

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
      place, source  where the speech was given and who published it, as far as the document tells
    """
    if run is not None and (out or form):
        raise click.UsageError("--run makes a folder of Parquet shards; --out and --format write one file")
    try:
        if run is not None:
            from rhetoric.cli.running import carry_out

            order = run.order(paths, reading, any_language, str(model.resolve()) if model else "")
            sys.exit(carry_out(order, quiet=quiet, as_json=run.as_json))
        if out is not None:
            keep_apart(out, paths)
        failed = _label(paths, out, form, quiet, Reading(reading, any_language), model or WEIGHTS)
    except (RhetoricError, ModelError) as error:
        raise click.UsageError(str(error)) from error
    except BrokenPipeError:  # the reader of our output has seen enough
        failed = False
    sys.exit(EXIT_SOME_FAILED if failed else 0)


def _label(
    paths: tuple[str, ...], out: Path | None, form: str | None, quiet: bool, reading: Reading, model: Path
) -> bool:
    """Label and write; return whether something could not be read."""
    form = form or (format_of(out) if out else "jsonl")
    book = default_codebook()
    summary = Summary(book)
    files = list(find_files(paths))
    with ExitStack() as stack:
        reader = stack.enter_context(Reader(reading.options))
        reader.start()  # while the model loads
        file = open_out(out, form, stack)
        items = stack.enter_context(closing(ahead(_splits(files, reader, reading.any_language), _AHEAD)))
        bar = tqdm(total=len(files), unit="file", disable=quiet or not sys.stderr.isatty(), leave=False)
        labelled = label_overlapping(items, load_classifier(folder=model))
        labellings = _labellings(labelled, summary, stack.enter_context(bar))
        WRITERS[form](_rows(labellings, summary), file, book.keys)
        file.flush()
    if not quiet:
        click.echo(summary.line(), err=True)
    return summary.failed > 0


def _splits(
    files: Sequence[str | ReadError], reader: Reader, any_language: bool
) -> Iterator[tuple[int, Split | ReadError]]:
    """Read and split file by file; each with the number of its file."""
    for number, entry in enumerate(files):
        for item in [entry] if isinstance(entry, ReadError) else reader.read(entry):
            yield number, split_or_error(item, any_language)


def _labellings(
    labelled: Iterable[tuple[int, Labelling | ReadError | None]], summary: Summary, bar: tqdm
) -> Iterator[Labelling]:
    """What was labelled; what cannot be read is said and counted."""
    for number, item in labelled:
        bar.update(number - bar.n)
        if isinstance(item, ReadError):
            summary.failed += 1
            bar.clear()
            click.echo(f"rhetoric: {item}", err=True)
        elif item is not None:
            if told := foreign(item.document):
                click.echo(f"rhetoric: warning: {told}; its labels are not to be relied on", err=True)
            yield item


def _rows(labellings: Iterator[Labelling], summary: Summary) -> Iterator[LabelledSentence]:
    for labelling in labellings:
        summary.add(labelling)
        yield from labelling.sentences
