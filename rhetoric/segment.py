"""Turns and sentences of a document, as character offsets into its text.

The text is never changed: hard-wrapped lines, quotation marks and the like are masked in a copy of
the same length, so an offset found in the copy holds in the original.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from sentencex import get_sentence_boundaries

SEGMENTER = "rhetoric-1+sentencex"
"""Name and version of the rules, recorded with every labelling run."""

_TERMINAL = re.compile(r"[.!?:;…][\"'”’»)\]*]*\s*$")
_LABEL = re.compile(
    r"\s*(?:\*\*)?(?P<name>"
    r"(?:Question|Answer|Moderator|Interviewer|Reporter|Spokesperson|Q|A)(?=\s*(?:\*\*)?:)"  # Question:
    r"|Q(?=\s+[A-Z“\"])"  # the White House prints a bare Q
    r"|(?:[A-ZÀ-Þ][A-ZÀ-Þ0-9.'’&/#-]*)(?:\s+(?:\(?[A-ZÀ-Þ0-9][A-ZÀ-Þ0-9.'’&/#-]*\)?|of|de|al-\S+)){0,7}(?=\s*(?:\([^)\n]{1,60}\))?(?:\*\*)?:)"
    r"|(?<=\*\*)[^*\n:]{2,60}(?=:?\*\*)"  # **Name**:
    r")(?:\s*\([^)\n]{1,60}\))?\s*(?:\*\*)?:?(?:\*\*)?\s+"
)
_CLOSING = "”’»\"')]*"
_QUOTES = str.maketrans(dict.fromkeys("“”„«»\"", " "))
_JOINABLE = re.compile(r"\s")
_HAS_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Turn:
    """One speaker's uninterrupted speech: `speaker` as printed, or "" when the text names none."""

    speaker: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """The unit of analysis: `text[start:end]`, in turn `turn` and paragraph `paragraph` (both from 0)."""

    turn: int
    paragraph: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Segments:
    """What a text was split into, in reading order."""

    turns: tuple[Turn, ...]
    sentences: tuple[Sentence, ...]


def segment(text: str) -> Segments:
    """Split a text into turns and sentences.

    Sentences do not overlap, come in order and hold at least one letter or digit; a speaker's
    printed name ("LAVROV:") belongs to the turn and to no sentence.
    """
    turns: list[Turn] = []
    sentences: list[Sentence] = []
    for number, (start, end) in enumerate(_paragraphs(text)):
        label = _LABEL.match(text, start, end)
        if label:
            turns.append(Turn(" ".join(label["name"].split()), start, end))
            start = label.end()
        elif not turns:
            turns.append(Turn("", start, end))
        last = turns[-1]
        turns[-1] = Turn(last.speaker, last.start, end)
        sentences.extend(Sentence(len(turns) - 1, number, a, b) for a, b in _sentences(text, start, end))
    return Segments(tuple(turns), tuple(sentences))


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the non-blank lines, without their line ends; "" marks blank lines in between."""
    for match in re.finditer(r"[^\n\r\f\v\u2028\u2029]+|\r?\n|[\r\f\v\u2028\u2029]", text):
        yield match.span()


def _paragraphs(text: str) -> list[tuple[int, int]]:
    """Spans of the paragraphs. In hard-wrapped text a paragraph is a block of lines, otherwise a line."""
    lines: list[tuple[int, int, bool]] = []  # start, end, follows a blank line
    newlines = 0
    for start, end in _lines(text):
        if text[start] in "\n\r\f\v\u2028\u2029":
            newlines += 1 if text[start] != "\f" else 2
        elif text[start:end].strip("\ufeff \t\u00a0"):
            lines.append((start, end, newlines > 1))
            newlines = 0
    if not lines:
        return []
    wrapped = _is_wrapped(text, lines)
    full = sorted(end - start for start, end, _ in lines)[int(len(lines) * 0.9)]
    spans: list[tuple[int, int]] = []
    for i, (start, end, after_blank) in enumerate(lines):
        if i and _continues(text, lines[i - 1][:2], (start, end), after_blank, wrapped, full):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _is_wrapped(text: str, lines: list[tuple[int, int, bool]]) -> bool:
    """Whether line ends are layout: most lines inside a block stop in the middle of a sentence."""
    inner = [text[a:b] for (a, b, _), (_, _, blank) in zip(lines, lines[1:], strict=False) if not blank]
    if len(inner) < 4 or not 20 <= median(map(len, inner)) <= 130:
        return False
    return sum(not _TERMINAL.search(line) for line in inner) > len(inner) / 2


def _continues(
    text: str, above: tuple[int, int], line: tuple[int, int], after_blank: bool, wrapped: bool, full: int
) -> bool:
    """Whether a line goes on with the paragraph of the line above."""
    if _LABEL.match(text, *line):
        return False
    ended = _TERMINAL.search(text[slice(*above)]) is not None
    lower = text[slice(*line)].lstrip()[:1].islower()
    if not ended and lower and above[1] - above[0] > 20:
        return True  # a paragraph cut by a line end or a page break
    return wrapped and not after_blank and not (ended and above[1] - above[0] < 0.75 * full)


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Spans of the sentences of one paragraph, stripped of surrounding white space."""
    # Quotation marks are masked because sentencex keeps a whole quotation together.
    masked = _JOINABLE.sub(" ", text[start:end]).translate(_QUOTES)
    cuts = [int(b["end_index"]) for b in get_sentence_boundaries("en", masked)]
    begin = 0
    for i, cut in enumerate(cuts):
        if i + 1 < len(cuts):
            cut = _after_closing(text, start + len(masked[:cut].rstrip())) - start
            if text[start + cut : end].lstrip(" “\"'").lstrip()[:1].islower():
                continue  # “What?” he said.
        a, b = start + begin, start + max(cut, begin)
        begin = max(cut, begin)
        while a < b and text[a].isspace() or a < b and text[a] == "\ufeff":
            a += 1
        while b > a and text[b - 1].isspace():
            b -= 1
        if _HAS_WORD.search(text, a, b):
            yield a, b


def _after_closing(text: str, at: int) -> int:
    """Move a boundary past the closing marks that belong to the sentence before it."""
    while at < len(text) and text[at] in _CLOSING and not text[at - 1].isspace():
        at += 1
    return at
