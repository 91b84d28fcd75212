"""From the paths a user gives to the files to read."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rhetoric.errors import ReadError
from rhetoric.reading.document import Document
from rhetoric.reading.text import read_bytes, read_text

SUFFIXES = (".txt", ".md")
STDIN = "-"


def find_files(paths: Sequence[str]) -> Iterator[str | ReadError]:
    """Name the files to read: a file as given, a folder's text files in order, `-` for standard input.

    What cannot be read comes as an error in its place, so that the rest can go on.
    """
    for given in paths:
        path = Path(given)
        if given == STDIN or path.is_file():
            yield given
        elif path.is_dir():
            found = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
            yield from map(str, found)
            if not found:
                yield ReadError(f"{given}: no {' or '.join(SUFFIXES)} file in this folder")
        else:
            yield ReadError(f"{given}: no such file or folder")


def read_path(given: str) -> Document:
    """Read one file, or standard input where `-` is given."""
    if given == STDIN:
        return read_bytes(sys.stdin.buffer.read(), STDIN)
    return read_text(Path(given), given)
