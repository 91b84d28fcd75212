"""Hostile and broken input: one error row with the reason each, the rest goes on, nothing hangs."""

from __future__ import annotations

import os
import time
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import polars as pl
import pytest

from rhetoric.errors import ReadError
from rhetoric.reading import Document, Limits, Reader, ReadOptions, Source, find_files
from rhetoric.reading.raw import Raw
from rhetoric.reading.tables import read_parquet
from tests.fuzzing import mutants
from tests.reading_files import ODT_NS, TEXT, docx_bytes, odt_bytes, pdf_bytes, write_all, xlsx_bytes, zip_bytes

LAUGHS = '<!DOCTYPE l [<!ENTITY a "lol">' + "".join(
    f'<!ENTITY {chr(98 + i)} "{("&" + chr(97 + i) + ";") * 10}">' for i in range(9)
) + "]>"  # fmt: skip


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader(ReadOptions(limits=Limits(size_mb=20, seconds=30))) as reader:
        yield reader


def with_member(package: bytes, name: str, change: object) -> bytes:
    """The package with a member made by `change` from what it was."""
    old = zipfile.ZipFile(BytesIO(package))
    members = {n: old.read(n) for n in old.namelist()}
    members[name] = change(members.get(name, b""))  # type: ignore[operator]
    return zip_bytes(members)


def overlapping() -> bytes:
    """A zip whose directory names its one packed member 500 times over."""
    once = zip_bytes({"a.txt": b"a" * 100_000})
    start, end = once.index(b"PK\x01\x02"), once.index(b"PK\x05\x06")
    entries, tail = once[start:end] * 500, once[end:]
    counts = (500).to_bytes(2, "little") * 2 + len(entries).to_bytes(4, "little")
    return once[:start] + entries + tail[:8] + counts + tail[16:]


def zeros(_: bytes) -> bytes:
    return bytes(100_000_000)


def laughing(xml: bytes) -> bytes:
    head, _, rest = xml.partition(b"?>")
    return head + b"?>" + LAUGHS.encode() + rest.replace(b"Dear", b"&j;Dear", 1)


BAD = {
    "bomb.zip": (lambda: zip_bytes({"a.txt": bytes(19_000_000).replace(b"\0", b"a")}), "like a zip bomb"),
    "overlap.zip": (overlapping, "files overlap"),
    "large.zip": (lambda: zip_bytes({"a.txt": b"a" * 50_000_000}), "above the limit"),
    "nested.zip": (lambda: zip_bytes({"b.zip": zip_bytes({"a.txt": b"a"})}), "zip inside a zip"),
    "bomb.docx": (lambda: with_member(docx_bytes(), "word/media/x.bin", zeros), "above the limit|zip bomb"),
    "bomb.xlsx": (lambda: with_member(xlsx_bytes(), "xl/media/x.bin", zeros), "above the limit|zip bomb"),
    "laughs.docx": (lambda: with_member(docx_bytes(), "word/document.xml", laughing), "damaged"),
    "laughs.odt": (lambda: odt_bytes(LAUGHS, "&j;"), "damaged"),
    "locked.pdf": (lambda: pdf_bytes(encrypt="secret"), "encrypted"),
    "cut.pdf": (lambda: pdf_bytes()[:600], "cut off or damaged"),
    "scan.pdf": (lambda: pdf_bytes(0) if False else b"%PDF-1.4\n", "no PDF"),
    "cut.docx": (lambda: docx_bytes()[:3000], "no docx"),
    "old.docx": (lambda: b"\xd0\xcf\x11\xe0" + bytes(600), "encrypted or in Word's old format"),
    "cut.parquet": (lambda: b"PAR1" + bytes(50) + b"PAR1", "damaged"),
    "picture.txt": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(50), "an image"),
    "noise.txt": (lambda: bytes(range(256)) * 20, "not a text file"),
    "empty.txt": (lambda: b"", "empty"),
    "blank.csv": (lambda: b"\n", "empty"),
    "cues.srt": (lambda: b"1\n99:99 --> x\nHi\n", "no cue"),
    "none.jsonl": (lambda: b"nothing\n[1]\n", "no JSON|no line"),
    "deep.jsonl": (lambda: b"[" * 100_000, "no JSON|no line"),
    "program.exe": (lambda: b"MZ\x90\x00", "a program"),
    "sheet.ods": (lambda: b"plain text", "not read"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_error_with_the_reason(name: str, reader: Reader) -> None:
    make, reason = BAD[name]
    items = list(reader.read(Source(name, content=make(), limit=20_000_000)))
    assert [type(item) for item in items] == [ReadError]
    assert __import__("re").search(reason, str(items[0])), items[0]
    assert name in str(items[0])
    (good,) = reader.read(Source("good.txt", content=TEXT.encode()))
    assert isinstance(good, Document)


def test_an_entity_from_elsewhere_is_not_read(reader: Reader) -> None:
    content = odt_bytes('<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;")
    assert ODT_NS and b"content.xml" in content
    (document,) = reader.read(Source("x.odt", content=content))
    assert isinstance(document, Document)
    assert "root:" not in document.text


def test_yaml_that_multiplies_is_no_fact(reader: Reader) -> None:
    levels = "\n".join(f"{b}: &{b} [{','.join(['*' + a] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    (document,) = reader.read(Source("y.txt", content=f"---\na: &a [x]\n{levels}\ntitle: *i\n---\n{TEXT}".encode()))
    assert isinstance(document, Document)
    assert document.title == ""


def test_ragged_rows_are_errors_and_the_others_are_read(reader: Reader) -> None:
    content = b'id,text\n1,"We are here, all of us."\n2\n3,one,two,three\n4,It goes on.\n'
    items = list(reader.read(Source("r.csv", content=content)))
    assert [type(item) for item in items] == [Document, ReadError, ReadError, Document]
    assert "row 4" in str(items[2]) and "quotation marks" in str(items[2])


def test_a_table_that_packs_one_text_a_thousand_times_over_is_read_no_further() -> None:
    buffer = BytesIO()
    pl.select(pl.repeat(TEXT * 130, 5000).alias("text")).write_parquet(buffer)
    items = list(read_parquet(Source("equal.parquet", content=buffer.getvalue()), ReadOptions()))
    assert isinstance(items[-1], ReadError) and "like a zip bomb" in str(items[-1])
    assert sum(len(item.text) for item in items if isinstance(item, Raw)) <= 200_000_000


def test_lone_surrogates_can_be_written(reader: Reader) -> None:
    (document,) = reader.read(Source("s.jsonl", content=b'{"text": "We help \\ud800 the coast."}\n'))
    assert isinstance(document, Document)
    document.text.encode("utf-8")


def test_too_slow_is_stopped_and_the_next_file_is_read() -> None:
    slow = b"<div>" * 60_000 + b"hello " * 200_000
    with Reader(ReadOptions(limits=Limits(seconds=0.2))) as reader:
        reader.start()
        list(reader.read(Source("first.txt", content=TEXT.encode())))
        begin = time.monotonic()
        items = list(reader.read(Source("big.txt", content=b"It is. " * 4_000_000)))
        assert time.monotonic() - begin < 20
        assert isinstance(items[0], ReadError) and "--timeout" in str(items[0])
    with Reader() as reader:
        assert list(reader.read(Source("deep.html", content=slow)))


def test_too_much_memory_is_stopped_and_the_next_file_is_read() -> None:
    with Reader(ReadOptions(limits=Limits(memory_mb=300))) as reader:
        (item,) = reader.read(Source("big.txt", content=("It is é. " * 9_000_000).encode()))
        assert isinstance(item, ReadError)
        assert "--max-memory" in str(item)
        (good,) = reader.read(Source("good.txt", content=TEXT.encode()))
        assert isinstance(good, Document)


def test_a_huge_file_is_refused_without_reading_it(tmp_path: Path, reader: Reader) -> None:
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate(2_000_000_000)
    begin = time.monotonic()
    (item,) = reader.read(str(path))
    assert isinstance(item, ReadError) and "2,000 MB" in str(item) and "--max-size" in str(item)
    assert time.monotonic() - begin < 10


def test_loops_pipes_and_odd_names(tmp_path: Path, reader: Reader) -> None:
    (tmp_path / "loop").mkdir()
    (tmp_path / "loop" / "self").symlink_to(tmp_path / "loop")
    (tmp_path / "loop" / "round.txt").symlink_to(tmp_path / "loop" / "round.txt")
    (tmp_path / "two\nlines.txt").write_text(TEXT, encoding="utf-8")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/b\xff.txt")).write_text(TEXT, encoding="utf-8")
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere.txt")
    found = list(find_files([str(tmp_path)]))
    assert sum(isinstance(item, str) for item in found) == 2
    errors = " ".join(str(item) for item in found if isinstance(item, ReadError))
    assert len(found) == 5 and all(
        words in errors for words in ("symbolic links", "a pipe", "a link to what is not there")
    )
    (error,) = find_files([str(tmp_path / "pipe.txt")])
    assert isinstance(error, ReadError) and "a pipe" in str(error)
    names = sorted(
        item.name[len(str(tmp_path)) + 1 :] for item in reader.read_all([str(tmp_path)]) if isinstance(item, Document)
    )
    assert names == ["b\\xff.txt", "two\nlines.txt"]


def test_a_broken_generator_leaves_no_process() -> None:
    with Reader() as reader:
        items = reader.read(Source("r.jsonl", content=b'{"text": "One is here."}\n' * 5000))
        next(items)
        process = reader._process
        items.close()
        assert process is not None and process.poll() is not None


def test_mutated_files_never_break_the_worker(tmp_path: Path) -> None:
    paths = list(write_all(tmp_path).values())
    with Reader(ReadOptions(limits=Limits(seconds=30))) as reader:
        list(reader.read(Source("first.txt", content=TEXT.encode())))
        worker = reader._process
        for name, content in mutants(paths, int(os.environ.get("RHETORIC_FUZZ", "300")), seed=4):
            assert list(reader.read(Source(name, content=content))), name
        assert reader._process is worker
