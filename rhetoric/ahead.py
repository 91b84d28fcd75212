"""Work that runs ahead in a thread of its own, so that it overlaps with what uses its results."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
_TICK = 0.1
_PATIENCE = 0.3


@dataclass(frozen=True, slots=True)
class _End:
    """The iterator came to its end, or raised."""

    error: BaseException | None = None


class _Fill(threading.Thread, Generic[T]):
    """Puts what an iterator yields into a queue until it is told to stop."""

    def __init__(self, items: Iterator[T], size: int) -> None:
        super().__init__(name="ahead", daemon=True)
        self.waiting: queue.Queue[T | _End] = queue.Queue(maxsize=size)
        self.stop = threading.Event()
        self._items = items

    def run(self) -> None:
        end = _End()
        try:
            for item in self._items:
                self._put(item)
                if self.stop.is_set():
                    return
        except BaseException as error:
            end = _End(error)
        self._put(end)

    def _put(self, message: T | _End) -> None:
        while not self.stop.is_set():
            try:
                return self.waiting.put(message, timeout=_TICK)
            except queue.Full:
                continue


def ahead(items: Iterator[T], size: int) -> Generator[T]:
    """Yield items that a thread takes from an iterator, at most `size` in advance.

    What the iterator raises is raised here. When this is closed, the thread stops at its next item.
    """
    thread = _Fill(items, size)
    thread.start()
    try:
        while not isinstance(item := thread.waiting.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        thread.stop.set()
        thread.join(_PATIENCE)
