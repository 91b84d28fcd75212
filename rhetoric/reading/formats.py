"""Which reader reads what, by the ending and by the first bytes; archives are read member by member."""

from __future__ import annotations

import importlib
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import BinaryIO, cast

from rhetoric.errors import ReadError
from rhetoric.reading.options import ReadOptions
from rhetoric.reading.raw import Raw
from rhetoric.reading.source import Source, like_a_bomb, megabytes, shown, too_large

Item = Raw | ReadError
Reader = Callable[[Source, ReadOptions], Iterator[Item]]

READERS: Mapping[str, str] = MappingProxyType(
    {
        ".txt": "text.read", ".md": "text.read", ".html": "web.read", ".htm": "web.read", ".xhtml": "web.read",
        ".pdf": "pdf.read", ".docx": "word.read_docx", ".odt": "word.read_odt", ".rtf": "word.read_rtf",
        ".srt": "subtitles.read", ".vtt": "subtitles.read", ".csv": "tables.read_csv", ".tsv": "tables.read_tsv",
        ".xlsx": "tables.read_xlsx", ".jsonl": "tables.read_jsonl", ".ndjson": "tables.read_jsonl",
        ".parquet": "tables.read_parquet", ".zip": "formats.read_zip",
    }
)  # fmt: skip
"""The function that reads files of an ending, as module.function of this package: loaded when it is needed."""

SUFFIXES = tuple(READERS)
STREAMED = frozenset({".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".zip"})
"""Endings of files that are read in pieces, whatever their size."""

_KNOWN_BINARY = (
    (b"%PDF-", ".pdf"), (b"{\\rtf", ".rtf"), (b"PAR1", ".parquet"), (b"PK\x03\x04", ".zip"), (b"PK\x05\x06", ".zip"),
)  # fmt: skip
_FOREIGN = (
    (b"\xd0\xcf\x11\xe0", "an old Office file (doc, xls) or an encrypted one; save it as docx or xlsx without a password"),
    (b"\x1f\x8b", "a gzip file; unpack it first"), (b"7z\xbc\xaf", "a 7z archive; unpack it first"),
    (b"Rar!", "a rar archive; unpack it first"), (b"\x89PNG", "an image; run OCR over it first"),
    (b"\xff\xd8\xff", "an image; run OCR over it first"), (b"GIF8", "an image"), (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"), (b"OggS", "sound; transcribe it first"), (b"ID3", "sound; transcribe it first"),
)  # fmt: skip
_MAX_RATIO = 100
"""A file of more than 10 MB that was packed to less than a hundredth is no text: text packs to a third, a table to a tenth."""


def read(source: Source, options: ReadOptions) -> Iterator[Item]:
    """Read a source of any format: its documents, and an error for each part that could not be read."""
    suffix = kind(source)
    module, _, function = READERS[suffix].partition(".")
    reader = cast(Reader, getattr(importlib.import_module(f"rhetoric.reading.{module}"), function))
    if suffix not in STREAMED and source.size > source.limit:
        raise too_large(source.name, source.size, source.limit)
    yield from reader(source, options)


def kind(source: Source) -> str:
    """Tell the format: by the first bytes where these are sure, else by the ending, else text.

    Raises:
        ReadError: it is of a kind that is not read.
    """
    head = source.head()
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for magic, what in _FOREIGN:
        if head.startswith(magic) and source.suffix not in (".docx", ".xlsx"):
            raise ReadError(f"{shown(source.name)}: this is {what}")
    for magic, suffix in _KNOWN_BINARY:
        if start.startswith(magic):
            return _package(source) if suffix == ".zip" else suffix
    if source.suffix in READERS:
        return source.suffix
    low = start[:1000].lower()
    if low.startswith((b"<!doctype html", b"<html")):
        return ".html"
    if low.startswith(b"webvtt"):
        return ".vtt"
    if source.suffix in ("", ".text", ".markdown", ".asc") or source.name == "-":
        return ".txt"
    raise ReadError(f"{shown(source.name)}: {source.suffix} files are not read; known are {', '.join(SUFFIXES)}")


def _package(source: Source) -> str:
    """Tell a docx, xlsx or odt from any other zip, by what lies in it."""
    if source.suffix in (".docx", ".xlsx", ".odt", ".zip"):
        return source.suffix
    try:
        with source.open() as file, zipfile.ZipFile(file) as package:
            names = set(package.namelist()[:10_000])
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError):
        return ".zip"
    marks = (("word/document.xml", ".docx"), ("xl/workbook.xml", ".xlsx"), ("content.xml", ".odt"))
    return next((suffix for member, suffix in marks if member in names), ".zip")


@dataclass(frozen=True)
class Member(Source):
    """A file in an open zip."""

    archive: zipfile.ZipFile | None = None
    info: zipfile.ZipInfo | None = None

    def __post_init__(self) -> None:
        """Refuse a member of no archive."""
        if self.archive is None or self.info is None:
            raise ReadError(f"{shown(self.name)}: no archive to read it from")

    @cached_property
    def size(self) -> int:
        """Bytes, as the archive says."""
        assert self.info is not None
        return self.info.file_size

    def open(self) -> BinaryIO:
        """Open for reading.

        Raises:
            ReadError: the member is encrypted or damaged, or packed in a way that is not known.
        """
        assert self.archive is not None and self.info is not None
        try:
            return cast(BinaryIO, self.archive.open(self.info))
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, ValueError, EOFError) as error:
            raise ReadError(f"{shown(self.name)}: cannot be unpacked ({str(error)[:150]})") from error


def read_zip(source: Source, options: ReadOptions) -> Iterator[Item]:
    """Read the files in a zip, each named ARCHIVE/MEMBER; hidden files and files of other kinds are passed over."""
    with source.open() as file:
        try:
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError) as error:
            raise ReadError(f"{shown(source.name)}: this is no zip, or it is cut off or damaged") from error
        members = [info for info in archive.infolist() if _wanted(info)]
        if not members:
            raise ReadError(
                f"{shown(source.name)}: no file in this zip is of a kind that is read ({', '.join(SUFFIXES)})"
            )
        if sum(info.compress_size for info in members) > source.size:
            raise ReadError(f"{shown(source.name)}: its files overlap, like a zip bomb; not opened")
        total = 0
        for info in members:
            total += info.file_size
            if like_a_bomb(total, source.size):
                rest = f"read no further than {megabytes(done)}" if (done := total - info.file_size) else "not opened"
                yield ReadError(
                    f"{shown(source.name)}: unpacks to {total // max(1, source.size)} times its size or more, like a zip bomb; {rest}"
                )
                return
            yield from _read_member(archive, info, source, options)


def _wanted(info: zipfile.ZipInfo) -> bool:
    parts = info.filename.split("/")
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
    return not info.is_dir() and not hidden and parts[-1].lower().endswith(SUFFIXES)


def _read_member(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, source: Source, options: ReadOptions
) -> Iterator[Item]:
    name = f"{source.name}/{info.filename}"
    member = Member(name, limit=source.limit, archive=archive, info=info)
    try:
        if info.flag_bits & 1:
            raise ReadError(f"{shown(name)}: it is encrypted; unpack it first")
        suffix = kind(member)
        if suffix == ".zip":
            raise ReadError(f"{shown(name)}: a zip inside a zip is not opened; unpack it first")
        if suffix not in STREAMED and info.file_size > source.limit:
            raise too_large(name, info.file_size, source.limit)
        if info.file_size > 10_000_000 and info.file_size > _MAX_RATIO * max(1, info.compress_size):
            raise ReadError(
                f"{shown(name)}: unpacks from {info.compress_size:,} bytes to {megabytes(info.file_size)}, like a zip bomb; not opened"
            )
        yield from read(member, options)
    except ReadError as error:
        yield error
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, ValueError, EOFError, zlib.error) as error:
        yield ReadError(f"{shown(name)}: cannot be unpacked ({type(error).__name__}: {str(error)[:150]})")
    except Exception as error:  # lzma and bz2 have errors of their own
        yield ReadError(f"{shown(name)}: cannot be read ({type(error).__name__}: {str(error)[:150]})")
