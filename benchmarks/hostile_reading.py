"""What a user sees for hostile and broken files, at the default limits: `python benchmarks/hostile_reading.py [--only WORDS …]`.

Every input is made on the spot and read as `rhetoric label` and `rhetoric inspect` read; what comes of
it, the seconds and the worker's peak memory go to results/hostile.json. Needs some 3 GB of free disk
for a while.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT)]

from benchmarks.reading import pdf, peak  # noqa: E402
from rhetoric.reading import Document, Reader  # noqa: E402
from tests import reading_files as files  # noqa: E402

LAUGHS = '<!DOCTYPE l [<!ENTITY a "lol">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(9)
) + "]>"  # fmt: skip
FOLDER = 100_000
OUT = ROOT / "benchmarks" / "results" / "hostile.json"


def packed(members: dict[str, bytes]) -> bytes:
    return files.zip_bytes(members)


def with_member(package: bytes, name: str, content: bytes) -> bytes:
    """The package with one member replaced or added."""
    with zipfile.ZipFile(io.BytesIO(package)) as old:
        return packed({n: old.read(n) for n in old.namelist()} | {name: content})


def changed(package: bytes, name: str, old: bytes, new: bytes) -> bytes:
    """The package with words of one member replaced."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        content = archive.read(name)
    assert old in content, name
    return with_member(package, name, content.replace(old, new, 1))


def plain_bomb(path: Path) -> None:
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("a.txt", "w", force_zip64=True) as member,
    ):
        for _ in range(2000):
            member.write(b"a" * 1_000_000)


def overlapping_bomb(path: Path) -> None:
    """A zip whose directory names one packed member 5,000 times over."""
    packed_once = packed({"a.txt": b"a" * 5_000_000})
    start = packed_once.index(b"PK\x01\x02")
    entry, end = packed_once[start : packed_once.index(b"PK\x05\x06")], packed_once[packed_once.index(b"PK\x05\x06") :]
    many = entry * 5000
    tail = end[:8] + (5000).to_bytes(2, "little") * 2 + len(many).to_bytes(4, "little") + end[16:]
    path.write_bytes(packed_once[:start] + many + tail)


def sheet_bomb(path: Path) -> None:
    """A workbook whose sheet is a hundred million letters."""
    book = files.xlsx_bytes()
    path.write_bytes(changed(book, "xl/worksheets/sheet1.xml", b"<sheetData>", b"<sheetData>" + b" " * 300_000_000))


def stream_bomb(path: Path) -> None:
    """A PDF whose page unpacks to a gigabyte of drawing commands."""
    import zlib

    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(b"0 0 m 1 1 l S\n" * 70_000) for _ in range(1000)) + packer.flush()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R>>",
        b"<</Filter/FlateDecode/Length %d>>stream\n" % len(data) + data + b"\nendstream",
    ]  # fmt: skip
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj" % number + body + b"endobj\n"
    start = len(out)
    out += b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % p for p in places)
    path.write_bytes(bytes(out) + b"trailer<</Size 5/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % start)


def long_pdf(path: Path) -> None:
    path.write_bytes(pdf(tuple(f"This is sentence {i} of a very long speech." for i in range(5000 * 40))))


def repeated_parquet(path: Path) -> None:
    """A small Parquet file of a hundred thousand rows with one and the same long text."""
    import polars as pl

    frame = pl.select(pl.repeat(files.TEXT * 200, 100_000).alias("text"))
    frame.write_parquet(path, compression="zstd")


def big_text(path: Path) -> None:
    block = (files.TEXT + "\n\n").encode() * 2000
    with path.open("wb") as file:
        while file.tell() < 2_000_000_000:
            file.write(block)


def folder_of_many(path: Path) -> None:
    """A hundred thousand short texts; every thousandth is empty."""
    path.mkdir()
    for number in range(FOLDER):
        if number % 1000 == 0:
            (path / str(number // 1000)).mkdir()
        text = "" if number % 1000 == 7 else f"We meet for the {number}th time. We thank our hosts."
        (path / str(number // 1000) / f"{number}.txt").write_text(text, encoding="utf-8")


def loops(path: Path) -> None:
    path.mkdir()
    (path / "speech.txt").write_text(files.TEXT, encoding="utf-8")
    (path / "up").symlink_to(path)
    (path / "round.txt").symlink_to(path / "round.txt")
    (path / "gone.txt").symlink_to(path / "nowhere.txt")


def odd_names(path: Path) -> None:
    path.mkdir()
    (path / "two\nlines.txt").write_text(files.TEXT, encoding="utf-8")
    Path(os.fsdecode(os.fsencode(path) + b"/b\xff\x1b[31m.txt")).write_text("", encoding="utf-8")


def content(make: Callable[[], bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(make())

    return write


INPUTS: tuple[tuple[str, str, Callable[[Path], None]], ...] = (
    ("zip bomb: 2 GB of one letter", "bomb.zip", plain_bomb),
    ("zip bomb: one member named 5,000 times", "overlap.zip", overlapping_bomb),
    ("zip in a zip in a zip", "nested.zip", content(lambda: packed({"b.zip": packed({"c.zip": packed({"a.txt": b"a"})})}))),
    ("bomb in a docx (300 MB of blanks in the text)", "bomb.docx",
     content(lambda: changed(files.docx_bytes(), "word/document.xml", b"<w:body>", b"<w:body>" + b" " * 300_000_000))),
    ("bomb in an xlsx (300 MB of blanks in the sheet)", "bomb.xlsx", sheet_bomb),
    ("bomb in a PDF (a page that unpacks to 1 GB)", "bomb.pdf", stream_bomb),
    ("Parquet of 100,000 equal rows, 8 GB of text", "equal.parquet", repeated_parquet),
    ("XML entity bomb in a docx", "laughs.docx",
     content(lambda: changed(changed(files.docx_bytes(), "word/document.xml", b"?>", b"?>" + LAUGHS.encode()), "word/document.xml", b"Dear", b"&j;Dear"))),
    ("XML entity bomb in an odt", "laughs.odt", content(lambda: files.odt_bytes(LAUGHS, "&j;"))),
    ("XML entity bomb in an xlsx", "laughs.xlsx",
     content(lambda: changed(changed(files.xlsx_bytes(), "xl/worksheets/sheet1.xml", b"<worksheet", LAUGHS.encode() + b"<worksheet"), "xl/worksheets/sheet1.xml", b"Dear", b"&j;Dear"))),
    ("entity that names a file of the system", "outside.odt",
     content(lambda: files.odt_bytes('<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"))),
    ("encrypted PDF", "locked.pdf", content(lambda: files.pdf_bytes(encrypt="secret"))),
    ("truncated PDF", "cut.pdf", content(lambda: files.pdf_bytes()[:600])),
    ("PDF of 5,000 pages", "long.pdf", long_pdf),
    ("encrypted or old Word file", "old.docx", content(lambda: b"\xd0\xcf\x11\xe0" + bytes(600))),
    ("truncated docx", "cut.docx", content(lambda: files.docx_bytes()[:3000])),
    ("text file of 2 GB", "huge.txt", big_text),
    ("one line of 50 MB, no full stop", "line.txt", content(lambda: b"we meet again and " * 2_800_000)),
    ("one word of 50 MB", "word.txt", content(lambda: b"a" * 50_000_000)),
    ("one line of 50 MB in a csv", "line.csv", content(lambda: b"id,text\n1,\"" + b"It is so. " * 5_000_000 + b"\"\n2,We go on.\n")),
    ("csv with a quotation mark that never closes", "quote.csv", content(lambda: b"id,text\n1,\"We meet." + b"\n2,We go on." * 1_000_000)),
    ("NUL bytes in a text", "nul.txt", content(lambda: files.TEXT.replace("open", "open\0").encode())),
    ("NUL bytes, many", "nuls.txt", content(lambda: bytes(100_000))),
    ("lone surrogates in JSON", "lone.jsonl", content(lambda: b'{"text": "We help \\ud800 the coast. We do."}\n')),
    ("lone surrogates as bytes in a text", "lone.txt", content(lambda: files.TEXT.encode().replace(b"coast", b"co\xed\xa0\x80ast"))),
    ("right-to-left marks and zero-width characters", "rtl.txt",
     content(lambda: files.TEXT.replace("open", "o\u200bp\u200ben").replace("coast", "\u202ecoast\u202c").encode())),
    ("csv with ragged rows", "ragged.csv", content(lambda: b'id,text\n1,"We are here, all of us."\n2\n3,one,two,three\n4,It goes on.\n')),
    ("JSON nested 100,000 deep", "deep.jsonl", content(lambda: b"[" * 100_000 + b"\n")),
    ("html nested 60,000 deep", "deep.html", content(lambda: b"<html><body>" + b"<div>" * 60_000 + files.TEXT.encode())),
    ("picture named txt", "picture.txt", content(lambda: b"\x89PNG\r\n\x1a\n" + bytes(50))),
    ("empty file", "empty.txt", content(lambda: b"")),
    ("names with a line break, and with bytes that are no text", "names", odd_names),
    ("links in a circle and to nowhere", "loop", loops),
    ("FIFO", "pipe.txt", os.mkfifo),
    ("device", "zero.txt", lambda path: path.symlink_to("/dev/zero")),
    ("folder of 100,000 files, every thousandth empty", "many", folder_of_many),
)  # fmt: skip


def read(path: Path) -> dict[str, Any]:
    """Read one input, then a good file with the same reader, which must be there still."""
    documents = characters = 0
    errors: list[str] = []
    begin = time.perf_counter()
    with Reader() as reader:
        for item in reader.read_all([str(path)]):
            if isinstance(item, Document):
                documents, characters = documents + 1, characters + len(item.text)
            else:
                errors.append(str(item).replace(f"{path.parent}/", ""))
        seconds = time.perf_counter() - begin
        memory = peak(reader) if reader._process else 0.0
        (good,) = reader.read(str(ROOT / "seeds" / "demo" / "velmara-2019-interview.txt"))
        assert isinstance(good, Document), good
    return {
        "documents": documents, "characters": characters, "error_rows": len(errors), "first_errors": errors[:3],
        "seconds": round(seconds, 1), "peak_megabytes": round(memory),
    }  # fmt: skip


def inputs(only: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for what, name, make in INPUTS:
        if not any(words in what for words in only):
            continue
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            make(path)
            found = read(path)
        print(what, found, flush=True)
        yield what, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[""], help="inputs whose description holds one of these words")
    options = parser.parse_args()
    known = {row["input"]: row for row in json.loads(OUT.read_text(encoding="utf-8"))} if OUT.is_file() else {}
    known |= {what: {"input": what, **row} for what, row in inputs(options.only)}
    rows = [known[what] for what, _, _ in INPUTS if what in known]
    OUT.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
