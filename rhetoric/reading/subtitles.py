"""Subtitles (srt, vtt): cues joined into running text, each place marked with its time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rhetoric.errors import ReadError
from rhetoric.reading.document import Mark
from rhetoric.reading.encoding import decode
from rhetoric.reading.options import ReadOptions
from rhetoric.reading.raw import Raw
from rhetoric.reading.source import Source, shown

_VOICE = re.compile(r"<v(?:\.[\w.]+)?[ \t]+([^>\n]{1,80})>")
_TAG = re.compile(r"<[^<>\n]{0,80}>|\{\\[^{}\n]{0,80}\}")
_TERMINAL = re.compile(r"[.!?…][\"'”’»)\]]*$")
_NEW_SPEAKER = re.compile(r"(?:>>+|[-–—])\s*(?=[\w\"“(\[])")
_LABEL = re.compile(r"(?:\*\*|[A-ZÀ-Þ][A-ZÀ-Þ.' ]{1,40}:)")
_PAUSE = 3000
"""Milliseconds of silence after a finished sentence that start a new paragraph."""


@dataclass(frozen=True, slots=True)
class Cue:
    """Lines shown from `start` to `end`, in milliseconds."""

    start: int
    end: int
    lines: tuple[str, ...]


def read(source: Source, options: ReadOptions) -> Iterator[Raw]:
    """Read subtitles as one document.

    Raises:
        ReadError: there is no cue in them.
    """
    import pysubs2

    content = source.read()
    text, encoding, notes = decode(content, source.name)
    kind = "vtt" if source.suffix == ".vtt" or text.startswith("WEBVTT") else "srt"
    marked = _VOICE.sub(lambda m: f"\u27e6{m[1].strip()}\u27e7", text.replace("\r\n", "\n").replace("\r", "\n"))
    try:
        events = pysubs2.SSAFile.from_string(marked, format_=kind).events
    except Exception as error:  # pysubs2 raises ValueError and others on times that are none
        raise ReadError(f"{shown(source.name)}: these are no {kind} subtitles ({error})") from error
    cues = [Cue(e.start, e.end, _lines(e.text)) for e in sorted(events, key=lambda e: e.start)]
    joined, marks = join_cues([cue for cue in cues if cue.lines])
    if not joined:
        raise ReadError(f"{shown(source.name)}: there is no cue in these subtitles")
    sum_ = hashlib.sha256(content).hexdigest()
    yield Raw(source.name, joined, kind, encoding, marks=marks, notes=notes, sha256=sum_, base=source.base)


def _lines(text: str) -> tuple[str, ...]:
    plain = _TAG.sub("", re.sub(r"\\[Nn]", "\n", text)).replace("\\h", " ")
    return tuple(line.strip() for line in plain.split("\n") if line.strip())


def join_cues(cues: Sequence[Cue]) -> tuple[str, tuple[Mark, ...]]:
    """Join cues by spaces; a new speaker, or a pause after a finished sentence, starts a paragraph.

    Captions that roll up repeat the line above; it is taken once.
    """
    parts: list[str] = []
    marks: list[Mark] = []
    length = 0
    last_lines: tuple[str, ...] = ()
    last_end = 0
    voice = ""
    for cue in cues:
        lines = _without_repeats(cue.lines, last_lines)
        last_lines = cue.lines
        if lines:
            marks.append(Mark(length + 1 if parts else length, _clock(cue.start)))
        for line in lines:
            text, named = _voiced(line)
            new = bool(_LABEL.match(text)) or (named and named != voice)
            if dash := _NEW_SPEAKER.match(text):
                text, new = text[dash.end() :], True
            if named and named != voice:
                text, voice = f"**{named}:** {text}", named
            pause = cue.start - last_end > _PAUSE and bool(parts) and _TERMINAL.search(parts[-1])
            glue = ("\n\n" if new or pause else " ") if parts else ""
            parts.append(glue + text)
            length += len(glue) + len(text)
            last_end = cue.end
        last_end = max(last_end, cue.end)
    return "".join(parts), tuple(marks)


def _without_repeats(lines: tuple[str, ...], above: tuple[str, ...]) -> tuple[str, ...]:
    for count in range(min(len(lines), len(above)), 0, -1):
        if lines[:count] == above[-count:]:
            return lines[count:]
    return lines


def _voiced(line: str) -> tuple[str, str]:
    """Split off the speaker that a <v Name> tag names."""
    if line.startswith("\u27e6") and "\u27e7" in line:
        name, _, rest = line[1:].partition("\u27e7")
        return rest.strip(), " ".join(name.replace("*", " ").replace(":", " ").split())
    return re.sub("\u27e6[^\u27e7]*\u27e7", "", line), ""


def _clock(milliseconds: int) -> str:
    seconds = max(0, milliseconds) // 1000
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
