"""The one thing that every reader returns."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rhetoric.errors import ReadError

_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


@dataclass(frozen=True, slots=True)
class Document:
    """A text to label, with the facts that are known of it; a fact that is not known is "".

    `name` is the path as given (or another name of the input), `date` is ISO 8601 and may be
    partial (2012, 2012-10, 2012-10-31), `speaker` is who speaks where the text names nobody.
    """

    name: str
    text: str
    title: str = ""
    date: str = ""
    speaker: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        """Refuse a text without any letter or digit, and a date that is not ISO 8601."""
        if not any(character.isalnum() for character in self.text):
            raise ReadError(f"{self.name}: there is no text in it")
        if self.date and not _DATE.fullmatch(self.date):
            raise ReadError(f"{self.name}: date {self.date!r} is not like 2012, 2012-10 or 2012-10-31")
