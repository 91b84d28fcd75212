"""Readers: whatever a user has becomes a `Document`."""

from rhetoric.reading.document import Document, Dropped, Fact, Mark, Row
from rhetoric.reading.options import Limits, ReadOptions
from rhetoric.reading.paths import find_files
from rhetoric.reading.reader import Reader, read_path
from rhetoric.reading.source import Source, shown
from rhetoric.reading.text import read_bytes, read_text

__all__ = [
    "Document",
    "Dropped",
    "Fact",
    "Limits",
    "Mark",
    "ReadOptions",
    "Reader",
    "Row",
    "Source",
    "find_files",
    "read_bytes",
    "read_path",
    "read_text",
    "shown",
]
