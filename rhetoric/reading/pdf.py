"""PDF: lines as pdfium finds them, put together into paragraphs; running heads, page numbers and footnotes go."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from rhetoric.errors import ReadError
from rhetoric.reading.document import Dropped, Fact, Mark
from rhetoric.reading.options import ReadOptions
from rhetoric.reading.raw import Raw
from rhetoric.reading.source import Source, megabytes, shown

_TERMINAL = re.compile(r"[.!?:;…][\"'”’»)\]¹²³⁴-⁹]*$")
_PAGE_NUMBER = re.compile(
    r"(?:page\s*|p\.\s*|[-–—]\s*)?\d{1,4}(?:\s*[-–—]|\s*(?:/|of)\s*\d{1,4})?|\d{2}-\d{5}\s*(?:\d{1,3})?", re.IGNORECASE
)
_SOFT_HYPHENS = "\x02\ufffe\u00ad"
_SOFT = re.compile(rf"(\w*)[{_SOFT_HYPHENS}](\w+)")
_FOOTNOTE = re.compile(r"(?:\d{1,3}|[*†‡§¹²³⁴-⁹])\s*\D")
_JUNK_TITLE = re.compile(r"microsoft word|untitled|\.(docx?|pdf|indd|rtf|odt)\s*$|^\W*$", re.IGNORECASE)
_DATE = re.compile(r"D:(\d{4})(\d{2})?(\d{2})?")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a page; `left`, `right`, `bottom`, `top` and `size` in points, all 0 where pdfium tells none."""

    page: int
    text: str
    left: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    top: float = 0.0
    size: float = 0.0


def read(source: Source, options: ReadOptions) -> Iterator[Raw]:
    """Read a PDF as one document.

    Raises:
        ReadError: it is encrypted, damaged, or holds no text.
    """
    import pypdfium2 as pdfium

    content = source.read()
    try:
        pdf = pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        raise ReadError(f"{shown(source.name)}: {_reason(str(error))}") from error
    try:
        pages, broken = _pages(pdf, source)
        facts = _facts(pdf.get_metadata_dict(skip_empty=True))
    except pdfium.PdfiumError as error:
        raise ReadError(f"{shown(source.name)}: this PDF is damaged ({error})") from error
    finally:
        pdf.close()
    if not any(pages):
        raise ReadError(f"{shown(source.name)}: this PDF holds no text, only images perhaps; run OCR over it first")
    body, dropped = _without_furniture(pages)
    text, marks = join_lines(body)
    notes = (f"{broken} of {len(pages)} pages are damaged and were left out",) if broken else ()
    yield Raw(
        source.name, text, "pdf", "", facts, tuple(dropped), tuple(marks), notes=notes,
        sha256=hashlib.sha256(content).hexdigest(), base=source.base,
    )  # fmt: skip


def _reason(error: str) -> str:
    if "password" in error.lower() or "security" in error.lower():
        return "this PDF is encrypted; save it without a password"
    return f"this is no PDF, or it is cut off or damaged ({error})"


def _pages(pdf: Any, source: Source) -> tuple[list[list[Line]], int]:
    """Lines of every page, and how many pages are damaged."""
    import pypdfium2 as pdfium

    pages: list[list[Line]] = []
    broken = size = 0
    for number in range(len(pdf)):
        try:
            page = pdf[number]
            textpage = page.get_textpage()
            lines = list(_page_lines(textpage, number + 1))
            textpage.close()
            page.close()
        except (pdfium.PdfiumError, UnicodeError, ValueError):
            broken += 1
            lines = []
        pages.append(lines)
        size += sum(len(line.text) for line in lines)
        if size > source.limit:
            raise ReadError(
                f"{shown(source.name)}: its text is above the limit of {megabytes(source.limit)}; raise it with --max-size"
            )
    return pages, broken


def _page_lines(textpage: Any, page: int) -> Iterator[Line]:
    """Lines of one page with their boxes, in reading order."""
    import pypdfium2.raw as raw

    text = textpage.get_text_range()
    placed = len(text) == textpage.count_chars()
    for match in re.finditer(r"[^\r\n]+", text):
        stripped = match[0].strip()
        if not stripped:
            continue
        if not placed:
            yield Line(page, stripped)
            continue
        first = match.start() + len(match[0]) - len(match[0].lstrip())
        last = match.start() + len(match[0].rstrip()) - 1
        left, bottom, _, top = textpage.get_charbox(first)
        right = textpage.get_charbox(last)[2]
        size = raw.FPDFText_GetFontSize(textpage.raw, first)
        yield Line(page, stripped, left, right, bottom, top, size)


def _without_furniture(pages: Sequence[Sequence[Line]]) -> tuple[list[Line], list[Dropped]]:
    """Lines of the text, and what stood at the edges of pages: running heads, page numbers, footnotes."""
    edges = Counter(key for lines in pages for key in {_key(line.text) for line in _edge(lines)})
    often = max(2, min(3, len(pages)), len(pages) // 4)
    sizes = [line.size for lines in pages for line in lines if line.size]
    usual = median(sizes) if sizes else 0.0
    heads = [line for lines in pages for line in _edge(lines) if edges[_key(line.text)] >= often]
    if 2 * sum(len(line.text) for line in heads) > sum(len(line.text) for lines in pages for line in lines):
        often = len(pages) + 1  # pages that say the same: a form, or slides, but no running heads
    kept: list[Line] = []
    dropped: list[Dropped] = []
    for lines in pages:
        edge = {id(line) for line in _edge(lines)}
        notes = _footnotes(lines, usual)
        for line in lines:
            reason = ""
            if id(line) in edge and _PAGE_NUMBER.fullmatch(line.text):
                reason = "page number"
            elif id(line) in edge and len(pages) > 1 and edges[_key(line.text)] >= often:
                reason = "running head"
            elif id(line) in notes:
                reason = "footnote"
            if reason:
                dropped.append(Dropped(reason, line.text))
            else:
                kept.append(line)
    return kept, dropped


def _edge(lines: Sequence[Line]) -> list[Line]:
    """The first two and last two lines of a page, by height on the page where it is known."""
    ordered = sorted(lines, key=lambda line: -line.top) if lines and lines[0].size else list(lines)
    return ordered[:2] + ordered[2:][-2:]


def _key(text: str) -> str:
    return re.sub(r"\d+", "#", text.casefold())


def _footnotes(lines: Sequence[Line], usual: float) -> set[int]:
    """Lines at the foot of a page in clearly smaller type, from one that starts with a note's mark."""
    small: list[Line] = []
    for line in reversed(lines):
        if not line.size or line.size > 0.92 * usual:
            if _PAGE_NUMBER.fullmatch(line.text) and not small:
                continue
            break
        small.append(line)
    small.reverse()
    for i, line in enumerate(small):
        if _FOOTNOTE.match(line.text):
            return {id(other) for other in small[i:]}
    return set()


def join_lines(lines: Sequence[Line]) -> tuple[str, list[Mark]]:
    """Put lines together into paragraphs, across hyphens and page breaks; mark where each page starts.

    Paragraphs are separated by a blank line, lines of one by a space.
    """
    if not lines:
        return "", []
    spaced = _spacing(lines)
    hyphenated = set(re.findall(r"\w+-\w+", " ".join(line.text for line in lines).casefold()))
    parts: list[str] = []
    marks: list[Mark] = []
    length = 0
    above: Line | None = None
    for line in lines:
        glue = ""
        text = _SOFT.sub(lambda m: _dehyphenated(m, hyphenated), line.text)
        if above is not None:
            glue, cut = _glue(above, line, spaced, hyphenated)
            if cut and parts:
                parts[-1] = parts[-1][:-1]
                length -= 1
        length += len(glue)
        parts.append(glue)
        if above is None or above.page != line.page:
            marks.append(Mark(length, f"page {line.page}"))
        parts.append(text)
        length += len(text)
        above = line
    return "".join(parts), marks


def _dehyphenated(match: re.Match[str], hyphenated: set[str]) -> str:
    """Two halves of a word that pdfium found parted at a line's end, with the hyphen if the text has it elsewhere."""
    hyphen = "-" if f"{match[1]}-{match[2]}".casefold() in hyphenated else ""
    return f"{match[1]}{hyphen}{match[2]}"


@dataclass(frozen=True, slots=True)
class _Spacing:
    """What is usual in a PDF: distance between lines, left and right edges, in points."""

    step: float
    left: float
    right: float


def _spacing(lines: Sequence[Line]) -> _Spacing:
    pairs = pairwise(lines)
    steps = [a.bottom - b.bottom for a, b in pairs if a.page == b.page and a.size and 0 < a.bottom - b.bottom < 60]
    rights = sorted(line.right for line in lines)
    lefts = sorted(line.left for line in lines)
    return _Spacing(median(steps) if steps else 0.0, lefts[len(lefts) // 4], rights[int(len(rights) * 0.9)])


def _glue(above: Line, line: Line, usual: _Spacing, hyphenated: set[str]) -> tuple[str, bool]:
    """What stands between two lines ("" within a word, " ", or a blank line), and whether the hyphen above goes."""
    if above.text[-1] in _SOFT_HYPHENS:
        return "", True
    ended = _TERMINAL.search(above.text) is not None
    if _new_paragraph(above, line, usual, ended):
        return "\n\n", False
    if above.text[-1] == "-" and len(above.text) > 1 and above.text[-2].isalpha() and line.text[0].islower():
        left = re.findall(r"\w+", above.text)[-1].casefold()
        right = re.match(r"\w+", line.text)
        kept = right is not None and f"{left}-{right[0].casefold()}" in hyphenated
        return "", not kept
    return " ", False


def _new_paragraph(above: Line, line: Line, usual: _Spacing, ended: bool) -> bool:
    if not ended and line.text[0].islower():
        return False
    width = usual.right - usual.left
    if above.page != line.page:
        full = not above.size or width <= 0 or above.right > usual.right - 0.25 * width
        return ended or not full
    if not above.size or not usual.step:
        return ended and len(above.text) < 50
    step = above.bottom - line.bottom
    if step < 0:  # the next column
        return ended
    short = above.right < usual.right - 0.15 * width
    indented = line.left > above.left + 8 and above.left <= usual.left + 4
    return step > 1.4 * usual.step or (short and ended) or (indented and ended) or abs(above.size - line.size) > 1.5


def _facts(properties: dict[str, str]) -> tuple[Fact, ...]:
    """Title of the PDF's properties if it is one; its author and date are shown, but are the file's, not the speech's."""
    facts = []
    title = properties.get("Title", "").strip()
    if title and not _JUNK_TITLE.search(title):
        facts.append(Fact("title", title, "PDF properties"))
    if author := properties.get("Author", "").strip():
        facts.append(Fact("author", author, "PDF properties"))
    if match := _DATE.match(properties.get("CreationDate", "")):
        facts.append(Fact("file date", "-".join(part for part in match.groups() if part), "PDF properties"))
    return tuple(facts)
