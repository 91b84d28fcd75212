import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.windows import CONTEXTS, normalise, windows

CLS, SEP = 101, 102
turns = st.lists(st.lists(st.integers(1000, 30000), max_size=90), max_size=40)


@pytest.mark.parametrize("context", CONTEXTS)
@given(turn=turns, max_pieces=st.integers(16, 256))
def test_every_sentence_is_classified_once_from_its_own_pieces(
    context: str, turn: list[list[int]], max_pieces: int
) -> None:
    laid = windows(turn, context, max_pieces, CLS, SEP)  # type: ignore[arg-type]
    numbers = [n for window in laid for n, _, _ in window.sentences]
    assert numbers == list(range(len(turn)))
    for window in laid:
        assert len(window.pieces) <= max_pieces
        assert (window.pieces[0], window.pieces[-1]) == (CLS, SEP)
        for n, start, end in window.sentences:
            assert list(window.pieces[start:end]) == (turn[n][: max_pieces - 2] or [SEP])


@given(turn=turns)
def test_a_window_starts_with_sentences_of_the_one_before(turn: list[list[int]]) -> None:
    laid = windows(turn, "window", 128, CLS, SEP)
    for window in laid[1:]:
        first, start, _ = window.sentences[0]
        before = [piece for sentence in turn[max(0, first - 2) : first] for piece in (sentence[:126] or [SEP])]
        assert list(window.pieces[1:start]) == before[len(before) - (start - 1) :]


def test_in_a_pair_the_sentence_before_is_a_segment_of_its_own_and_cut_from_its_start() -> None:
    laid = windows([[1] * 10, [2, 3], list(range(20))], "pair", 24, CLS, SEP)
    assert [w.pieces[:3] for w in laid] == [(CLS, 1, 1), (CLS, 1, 1), (CLS, 3, SEP)]
    assert laid[1].pieces == (CLS, *[1] * 10, SEP, 2, 3, SEP) and laid[1].sentences == ((1, 12, 14),)


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("the “so-called’ West", "the \"so-called' West"),
        ("the Secretary-\nGeneral", "the Secretary-General"),
        ("many\r\n  lines\tand\u00a0spaces\u200b", "many lines and spaces"),
        ("soft\u00adpower – yes", "softpower - yes"),
    ],
)
def test_what_should_not_matter_is_folded(raw: str, plain: str) -> None:
    assert normalise(raw) == plain
