"""Files that a crash leaves whole: written under another name, flushed to the disk, renamed."""

from __future__ import annotations

import os
from pathlib import Path

TEMPORARY = ".tmp"


def write_durably(path: Path, content: bytes) -> None:
    """Write a file so that it is there wholly or not at all, whatever happens, and stays after a power cut."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")  # two writers never share one
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)  # on a full disk it holds the room that others need
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush names that were added to or removed from a folder; a system that cannot does it by itself."""
    if hasattr(os, "O_DIRECTORY"):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_leftovers(folder: Path) -> None:
    """Remove what writers that were killed left behind; nobody else may be writing."""
    for path in folder.glob(f".*{TEMPORARY}"):
        path.unlink(missing_ok=True)
