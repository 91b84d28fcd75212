"""Labelled sentences as files for other tools: JSON Lines, CSV, Parquet."""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, fields
from pathlib import Path
from typing import IO, Any

from rhetoric.errors import RhetoricError
from rhetoric.label import LabelledSentence

Writer = Callable[[Iterable[LabelledSentence], IO[bytes], Sequence[str]], None]


def write_jsonl(sentences: Iterable[LabelledSentence], file: IO[bytes], categories: Sequence[str]) -> None:
    """Write one JSON object a sentence, as they come."""
    for sentence in sentences:
        file.write(json.dumps(asdict(sentence), ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n")
        file.flush()


def write_csv(sentences: Iterable[LabelledSentence], file: IO[bytes], categories: Sequence[str]) -> None:
    """Write a table with a column `probability_CATEGORY` each; several labels are joined by `;`."""
    columns = [f.name for f in fields(LabelledSentence) if f.name != "probabilities"]
    columns[columns.index("labels") + 1 : 0] = [f"probability_{key}" for key in categories]
    lines = _Lines(file)
    writer = csv.DictWriter(lines, columns)
    file.write(b"\xef\xbb\xbf")  # so that spreadsheets read UTF-8
    writer.writeheader()
    for sentence in sentences:
        writer.writerow(_flat(asdict(sentence)))


def write_parquet(sentences: Iterable[LabelledSentence], file: IO[bytes], categories: Sequence[str]) -> None:
    """Write one Parquet table, with `labels` as a list and `probabilities` as a struct."""
    import polars as pl  # the other formats start sooner without it

    probabilities = pl.Struct({key: pl.Float64 for key in categories})
    types: dict[str, Any] = {
        "turn": pl.Int64, "sentence": pl.Int64, "start": pl.Int64, "end": pl.Int64,
        "labels": pl.List(pl.String), "probabilities": probabilities, "needs_review": pl.Boolean,
    }  # fmt: skip
    schema = {f.name: types.get(f.name, pl.String) for f in fields(LabelledSentence)}
    pl.DataFrame([asdict(s) for s in sentences], schema=schema).write_parquet(file)


WRITERS: Mapping[str, Writer] = {"jsonl": write_jsonl, "csv": write_csv, "parquet": write_parquet}


def format_of(path: Path) -> str:
    """Tell the format from a file's ending.

    Raises:
        RhetoricError: the ending is none of the formats'.
    """
    ending = path.suffix.lower().lstrip(".")
    if ending not in WRITERS:
        raise RhetoricError(f"{path}: the ending says no format; name one with --format ({', '.join(WRITERS)})")
    return ending


def keep_apart(out: Path, paths: Sequence[str]) -> None:
    """Refuse to write over what is to be read.

    Raises:
        RhetoricError: `out` is one of the paths, or a file of a folder among them.
    """
    if not out.is_file():
        return
    target = Path(os.path.realpath(out))
    for given in map(os.path.realpath, paths):
        if Path(given) in (target, *target.parents):
            raise RhetoricError(f"{out} exists and is among what is to be read; name another file with --out")


def open_out(out: Path | None, form: str, stack: ExitStack) -> IO[bytes]:
    """Open where rows go: a file, or the screen.

    Raises:
        RhetoricError: it cannot be written to, or the format is not for the screen.
    """
    if form == "parquet" and out is None:
        raise RhetoricError("Parquet is not for the screen; name a file with --out rows.parquet")
    if out is None:
        screen: IO[bytes] | None = getattr(sys.stdout, "buffer", None)
        if screen is None:
            raise RhetoricError("standard output is closed; name a file with --out rows.csv")
        return screen
    try:
        return stack.enter_context(out.open("wb"))
    except OSError as error:
        raise RhetoricError(f"{out}: {error.strerror or error}") from error


class _Lines:
    """A text file for the csv module over a binary one, which it leaves open."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, line: str) -> int:
        return self._file.write(line.encode("utf-8", "replace"))


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    probabilities = row.pop("probabilities")
    return {**row, "labels": ";".join(row["labels"]), **{f"probability_{k}": p for k, p in probabilities.items()}}
