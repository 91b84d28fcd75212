"""Dates as printed in speeches and around them, as ISO 8601. Nothing is guessed: 03/04/2019 gives the year."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH = r"(?P<{0}>jan(?:uary|\.)?|feb(?:ruary|\.)?|mar(?:ch|\.)?|apr(?:il|\.)?|may|june?\.?|july?\.?|aug(?:ust|\.)?|sept?(?:ember|\.)?|oct(?:ober|\.)?|nov(?:ember|\.)?|dec(?:ember|\.)?)"
_DAY = r"(?P<{0}>[0-3]?\d)(?:st|nd|rd|th)?"
_YEAR = r"(?P<{0}>(?:1[89]|20)\d\d)"
_GAP = r"[\s\u00a0]+"
_PRINTED = re.compile(
    r"(?<![\w/.-])(?:"
    + rf"{_YEAR.format('y1')}-(?P<m1>[01]\d)-(?P<d1>[0-3]\d)"
    + rf"|{_DAY.format('d2')}{_GAP}(?:of{_GAP})?{_MONTH.format('m2')},?{_GAP}{_YEAR.format('y2')}"
    + rf"|{_MONTH.format('m3')}{_GAP}{_DAY.format('d3')},?{_GAP}{_YEAR.format('y3')}"
    + rf"|{_MONTH.format('m4')},?{_GAP}{_YEAR.format('y4')}"
    + rf"|{_MONTH.format('m5')}{_GAP}{_DAY.format('d5')}(?!\d)"
    + rf"|{_DAY.format('d6')}{_GAP}{_MONTH.format('m6')}(?!\w)"
    + rf"|(?P<a7>[0-3]?\d)[./](?P<b7>[0-3]?\d)[./]{_YEAR.format('y7')}"
    + r")",
    re.IGNORECASE,
)


def find_dates(text: str) -> Iterator[tuple[str, int, int]]:
    """Find printed dates: (ISO 8601 date, start, end); a day without a year is --MM-DD.

    >>> [date for date, _, _ in find_dates("On August 15, and 24 June 201916:48; 3/4/2019, 25.12.2019.")]
    ['--08-15', '2019-06-24', '2019', '2019-12-25']
    """
    for match in _PRINTED.finditer(text):
        date = _iso(match)
        if date:
            yield date, match.start(), match.end()


def read_date(text: str) -> str:
    """Read a value that should be a date: ISO, printed, or a year; "" where it is none.

    >>> read_date("Wed, 06 Jul 2022 12:27:18 +0000"), read_date("2019"), read_date("2012-10"), read_date("soon")
    ('2022-07-06', '2019', '2012-10', '')
    """
    text = text.strip()
    if re.fullmatch(r"(?:1[0-9]|20)\d\d", text):
        return text
    if match := re.match(r"(\d{4})-(\d{2})(?:-(\d{2}))?(?!\d)", text):
        return _valid(match[1], int(match[2]), int(match[3]) if match[3] else 0)
    if match := re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text):
        return _valid(match[1], int(match[2]), int(match[3]))
    return next((date for date, _, _ in find_dates(text) if not date.startswith("--")), "")


def _iso(match: re.Match[str]) -> str:
    parts = {key[0]: value for key, value in match.groupdict().items() if value}
    if "a" in parts:
        return _numeric(int(parts["a"]), int(parts["b"]), parts["y"])
    month = int(parts["m"]) if parts["m"].isdigit() else _month(parts["m"])
    return _valid(parts.get("y", ""), month, int(parts.get("d", 0)))


def _numeric(first: int, second: int, year: str) -> str:
    """Day and month told apart only where one is above 12."""
    if first > 12 >= second:
        return _valid(year, second, first)
    if second > 12 >= first:
        return _valid(year, first, second)
    return _valid(year, first, first) if first == second else year


def _month(name: str) -> int:
    return next(i for i, month in enumerate(_MONTHS, 1) if month.startswith(name.casefold().rstrip(".")[:3]))


def _valid(year: str, month: int, day: int) -> str:
    """Put a date together, "" if there is no such day."""
    try:
        datetime.date(int(year) if year else 2000, month, day or 1)
    except ValueError:
        return ""
    return f"{year or '-'}-{month:02}" + (f"-{day:02}" if day else "")
