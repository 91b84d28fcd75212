"""Reading under limits: a worker process does it, is reused from file to file, and is killed where it must be."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, BinaryIO, cast

from rhetoric.errors import ReadError
from rhetoric.reading.document import Document
from rhetoric.reading.options import ReadOptions
from rhetoric.reading.paths import STDIN, find_files
from rhetoric.reading.source import Source, shown, too_large
from rhetoric.reading.worker import MEMORY, pack_options, receive, send, unpack

_START_SECONDS = 60
_MAX_BREAKS = 3
"""A file whose parts broke the worker this often is given up."""

_ROOT = Path(__file__).resolve().parent.parent.parent


class Reader:
    """Reads files of every format, each under limits of memory, time and size; use it as a context manager.

    What it yields is aligned with what it reads: a `Document`, or a `ReadError` in the place of what
    could not be read. The worker starts with the first file, or earlier with `start()`.
    """

    def __init__(self, options: ReadOptions | None = None) -> None:
        """Keep the options; nothing starts yet."""
        self.options = options or ReadOptions()
        self._process: subprocess.Popen[bytes] | None = None
        self._messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._ready = False

    def __enter__(self) -> Reader:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the worker."""
        self.close()

    def start(self) -> None:
        """Start the worker without waiting for it."""
        if self._process is not None:
            return
        paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "POLARS_MAX_THREADS": "1",
            "OMP_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from rhetoric.reading.worker import main; main()"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        self._messages = queue.Queue(maxsize=4)
        self._ready = False
        threading.Thread(target=_listen, args=(self._process.stdout, self._messages), daemon=True).start()
        with contextlib.suppress(OSError):
            send(self._stdin(), pack_options(self.options))

    def close(self) -> None:
        """End the worker, whatever it does."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        messages = self._messages
        with contextlib.suppress(queue.Empty):
            while messages.get_nowait() is not None:  # let the listening thread go
                pass
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError, ValueError):
                if stream is not None and stream is not process.stdout:
                    stream.close()

    def read(self, given: str | Source, start: int = 0) -> Iterator[Document | ReadError]:
        """Read one file, or standard input where `-` is given: its documents in order, without the first `start`."""
        try:
            source = given if isinstance(given, Source) else self._source(given)
        except ReadError as error:
            yield error
            return
        done, breaks = start, 0
        while True:
            try:
                self._ask(source, done)
                while (message := self._next(source)) is not None:
                    if "document" in message:
                        done += 1
                        yield unpack(message["document"])
                    elif "error" in message:
                        done += 1
                        yield ReadError(message["error"])
                return
            except _Broken as broken:
                self.close()
                breaks += 1
                done += 1
                yield broken.error
                if source.suffix != ".zip" or breaks >= _MAX_BREAKS:
                    return
            except GeneratorExit:
                self.close()  # answers to a question that nobody waits for
                raise

    def read_all(self, paths: Sequence[str]) -> Iterator[Document | ReadError]:
        """Read files and the files in folders, in order."""
        for entry in find_files(paths):
            if isinstance(entry, ReadError):
                yield entry
            else:
                yield from self.read(entry)

    def _source(self, given: str) -> Source:
        limit = self.options.limits.size
        if given != STDIN:
            return Source(given, path=Path(given), limit=limit)
        content = sys.stdin.buffer.read(limit + 1)
        if len(content) > limit:
            raise too_large(STDIN, len(content), limit)
        return Source(STDIN, content=content, limit=limit)

    def _ask(self, source: Source, start: int) -> None:
        self.start()
        if not self._ready:
            try:
                self._ready = self._messages.get(timeout=_START_SECONDS) == {"ready": True}
            except queue.Empty:
                pass
            if not self._ready:
                raise _Broken(ReadError(f"{shown(source.name)}: the reading process does not start"))
        size = None if source.content is None else len(source.content)
        path = None if source.path is None else str(source.path)
        try:
            send(self._stdin(), {"name": source.name, "path": path, "size": size, "start": start})
            if source.content is not None:
                self._stdin().write(source.content)
                self._stdin().flush()
        except OSError as error:
            raise _Broken(self._why(source)) from error

    def _next(self, source: Source) -> dict[str, Any] | None:
        """The next answer, None after the last."""
        seconds = self.options.limits.seconds
        try:
            message = self._messages.get(timeout=seconds)
        except queue.Empty:
            raise _Broken(
                ReadError(
                    f"{shown(source.name)}: reading took longer than {seconds:g} s and was stopped; raise it with --timeout"
                )
            ) from None
        if message is None:
            raise _Broken(self._why(source))
        return None if "end" in message else message

    def _why(self, source: Source) -> ReadError:
        """Say why the worker ended; a killed or aborted one has most often met the limit of memory."""
        code = self._process.wait(timeout=10) if self._process is not None else None
        memory = MEMORY.format(self.options.limits.memory_mb)
        return ReadError(f"{shown(source.name)}: the reading process broke off (exit {code}); perhaps {memory}")

    def _stdin(self) -> BinaryIO:
        assert self._process is not None and self._process.stdin is not None
        return cast(BinaryIO, self._process.stdin)


class _Broken(Exception):
    """The worker is gone or must go."""

    def __init__(self, error: ReadError) -> None:
        super().__init__(str(error))
        self.error = error


def _listen(stream: IO[bytes] | None, messages: queue.Queue[dict[str, Any] | None]) -> None:
    """Put what the worker says in a queue, which holds it up when nobody takes it; None at the end."""
    assert stream is not None
    message: dict[str, Any] | None = {}
    while message is not None:
        try:
            message = receive(cast(BinaryIO, stream))
        except (OSError, ValueError):
            message = None
        messages.put(message)
    with contextlib.suppress(OSError):
        stream.close()


def read_path(given: str, options: ReadOptions | None = None) -> Document:
    """Read a file that is one document, or standard input where `-` is given.

    Raises:
        ReadError: it cannot be read, or holds several documents.
    """
    with Reader(options) as reader:
        items = list(reader.read(given))
    errors = [item for item in items if isinstance(item, ReadError)]
    if errors:
        raise errors[0]
    if len(items) != 1 or not isinstance(items[0], Document):
        raise ReadError(f"{shown(given)}: it holds {len(items):,} documents; read it with Reader.read")
    return items[0]
