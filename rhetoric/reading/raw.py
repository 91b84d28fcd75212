"""What a format's reader hands on: text as it stands in the file, before boilerplate goes and facts are chosen."""

from __future__ import annotations

from dataclasses import dataclass

from rhetoric.reading.document import Dropped, Fact, Mark, Row


@dataclass(frozen=True, slots=True)
class Raw:
    """Text and what the format itself says of it. `facts` are in order of trust; `sha256` is the file's, if it counts.

    `clean` is False where the text is a table's cell that must stay as it is.
    """

    name: str
    text: str
    format: str
    encoding: str = ""
    facts: tuple[Fact, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    marks: tuple[Mark, ...] = ()
    rows: tuple[Row, ...] = ()
    notes: tuple[str, ...] = ()
    sha256: str = ""
    clean: bool = True
    base: str = ""
