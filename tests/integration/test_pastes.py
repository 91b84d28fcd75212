"""Texts that are no speech, through the command line and the Python interface: rows, or one line with the reason."""

import json
import re

import pytest
from click.testing import CliRunner

from model.classifier import Classifier
from rhetoric.cli import main
from rhetoric.errors import ReadError
from rhetoric.label import foreign, label_document
from rhetoric.reading import Document, read_bytes

ENGLISH = "We will give grants to our NGOs. The West has lied to us for years."
PLAIN = ["We will give grants to our NGOs.", "The West has lied to us for years."]
ENDLESS = "we go on and " * 7_700

REFUSED = {
    "Chinese": ("我们尊重国际法。我们的文化闻名世界。感谢大家的关注。", "this is in Chinese"),
    "one short sentence in Chinese": ("我们尊重国际法。", "this is in Chinese"),
    "Russian": ("Мы уважаем международное право. Наша культура известна во всём мире.", "this is in Russian"),
    "Arabic": ("نحن نحترم القانون الدولي. ثقافتنا معروفة في جميع أنحاء العالم.", "this is in Arabic"),
    "every byte": (bytes(range(256)) * 40, "not a text file"),
    "NUL bytes, many": ("\0" * 200 + ENGLISH, "not a text file"),
    "facts that are no facts": ("---\ntitle: [\n---\n" + ENGLISH, "not YAML"),
    "nothing": ("", "empty"),
    "blanks": (" \n\t ", "empty"),
    "punctuation": ("?!… — *** ¿", "no text"),
    "emoji": ("😀👍🏽👨‍👩‍👧‍👦🎉", "no text"),
    "zero-width characters": ("\u200b\u200d\u2060\ufeff\u200b", "no text"),
    "combining characters": ("\u0301\u0300" * 50, "no text"),
}  # fmt: skip
LABELLED = {
    "zero-width characters": ("\ufeffWe will\u200b give gra\u00adnts to our\u2060 NGOs. " + PLAIN[1], PLAIN),
    "marks of direction": ("We \u202ewill give\u202c grants to our NGOs. " + PLAIN[1], PLAIN),
    "combining characters": ("Za" + "\u0301" * 500 + "lgo speaks. " + PLAIN[1], ["Za" + "\u0301" * 500 + "lgo speaks.", PLAIN[1]]),
    "NUL bytes, few": (ENGLISH.replace(" us", "\0us"), PLAIN),
    "a script": ("We <script>alert(1)</script> stand <b>together</b>.", ["We <script>alert(1)</script> stand <b>together</b>."]),
}  # fmt: skip


def sent(text):
    return text if isinstance(text, bytes) else text.encode()


def label(path, stdin=None):
    """Label a path; there is no traceback, and whatever went wrong is one line before the summary."""
    result = CliRunner().invoke(main, ["label", str(path)], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    *said, summary = result.stderr.splitlines()
    assert re.fullmatch(r"\d[\d,]* sentences? in \d documents?.*", summary)
    return [json.loads(line) for line in result.stdout.splitlines()], said, result.exit_code


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_labelled_is_one_line_with_the_reason(tmp_path, case):
    text, reason = REFUSED[case]
    path = tmp_path / "paste.txt"
    path.write_bytes(sent(text))
    for rows, said, code in (label(path), label("-", sent(text))):
        assert (rows, len(said), code) == ([], 1, 1)
        assert reason in said[0]


@pytest.mark.parametrize("case", REFUSED)
def test_the_python_interface_refuses_or_tells_the_language(case):
    text, reason = REFUSED[case]
    try:
        told = foreign(read_bytes(sent(text), "paste.txt"))
    except ReadError as error:
        told = str(error)
    assert reason in told and "\n" not in told


@pytest.mark.parametrize("case", LABELLED)
def test_odd_characters_do_no_harm_to_the_sentences(tmp_path, case, classifier: Classifier):
    text, expected = LABELLED[case]
    path = tmp_path / "paste.txt"
    path.write_bytes(sent(text))
    (by_file, *rest), (by_pipe, *_) = label(path), label("-", sent(text))
    assert rest == [[], 0]
    assert [row["text"] for row in by_file] == expected
    assert [{**row, "document": "-"} for row in by_file] == by_pipe
    found = label_document(read_bytes(sent(text), "paste.txt"), classifier).sentences
    assert [(s.text, list(s.labels)) for s in found] == [(row["text"], row["labels"]) for row in by_file]


@pytest.mark.parametrize("text", [ENDLESS, "a" * 100_000, "(" * 50_000 + "a" + ")" * 50_000, ENDLESS * 10], ids=len)
def test_a_sentence_without_end_is_labelled_in_pieces_that_lose_nothing(text, classifier: Classifier):
    found = label_document(Document("endless", text), classifier).sentences
    assert max(s.end - s.start for s in found) <= 5_000
    kept = "".join(text[s.start : s.end] for s in found)
    assert re.sub(r"\W", "", kept) == re.sub(r"\W", "", text)


def test_half_a_character_is_refused_with_its_place_and_the_remedy(classifier: Classifier):
    text = "We help \ud800 the coast."
    with pytest.raises(ReadError, match=r"character 8 is '\\ud800'.*replace") as refused:
        Document("mine.txt", text)
    assert str(refused.value).isascii()
    (row,) = label_document(Document("mine.txt", text.encode("utf-8", "replace").decode()), classifier).sentences
    assert row.text == "We help ? the coast."
