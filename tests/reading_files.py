"""Files of every format for the tests, written on the spot from text of our own."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

PARAGRAPHS = (
    "Dear colleagues, I am glad to open this meeting. Our friendship with the U.S. and with Mr. Tarn's government is old.",
    "We support the associations of our coast in every way. They receive grants, advice and a room to meet.",
    "Some capitals lecture us. They sell their own interests as values, and they call it order!",
    "Let me end here. Will the long-term plan hold? I believe that it will.",
)
SENTENCES = 9
TEXT = "\n\n".join(PARAGRAPHS)
TITLE = "Remarks at the opening of the meeting of coastal associations"
ODT_NS = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0"'
)


def html_page() -> str:
    """A saved page with menus around the article."""
    body = "".join(f"<p>{p}</p>" for p in PARAGRAPHS)
    return (
        f"<!DOCTYPE html><html><head><title>{TITLE} | Port Office</title>"
        '<meta property="og:site_name" content="Port Office"><meta property="article:published_time" content="2019-05-04T10:00">'
        "<style>p{color:red}</style><script>var a='<p>no speech</p>'</script></head><body>"
        "<nav><ul><li><a href='/'>Home</a></li><li><a href='/n'>All the news of the port</a></li></ul></nav>"
        f"<main><article><h1>{TITLE}</h1>{body}</article></main>"
        "<aside>Read also: ten harbours that you must see this summer.</aside>"
        "<footer>Port Office, all rights reserved. Write to us today.</footer></body></html>"
    )


def pdf_bytes(pages: int = 2, encrypt: str | None = None) -> bytes:
    """A PDF with a running head and page numbers, its text hard-wrapped, a sentence cut by each page break."""
    from reportlab.lib.pagesizes import A5
    from reportlab.pdfgen import canvas

    buffer = io.BytesIO()
    page = canvas.Canvas(buffer, pagesize=A5, encrypt=encrypt)
    page.setTitle(TITLE)
    lines = [
        "Dear colleagues, I am glad to open this meeting. Our friend-",
        "ship with the U.S. and with Mr. Tarn's government is old. We",
        "support the associations of our coast in every way, and they",
    ]
    rest = ["receive grants, advice and a room to meet.", "Let me end here. I believe that it will hold."]
    for number in range(pages):
        page.setFont("Helvetica", 8)
        page.drawString(50, 570, "PORT OFFICE QUARTERLY")
        page.drawString(200, 20, str(number + 1))
        page.setFont("Helvetica", 11)
        for i, line in enumerate(lines if number % 2 == 0 else rest):
            page.drawString(50, 520 - 14 * i, line)
        page.showPage()
    page.save()
    return buffer.getvalue()


def docx_bytes() -> bytes:
    """A Word file with a title, a header, a bold speaker and a table."""
    import docx

    document = docx.Document()
    document.core_properties.title = TITLE
    document.add_heading(TITLE, 0)
    document.sections[0].header.paragraphs[0].text = "Port Office, draft"
    for paragraph in PARAGRAPHS:
        document.add_paragraph(paragraph)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def odt_bytes(extra: str = "", entity: str = "") -> bytes:
    """An OpenDocument text with a footnote; `extra` goes before the root, `entity` into the first paragraph."""
    note = "<text:note><text:note-body><text:p>A note of the printer.</text:p></text:note-body></text:note>"
    body = "".join(
        f"<text:p>{p}{note if i == 0 else ''}{entity if i == 0 else ''}</text:p>" for i, p in enumerate(PARAGRAPHS)
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        package.writestr(
            "content.xml",
            f'<?xml version="1.0"?>{extra}<office:document-content {ODT_NS}><office:body><office:text>{body}</office:text></office:body></office:document-content>',
        )
        package.writestr(
            "meta.xml",
            f"<office:document-meta {ODT_NS}><office:meta><dc:title>{TITLE}</dc:title></office:meta></office:document-meta>",
        )
    return buffer.getvalue()


def rtf_bytes() -> bytes:
    """A rich text file."""
    body = "\\par ".join(p.replace("'", "\\'92") for p in PARAGRAPHS)
    return (
        r"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Times;}}{\info{\title " + TITLE + r"}}\f0 " + body + r"\par}"
    ).encode("ascii")


def _clock(seconds: int, mark: str) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{mark}000"


def subtitles(kind: str) -> str:
    """Cues of some five words each, so that sentences run over cues."""
    words = " ".join(PARAGRAPHS).split()
    cues = [" ".join(words[i : i + 5]) for i in range(0, len(words), 5)]
    mark = "," if kind == "srt" else "."
    lines = [] if kind == "srt" else ["WEBVTT", ""]
    for i, cue in enumerate(cues):
        lines += [str(i + 1), f"{_clock(2 * i, mark)} --> {_clock(2 * i + 2, mark)}", cue, ""]
    return "\n".join(lines)


ROWS = [
    {"id": "a1", "title": TITLE, "date": "2019-05-03", "speaker": "Ana Vell", "text": TEXT},
    {"id": "a2", "title": "Second", "date": "2020", "speaker": "Bo Tarn", "text": PARAGRAPHS[1]},
]


def table(delimiter: str = ",", rows: list[dict[str, str]] | None = None) -> str:
    """Rows as csv."""
    rows = ROWS if rows is None else rows
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def xlsx_bytes() -> bytes:
    """Rows as a workbook."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(list(ROWS[0]))
    for row in ROWS:
        sheet.append(list(row.values()))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def parquet_bytes() -> bytes:
    """Rows as Parquet."""
    import polars as pl

    buffer = io.BytesIO()
    pl.DataFrame(ROWS).write_parquet(buffer)
    return buffer.getvalue()


def zip_bytes(members: dict[str, bytes]) -> bytes:
    """A zip of files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def write_all(folder: Path) -> dict[str, Path]:
    """Write one file of every format; return them by ending."""
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    contents = {
        "txt": TEXT.encode(), "md": f"# {TITLE}\n\n{TEXT}\n".encode(), "html": html_page().encode(), "pdf": pdf_bytes(),
        "docx": docx_bytes(), "odt": odt_bytes(), "rtf": rtf_bytes(), "srt": subtitles("srt").encode(),
        "vtt": subtitles("vtt").encode(), "csv": table().encode(), "tsv": table("\t").encode(), "xlsx": xlsx_bytes(),
        "jsonl": lines.encode(), "parquet": parquet_bytes(),
    }  # fmt: skip
    contents["zip"] = zip_bytes({"in/speech.txt": TEXT.encode(), "rows.csv": table().encode(), "__MACOSX/x.txt": b"no"})
    paths = {}
    for ending, content in contents.items():
        paths[ending] = folder / f"speech.{ending}"
        paths[ending].write_bytes(content)
    return paths
