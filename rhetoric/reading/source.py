"""What a reader reads from: a file on disk, a member of an archive, bytes from standard input."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from rhetoric.errors import ReadError


def shown(name: str) -> str:
    """Return a name fit for a line of a message or a table: control and undecodable characters are escaped."""
    safe = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in safe)


def megabytes(size: float) -> str:
    """Write a number of bytes in MB."""
    return f"{size / 1e6:,.0f} MB" if size >= 1e7 else f"{size / 1e6:.1f} MB"


@dataclass(frozen=True)
class Source:
    """A file to read: `path` on disk or `content` in memory, known to the user as `name`.

    `limit` is the most bytes that may be read into memory at once.
    """

    name: str
    path: Path | None = None
    content: bytes | None = None
    limit: int = 100_000_000

    def __post_init__(self) -> None:
        """Refuse a source that is nowhere or twice."""
        if (self.path is None) == (self.content is None):
            raise ReadError(f"{shown(self.name)}: give either a path or bytes")

    @property
    def suffix(self) -> str:
        """The ending of the name, in lower case, with its dot."""
        return PurePosixPath(self.name.replace("\\", "/")).suffix.lower()

    @property
    def stem(self) -> str:
        """The name without folders and without its ending."""
        return PurePosixPath(self.name.replace("\\", "/")).stem

    @property
    def base(self) -> str:
        """The name without folders."""
        return PurePosixPath(self.name.replace("\\", "/")).name

    @cached_property
    def size(self) -> int:
        """Bytes."""
        if self.content is not None:
            return len(self.content)
        assert self.path is not None
        try:
            return self.path.stat().st_size
        except OSError as error:
            raise ReadError(f"{shown(self.name)}: {error.strerror or error}") from error

    def open(self) -> BinaryIO:
        """Open for reading.

        Raises:
            ReadError: the file cannot be opened.
        """
        if self.content is not None:
            return io.BytesIO(self.content)
        assert self.path is not None
        try:
            return self.path.open("rb")
        except OSError as error:
            raise ReadError(f"{shown(self.name)}: {error.strerror or error}") from error

    def read(self) -> bytes:
        """Read everything.

        Raises:
            ReadError: it is larger than the limit, empty, or cannot be read.
        """
        if self.size > self.limit:
            raise too_large(self.name, self.size, self.limit)
        try:
            with self.open() as file:
                content = file.read(self.limit + 1)
        except OSError as error:
            raise ReadError(f"{shown(self.name)}: {error.strerror or error}") from error
        if len(content) > self.limit:
            raise too_large(self.name, len(content), self.limit)
        if not content.strip(b" \t\r\n"):
            raise ReadError(f"{shown(self.name)}: the file is empty")
        return content

    def head(self, count: int = 4096) -> bytes:
        """Read the first bytes."""
        try:
            with self.open() as file:
                return file.read(count)
        except OSError as error:
            raise ReadError(f"{shown(self.name)}: {error.strerror or error}") from error


_FREE = 200_000_000
_RATIO = 200


def like_a_bomb(unpacked: int, size: int) -> bool:
    """Whether a file of `size` bytes unpacks to so much that it can only be meant to: 200 MB and 200 times its size."""
    return unpacked > max(_FREE, _RATIO * size)


def too_large(name: str, size: float, limit: float) -> ReadError:
    """Make the error for what exceeds the limit of size."""
    return ReadError(
        f"{shown(name)}: {megabytes(size)} is above the limit of {megabytes(limit)} for one document; "
        f"raise it with --max-size, or split the file"
    )
