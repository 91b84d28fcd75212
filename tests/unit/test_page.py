"""What the page draws, without a browser."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest

from model.manifest import Decision, Manifest
from rhetoric import page
from rhetoric.codebook import Codebook, default_codebook
from rhetoric.errors import ReadError
from rhetoric.label import Labelling, label_document
from rhetoric.reading import Document

BOOK = default_codebook()
DOUBT = (0.4, 0.6)
MANIFEST = Manifest(
    version="test", codebook_version=BOOK.version, context="window", max_pieces=256, base="x", base_sha256="x",
    dataset_sha256="x", files={}, decisions={key: Decision(1.0, 0.0, 0.5, DOUBT) for key in BOOK.keys},
)  # fmt: skip
PAGE = page.Page(BOOK, MANIFEST, "9.9")
TEXT = (
    "CHAIR: We begin now. Please sit.\n\nENVOY: They love our songs & films. They lied to us. We pay for <b>choirs</b>."
)
ROWS = [[0.0, 0.0, 0.1], [0.45, 0.0, 0.0], [0.9, 0.7, 0.55], [0.1, 0.99, 0.1], [0.1, 0.1, 1.0]]


@dataclass
class Fixed:
    """A classifier that knows its answers."""

    rows: list[list[float]]
    manifest: Manifest = MANIFEST

    def predict_proba(self, turns: list[list[str]]) -> list[np.ndarray]:
        answers = iter(self.rows)
        return [np.array([next(answers) for _ in turn]).reshape(-1, len(BOOK.keys)) for turn in turns]

    def start(self, turns: list[list[str]]) -> SimpleNamespace:
        return SimpleNamespace(result=lambda: self.predict_proba(turns))


class Tags(HTMLParser):
    """Checks that tags are closed in order, and collects the text outside labels."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        if tag not in ("input", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def labelling(text: str = TEXT, rows: list[list[float]] = ROWS, **facts: str) -> Labelling:
    return label_document(Document(name="speech.txt", text=text, **facts), Fixed(rows))


def parse(html: str) -> Tags:
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    return tags


@pytest.mark.parametrize("html", [PAGE.empty(), PAGE.foot(), PAGE.message("a < b"), PAGE.result(labelling())])
def test_html_is_well_formed(html: str) -> None:
    parse(html)


def test_result_has_every_sentence_and_turn_once() -> None:
    html = PAGE.result(labelling())
    assert re.findall(r'data-n="(\d+)"', html) == ["1", "2", "3", "4", "5"]
    assert re.findall(r'class="rh-speaker">(\w+)<', html) == ["CHAIR", "ENVOY"]
    assert len(re.findall('tabindex="0"', html)) == 1


def test_counts_in_the_figure_are_those_of_the_labels() -> None:
    result = labelling()
    counts = [sum(key in s.labels for s in result.sentences) for key in BOOK.keys]
    counts += [sum(not s.labels for s in result.sentences), sum(s.needs_review for s in result.sentences)]
    shown = re.findall(r'class="rh-count">(\d+) of 5<', PAGE.result(result))
    assert list(map(int, shown)) == counts == [1, 2, 2, 2, 2]


def test_review_is_marked_apart_from_none_and_from_a_label() -> None:
    html = PAGE.result(labelling())
    classes = re.findall(r'<span class="(rh-s [^"]+)"', html)
    assert classes[0] == "rh-s is-none"
    assert classes[1] == "rh-s is-none is-review"
    assert classes[2] == f"rh-s {' '.join(f'is-{key}' for key in BOOK.keys)} is-review"
    assert html.count("rh-u-review") == 1
    assert html.count("needs review)") == 2


def test_a_sentence_shows_each_of_its_categories() -> None:
    third = PAGE.result(labelling()).split('data-n="3"')[1].split('data-n="4"')[0]
    for key, words in zip(BOOK.keys, ("90%", "70%", "55%"), strict=True):
        assert f"rh-u-{key}" in third and f"var(--k-{key})" in third and words in third


def test_figures_follow_the_codebook() -> None:
    fewer = Codebook(BOOK.version, BOOK.title, BOOK.rules, BOOK.categories[:1])
    manifest = replace(MANIFEST, decisions={BOOK.keys[0]: MANIFEST.decisions[BOOK.keys[0]]})
    html = page.Page(fewer, manifest, "9.9").empty()
    assert BOOK.categories[0].name in html and BOOK.categories[1].name not in html
    assert BOOK.categories[1].key not in page.style(fewer)


def test_hostile_text_and_facts_are_escaped() -> None:
    hostile = "<script>x</script> {{y}} ${z} `w` \\u0041 \"'&amp; word."
    html = PAGE.result(labelling(hostile, [[0.0] * 3], title=hostile, speaker=hostile, source=hostile))
    html += PAGE.message(hostile)
    assert "script" not in parse(html).seen
    for raw in ("<script", "{{", "${", "`", "\\"):
        assert raw not in html


def test_hard_wrapped_lines_are_one_paragraph() -> None:
    text = "We have come a long way and the road\nthat lies before us is longer still, for all\nof us who "
    text += "set out that morning in the rain\nand did not know where it would lead us in the\nend. We go on."
    result = labelling(text, [[0.0] * 3] * 2)
    assert PAGE.result(result).count('class="rh-p"') == 1


def test_text_without_a_sentence_is_said() -> None:
    assert "No sentence" in PAGE.result(Labelling(Document("x", "x"), ()))


def test_marks_are_distinct() -> None:
    letters = page.marks(BOOK)
    assert tuple(letters) == BOOK.keys and len(set(letters.values())) == len(BOOK.keys)
    names = ("Aa", "AA", "aa")  # no letter of their own but the first
    same = [replace(c, key=f"k{i}", name=names[i]) for i, c in enumerate(BOOK.categories)]
    assert list(page.marks(Codebook("1.0", "t", ("r",), tuple(same))).values()) == ["A", "2", "3"]


def test_percent_never_claims_certainty() -> None:
    assert [page.percent(p) for p in (0.0, 0.0001, 0.004, 0.006, 0.994, 0.9951, 1.0)] == [
        "0%", "<1%", "<1%", "1%", "99%", ">99%", "100%",
    ]  # fmt: skip


@pytest.mark.parametrize("category", BOOK.categories, ids=lambda c: c.key)
def test_ink_reads_on_every_colour(category: object) -> None:
    colour = category.colour

    def luminance(c: str) -> float:
        parts = [int(c[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return float(np.dot([0.2126, 0.7152, 0.0722], linear))

    low, high = sorted((luminance(colour), luminance(page.ink(colour))))
    assert (high + 0.05) / (low + 0.05) >= 4.5


@pytest.mark.parametrize("text", ["", "  \n", "—!?…", "***"])
def test_nothing_to_label_is_refused(text: str) -> None:
    with pytest.raises(ReadError):
        page.pasted(text)


def test_too_long_is_refused_with_the_command() -> None:
    with pytest.raises(ReadError, match="rhetoric label FILE"):
        page.pasted("word " * (page.MAX_CHARACTERS // 5 + 1))


def test_unchanged_text_keeps_the_document_and_changed_text_does_not() -> None:
    taken = Document("a.txt", "One line.\r\nAnother line.", title="T")
    assert page.pasted("One line.\nAnother line.", taken) is taken
    assert page.pasted("One line.\nAnother.", taken).title == ""


@pytest.mark.parametrize(
    ("language", "said"), [("ru", "This is in Russian"), ("xx", "This is in xx"), ("en", ""), ("", "")]
)
def test_another_language_is_said(language: str, said: str) -> None:
    html = PAGE.result(labelling(language=language))
    assert said in html and ("is-warning" in html) == bool(said)
