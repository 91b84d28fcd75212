"""Word processors' files: docx by python-docx, odt by lxml, rtf by striprtf."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from rhetoric.errors import ReadError
from rhetoric.reading.document import Dropped, Fact, Mark
from rhetoric.reading.options import ReadOptions
from rhetoric.reading.raw import Raw
from rhetoric.reading.source import Source, shown, too_large

_MAX_MEMBERS = 10_000
_MAX_RATIO = 200
_BOLD_LABEL = re.compile(r"[^*\n]{1,60}")


def check_package(content: bytes, source: Source) -> zipfile.ZipFile:
    """Open the zip that a docx, odt or xlsx file is, unless it unpacks to too much.

    Raises:
        ReadError: it is no zip, or a zip bomb.
    """
    name = shown(source.name)
    try:
        package = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError) as error:
        raise ReadError(f"{name}: this is no {source.suffix.lstrip('.')} file, or it is cut off or damaged") from error
    members = package.infolist()
    unpacked = sum(member.file_size for member in members)
    if unpacked > 4 * source.limit:
        raise too_large(source.name, unpacked, 4 * source.limit)
    if unpacked > 10_000_000 and unpacked > _MAX_RATIO * max(1, len(content)):
        raise ReadError(
            f"{name}: it unpacks to {unpacked // max(1, len(content))} times its size, like a zip bomb; not opened"
        )
    if len(members) > _MAX_MEMBERS:
        raise ReadError(f"{name}: it holds {len(members):,} parts, above the {_MAX_MEMBERS:,} of any real document")
    if any(member.flag_bits & 1 for member in members):
        raise ReadError(f"{name}: it is encrypted; save it without a password")
    return package


def read_docx(source: Source, options: ReadOptions) -> Iterator[Raw]:
    """Read a Word file as one document: paragraphs and table rows in order; headers, footers and footnotes go."""
    import docx

    content = source.read()
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise ReadError(
            f"{shown(source.name)}: it is encrypted or in Word's old format; save it as docx without a password"
        )
    check_package(content, source)
    try:
        document = docx.Document(io.BytesIO(content))
        paragraphs = list(_docx_paragraphs(document))
        facts = _docx_facts(document, paragraphs)
        dropped = _docx_margins(document)
    except ReadError:
        raise
    except Exception as error:  # python-docx and lxml raise whatever a broken part leads them to
        raise _damaged(source, "docx", error) from error
    text, marks = _join([text for text, _ in paragraphs])
    yield Raw(
        source.name, text, "docx", "", facts, dropped, marks,
        sha256=hashlib.sha256(content).hexdigest(), base=source.base,
    )  # fmt: skip


def _docx_paragraphs(document: Any) -> Iterator[tuple[str, str]]:
    """Text and style of each paragraph; a table's row is a paragraph, its cells joined by tabs."""
    from docx.table import Table

    titles = {style.style_id for style in document.styles if style.name == "Title"}
    for block in document.iter_inner_content():
        if isinstance(block, Table):
            for row in block.rows:
                cells = list(dict.fromkeys(cell.text.strip() for cell in row.cells))
                yield "\t".join(cell for cell in cells if cell), ""
        else:
            style = block._p.pPr.pStyle if block._p.pPr is not None else None  # block.style looks it up anew each time
            yield _bold_label(block), "Title" if style is not None and style.val in titles else ""


def _bold_label(paragraph: Any) -> str:
    """Text of a paragraph, a name in bold at its start as **Name:**."""
    text = str(paragraph.text)
    if ":" not in text[:70]:
        return text.strip()
    bold = ""
    for run in paragraph.runs:
        if not run.bold:
            break
        bold += run.text
    return mark_bold(text, bold)


def mark_bold(text: str, bold: str) -> str:
    """Write a bold start of a paragraph as **Name:** where it is a speaker's name before a colon."""
    name = bold.strip()
    text = text.strip()
    if not name or not text.startswith(name) or len(name) > 60 or len(name.split()) > 7:
        return text
    rest = text[len(name) :]
    if name.endswith(":") and rest.strip() and not re.search(r"[.!?]", name):
        return f"**{name[:-1].strip()}:** {rest.strip()}"
    if rest.lstrip().startswith(":") and not re.search(r"[!?]", name):
        return f"**{name}:** {rest.lstrip()[1:].strip()}"
    return text


def _docx_facts(document: Any, paragraphs: list[tuple[str, str]]) -> tuple[Fact, ...]:
    properties = document.core_properties
    titles = [text for text, style in paragraphs if style == "Title" and text.strip()]
    facts = [Fact("title", titles[0].strip(), "paragraph in style Title")] if titles else []
    if (properties.title or "").strip():
        facts.append(Fact("title", properties.title.strip(), "Word properties"))
    if (properties.author or "").strip():
        facts.append(Fact("author", properties.author.strip(), "Word properties"))
    if properties.created:
        facts.append(Fact("file date", properties.created.date().isoformat(), "Word properties"))
    return tuple(facts)


def _docx_margins(document: Any) -> tuple[Dropped, ...]:
    dropped = {}
    for section in document.sections:
        for part, reason in ((section.header, "header"), (section.footer, "footer")):
            text = " ".join(p.text.strip() for p in part.paragraphs if p.text.strip())
            if text:
                dropped[text] = Dropped(reason, text)
    return tuple(dropped.values())


_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_META = "{urn:oasis:names:tc:opendocument:xmlns:meta:1.0}"


def read_odt(source: Source, options: ReadOptions) -> Iterator[Raw]:
    """Read an OpenDocument text as one document: paragraphs and headings; notes and annotations go."""
    from lxml import etree

    content = source.read()
    package = check_package(content, source)
    # What an entity stands for is not read at all: no bomb, no file from elsewhere.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(_member(package, "content.xml", source), parser)
        meta = (
            etree.fromstring(_member(package, "meta.xml", source), parser) if "meta.xml" in package.namelist() else None
        )
    except (
        KeyError,
        zipfile.BadZipFile,
        zlib.error,
        etree.XMLSyntaxError,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
    ) as error:
        raise _damaged(source, "odt", error) from error
    body = root.find(f"{_OFFICE}body/{_OFFICE}text")
    if body is None:
        raise ReadError(f"{shown(source.name)}: this OpenDocument file is no text document")
    dropped: list[Dropped] = []
    paragraphs = [_odt_text(p, dropped) for p in body.iter(f"{_TEXT}p", f"{_TEXT}h") if not _inside_note(p)]
    text, marks = _join(paragraphs)
    yield Raw(
        source.name, text, "odt", "", _odt_facts(meta), tuple(dropped), marks,
        sha256=hashlib.sha256(content).hexdigest(), base=source.base,
    )  # fmt: skip


def _member(package: zipfile.ZipFile, name: str, source: Source) -> bytes:
    with package.open(name) as file:
        content = file.read(4 * source.limit + 1)
    if len(content) > 4 * source.limit:
        raise too_large(source.name, len(content), 4 * source.limit)
    return content


_NOTES = (f"{_TEXT}note", f"{_OFFICE}annotation", f"{_TEXT}tracked-changes")


def _inside_note(element: Any) -> bool:
    return any(parent.tag in _NOTES for parent in element.iterancestors())


def _odt_text(paragraph: Any, dropped: list[Dropped]) -> str:
    parts: list[str] = []
    stack = [(paragraph, False)]
    while stack:
        element, done = stack.pop()
        if done:
            parts.append(element.tail or "")
            continue
        if element is not paragraph:
            stack.append((element, True))
        if element.tag in _NOTES:
            note = " ".join(" ".join(map(str, element.itertext())).split())
            if note:
                dropped.append(Dropped("footnote" if element.tag == _NOTES[0] else "annotation", note))
            continue
        if not isinstance(element.tag, str):
            continue  # a comment, or an entity that is not read
        parts.append(element.text or "")
        if element.tag == f"{_TEXT}s":
            count = element.get(f"{_TEXT}c", "1")
            parts.append(" " * min(100, int(count) if count.isdigit() else 1))
        elif element.tag in (f"{_TEXT}tab", f"{_TEXT}line-break"):
            parts.append(" ")
        stack.extend((child, False) for child in reversed(element))
    return "".join(parts)


def _odt_facts(meta: Any) -> tuple[Fact, ...]:
    if meta is None:
        return ()
    names = ((f"{_DC}title", "title"), (f"{_DC}creator", "author"), (f"{_META}creation-date", "file date"))
    found = ((fact, (meta.findtext(f".//{tag}") or "").strip()) for tag, fact in names)
    return tuple(
        Fact(fact, value[:10] if fact == "file date" else value, "OpenDocument properties")
        for fact, value in found
        if value
    )


_RTF_TITLE = re.compile(r"\{\\title\s+([^{}\\]{1,300})\}")


def read_rtf(source: Source, options: ReadOptions) -> Iterator[Raw]:
    """Read a rich text file as one document."""
    from striprtf.striprtf import rtf_to_text

    content = source.read()
    if not content.lstrip()[:5].startswith(b"{\\rtf"):
        raise ReadError(f"{shown(source.name)}: this is no rtf file; it does not start with {{\\rtf")
    markup = content.decode("cp1252", errors="replace")
    try:
        text = str(rtf_to_text(markup, errors="replace"))  # type: ignore[no-untyped-call]
    except Exception as error:  # striprtf raises whatever broken escapes lead to
        raise _damaged(source, "rtf", error) from error
    title = _RTF_TITLE.search(markup[:100_000])
    facts = (Fact("title", title[1].strip(), "RTF properties"),) if title and title[1].strip() else ()
    joined, marks = _join(text.split("\n"))
    encoding = re.search(r"\\ansicpg(\d{3,5})", markup[:5000])
    yield Raw(
        source.name, joined, "rtf", f"cp{encoding[1]}" if encoding else "cp1252", facts, marks=marks,
        sha256=hashlib.sha256(content).hexdigest(), base=source.base,
    )  # fmt: skip


def _join(paragraphs: list[str]) -> tuple[str, tuple[Mark, ...]]:
    """Paragraphs separated by a blank line, with a mark at each; empty ones count but are left out."""
    marks: list[Mark] = []
    parts: list[str] = []
    length = 0
    for number, paragraph in enumerate(paragraphs, 1):
        text = paragraph.strip()
        if text:
            marks.append(Mark(length, f"paragraph {number}"))
            parts.append(text)
            length += len(text) + 2
    return "\n\n".join(parts), tuple(marks)


def _damaged(source: Source, kind: str, error: Exception) -> ReadError:
    reason = " ".join(str(error).split())[:200]
    return ReadError(f"{shown(source.name)}: this {kind} file is damaged ({type(error).__name__}: {reason})")
