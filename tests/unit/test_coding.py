from pathlib import Path

import pytest

pytestmark = pytest.mark.train
pytest.importorskip("datasets", reason="the train extra is not installed: make setup-train")

from rhetoric.codebook import default_codebook  # noqa: E402
from training.coding import Coding, CodingError, SheetPassage, adjudicate, disagreement_sheet, read_codings  # noqa: E402

BOOK = default_codebook()
SOFT, WEST, NGO = BOOK.keys


def answer(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "answers.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_answers_are_read_by_sentence_with_hesitation(tmp_path: Path) -> None:
    path = answer(tmp_path, "P1 2C 3SN? 1.?\n\nP2 -\n")
    codings = read_codings([path], {"P1": 3, "P2": 2}, BOOK)
    assert codings["P1"] == Coding("P1", ((), (WEST,), (SOFT, NGO)), (3, 1))
    assert codings["P2"].labels == ((), ())


@pytest.mark.parametrize(
    ("text", "word"),
    [("P1 4C", "3 sentences"), ("P9 1C", "P9"), ("P1 1X", "1X"), ("P1 1C\nP1 -", "twice"), ("yes", "yes")],
)
def test_answers_that_do_not_fit_are_refused(tmp_path: Path, text: str, word: str) -> None:
    with pytest.raises(CodingError, match=word):
        read_codings([answer(tmp_path, text)], {"P1": 3}, BOOK)


def test_only_disagreements_are_adjudicated() -> None:
    a = Coding("P1", ((SOFT,), (), (NGO, WEST)), ())
    b = Coding("P1", ((), (), (WEST, NGO)), ())
    with pytest.raises(CodingError, match="no adjudication"):
        adjudicate(a, b, None)
    decided = Coding("P1", ((SOFT, NGO), (WEST,), ()), ())
    assert adjudicate(a, b, decided) == (((SOFT, NGO), (), (NGO, WEST)), (1,))


def test_the_disagreement_sheet_shows_both_decisions() -> None:
    passage = SheetPassage("P1", "a speech", "", ("One.", "Two."), {2: "Q"})
    sheet = disagreement_sheet(
        [passage], {"P1": Coding("P1", ((), ()), ())}, {"P1": Coding("P1", ((), (WEST,)), ())}, BOOK
    )
    assert "-- Q\n2 Two.\n" in sheet
    assert sheet.endswith("DECIDE 2: one coder none, the other C\n")
