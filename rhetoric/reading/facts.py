"""Title, date, speaker, place and source from the text itself: its first lines, a dateline, a note, its last line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rhetoric.reading.clean import Line, Span, lines_of
from rhetoric.reading.dates import find_dates
from rhetoric.reading.document import Fact

_HEAD_LINES = 14
_NAME = r"[A-Z][\w’'-]+(?: [A-Z]\.)?(?: (?:de|da|del|van|von|al|bin|el|la|Al|El))?(?: [A-Z][\w’'-]+){1,2}"
_SALUTATION = re.compile(
    r"(?:dear |colleagues|friends|ladies|your excellenc|excellenc|distinguished|good (?:morning|afternoon|evening|day)|mr\.? |"
    r"mrs |ms\.? |madam|thank you|welcome|honou?rable|comrades|esteemed|fellow|citizens|respected)", re.I,
)  # fmt: skip
_TERMINAL = re.compile(r"[.!?…][\"'”’»)\]*]*$")
_LABEL = re.compile(
    r"(?:\*\*)?(?:[A-ZÀ-Þ][A-ZÀ-Þ0-9 .'’&/()-]{0,60}|Question|Answer|Moderator|Spokesperson|Q|A)(?:\*\*)?:|\*\*[^*\n]{2,60}:?\*\*:?"
)
_KEYED = re.compile(
    r"(?P<key>title|speaker|date|venue|place|location|source|event|delivered by|language)\s*:\s*(?P<value>\S.{0,200})",
    re.I,
)
_KEYS = {"venue": "place", "location": "place", "event": "place", "delivered by": "speaker"}
_DATE_REST = re.compile(
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|published|updated|posted|date|on|at|\d{1,2}[:.]\d{2}(?::\d{2})?(?:\s*[ap]\.?m\.?)?"
    r"|gmt|utc|msk|[\s\u00a0,.:;|()–—/-]", re.I,
)  # fmt: skip
_DATELINE = re.compile(
    r"[\s\u00a0]*(?P<place>[A-ZÀ-Þ][A-ZÀ-Þ .'’-]{1,40}?(?:, [A-Z][\w.]+)?)"
    r"(?:,?\s*(?P<date>(?:\d{1,2}\s+)?[A-Z][a-z]{2,8}\.?(?:\s+\d{1,2})?(?:,?\s+\d{4})?))?"
    r"\s*(?:\((?P<agency>[^()\n]{2,40})\)|/(?P<slashed>[^/\n]{2,30})/)?\s*(?:[–—]|--|-(?=\s))+[\s\u00a0]*(?=[\w“\"‘«])"
)
_HELD = re.compile(
    r"\b(?:interview|speech|remarks|address|conversation|talk|lecture|statement|briefing|meeting|article)\b[^.\n]{0,80}?"
    r"\b(?:taken|conducted|recorded|given|delivered|held|made|published|took place)\b[^.\n]{0,60}?\bon\s+", re.I,
)  # fmt: skip
_SPOKE_ON = re.compile(
    r"\bOn (?P<date>[^,.\n]{3,25}),(?: \d{4},)? [^.\n“\"]{3,200}?\b(?:spoke|addressed|said|told|met|delivered|attended|held|made|gave|took part)\b"
)
_VENUE = re.compile(
    r"\b(?:spoke|speaking|addressing|address|remarks|speech|statement|delivered|lecture|interview)\b[^.\n“\"]{0,30}?\b(?:at|to|with|before)\s+"
    r"(?P<venue>(?:an? |the )?[^“”\"\n;]{5,180}?)"
    r"(?=,\s*(?:[A-Z]?[a-z]+ )?(?:[A-Z][a-z]{2,8} \d{1,2}|\d{1,2} [A-Z][a-z]{2,8})|, [A-Z][a-z]+ said|\s+on (?:[A-Z][a-z]+day|[A-Z][a-z]{2,8} \d|\d)|[.;\n]|,\s+[a-z]|$)",
    re.I,
)
_EVENT = re.compile(r"\b(?:meeting|conference|session|forum|summit|congress|ceremony|reception|assembly)\b", re.I)
_SOURCE_LINE = re.compile(r"(?:source|quelle)\s*[:–—-]\s*(?P<source>[^\n]{2,80})", re.I)
_TITLE_SPEAKER = (
    re.compile(rf"^(?P<name>{_NAME}): \S"),
    re.compile(
        rf"\b(?:Minister|President|Secretary|Chancellor|Ambassador|Premier|Envoy|Commissioner|Governor|Spokes\w+|Director)[\w ]{{0,30}}? (?P<name>{_NAME})['’]s? "
        r"(?:\w+ )?(?:remarks|speech|address|statement|interview|answers|article|comments|lecture|reply|introductory)", re.U),
    re.compile(rf"(?i:remarks|speech|address|statement|interview|lecture|article|reply) (?i:by|of|with) (?:(?:H\.E\.|Mr\.?|Ms\.?|Mrs\.?|Dr\.?|President|(?:[\w’-]+ ){{0,4}}?Minister(?: of [A-Z]\w+(?: [A-Z]\w+)?)?(?: of [A-Z]\w+)?|Secretary|Ambassador|Prime) )*(?P<name>{_NAME})"),
    re.compile(rf"[–—-] (?P<name>{_NAME})$"),
)  # fmt: skip
_NAME_LINE = re.compile(rf"(?:(?:By|by) )?(?P<name>{_NAME})")


@dataclass
class Found:
    """Facts in the order they were found, and the spans of the text that are facts and no speech."""

    facts: list[Fact] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)

    def add(self, name: str, value: str, where: str) -> None:
        """Note a fact that has a value."""
        value = " ".join(value.split()).strip(" ,;")
        if value:
            self.facts.append(Fact(name, value, where))

    def first(self, name: str) -> str:
        """Value of the first fact of a name."""
        return next((fact.value for fact in self.facts if fact.name == name), "")


def text_facts(text: str, furniture: Sequence[str], title: str = "") -> Found:
    """Read the facts that stand in a text whose boilerplate is blanked.

    `furniture` is what was dropped, in which a page's date or a note's date may stand; `title` is
    the title if it is known already, to be recognised in the first lines.
    """
    found = Found()
    lines = lines_of(text)
    body = _head(lines, text, found, title)
    paragraphs = lines[body : body + 4]
    _dateline(paragraphs, found)
    _held(paragraphs, furniture, found, title)
    _place(paragraphs, found, title)
    _source_line(lines, found)
    for piece in furniture:
        if len(piece) < 300 and (date := next((d for d, _, _ in find_dates(piece)), "")) and not _HELD.search(piece):
            found.add("page date", date, "page furniture")
            break
    _speaker(text, found, title)
    return found


def _head(lines: Sequence[Line], text: str, found: Found, title: str) -> int:
    """Read the lines before the speech begins; return the number of the first line of the speech."""
    body = _body_start(lines)
    wanted = _key(title)
    names: list[Line] = []
    for i, line in enumerate(lines[:_HEAD_LINES]):
        plain = _plain(line)
        if wanted and _key(plain) == wanted:
            found.spans.append(Span(line.start, line.end, "title"))
            body = max(body, i + 1) if i < 3 else body
        elif i < body and _NAME_LINE.fullmatch(plain) and len(plain) < 50 and not _date_line(plain):
            names.append(line)
        elif i < body:
            _head_line(line, plain, text, found, bool(wanted))
    _bylines(names if wanted or found.first("title") else [], text, found)
    return body


def _plain(line: Line) -> str:
    return line.text.strip("*#_ ").strip() or line.text


def _head_line(line: Line, plain: str, text: str, found: Found, titled: bool) -> None:
    """Read one line above the speech: a named fact, a date, the title, a pull quote."""
    if keyed := _KEYED.fullmatch(line.text):
        key = keyed["key"].casefold()
        found.add(_KEYS.get(key, key), keyed["value"], "first lines")
        found.spans.append(Span(line.start, line.end, "fact"))
    elif date := _date_line(plain):
        found.add("page date", date, "date line")
        found.spans.append(Span(line.start, line.end, "date line"))
    elif not titled and not found.first("title") and _is_title(line.text, plain):
        found.add("title", plain.strip("«»") if plain[0] == "«" and plain[-1] == "»" else plain, "first lines")
        found.spans.append(Span(line.start, line.end, "title"))
    elif len(plain) > 40 and text.count(plain.strip("\"“”«»'")) > 1:
        found.spans.append(Span(line.start, line.end, "repeated below"))


def _bylines(lines: Sequence[Line], text: str, found: Found) -> None:
    """Names alone on a line beside a title: of the writer, or of a speaker whom the text names again."""
    for line in lines:
        match = _NAME_LINE.fullmatch(_plain(line))
        if match and (match[0].casefold().startswith("by ") or text.count(match["name"].split()[-1]) > 1):
            found.add("byline", match["name"], "byline")
            found.spans.append(Span(line.start, line.end, "byline"))


def _body_start(lines: Sequence[Line]) -> int:
    """Number of the first line that is speech: a salutation, a speaker's label, or a sentence; 0 if nothing tells."""
    for i, line in enumerate(lines[:_HEAD_LINES]):
        text = line.text
        if _KEYED.fullmatch(text):
            continue
        label = _LABEL.match(text) and not text.startswith("#")
        sentence = (len(text) >= 60 and _TERMINAL.search(text)) or len(text) > 250 or text[0].islower()
        if text.startswith(('"', "“", "«")) and sentence and i and len(text) < 250 and i + 1 < len(lines):
            sentence = False  # a pull quote stands where a title could
        if label or sentence or _SALUTATION.match(text) or _dateline_match(text):
            return i
        if i + 1 < len(lines) and not lines[i + 1].apart:
            return i  # a hard-wrapped paragraph
        if not line.apart:
            return i
    return 0


def _date_line(text: str) -> str:
    """The date of a line that holds nothing but a date."""
    for date, start, end in find_dates(text[:80]):
        if not _DATE_REST.sub("", text[:start] + text[end:]):
            return date
    return ""


def _is_title(text: str, plain: str) -> bool:
    if not 15 <= len(plain) <= 250 or plain.endswith((",", ";", ":")):
        return False
    if text.startswith("# ") or (text.startswith("**") and text.endswith("**")):
        return True
    if plain.endswith(".") or text.startswith(('"', "“")):
        return False
    return len(plain.split()) >= 5


def _dateline_match(text: str) -> re.Match[str] | None:
    match = _DATELINE.match(text)
    if not match:
        return None
    dated = match["date"] and any(True for _ in find_dates(match["date"]))
    return match if (dated or match["agency"] or match["slashed"]) and match["place"].strip() else None


def _dateline(paragraphs: Sequence[Line], found: Found) -> None:
    for line in paragraphs[:2]:
        if match := _dateline_match(line.text):
            found.add("place", match["place"].title() if match["place"].isupper() else match["place"], "dateline")
            found.add("source", match["agency"] or match["slashed"] or "", "dateline")
            if date := next((d for d, _, _ in find_dates(match["date"] or "")), ""):
                found.add("date", date, "dateline")
            found.spans.append(Span(line.start, line.start + match.end(), "dateline"))
            return


def _held(paragraphs: Sequence[Line], furniture: Sequence[str], found: Found, title: str) -> None:
    """The day of the speech where a note or the first lines say it."""
    for piece in furniture:
        if (match := _HELD.search(piece)) and (date := _date_at(piece, match.end())):
            found.add("date", date, "note")
    for line in paragraphs[:3]:
        if (match := _HELD.search(line.text)) and (date := _date_at(line.text, match.end())):
            found.add("date", date, "first lines")
        elif match := _SPOKE_ON.search(line.text):
            if date := next(
                (d for d, _, _ in find_dates(line.text[match.start("date") : match.start("date") + 30])), ""
            ):
                found.add("date", date, "first lines")
    for date, _, _ in find_dates(found.first("title") or title):
        found.add("date", date, "title")


def _date_at(text: str, start: int) -> str:
    return next((d for d, _, _ in find_dates(text[start : start + 40])), "")


def _place(paragraphs: Sequence[Line], found: Found, title: str) -> None:
    where = [(found.first("title") or title, "title"), *((line.text, "first lines") for line in paragraphs[:3])]
    for text, name in where:
        if match := _VENUE.search(text[:600]):
            venue = re.sub(r"^(?:an?|the) ", "", match["venue"].strip(), flags=re.I)
            if any(word[0].isupper() for word in venue.split()) or (name == "title" and _EVENT.search(venue)):
                found.add("place", venue, name)
                return


def _source_line(lines: Sequence[Line], found: Found) -> None:
    for line in lines[-3:]:
        if match := _SOURCE_LINE.fullmatch(line.text.strip("*_()[] ")):
            found.add("source", match["source"], "last lines")
            found.spans.append(Span(line.start, line.end, "source line"))


def _speaker(text: str, found: Found, title: str) -> None:
    """The speaker whom the title names, if the text names the same surname, else the byline."""
    line = found.first("title") or title
    for pattern in _TITLE_SPEAKER:
        match = pattern.search(line)
        if match and text.count(match["name"].split()[-1]) >= (
            1 if pattern is _TITLE_SPEAKER[1] or pattern is _TITLE_SPEAKER[2] else 2
        ):
            found.add("speaker", match["name"], "title")
            break
    if byline := found.first("byline"):
        found.add("speaker", byline, "byline")


def _key(text: str) -> str:
    return re.sub(r"\W+", "", text).casefold()


def with_year(date: str, page: str) -> str:
    """Give a day printed without a year the year of the page's date: the last such day up to the day after it.

    >>> with_year("--08-15", "2019-08-16"), with_year("--12-30", "2019-01-02"), with_year("--08-15", "")
    ('2019-08-15', '2018-12-30', '--08-15')
    """
    if not date.startswith("--") or len(page) < 4 or page.startswith("--"):
        return date
    year = int(page[:4])
    if len(page) == 10 and date[2:] > page[5:]:
        year -= 1
    return f"{year}-{date[2:]}"


def chosen(facts: Sequence[Fact], name: str) -> Iterator[Fact]:
    """Facts of a name that could be chosen, in order of trust."""
    names = (name, f"page {name}") if name == "date" else (name,)
    for wanted in names:
        yield from (fact for fact in facts if fact.name == wanted)
