"""The one thing that every reader returns, and what is known of where it came from."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rhetoric.errors import ReadError

_SURROGATE = re.compile("[\ud800-\udfff]")
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact as read: its name ("date"), its value, and where it stood ("dateline", "file name").

    A document lists every reading it found, the chosen one first; a date printed without a year
    is written --10-31 and is never chosen.
    """

    name: str
    value: str
    where: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """What is no part of the speech: `text` stood at `start:end` of the document, which is blank now.

    `start` and `end` are -1 where the text was left out before the document's text was put together.
    """

    reason: str
    text: str
    start: int = -1
    end: int = -1


@dataclass(frozen=True, slots=True)
class Mark:
    """From character `start` of the text on, what is said stood at `label` ("page 3", "00:01:05", "row 17")."""

    start: int
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """A sentence that the input itself tells apart (a table with a row a sentence): `text[start:end]`."""

    start: int
    end: int
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A text to label, with the facts that are known of it; a fact that is not known is "".

    `name` is the path as given (or another name of the input), `date` is ISO 8601 and may be
    partial (2012, 2012-10, 2012-10-31), `speaker` is who speaks where the text names nobody,
    `place` is where the speech was given, `language` an ISO 639-1 code, `speakers` are full names
    that the facts know. What was dropped is blanked in `text`, so that offsets stay true: an offset
    into a text file counts the characters after its encoding, its front matter and invisible
    characters are taken off.
    """

    name: str
    text: str
    title: str = ""
    date: str = ""
    speaker: str = ""
    source: str = ""
    place: str = ""
    language: str = ""
    encoding: str = ""
    format: str = ""
    speakers: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    marks: tuple[Mark, ...] = ()
    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a text without any letter or digit or that cannot be written, and a date that is not ISO 8601."""
        if half := _SURROGATE.search(self.text):
            raise ReadError(
                f"{self.name}: character {half.start():,} is {half[0]!r}, half of a surrogate pair, which is no text; "
                'text.encode("utf-8", "replace").decode() puts a ? for it'
            )
        if not any(character.isalnum() for character in self.text):
            raise ReadError(f"{self.name}: there is no text in it")
        if self.date and not _DATE.fullmatch(self.date):
            raise ReadError(f"{self.name}: date {self.date!r} is not like 2012, 2012-10 or 2012-10-31")

    def where(self, start: int) -> str:
        """Say where in the source the character at `start` stood (a page, a time, a row), "" if only the offset tells."""
        low, high = 0, len(self.marks)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.marks[middle].start <= start else (low, middle)
        return self.marks[low - 1].label if low else ""
