"""Who says each sentence: the turn's speaker, or in a report whom a quotation is attributed to.

Names are normalised within a document: LAVROV and Sergey Lavrov are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rhetoric.reading.document import Document
from rhetoric.segment import Segments, segment, segment_rows

REPORTER = "reporter"
"""Who speaks outside the quotations of a report whose writer is not named."""

_VERBS = (
    "said|says|stressed|noted|added|told|stated|explained|declared|warned|emphasi[sz]ed|pointed out|argued|continued|concluded|"
    "insisted|claimed|asked|replied|recalled|announced|remarked|underlined|urged|admitted|went on|commented|observed|wrote|"
    "asserted|affirmed|spoke|maintained|confirmed|suggested|summed up|reminded"
)
_NAME = r"[A-ZÀ-Þ][\w’'-]+(?: (?:de|da|van|von|al|bin|[A-ZÀ-Þ][\w’'.-]*)){0,3}"
_OTHER = r"[Tt]he (?:[a-z-]+ ){0,4}[a-z-]+|[Hh]e\b|[Ss]he\b"
_SUBJECT = rf"(?P<other>{_OTHER})|(?P<name>{_NAME})"
_SAYS = re.compile(
    rf"(?<![\w’'])(?<!of )(?<!for )(?:{_SUBJECT}),?\s+(?:(?:also|then|has|had|further|\w+ly)\s+)?(?:{_VERBS})\b"
)
_SAID_AFTER = re.compile(
    rf"\s*(?:[,.]\s*)?(?:(?:{_SUBJECT})\s+(?:(?:also|then|has|had|\w+ly)\s+)?(?:{_VERBS})\b|(?:{_VERBS})\s+(?:(?P<name2>{_NAME})|(?P<other2>{_OTHER})))"
)
_ROLES = frozenset(
    "mr mrs ms dr sir lord lady minister president secretary chancellor ambassador premier envoy commissioner governor senator "
    "spokesperson spokesman spokeswoman director head deputy foreign prime general king queen prince pope the a in and but on at "
    "as when for with of from said meanwhile today yesterday chairman chair speaker vice madam comrade colonel captain mayor judge justice professor delegate representative member he she they it we i you his her their this that these those there one".split()
)
_FIRST_PERSON = re.compile(r"\b(?:I|[Ww]e|[Oo]ur|[Mm]y|us|me)\b(?!\s*\.)")
_MIN_QUOTE_WORDS = 5
_MIN_SHARE = 0.1
"""Quotations must be this much of a report's text; scare quotes are no quotations."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A quotation `text[start:end]`, its marks included, and who is said to have said it ("" if nobody)."""

    start: int
    end: int
    speaker: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A document's turns and sentences, and the speaker of each sentence ("" if nobody is named)."""

    segments: Segments
    speakers: tuple[str, ...]


def read_voices(document: Document) -> Reading:
    """Split a document into turns and sentences and say who speaks each."""
    rows = [(row.start, row.end, row.speaker) for row in document.rows]
    segments = segment_rows(rows) if rows else segment(document.text)
    return Reading(segments, tuple(_speakers(document, segments)))


def _speakers(document: Document, segments: Segments) -> list[str]:
    text = document.text
    names = _Names(text, (document.speaker, *document.speakers), document.title)
    if any(turn.speaker for turn in segments.turns):
        by_turn = [names.full(turn.speaker) if turn.speaker else document.speaker for turn in segments.turns]
        if (
            segments.turns[0].speaker == ""
            and len(by_turn) > 1
            and _about(text[: segments.turns[0].end], document.speaker)
        ):
            by_turn[0] = _writer(document)
        return [by_turn[sentence.turn] for sentence in segments.sentences]
    quotes = report_quotes(text, names)
    if not quotes:
        return [document.speaker] * len(segments.sentences)
    writer = _writer(document)
    return [_voice(s.start, s.end, quotes) or writer for s in segments.sentences]


def _writer(document: Document) -> str:
    byline = next((fact.value for fact in document.facts if fact.name == "byline"), "")
    return byline if byline and byline != document.speaker else REPORTER


def _about(text: str, speaker: str) -> bool:
    """Whether a text speaks of the speaker, not as the speaker."""
    surname = speaker.split()[-1] if speaker else ""
    return bool(surname) and surname.casefold() in text.casefold() and not _FIRST_PERSON.search(text)


def _voice(start: int, end: int, quotes: Sequence[Quote]) -> str:
    """Whose quotation a third or more of a sentence lies in (the rest is "he said at the session"), "" if none."""
    for quote in quotes:
        if quote.start >= end:
            break
        if 3 * (min(end, quote.end) - max(start, quote.start)) >= end - start:
            return quote.speaker
    return ""


def report_quotes(text: str, names: _Names) -> list[Quote]:
    """Return the attributed quotations of a report; none where the text is a speech: its writer says I or we."""
    if not re.search(f"(?:{_VERBS})", text) or not re.search('[“«"]', text):
        return []
    spans = [(a, b) for a, b in quotations(text) if len(text[a:b].split()) >= _MIN_QUOTE_WORDS]
    if sum(b - a for a, b in spans) < _MIN_SHARE * len(text.strip()):
        return []
    outside = _outside(text, spans)
    if _FIRST_PERSON.search(re.sub(r"\b(?:World War|War|Part|Annex|Chapter|Article) I\b", "", outside)):
        return []
    quotes = _attributed(text, outside, spans, names)
    return quotes if any(quote.speaker for quote in quotes) else []


def quotations(text: str) -> Iterator[tuple[int, int]]:
    """Spans of quotations, marks included: “…”, «…» over paragraphs, "…" within one."""
    opened: int | None = None
    straight: int | None = None
    for match in re.finditer(r"[“”«»\"]|\n\s*\n|$", text):
        mark = match[0]
        if mark in ("“", "«"):
            opened = match.start() if opened is None else opened
        elif mark in ("”", "»"):
            if opened is not None:
                yield opened, match.end()
            opened = None
        elif mark == '"' and opened is None:
            if straight is None:
                straight = match.start()
            else:
                yield straight, match.end()
                straight = None
        elif mark != '"':
            straight = None  # an odd mark ends with its paragraph


def _outside(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """The text with its quotations blanked."""
    parts, last = [], 0
    for start, end in spans:
        parts += [text[last:start], " " * (end - start)]
        last = end
    return "".join([*parts, text[last:]])


def _attributed(text: str, outside: str, spans: Sequence[tuple[int, int]], names: _Names) -> list[Quote]:
    """Attribute each quotation: by the words after it, by the last "NAME said" before it in its paragraph, by its neighbour."""
    found: list[Quote] = []
    current = names.default
    said = list(_SAYS.finditer(outside))
    nearest = 0
    for start, end in spans:
        paragraph = max(text.rfind("\n\n", 0, start), text.rfind("\n \n", 0, start), 0)
        speaker = ""
        while nearest < len(said) and said[nearest].start() < start:
            match = said[nearest]
            if match["name"] and (name := names.person(match["name"])):
                current = name
            if match.start() >= paragraph:
                speaker = current if match["other"] or names.person(match["name"]) else speaker
            nearest += 1
        if after := _SAID_AFTER.match(outside, end, end + 200):
            name = after["name"] or after["name2"]
            person = names.person(name) if name else ""
            current = speaker = person or current
        found.append(Quote(start, end, speaker))
    for i in range(len(found) - 1, -1, -1):  # “…” “…,” he said: the second names the first's speaker too
        if not found[i].speaker and i + 1 < len(found) and not outside[found[i].end : found[i + 1].start].strip():
            found[i] = Quote(found[i].start, found[i].end, found[i + 1].speaker)
    for i, quote in enumerate(found):
        if not quote.speaker and i:
            found[i] = Quote(quote.start, quote.end, found[i - 1].speaker)
    return found


class _Names:
    """Full names for the names that a document prints."""

    def __init__(self, text: str, known: Sequence[str], title: str) -> None:
        self._text = f"{title}\n{text}"
        self._known = [name for name in known if name]
        self._cache: dict[str, str] = {}
        self.default = self._known[0] if len(self._known) == 1 else ""

    def full(self, printed: str) -> str:
        """Return the one full name with the printed name's last word, else the name as printed."""
        if printed not in self._cache:
            self._cache[printed] = self._find(" ".join(printed.split()))
        return self._cache[printed]

    def person(self, printed: str) -> str:
        """As `full`, "" where the words are no name: a role, the start of a sentence."""
        words = [word for word in printed.split() if word.casefold().rstrip(".") not in _ROLES]
        return self.full(" ".join(words)) if words and words[-1][0].isupper() else ""

    def _find(self, printed: str) -> str:
        words = [word for word in printed.split() if word.casefold().rstrip(".") not in _ROLES]
        if not words or printed.casefold().rstrip(":") in ("question", "answer", "q", "a"):
            return printed
        surname = words[-1]
        known = [name for name in self._known if name.split()[-1].casefold() == surname.casefold()]
        if len(set(known)) == 1:
            return known[0]
        if len(words) > 1 and len(words) == len(printed.split()):
            return printed
        return self._in_text(surname) or printed

    def _in_text(self, surname: str) -> str:
        """The one name of two or three words in the text that ends so."""
        form = re.escape(surname.title() if surname.isupper() and len(surname) > 3 else surname)
        before = r"((?:[A-ZÀ-Þ][\w’'.-]+ ){1,2})"
        found = set()
        for match in re.finditer(rf"(?<![\w’'-]){before}{form}\b", self._text):
            given = [
                word for word in match[1].split() if word.casefold().rstrip(".") not in _ROLES and not word.isupper()
            ]
            if given:
                found.add(f"{given[-1]} {surname.title() if surname.isupper() and len(surname) > 3 else surname}")
        return found.pop() if len(found) == 1 else ""
