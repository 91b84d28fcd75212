"""The process that reads: it takes requests on standard input and may be killed at any time.

Messages are JSON after a length of 8 bytes. The first request holds the options; every other names
a file, or is followed by the bytes themselves. Each is answered by documents and errors, then
{"end": true}.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import struct
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from rhetoric.errors import ReadError
from rhetoric.reading.assemble import assemble
from rhetoric.reading.document import Document, Dropped, Fact, Mark, Row
from rhetoric.reading.formats import read
from rhetoric.reading.options import Limits, ReadOptions
from rhetoric.reading.raw import Raw
from rhetoric.reading.source import Source, shown

_LENGTH = struct.Struct(">Q")
_ALARM_GRACE = 15


def send(file: BinaryIO, message: Mapping[str, Any]) -> None:
    """Write one message."""
    payload = json.dumps(message).encode("ascii")
    file.write(_LENGTH.pack(len(payload)) + payload)
    file.flush()


def receive(file: BinaryIO) -> dict[str, Any] | None:
    """Read one message, None at the end."""
    head = file.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    payload = file.read(length)
    if len(payload) < length:
        return None
    message: dict[str, Any] = json.loads(payload)
    return message


def pack(document: Document) -> dict[str, Any]:
    """Turn a document into what JSON can hold."""
    packed = {name: getattr(document, name) for name in Document.__slots__}
    packed["facts"] = [(f.name, f.value, f.where) for f in document.facts]
    packed["dropped"] = [(d.reason, d.text, d.start, d.end) for d in document.dropped]
    packed["marks"] = [(m.start, m.label) for m in document.marks]
    packed["rows"] = [(r.start, r.end, r.speaker) for r in document.rows]
    return packed


def unpack(packed: Mapping[str, Any]) -> Document:
    """Turn it back; the document validates itself again."""
    values = dict(packed)
    for name, kind in (("facts", Fact), ("dropped", Dropped), ("marks", Mark), ("rows", Row)):
        values[name] = tuple(kind(*item) for item in values[name])
    for name in ("speakers", "notes"):
        values[name] = tuple(values[name])
    return Document(**values)


def pack_options(options: ReadOptions) -> dict[str, Any]:
    """Turn options into what JSON can hold."""
    return {
        "columns": dict(options.columns), "rows": options.rows, "name_pattern": options.name_pattern,
        "facts_table": options.facts_table, "limits": asdict(options.limits),
    }  # fmt: skip


def main() -> None:
    """Answer requests until standard input ends."""
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get among the answers
    first = receive(requests)
    if first is None:
        return
    options = ReadOptions(**{**first, "limits": Limits(**first["limits"])})
    _limit(options.limits)
    send(answers, {"ready": True})
    while (request := receive(requests)) is not None:
        content = requests.read(request["size"]) if request["size"] is not None else None
        path = Path(request["path"]) if content is None else None
        source = Source(request["name"], path=path, content=content, limit=options.limits.size)
        with contextlib.suppress(BrokenPipeError):
            _answer(source, options, int(request["start"]), answers)


def _answer(source: Source, options: ReadOptions, start: int, answers: BinaryIO) -> None:
    number = 0
    with contextlib.closing(_items(source, options)) as items:
        while True:
            _alarm(int(options.limits.seconds) + _ALARM_GRACE)
            item = next(items, None)
            _alarm(0)
            if item is None:
                break
            if number < start:
                send(answers, {"skipped": True})
            elif isinstance(item, ReadError):
                send(answers, {"error": str(item)})
            else:
                send(answers, {"document": pack(item)})
            number += 1
    send(answers, {"end": True})


def _items(source: Source, options: ReadOptions) -> Any:
    """Documents and errors of a source; any failure is an error, so that the process lives on."""
    try:
        for item in read(source, options):
            yield _document(item, options) if isinstance(item, Raw) else item
    except ReadError as error:
        yield error
    except BaseException as error:  # Rust libraries panic with BaseException
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
            raise
        yield _unexpected(source.name, error, options)


def _document(raw: Raw, options: ReadOptions) -> Document | ReadError:
    try:
        return assemble(raw, options)
    except ReadError as error:
        return error
    except Exception as error:
        return _unexpected(raw.name, error, options)


def _unexpected(name: str, error: BaseException, options: ReadOptions) -> ReadError:
    if isinstance(error, MemoryError):
        return ReadError(f"{shown(name)}: {MEMORY.format(options.limits.memory_mb)}")
    reason = " ".join(str(error).split())[:200]
    return ReadError(f"{shown(name)}: cannot be read ({type(error).__name__}: {reason})")


MEMORY = "reading it needs more than the limit of {:,.0f} MB of memory; raise it with --max-memory"


def _limit(limits: Limits) -> None:
    """Cap memory where the system can, leave no core file, and die with the parent."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        size = int(limits.memory_mb * 1e6)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_DATA, (size, size))
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            import ctypes

            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def _alarm(seconds: int) -> None:
    """Have the system end this process if the parent does not; 0 calls it off."""
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)


if __name__ == "__main__":
    main()
