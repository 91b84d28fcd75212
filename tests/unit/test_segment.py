"""Turns and sentences, on text of our own."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rhetoric.segment import segment, segment_rows


def sentences(text: str) -> list[str]:
    return [" ".join(text[s.start : s.end].split()) for s in segment(text).sentences]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("I thank Ms. Espinosa for it. She was here.", 2),
        ("See No. 5 of the list. It is long.", 2),
        ("“What?” he said. Nobody spoke.", 2),
        ("“We came. We saw.” They left.", 3),
        ("It is our policy.¹ It was theirs.", 2),
        ("U.S. policy is old. Mr. Tarn left at 5 p.m. on Monday.", 2),
        ("***", 0),
    ],
)
def test_sentences(text: str, count: int) -> None:
    assert len(sentences(text)) == count


def test_a_line_that_stops_at_a_small_word_goes_on() -> None:
    text = "We speak on behalf of the President of the\n\nBolivarian Republic, and we speak in the name of all.\n"
    assert len(sentences(text)) == 1


@pytest.mark.parametrize(
    ("text", "speakers"),
    [
        ("QUESTION: Why?\n\nMR. TARN: Because.\n", ["QUESTION", "MR. TARN"]),
        ("**Ana Vell:** We came.\n\n**Bo Tarn**: We left.\n", ["Ana Vell", "Bo Tarn"]),
        (
            "Ana Vell: We came.\n\nBo Tarn: We left.\n\nAna Vell: So.\n\nBo Tarn: So.\n",
            ["Ana Vell", "Bo Tarn", "Ana Vell", "Bo Tarn"],
        ),
        ("Our aims: peace and work.\n\nWe go on.\n", [""]),
    ],
)
def test_turns(text: str, speakers: list[str]) -> None:
    assert [turn.speaker for turn in segment(text).turns] == speakers


def test_rows_are_sentences_and_a_new_speaker_is_a_turn() -> None:
    segments = segment_rows([(0, 4, "A"), (5, 9, "A"), (10, 12, "B")])
    assert [s.turn for s in segments.sentences] == [0, 0, 1]
    assert (segments.turns[0].start, segments.turns[0].end) == (0, 9)


def test_no_sentence_is_longer_than_a_page() -> None:
    text = "word " * 20_000
    segments = segment(text)
    assert max(s.end - s.start for s in segments.sentences) <= 5000
    assert "".join(text[s.start : s.end] for s in segments.sentences).replace(" ", "") == text.replace(" ", "")


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("aBz .?!\n\r\f\t:“”\"'*()0-1¹—\u00a0\u2028é"), max_size=300))
def test_sentences_are_in_order_without_overlap_and_lose_no_word(text: str) -> None:
    segments = segment(text)
    last = 0
    for sentence in segments.sentences:
        assert last <= sentence.start < sentence.end <= len(text)
        assert any(map(str.isalnum, text[sentence.start : sentence.end]))
        last = sentence.end
    assert [s.turn for s in segments.sentences] == sorted(s.turn for s in segments.sentences)
