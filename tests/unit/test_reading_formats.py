"""Every format becomes the same document: the same sentences, the facts, places in the source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rhetoric.errors import ReadError
from rhetoric.reading import Document, Reader, ReadOptions, Source
from rhetoric.reading.subtitles import Cue, join_cues
from rhetoric.voices import read_voices
from tests.reading_files import PARAGRAPHS, SENTENCES, TEXT, TITLE, html_page, table, write_all, zip_bytes

ONE_DOCUMENT = ("txt", "md", "html", "docx", "odt", "rtf", "srt", "vtt")
TABLES = ("csv", "tsv", "xlsx", "jsonl", "parquet")


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_all(tmp_path_factory.mktemp("formats"))


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with Reader() as reader:
        yield reader


def documents(reader: Reader, given: str | Source) -> list[Document]:
    found = []
    for item in reader.read(given):
        assert isinstance(item, Document), item
        found.append(item)
    return found


def sentences(document: Document) -> list[str]:
    return [" ".join(document.text[s.start : s.end].split()) for s in read_voices(document).segments.sentences]


@pytest.mark.parametrize("ending", ONE_DOCUMENT)
def test_the_same_speech_has_the_same_sentences(ending: str, paths: dict[str, Path], reader: Reader) -> None:
    (document,) = documents(reader, str(paths[ending]))
    plain = [s.replace("’", "'") for s in sentences(document)]
    (expected,) = documents(reader, Source("speech.txt", content=TEXT.encode()))
    assert plain == sentences(expected)
    assert len(plain) == SENTENCES
    assert document.language == "en"


@pytest.mark.parametrize("ending", ["md", "html", "docx", "odt", "rtf", "pdf"])
def test_titles_are_facts_and_no_sentences(ending: str, paths: dict[str, Path], reader: Reader) -> None:
    (document,) = documents(reader, str(paths[ending]))
    assert document.title == TITLE
    assert TITLE not in document.text


@pytest.mark.parametrize("ending", TABLES)
def test_a_row_is_a_document_with_facts(ending: str, paths: dict[str, Path], reader: Reader) -> None:
    first, second = documents(reader, str(paths[ending]))
    assert (first.title, first.date, first.speaker) == (TITLE, "2019-05-03", "Ana Vell")
    assert (second.date, second.speaker) == ("2020", "Bo Tarn")
    assert len(sentences(first)) == SENTENCES
    assert first.where(0) == f"row {1 if ending in ('jsonl', 'parquet') else 2}"


def test_a_zip_holds_its_documents_and_no_hidden_files(paths: dict[str, Path], reader: Reader) -> None:
    names = [document.name for document in documents(reader, str(paths["zip"]))]
    assert [name.rpartition("speech.zip/")[2] for name in names] == [
        "in/speech.txt",
        "rows.csv row 2",
        "rows.csv row 3",
    ]


def test_a_pdf_is_joined_over_hyphens_and_pages(paths: dict[str, Path], reader: Reader) -> None:
    (document,) = documents(reader, str(paths["pdf"]))
    assert "friendship" in document.text
    assert "and they receive grants" in document.text
    assert {piece.reason for piece in document.dropped} >= {"running head", "page number"}
    assert document.where(0) == "page 1"
    assert document.where(len(document.text) - 1) == "page 2"


def test_a_page_without_its_menus(paths: dict[str, Path], reader: Reader) -> None:
    (document,) = documents(reader, str(paths["html"]))
    dropped = " ".join(piece.text for piece in document.dropped)
    for furniture in ("Home", "All the news of the port", "ten harbours", "all rights reserved"):
        assert furniture in dropped
        assert furniture not in document.text
    assert document.source == "Port Office"
    assert document.date == "2019-05-04"


def test_bold_names_of_a_page_are_speakers(reader: Reader) -> None:
    body = f"<p><b>Ana Vell:</b> {PARAGRAPHS[1]}</p><p><strong>Question</strong>: {PARAGRAPHS[2]}</p><p><b>Ana Vell:</b> {PARAGRAPHS[3]}</p>"
    page = html_page().replace("</article>", f"{body}</article>")
    (document,) = documents(reader, Source("page.html", content=page.encode()))
    assert [turn.speaker for turn in read_voices(document).segments.turns][-3:] == ["Ana Vell", "Question", "Ana Vell"]


def test_cues_that_roll_up_are_taken_once() -> None:
    cues = [
        Cue(0, 2000, ("we stand",)),
        Cue(2000, 4000, ("we stand", "by our friends.")),
        Cue(9000, 9500, ("Thank you.",)),
    ]
    text, marks = join_cues(cues)
    assert text == "we stand by our friends.\n\nThank you."
    assert [mark.label for mark in marks] == ["00:00:00", "00:00:02", "00:00:09"]


def test_voices_of_vtt_are_turns(reader: Reader) -> None:
    content = b"WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ana Vell>We are here.\n\n00:02.000 --> 00:03.000\n<v Bo Tarn>So are we.\n"
    (document,) = documents(reader, Source("a.vtt", content=content))
    assert list(read_voices(document).speakers) == ["Ana Vell", "Bo Tarn"]


def test_rows_that_are_sentences_stay_as_they_are() -> None:
    rows = [
        {"doc_id": "x", "sentence": "We came. We saw it.", "speaker": "Ana"},
        {"doc_id": "x", "sentence": "Who paid?", "speaker": "Bo"},
        {"doc_id": "y", "sentence": "Nobody did.", "speaker": "Ana"},
    ]
    with Reader(ReadOptions(rows="sentence")) as reader:
        x, y = documents(reader, Source("s.csv", content=table(rows=rows).encode()))
    assert sentences(x) == ["We came. We saw it.", "Who paid?"]
    assert list(read_voices(x).speakers) == ["Ana", "Bo"]
    assert x.where(x.rows[1].start) == "row 3"
    assert sentences(y) == ["Nobody did."]


def test_columns_can_be_named_and_missing_ones_are_told() -> None:
    content = table(rows=[{"who_spoke": "Ana", "words": "We came to help them."}]).encode()
    with Reader() as reader:
        (error,) = reader.read(Source("t.csv", content=content))
    assert isinstance(error, ReadError)
    assert "who_spoke, words" in str(error) and "--text-column" in str(error)
    with Reader(ReadOptions(columns={"text": "words", "speaker": "who_spoke"})) as reader:
        (document,) = documents(reader, Source("t.csv", content=content))
    assert document.speaker == "Ana"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_told_by_the_header(delimiter: str, reader: Reader) -> None:
    assert len(documents(reader, Source("t.csv", content=table(delimiter).encode()))) == 2


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8-sig", "The café of Côte d’Ivoire is open. We meet there."),
        ("utf-16", "The café of Côte d’Ivoire is open. We meet there."),
        ("cp1252", "The café of Côte d’Ivoire is open. We meet there."),
        ("cp1251", "Мы поддерживаем неправительственные организации. Мы будем развивать мягкую силу вместе с ними."),
    ],
)
def test_encodings_are_found_and_told(encoding: str, text: str, reader: Reader) -> None:
    (document,) = documents(reader, Source("a.txt", content=(text * 3).encode(encoding)))
    assert document.text == text * 3
    assert document.encoding == encoding.removesuffix("-sig")


def test_one_bad_byte_does_not_change_the_encoding(reader: Reader) -> None:
    content = ("The café is open – “today”. " * 50).encode() + b"\xff We meet."
    (document,) = documents(reader, Source("a.txt", content=content))
    assert document.encoding == "utf-8"
    assert "café" in document.text and document.notes


def test_a_format_is_told_by_its_bytes_too(paths: dict[str, Path], reader: Reader) -> None:
    (document,) = documents(reader, Source("speech.txt", content=paths["pdf"].read_bytes()))
    assert document.format == "pdf"
    (document,) = documents(reader, Source("-", content=paths["docx"].read_bytes()))
    assert document.format == "docx"


def test_a_member_of_a_zip_that_is_bad_is_one_error(reader: Reader) -> None:
    items = list(
        reader.read(Source("a.zip", content=zip_bytes({"a.pdf": b"%PDF-", "b.txt": TEXT.encode(), "c.docx": b"x"})))
    )
    assert [type(item) for item in items] == [ReadError, Document, ReadError]
    assert "a.zip/a.pdf" in str(items[0])
