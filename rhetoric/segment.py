"""Turns and sentences of a document, as character offsets into its text.

The text is never changed: hard-wrapped lines, quotation marks and the like are masked in a copy of
the same length, so an offset found in the copy holds in the original.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from sentencex import get_sentence_boundaries

SEGMENTER = "rhetoric-2+sentencex"
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
_NAME_LABEL = re.compile(
    r"[ \t\u00a0]*(?P<name>[A-ZÀ-Þ][\w.'’-]*(?: (?:de|of|van|von|al|bin|[A-ZÀ-Þ][\w.'’-]*)){1,5})(?:\s*\([^)\n]{1,60}\))?:\s+(?=\S)"
)
"""A name in upper and lower case before a colon: a label only where a line starts with the same name again."""
_ABBREVIATION = re.compile(
    r"(?<![\w.])(?:(?:Ms|Mr|Mrs|Dr|H\.E|Messrs|Mme|Sen|Rep|Gov|Gen|Lt|Col|Prof|Hon|St|Amb)\.\s*[A-ZÀ-Þ]|(?:Nos?|Art|para|paras|p|pp)\.\s*\d)\Z"
)
"""A title before a name, a word before a number: no sentence ends there."""
_UNFINISHED = re.compile(
    r"(?<![\w’'-])(?:the|an?|of|and|or|to|in|on|at|by|for|with|from|that|which|who|as|is|are|was|were|be|has|have|had|our|its|their|his|her)\Z"
)
"""The last word of a line that goes on below, whatever stands between."""
_MAX_SENTENCE = 5000
"""Characters; what goes on without an end for longer is cut at a blank, so that no sentence costs a page."""
_ORDINAL = re.compile(r"\s*\(?(?:\d{1,3}|[A-Za-z]|[ivxlIVXL]{1,5})[.)]\s*")  # the number of a paragraph or an item
_CLOSING = "”’»\"')]*¹²³⁰⁴⁵⁶⁷⁸⁹"
_QUOTES = str.maketrans(dict.fromkeys('“”„«»"', " "))
_JOINABLE = re.compile(r"\s")
_HAS_WORD = re.compile(r"[^\W_¹²³⁰⁴-⁹]")


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
    named = _repeated_names(text)
    for number, (start, end) in enumerate(_paragraphs(text, named)):
        if label := _label(text, start, end, named):
            turns.append(Turn(" ".join(label["name"].split()), start, end))
            start = label.end()
        elif not turns:
            turns.append(Turn("", start, end))
        last = turns[-1]
        turns[-1] = Turn(last.speaker, last.start, end)
        sentences.extend(Sentence(len(turns) - 1, number, a, b) for a, b in _sentences(text, start, end))
    return Segments(tuple(turns), tuple(sentences))


def segment_rows(rows: Sequence[tuple[int, int, str]]) -> Segments:
    """Segments of a text whose sentences are given as (start, end, speaker): a new speaker is a new turn."""
    turns: list[Turn] = []
    sentences: list[Sentence] = []
    for number, (start, end, speaker) in enumerate(rows):
        if not turns or speaker != turns[-1].speaker:
            turns.append(Turn(speaker, start, end))
        turns[-1] = Turn(speaker, turns[-1].start, end)
        sentences.append(Sentence(len(turns) - 1, number, start, end))
    return Segments(tuple(turns), tuple(sentences))


def _label(text: str, start: int, end: int, named: frozenset[str]) -> re.Match[str] | None:
    """A speaker's label at the start of a paragraph."""
    if label := _LABEL.match(text, start, end):
        return label
    name = _NAME_LABEL.match(text, start, end) if named else None
    return name if name and " ".join(name["name"].split()) in named else None


def _repeated_names(text: str) -> frozenset[str]:
    """Names in upper and lower case that two lines or more start with, before a colon."""
    counts = Counter(" ".join(m["name"].split()) for m in re.finditer(rf"(?m)^(?:{_NAME_LABEL.pattern})", text))
    return frozenset(name for name, count in counts.items() if count > 1)


def _lines(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the non-blank lines, without their line ends; "" marks blank lines in between."""
    for match in re.finditer(r"[^\n\r\f\v\u2028\u2029]+|\r?\n|[\r\f\v\u2028\u2029]", text):
        yield match.span()


def _paragraphs(text: str, named: frozenset[str] = frozenset()) -> list[tuple[int, int]]:
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
        if i and _continues(text, lines[i - 1][:2], (start, end), after_blank, wrapped, full, named):
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _is_wrapped(text: str, lines: list[tuple[int, int, bool]]) -> bool:
    """Whether line ends are layout: most lines inside a block stop in the middle of a sentence."""
    inner = [text[a:b] for (a, b, _), (_, _, blank) in pairwise(lines) if not blank]
    if len(inner) < 4 or not 20 <= median(map(len, inner)) <= 130:
        return False
    return sum(not _TERMINAL.search(line) for line in inner) > len(inner) / 2


def _continues(
    text: str, above: tuple[int, int], line: tuple[int, int], after_blank: bool, wrapped: bool, full: int,
    named: frozenset[str],
) -> bool:  # fmt: skip
    """Whether a line goes on with the paragraph of the line above."""
    if _label(text, *line, named):
        return False
    ended = _TERMINAL.search(text[max(above[0], above[1] - 200) : above[1]]) is not None
    lower = text[line[0] : min(line[1], line[0] + 200)].lstrip()[:1].islower()
    if not ended and above[1] - above[0] > 20 and (lower or _is_cut(text, above, line)):
        return True  # a paragraph cut by a line end or a page break
    return wrapped and not after_blank and not (ended and above[1] - above[0] < 0.75 * full)


def _is_cut(text: str, above: tuple[int, int], line: tuple[int, int]) -> bool:
    """Whether the line above stops at a word that nothing ends with, and the line below is no page number."""
    tail = text[max(above[0], above[1] - 40) : above[1]].rstrip()
    return _UNFINISHED.search(tail) is not None and text[line[0] : line[1]].lstrip()[:1].isalpha()


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Spans of the sentences of one paragraph, stripped of surrounding white space."""
    # Quotation marks are masked because sentencex keeps a whole quotation together.
    masked = _JOINABLE.sub(" ", text[start:end]).translate(_QUOTES)
    cuts = [start + int(b["end_index"]) for b in get_sentence_boundaries("en", masked)]
    begin = start
    for i, cut in enumerate(cuts):
        if i + 1 < len(cuts):
            bare = cut
            while bare > start and masked[bare - start - 1].isspace():
                bare -= 1
            cut = _after_closing(text, bare)
            below = text[cut : min(end, cut + 200)].lstrip(" “\"'").lstrip()[:1]
            if below.islower() or _ABBREVIATION.search(text[max(start, cut - 12) : cut] + below):
                continue  # “What?” he said. Ms. Espinosa
            if _ORDINAL.fullmatch(text, begin, cut):
                continue  # 7. The first point
        span = _stripped(text, begin, max(cut, begin))
        begin = max(cut, begin)
        if _HAS_WORD.search(text, *span):
            yield from _pieces(text, *span)


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and (text[start].isspace() or text[start] == "\ufeff"):
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A sentence whole, or cut at blanks where it is longer than any sentence."""
    while end - start > _MAX_SENTENCE:
        cut = max(text.rfind(blank, start + _MAX_SENTENCE // 2, start + _MAX_SENTENCE) for blank in " \n\t")
        cut = cut if cut > start else start + _MAX_SENTENCE
        span = _stripped(text, start, cut)
        if _HAS_WORD.search(text, *span):
            yield span
        start = cut
    span = _stripped(text, start, end)
    if _HAS_WORD.search(text, *span):
        yield span


def _after_closing(text: str, at: int) -> int:
    """Move a boundary past the closing marks that belong to the sentence before it."""
    while at < len(text) and text[at] in _CLOSING and not text[at - 1].isspace():
        at += 1
    return at
