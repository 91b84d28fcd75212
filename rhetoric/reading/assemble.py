"""From what a format's reader found to a `Document`: invisible characters, boilerplate, facts, language."""

from __future__ import annotations

import csv
import re
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from rhetoric.errors import ReadError
from rhetoric.reading.cards import Card, read_cards
from rhetoric.reading.clean import Span, boilerplate
from rhetoric.reading.dates import read_date
from rhetoric.reading.document import Document, Dropped, Fact, Mark, Row
from rhetoric.reading.facts import Found, chosen, text_facts, with_year
from rhetoric.reading.language import detect_language
from rhetoric.reading.options import FACTS, ReadOptions
from rhetoric.reading.raw import Raw
from rhetoric.reading.source import shown

_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u2060-\u2064\ufeff\u202a-\u202e\u2066-\u2069]")
_CONTROL = {i: " " for i in range(32) if i not in (9, 10, 11, 12, 13)} | {127: " "}
_SURROGATES = re.compile("[\ud800-\udfff]")
_KEPT_BREAKS = re.compile(r"[^\n\r\f\v\u2028\u2029]")


def assemble(raw: Raw, options: ReadOptions) -> Document:
    """Make the document.

    Raises:
        ReadError: there is no text in it.
    """
    raw = _visible(raw)
    text, spans, found = raw.text, [], Found()
    known = list(_given_facts(raw, options))
    card = read_cards().get(raw.sha256)
    if card is not None:
        known += [Fact(name, value, "card") for name, value in card.facts.items()]
    known += raw.facts
    if raw.clean:
        spans = boilerplate(text)
        text = _blank(text, spans)
        furniture = [raw.text[s.start : s.end] for s in spans if s.reason in ("page furniture", "footnote")]
        found = text_facts(text, [*furniture, *(d.text for d in raw.dropped)], _titles(known, text))
        text = _blank(text, found.spans)
    facts = _dated([*known, *found.facts])
    if not any(map(str.isalnum, text)):
        raise ReadError(f"{shown(raw.name)}: there is no text in it" + (" but boilerplate" if spans else ""))
    dropped = [
        Dropped(s.reason, raw.text[s.start : s.end], s.start, s.end) for s in _merged([*spans, *found.spans], raw.text)
    ]
    return _document(raw, text, facts, (*raw.dropped, *dropped), card)


def _document(raw: Raw, text: str, facts: list[Fact], dropped: tuple[Dropped, ...], card: Card | None) -> Document:
    values = {}
    ordered: list[Fact] = []
    for name in FACTS:
        usable = [fact for fact in chosen(facts, name) if not (name == "date" and fact.value.startswith("--"))]
        values[name] = usable[0].value if usable else ""
        ordered += usable[:1]
    if (
        card is not None
        and len(card.speakers) > 1
        and not any(f.name == "speaker" for f in facts[: len(facts)] if f.where != "title")
    ):
        values["speaker"] = ""  # of several speakers, none speaks for all
        ordered = [fact for fact in ordered if fact.name != "speaker"]
    ordered += [fact for fact in facts if fact not in ordered]
    return Document(
        name=shown_name(raw.name), text=text, language=detect_language(text), encoding=raw.encoding, format=raw.format,
        speakers=card.speakers if card else (), facts=tuple(dict.fromkeys(ordered)), dropped=dropped, marks=raw.marks,
        rows=raw.rows, notes=raw.notes, **values,
    )  # fmt: skip


def shown_name(name: str) -> str:
    """Return a name whose undecodable bytes are escaped; a line break in a name stays."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _titles(known: Sequence[Fact], text: str) -> str:
    """The known title, preferring one that stands in the text's first lines."""
    titles = [fact.value for fact in known if fact.name == "title"]
    head = re.sub(r"\W+", "", text[:3000]).casefold()
    return next((t for t in titles if re.sub(r"\W+", "", t).casefold() in head), titles[0] if titles else "")


def visible(text: str) -> str:
    """Return a text as the offsets of its document count it: without invisible characters, safe to write as UTF-8."""
    return _INVISIBLE.sub("", _SURROGATES.sub("\ufffd", text.translate(_CONTROL)))


def _visible(raw: Raw) -> Raw:
    """Take out what cannot be seen and would part words, and make the rest safe to write as UTF-8."""
    text = _SURROGATES.sub("\ufffd", raw.text.translate(_CONTROL))
    gone = [m.start() for m in _INVISIBLE.finditer(text)]
    if not gone:
        return raw if text == raw.text else replace(raw, text=text)

    def moved(offset: int) -> int:
        return offset - bisect_left(gone, offset)

    count = len(gone) - text.startswith("\ufeff")
    notes = (f"{count} invisible characters were taken out",) if count else ()
    return replace(
        raw, text=_INVISIBLE.sub("", text), notes=(*raw.notes, *notes),
        marks=tuple(Mark(moved(m.start), m.label) for m in raw.marks),
        rows=tuple(Row(moved(r.start), moved(r.end), r.speaker) for r in raw.rows),
    )  # fmt: skip


def _blank(text: str, spans: Sequence[Span]) -> str:
    """Put blanks for what goes: line breaks stay, but for those within a page break's span."""
    if not spans:
        return text
    parts: list[str] = []
    last = 0
    for span in sorted(spans, key=lambda s: (s.start, s.end)):
        start, end = max(span.start, last), max(span.end, last)
        parts.append(text[last:start])
        gone = text[start:end]
        parts.append(" " * len(gone) if span.reason == "page break" else _KEPT_BREAKS.sub(" ", gone))
        last = end
    parts.append(text[last:])
    return "".join(parts)


def _merged(spans: Sequence[Span], text: str) -> list[Span]:
    """Neighbouring spans of one reason as one; page breaks, which hold nothing, are not told."""
    merged: list[Span] = []
    for span in sorted((s for s in spans if s.reason != "page break"), key=lambda s: s.start):
        last = merged[-1] if merged else None
        if last and last.reason == span.reason != "stage direction" and not text[last.end : span.start].strip():
            merged[-1] = Span(last.start, span.end, span.reason)
        else:
            merged.append(span)
    return merged


def _dated(facts: Sequence[Fact]) -> list[Fact]:
    """Dates as ISO 8601; a day without a year gets that of the page where one stands."""
    read = [_read(fact) if fact.name in ("date", "page date") else fact for fact in facts]
    page = next((fact.value for fact in read if fact.name == "page date"), "")
    return [
        replace(fact, value=with_year(fact.value, page), where=f"{fact.where}, year of the page's date")
        if fact.name == "date" and fact.value.startswith("--") and page[:4].isdigit()
        else fact
        for fact in read
        if fact.value
    ]


def _read(fact: Fact) -> Fact:
    return fact if fact.value.startswith("--") else replace(fact, value=read_date(fact.value))


def _given_facts(raw: Raw, options: ReadOptions) -> list[Fact]:
    """Facts that the user gives from outside: a side table, then the file's name."""
    facts: list[Fact] = []
    stem = raw.base.rpartition(".")[0] or raw.base
    if options.facts_table:
        rows = read_facts_table(options.facts_table)
        row = (
            rows.get(raw.base)
            or rows.get(stem)
            or next((rows[f.value] for f in raw.facts if f.name == "id" and f.value in rows), {})
        )
        facts += [Fact(name, value, f"table {Path(options.facts_table).name}") for name, value in row.items()]
    if options.name_pattern and (match := name_regex(options.name_pattern).fullmatch(stem)):
        facts += _name_facts(match.groupdict(), options.name_pattern)
    return facts


def _name_facts(values: Mapping[str, str], pattern: str) -> list[Fact]:
    where = f"file name, {pattern}"
    facts = [Fact(name, value, where) for name, value in values.items() if name not in ("year", "month", "day")]
    if "date" not in values and "year" in values:
        parts = [values["year"]]
        for part in ("month", "day"):
            if part not in values:
                break
            parts.append(f"{int(values[part]):02}")
        facts.append(Fact("date", "-".join(parts), where))
    return facts


_FIELD_FORMS = {"year": r"\d{4}", "month": r"\d{1,2}", "day": r"\d{1,2}", "date": r"\d{4}(?:-?\d{2}){0,2}"}


@cache
def name_regex(pattern: str) -> re.Pattern[str]:
    """Make a regular expression of a name pattern.

    >>> name_regex("{country}_{session}_{year}").fullmatch("KAZ_75_2020").groupdict()
    {'country': 'KAZ', 'session': '75', 'year': '2020'}
    """
    parts = re.split(r"\{(\w+)\}", pattern)
    out = []
    for i, part in enumerate(parts):
        if i % 2 == 0:
            out.append(re.escape(part))
        elif part == "_":
            out.append(".+?")
        else:
            out.append(f"(?P<{part}>{_FIELD_FORMS.get(part, '.+?')})")
    return re.compile("".join(out))


@cache
def read_facts_table(path: str) -> Mapping[str, Mapping[str, str]]:
    """Read a csv of facts: a row a file, by its name (column file, filename, name or id, else the first).

    Raises:
        ReadError: it cannot be read or knows no fact.
    """
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t" if path.endswith(".tsv") else ","))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ReadError(f"{shown(path)}: the table of facts cannot be read ({error})") from error
    if not rows:
        raise ReadError(f"{shown(path)}: the table of facts is empty")
    columns = [c for c in rows[0] if c]
    names = {c.strip().casefold(): c for c in columns}
    key = next(
        (names[n] for n in ("file", "filename", "file_name", "document", "name", "id") if n in names), columns[0]
    )
    roles = {fact: names[fact] for fact in FACTS if fact in names}
    if "date" not in roles and "year" in names:
        roles["date"] = names["year"]
    for name, other in (("place", "venue"), ("country", "country_code"), ("country", "country"), ("post", "post")):
        if other in names:
            roles.setdefault(name, names[other])
    if not roles:
        raise ReadError(
            f"{shown(path)}: no column of facts; there are {', '.join(columns)}, known are {', '.join(FACTS)}"
        )
    return {
        (row[key] or "").strip(): {
            fact: value.strip() for fact, column in roles.items() if (value := row[column] or "").strip()
        }
        for row in rows
    }
