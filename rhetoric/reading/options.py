"""What a user can say about how to read: columns, facts, limits."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType

from rhetoric.errors import ReadError

FACTS = ("title", "date", "speaker", "source", "place")
"""The facts of a document, in the order they are shown."""

COLUMN_NAMES = MappingProxyType(
    {
        "text": ("text", "sentence", "speech", "content", "transcript", "body", "fulltext", "full_text", "statement"),
        "id": ("document", "doc_id", "document_id", "speech_id", "docid", "id", "file", "filename", "file_name", "url"),
        "title": ("title", "headline", "heading"),
        "date": ("date", "day", "published", "date_published", "year"),
        "speaker": ("speaker", "speaker_name", "name_of_speaker", "author", "who"),
        "source": ("source", "publisher", "outlet", "site"),
        "place": ("place", "venue", "location", "city"),
    }
)
"""Column names that are understood without being named, in order of preference; case and spaces don't matter."""

_FIELD = re.compile(r"\{(\w+)\}")
_PATTERN_FIELDS = (*FACTS, "country", "year", "month", "day", "session", "id", "_")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may cost: MB (10^6 bytes) of file and of unpacked text, MB of memory, seconds."""

    size_mb: float = 100
    memory_mb: float = 2000
    seconds: float = 60

    def __post_init__(self) -> None:
        """Refuse limits that let nothing through."""
        for name in ("size_mb", "memory_mb", "seconds"):
            value = getattr(self, name)
            if not value > 0:
                raise ReadError(f"limit {name} is {value!r}; it must be above 0")
        if self.memory_mb < 300:
            raise ReadError(f"limit memory_mb is {self.memory_mb!r}; the readers themselves need 300")

    @property
    def size(self) -> int:
        """Bytes of one file or document."""
        return int(self.size_mb * 1e6)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How to read: `columns` names a table's columns by fact, `rows` says what a table's row is.

    `rows` is "document", "sentence" or "" (a row is a sentence if the text column is called
    `sentence`, or if rows share an id and a column numbers their sentences). `name_pattern` is like
    "{country}_{session}_{year}"; `facts_table` is a table of facts by file name.
    """

    columns: MappingProxyType[str, str] | dict[str, str] = field(default_factory=dict)
    rows: str = ""
    name_pattern: str = ""
    facts_table: str = ""
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        """Refuse unknown columns, kinds of rows and fields of a name pattern."""
        unknown = sorted(set(self.columns) - set(COLUMN_NAMES))
        if unknown:
            raise ReadError(f"no such column role: {', '.join(unknown)}; known are {', '.join(COLUMN_NAMES)}")
        if self.rows not in ("", "document", "sentence"):
            raise ReadError(f"rows is {self.rows!r}; it can be document or sentence")
        if self.name_pattern:
            fields = _FIELD.findall(self.name_pattern)
            wrong = sorted(set(fields) - set(_PATTERN_FIELDS))
            if not fields or wrong or "{" in _FIELD.sub("", self.name_pattern):
                raise ReadError(
                    f"name pattern {self.name_pattern!r} {'has unknown ' + ', '.join(wrong) if wrong else 'is not valid'}; "
                    f"write it like {{country}}_{{session}}_{{year}}, with {', '.join(_PATTERN_FIELDS)}"
                )
            if len(set(fields) - {"_"}) != len([f for f in fields if f != "_"]):
                raise ReadError(f"name pattern {self.name_pattern!r} names a field twice")
