"""Work that runs ahead, and files that are there wholly or not at all."""

import itertools
import os
import threading
import time
from pathlib import Path

import pytest

from rhetoric.ahead import ahead
from rhetoric.durable import remove_leftovers, write_durably


def test_items_come_in_order_and_what_is_raised_is_raised() -> None:
    assert list(ahead(iter(range(100)), 3)) == list(range(100))

    def broken() -> object:
        yield 1
        raise ValueError("here")

    items = ahead(broken(), 3)  # type: ignore[arg-type, var-annotated]
    assert next(items) == 1
    with pytest.raises(ValueError, match="here"):
        next(items)


def test_no_more_is_taken_than_allowed_and_closing_ends_the_thread() -> None:
    taken: list[int] = []
    items = ahead((taken.append(n) or n for n in itertools.count()), 3)  # type: ignore[func-returns-value]
    assert next(items) == 0
    time.sleep(0.2)
    assert len(taken) <= 6
    items.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "ahead"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    write_durably(path, b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left"):
        patched.setattr(os, "fsync", full)
        write_durably(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_killed_writers_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".part-000000-0000.parquet.77.tmp").write_bytes(b"half")
    (tmp_path / "kept.tmp").write_bytes(b"whole")
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.tmp"]
