"""Readers: whatever a user has becomes a `Document`."""

from rhetoric.reading.document import Document
from rhetoric.reading.paths import find_files, read_path
from rhetoric.reading.text import read_bytes, read_text

__all__ = ["Document", "find_files", "read_bytes", "read_path", "read_text"]
