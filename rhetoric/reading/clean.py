"""Boilerplate in running text: what is no part of the speech, found line by line.

Nothing is cut out: the spans found here are blanked, so that every offset stays true. The rules go
by form (a lone page number, a row of language codes, a counter of hits) and leave alone what could
be a sentence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_BREAKS = "\n\r\f\v\u2028\u2029"
_TERMINAL = re.compile(r"[.!?:;…,][\"'”’»)\]*]*$")
_ENDED = re.compile(r"[.!?:…][\"'”’»)\]*¹²³⁰⁴-⁹]*$")
_LONG_LINE = 25

_FURNITURE = frozenset(
    """all news|home|menu|search|main menu|skip to content|skip to main content|skip to navigation|back|back to top|top
    read more|see also|related|related articles|related news|related links|related content|related stories|more news
    latest news|most read|most popular|recommended|you may also like|additional materials|advanced settings|print
    print version|print this page|printer-friendly version|email|e-mail|email this|send by email|share|share this
    share this page|share this article|share on facebook|share on twitter|share on x|tweet|like|follow us|subscribe
    subscribe now|sign up|sign in|log in|login|register|comments|leave a comment|add a comment|no comments|next
    previous|next article|previous article|next page|previous page|advertisement|advert|sponsored|sponsored content
    cookie policy|cookie settings|accept cookies|accept all|privacy policy|terms of use|terms and conditions|contact
    contact us|about us|sitemap|site map|rss|download|download pdf|listen|watch|video|photo|photos|gallery|tags
    back to news|back to list|copy link|continue reading|close|language|languages|a a a|font size|text size|official site
    view all|view more|load more|show more|news|press releases|speeches|interviews|archive|archives""".replace(
        "\n", "|"
    )
    .replace("|    ", "|")
    .split("|")
)
_SHARE = frozenset(
    """facebook twitter x whatsapp telegram linkedin reddit pinterest vk vkontakte odnoklassniki livejournal email e-mail
    print share tweet copy link viber messenger instagram youtube flickr weibo wechat tumblr pocket skype mail on via this
    page by post like line threads bluesky mastodon rss +1""".split()
)
_LANGUAGE_NAMES = frozenset(
    """english french francais français spanish espanol español russian русский german deutsch arabic العربية chinese 中文
    italian italiano portuguese português українська ukrainian 日本語 japanese türkçe turkish polski eng rus fra deu esp
    en ru fr de es ar zh uk tr it pt""".split()
)
_LOCALE = re.compile(r"[a-z]{2}-[A-Z]{2}\d?")
_LOCALE_LOW = re.compile(r"[a-z]{2}-[a-z]{2}\d?")
_SITES = frozenset({"facebook", "twitter", "tweet", "telegram", "share", "linkedin"})
_BYLINE_STARTS = ("category", "written by", "posted", "published by", "filed under", "last updated", "tags")
_OFFER_WORDS = ("subscribe", "subscription", "first issue", "institutional rates", "newsletter", "inbox")
_HITS = re.compile(
    r"\b(?:hits|views|page views|viewed|reads|просмотров)\s*:\s*[\d.,]+\b|^\s*(?:[\d.,]+\s+(?:views|hits|reads))\s*$",
    re.I,
)
_BYLINE = re.compile(
    r"^\s*(?:category|written by|posted by|published by|posted in|filed under|last updated|tags)\s*:?\s", re.I
)
_COPYRIGHT = re.compile(r"^\s*(?:©|\(c\)|copyright\b|all rights reserved)", re.I)
_COOKIES = re.compile(
    r"\b(?:this (?:web)?site uses cookies|we use cookies|accept (?:all )?cookies|enable javascript)\b", re.I
)
_PAGE_NUMBER = re.compile(r"[-–—]?\s*\d{1,3}\s*[-–—]?|page\s+\d{1,4}(?:\s+of\s+\d{1,4})?|\d{1,3}\s*/\s*\d{1,3}", re.I)
_UN_PAGE = re.compile(
    r"(?=.*(?:\d{2}-\d{5}|A/\d{1,2}/PV\.))(?:(?:\d{2}-\d{5}|A/\d{1,2}/PV\.\s?\d{1,3}|\d{2}/\d{2}/\d{4}|\d{1,3}(?:/\d{1,3})?)(?:\s+|$))+"
)
"""Foot and head of the pages of UN records: 08-53122 32, 9/31 15-00000, 29/09/2015 A/70/PV.99."""
_NOTE_MARK = re.compile(r"[¹²³⁰⁴-⁹]{1,3}\s*\w|\[\d{1,3}\]\s+\w|\*{1,3}\s+[A-Z]")
_NOTE_HEADING = re.compile(r"(?:\*\*)?(?:foot|end)?notes?(?:\*\*)?:?", re.I)
_OFFER = re.compile(
    r"\bsubscri(?:be|ption|bers?)\b|\bissues?\b|\bdelivery\b|\brates?\b|\\?[$€£]\s?\d|\b1-8\d\d-\d{3}-\d{4}\b|\bwww\.|\bonline\b"
    r"|\bnewsletter\b|\b(?:one|two|per|a) years?\b|\bfree trial\b|\bdiscount\b|\bstay informed\b|\bto your inbox\b",
    re.I,
)
_SITE = re.compile(r"\b(?:www\.|https?://)\S+", re.I)
_STAGE_WORDS = (
    r"applause|laughter|laughs|laughing|inaudible|unintelligible|cross-?talk|cheers|cheering|off-?mike|off-?mic|music|"
    r"via (?:interpreter|translator|translation)|through (?:an )?interpreter|as interpreted|in progress|"
    r"(?:spoke|speaks|speaking|continues?|interpretation|translation|translated) (?:in|from) [a-z]+(?: [^()\[\]]{0,60})?|"
    r"in (?:russian|english|french|arabic|spanish|chinese|german)|pause|silence|recess|break|sings|singing|chant(?:s|ing)|"
    r"audience [a-z ]{1,30}|end of (?:tape|recording)|no (?:audible )?response|standing ovation"
)
_STAGE = re.compile(
    rf"[(\[]\s*(?:(?:prolonged|loud|light|sustained|scattered|general|some|more) )?(?:{_STAGE_WORDS})"
    rf"(?:(?:,| and|;)\s*(?:{_STAGE_WORDS}))?\s*\.?\s*[)\]]\.?|♪[^♪\n]{{0,200}}♪?",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Span:
    """`text[start:end]` goes, for `reason`."""

    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line without surrounding blanks, between `start` and `end`; `apart` if blank lines part it from the one above."""

    start: int
    end: int
    text: str
    apart: bool
    page_break: bool


def lines_of(text: str) -> list[Line]:
    """Return the lines of a text that hold anything."""
    found: list[Line] = []
    breaks, page = 2, False
    for match in re.finditer(r"[^\n\r\f\v\u2028\u2029]+|\r\n|[\n\r\f\v\u2028\u2029]", text):
        piece = match[0]
        if piece[0] in _BREAKS:
            breaks += 1
            page = page or piece == "\f"
            continue
        stripped = piece.strip(" \t\u00a0\ufeff")
        if stripped:
            start = match.start() + piece.index(stripped)
            found.append(Line(start, start + len(stripped), stripped, breaks > 1, page))
            breaks, page = 0, False
    return found


def boilerplate(text: str) -> list[Span]:
    """Find what is no part of the speech, in order, without overlaps."""
    lines = lines_of(text)
    reasons = [_reason(line) for line in lines]
    _mark_vertical(lines, reasons)
    _mark_page_numbers(lines, reasons)
    _mark_running_heads(lines, reasons)
    _mark_notes(lines, reasons)
    _mark_tail(lines, reasons)
    spans = [Span(line.start, line.end, reason) for line, reason in zip(lines, reasons, strict=True) if reason]
    taken = [(s.start, s.end) for s in spans]
    spans.extend(s for s in stage_directions(text) if not _inside(s, taken))
    spans.extend(_page_joins(lines, reasons))
    return sorted(spans, key=lambda s: (s.start, s.end))


def stage_directions(text: str) -> Iterator[Span]:
    """Find (Applause), [inaudible], (spoke in Spanish) and the like."""
    for match in _STAGE.finditer(text):
        yield Span(match.start(), match.end(), "stage direction")


def _inside(span: Span, taken: Sequence[tuple[int, int]]) -> bool:
    return any(start <= span.start and span.end <= end for start, end in taken) if len(taken) < 2000 else False


def _reason(line: Line) -> str:
    """Why a line goes that can be told by itself, else ""."""
    text = line.text
    if len(text) > 600:
        return ""
    low = text.casefold()
    return _row_reason(text, low) or _page_reason(text, low)


def _row_reason(text: str, low: str) -> str:
    """Menus, language switches and share bars: short lines of known words."""
    if len(text) < 60 and low.strip("*_#•·|>«»<[]() \t").rstrip(":") in _FURNITURE:
        return "menu"
    if len(text) > 150 or _word(low.split(None, 2)[:2]) is None:
        return ""
    words = re.findall(r"[^\s•·|/,]+", text.strip("•·|[] "))
    known = {word.casefold() for word in words}
    if len(words) > 1 and (all(map(_LOCALE.fullmatch, words)) or known <= _LANGUAGE_NAMES):
        return "language switch"
    return "share bar" if len(words) > 1 and known <= _SHARE and known & _SITES else ""


def _word(words: list[str]) -> str | None:
    """The first word with a letter, if it is one of a switch or a bar; None otherwise. A quick way past most lines."""
    for word in words:
        bare = re.split(r"[/,|•·]", word.strip("•·|[]/,"))[0]
        if bare:
            known = bare in _LANGUAGE_NAMES or bare in _SHARE or _LOCALE_LOW.fullmatch(bare)
            return bare if known else None
    return None


def _page_reason(text: str, low: str) -> str:
    """Counters, bylines, notices, numbers of pages, offers: told by a word first, since most lines have none."""
    if (
        any(word in low for word in ("hits", "views", "reads", "viewed", "просмотров"))
        and len(text) < 250
        and _HITS.search(text)
    ):
        return "page furniture"
    if low.startswith(_BYLINE_STARTS) and len(text) < 250 and _BYLINE.match(text) and not _TERMINAL.search(text):
        return "page furniture"
    if low.startswith(("©", "(c)", "copyright", "all rights")) and len(text) < 200 and _COPYRIGHT.match(text):
        return "page furniture"
    if ("cookies" in low or "javascript" in low) and len(text) < 400 and _COOKIES.search(text):
        return "page furniture"
    if (text[0].isdigit() or text[0] == "A") and len(text) < 60 and _UN_PAGE.fullmatch(text):
        return "page number"
    if any(word in low for word in _OFFER_WORDS) and len(_OFFER.findall(text)) >= 3:
        return "advert"
    return ""


def _mark_vertical(lines: Sequence[Line], reasons: list[str]) -> None:
    """Running heads printed letter by letter: four or more lines of one letter."""
    run: list[int] = []
    for i, line in enumerate([*lines, Line(0, 0, "end", True, False)]):
        if len(line.text) == 1 and line.text.isalpha():
            run.append(i)
            continue
        if len(run) >= 4:
            for j in run:
                reasons[j] = "running head"
        run = []


def _mark_page_numbers(lines: Sequence[Line], reasons: list[str]) -> None:
    """A number alone on a line before a blank line or after a page break, where no list could put it."""
    for i, line in enumerate(lines):
        if reasons[i] or not _PAGE_NUMBER.fullmatch(line.text):
            continue
        below = i + 1 == len(lines) or lines[i + 1].apart
        if line.page_break or below or line.text.casefold().startswith("page"):
            reasons[i] = "page number"


def _mark_running_heads(lines: Sequence[Line], reasons: list[str]) -> None:
    """Short lines without an end mark that recur three times or more beside page numbers or page breaks."""
    keys = [re.sub(r"\d+", "#", line.text.casefold()) if len(line.text) <= 90 else "" for line in lines]
    often = Counter(key for key in keys if key)
    for i, line in enumerate(lines):
        if reasons[i] or not keys[i] or often[keys[i]] < 3 or _TERMINAL.search(line.text):
            continue
        near = [j for j in (i - 1, i + 1) if 0 <= j < len(lines)]
        below = lines[i + 1].page_break if i + 1 < len(lines) else False
        if line.page_break or below or any(reasons[j] == "page number" for j in near):
            reasons[i] = "running head"


def _mark_notes(lines: Sequence[Line], reasons: list[str]) -> None:
    """Footnotes: lines that start with a raised number, below a heading or not."""
    for i, line in enumerate(lines):
        if reasons[i]:
            continue
        if re.match(r"[¹²³⁰⁴-⁹]{1,3}\s*\w", line.text):
            reasons[i] = "footnote"
        elif _NOTE_HEADING.fullmatch(line.text) and i + 1 < len(lines) and _NOTE_MARK.match(lines[i + 1].text):
            reasons[i] = "footnote"
            if not re.match(r"[¹²³⁰⁴-⁹]", lines[i + 1].text):
                reasons[i + 1] = "footnote"


def _mark_tail(lines: Sequence[Line], reasons: list[str]) -> None:
    """After a footnote or around an advert near the end: lines without an end mark, down to the end or the next sentence."""
    anchors = [i for i, reason in enumerate(reasons) if reason in ("footnote", "advert")]
    for anchor in anchors:
        if reasons[anchor] == "footnote" and not any(reasons[j] == "advert" for j in range(anchor, len(lines))):
            continue
        for step in (1, -1):
            i = anchor + step
            while 0 <= i < len(lines) and (reasons[i] or _is_slogan(lines[i])):
                reasons[i] = reasons[i] or "advert"
                i += step


def _is_slogan(line: Line) -> bool:
    if _SITE.search(line.text) and len(line.text) < 150:
        return True
    return len(line.text) < 60 and not re.search(r"[.!?:;…,][\"'”’»)\]]*$", line.text.rstrip("*"))


def _page_joins(lines: Sequence[Line], reasons: Sequence[str]) -> Iterator[Span]:
    """Blank lines around what went at a page break, where the sentence above goes on below."""
    above: int | None = None
    for i, line in enumerate(lines):
        if reasons[i]:
            continue
        if above is not None and above + 1 < i:
            between = {reasons[j] for j in range(above + 1, i)}
            before = lines[above].text
            goes_on = len(before) > _LONG_LINE and not _ENDED.search(before)
            if goes_on and between <= {"running head", "page number", "footnote"} and not _is_label(line.text):
                edges = [
                    lines[above].end,
                    *(e for j in range(above + 1, i) for e in (lines[j].start, lines[j].end)),
                    line.start,
                ]
                for start, end in zip(edges[::2], edges[1::2], strict=True):
                    if end > start:
                        yield Span(start, end, "page break")
        above = i


def _is_label(text: str) -> bool:
    return re.match(r"(?:\*\*)?[A-ZÀ-Þ][A-ZÀ-Þ .'’]{1,50}:", text) is not None
