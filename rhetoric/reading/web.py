"""Saved web pages: trafilatura says which blocks are the article, lxml gives the blocks in order."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rhetoric.errors import ReadError
from rhetoric.reading.document import Dropped, Fact
from rhetoric.reading.encoding import decode
from rhetoric.reading.options import ReadOptions
from rhetoric.reading.raw import Raw
from rhetoric.reading.source import Source, shown
from rhetoric.reading.word import mark_bold

_BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header hr html legend li main nav ol option p pre section summary table tbody td tfoot th "
    "thead tr ul".split()
)
_HIDDEN = frozenset("script style noscript template svg iframe head object canvas audio video math textarea".split())
_FURNITURE = frozenset("nav aside footer form button select menu".split())
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{2,40})", re.IGNORECASE)
_XML_ENCODING = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
_DATE_METAS = (
    "article:published_time", "datepublished", "dc.date", "dc.date.issued", "dcterms.date", "dcterms.created",
    "publish-date", "pubdate", "date", "citation_date",
)  # fmt: skip
_SITE_METAS = ("og:site_name", "dc.publisher", "application-name")
_MAX_DEPTH = 2000


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, heading, list item or cell of a page. `links` is the share of its text inside links."""

    text: str
    tag: str
    furniture: bool
    links: float

    @property
    def key(self) -> str:
        """Letters and digits only, to compare with."""
        return re.sub(r"\W+", "", self.text).casefold()


def read(source: Source, options: ReadOptions) -> Iterator[Raw]:
    """Read a page as one document.

    Raises:
        ReadError: there is no text in the page.
    """
    from lxml import etree, html

    content = source.read()
    markup, encoding, notes = _decode(content, source.name)
    try:
        parser = html.HTMLParser(huge_tree=False, no_network=True)
        tree = html.document_fromstring(_XML_ENCODING.sub("", markup).replace("\x00", " "), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise ReadError(f"{shown(source.name)}: this page cannot be read ({error})") from error
    blocks = list(_blocks(tree))
    kept, dropped = _choose(blocks, _article(markup))
    if not kept:
        raise ReadError(f"{shown(source.name)}: there is no text in this page")
    yield Raw(
        source.name, "\n\n".join(block.text for block in kept), "html", encoding, tuple(_facts(tree, blocks)),
        tuple(dropped), notes=notes, sha256=hashlib.sha256(content).hexdigest(), base=source.base,
    )  # fmt: skip


def _decode(content: bytes, name: str) -> tuple[str, str, tuple[str, ...]]:
    """UTF-8 first, then what the page declares, then detection."""
    try:
        return content.decode("utf-8-sig"), "utf-8", ()
    except UnicodeDecodeError:
        declared = _CHARSET.search(content[:4096])
    if declared and declared[1].lower() not in (b"utf-8", b"utf8"):
        try:
            encoding = declared[1].decode("ascii")
            return (
                content.decode(encoding, errors="replace"),
                encoding.lower(),
                (f"not UTF-8: read as {encoding}, as declared",),
            )
        except (LookupError, UnicodeError):
            pass
    return decode(content, name)


def _article(markup: str) -> str:
    """Letters and digits of what trafilatura takes for the article, "" where it finds none."""
    import trafilatura

    try:
        text = trafilatura.extract(markup, favor_recall=True, include_comments=False, include_tables=True)
    except Exception:  # a page that breaks trafilatura is read by our own rules
        return ""
    return re.sub(r"\W+", "", text or "").casefold()


def _choose(blocks: list[Block], article: str) -> tuple[list[Block], list[Dropped]]:
    """Keep the article's blocks, and sentences between them that trafilatura left out; the rest is dropped."""
    marks = [bool(article) and bool(b.key) and not b.furniture and b.key in article for b in blocks]
    if not any(len(b.key) > 20 for b, mark in zip(blocks, marks, strict=True) if mark):
        marks = [not b.furniture and b.links < 0.5 for b in blocks]
    inside = [i for i, mark in enumerate(marks) if mark and len(blocks[i].key) > 20]
    if not inside:
        return [], []
    kept: list[Block] = []
    dropped: list[Dropped] = []
    for i, (block, mark) in enumerate(zip(blocks, marks, strict=True)):
        between = inside[0] <= i <= inside[-1] and not block.furniture and block.links < 0.5
        heading = i < inside[0] and block.tag == "h1"
        if (mark and i >= inside[0] - 6) or (between and len(block.text.split()) > 3) or heading:
            kept.append(block)
        else:
            dropped.append(Dropped("outside the article", block.text))
    return kept, dropped


def _blocks(tree: Any) -> Iterator[Block]:
    """Blocks of the page in order, each with its own text only."""
    body = tree.find("body")
    walk = _Walk()
    stack: list[tuple[Any, bool]] = [(body if body is not None else tree, False)]
    while stack:
        element, done = stack.pop()
        if done:
            yield from walk.leave(element)
            walk.add(element.tail)
            continue
        if not isinstance(element.tag, str) or element.tag in _HIDDEN or len(stack) > 100_000:
            walk.add(element.tail)
            continue
        yield from walk.enter(element)
        walk.add(element.text)
        stack.append((element, True))
        stack.extend((child, False) for child in reversed(element))
    yield from walk.flush()


class _Walk:
    """The text gathered since the last block began."""

    def __init__(self) -> None:
        self.tags: list[str] = []
        self.parts: list[str] = []
        self.links = self.in_links = self.in_furniture = self.in_bold = 0
        self.bold = ""

    def add(self, text: str | None) -> None:
        if not text:
            return
        self.parts.append(text)
        if self.in_links:
            self.links += len(text.strip())
        if self.in_bold and "".join(self.parts).strip() == (self.bold + text).strip():
            self.bold += text

    def enter(self, element: Any) -> Iterator[Block]:
        tag = element.tag
        if tag in _BLOCKS:
            yield from self.flush()
            self.tags.append(tag)
        elif tag == "br":
            self.parts.append("\n")
        self.in_links += tag == "a"
        self.in_bold += tag in ("b", "strong")
        self.in_furniture += tag in _FURNITURE or _role(element)

    def leave(self, element: Any) -> Iterator[Block]:
        tag = element.tag
        if tag in _BLOCKS:
            yield from self.flush()
            self.tags.pop()
        self.in_links -= tag == "a"
        self.in_bold -= tag in ("b", "strong")
        self.in_furniture -= tag in _FURNITURE or _role(element)

    def flush(self) -> Iterator[Block]:
        whole = "".join(self.parts)
        tag = self.tags[-1] if self.tags else ""
        share = self.links / max(1, len(whole.strip()))
        pieces = (
            re.split(r"\n\s*\n", whole) if "\n" in whole and tag != "pre" and "\n\n" in _breaks(self.parts) else [whole]
        )
        for number, piece in enumerate(pieces):
            text = " ".join(piece.split())
            if text:
                text = mark_bold(text, " ".join(self.bold.split())) if number == 0 else text
                yield Block(text, tag, self.in_furniture > 0, share)
        self.parts, self.links, self.bold = [], 0, ""


def _breaks(parts: list[str]) -> str:
    """The line breaks (<br>) alone: two in a row, with nothing but blanks between, part paragraphs."""
    return "".join("\n" if part == "\n" else ("" if not part.strip() else "x") for part in parts)


def _role(element: Any) -> bool:
    return (element.get("role") or "") in ("navigation", "banner", "contentinfo", "search", "complementary")


def _facts(tree: Any, blocks: list[Block]) -> Iterator[Fact]:
    metas: dict[str, str] = {}
    for meta in tree.iter("meta"):
        key = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").strip().casefold()
        value = " ".join((meta.get("content") or "").split())
        if key and value:
            metas.setdefault(key, value)
    yield from _titles(tree, blocks, metas)
    for name, keys in (("page date", _DATE_METAS), ("source", _SITE_METAS), ("author", ("author",))):
        yield from (Fact(name, metas[key], f"HTML metadata ({key})") for key in keys if key in metas)
    times = (time.get("datetime") for time in tree.iter("time"))
    if first := next(filter(None, times), ""):
        yield Fact("page date", first, "HTML time element")


def _titles(tree: Any, blocks: list[Block], metas: dict[str, str]) -> Iterator[Fact]:
    headings = [b.text for b in blocks if b.tag == "h1" and not b.furniture]
    if len(headings) == 1 and len(headings[0]) > 10:
        yield Fact("title", headings[0], "HTML heading")
    for key in ("og:title", "dc.title", "twitter:title"):
        if key in metas:
            yield Fact("title", metas[key], f"HTML metadata ({key})")
    if title := " ".join((tree.findtext(".//title") or "").split()):
        yield Fact("title", title, "HTML title")
