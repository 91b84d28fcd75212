"""From the paths a user gives to the files to read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from rhetoric.errors import ReadError
from rhetoric.reading.formats import SUFFIXES
from rhetoric.reading.source import shown

STDIN = "-"
_KINDS = (
    (stat.S_ISFIFO, "a pipe; give its text on standard input, with - for the path"),
    (stat.S_ISSOCK, "a socket, not a file"), (stat.S_ISCHR, "a device, not a file"), (stat.S_ISBLK, "a device, not a file"),
)  # fmt: skip


def find_files(paths: Sequence[str]) -> Iterator[str | ReadError]:
    """Name the files to read: a file as given, a folder's files in order, `-` for standard input.

    What cannot be read comes as an error in its place, so that the rest can go on. Hidden files and
    files of kinds that are not read are passed over in folders; links are followed, loops are not.
    """
    for given in paths:
        if given == STDIN:
            yield given
            continue
        try:
            mode = Path(given).stat().st_mode
        except (OSError, ValueError) as error:
            yield ReadError(f"{shown(given)}: {_missing(error)}", given)
            continue
        if stat.S_ISDIR(mode):
            yield from _folder(given)
        elif stat.S_ISREG(mode):
            yield given
        else:
            yield _strange(given)


def _strange(path: str) -> ReadError:
    """Say what stands where a file should."""
    try:
        mode = Path(path).stat().st_mode
    except OSError as error:
        gone = isinstance(error, FileNotFoundError)
        return ReadError(f"{shown(path)}: {'a link to what is not there' if gone else _missing(error)}", path)
    what = next((text for test, text in _KINDS if test(mode)), "not a file")
    return ReadError(f"{shown(path)}: this is {what}", path)


def _missing(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file or folder"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "this is no path"


def _folder(given: str) -> Iterator[str | ReadError]:
    """Files of a folder and those below it: a folder's files first, each in order of name."""
    found = False
    seen: set[tuple[int, int]] = set()
    stack = [given]
    while stack:
        folder = stack.pop()
        try:
            status = Path(folder).stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as scan:
                entries = sorted((e for e in scan if not e.name.startswith(".")), key=lambda e: e.name)
        except OSError as error:
            yield ReadError(f"{shown(folder)}: {error.strerror or error}", folder)
            continue
        below = []
        for entry in entries:
            try:
                if entry.is_dir():
                    below.append(entry.path)
                elif entry.name.lower().endswith(SUFFIXES):
                    found = True
                    yield entry.path if entry.is_file() else _strange(entry.path)
            except OSError as error:  # a link that leads round in a circle
                yield ReadError(f"{shown(entry.path)}: {error.strerror or error}", entry.path)
        stack.extend(reversed(below))
    if not found:
        yield ReadError(
            f"{shown(given)}: no file in this folder is of a kind that is read ({', '.join(SUFFIXES)})", given
        )
