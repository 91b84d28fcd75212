"""Remarks on the worst errors, and their table in the model card."""

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.train
pytest.importorskip("datasets", reason="the train extra is not installed: make setup-train")

from rhetoric.codebook import default_codebook  # noqa: E402
from training.cards import REMARKS, error_kinds  # noqa: E402
from training.remarks import KINDS, RemarkError, read_remarks, remarks_on  # noqa: E402

BOOK = default_codebook()
ERRORS = [
    {"passage": "P1", "sentence": 3, "category": "soft_power"},
    {"passage": "P1", "sentence": 3, "category": "ngo_support"},
    {"passage": "W2", "sentence": 1, "category": "soft_power"},
    {"passage": "W9", "sentence": 1, "category": "criticism_west"},
]


def remark(passage: str, sentence: int | str, category: str, kind: str = "context", text: str = "A pronoun.") -> str:
    return json.dumps(
        {"passage": passage, "sentence": sentence, "category": category, "kind": kind, "remark": text}
    )  # fmt: skip


def written(folder: Path, *lines: str) -> Path:
    path = folder / "remarks.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_remark_counts_only_while_its_error_is_among_the_worst(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        remark("W2", 1, "soft_power", text="Second among the errors."),
        remark("P1", 3, "soft_power", text="First among the errors."),
        remark("P1", 3, "ngo_support", "border"),
        remark("P1", 4, "soft_power", "aid"),
    )
    remarks = read_remarks(path, BOOK)
    assert [r.error for r in remarks_on(ERRORS, remarks)] == [
        ("P1", 3, "soft_power"), ("P1", 3, "ngo_support"), ("W2", 1, "soft_power"),
    ]  # fmt: skip
    lines = error_kinds({"worst_errors": ERRORS}, remarks, BOOK).splitlines()
    assert lines[2] == f"| {KINDS['context']} | 2 | 2 | 0 | 0 | First among the errors. |"
    assert lines[3] == f"| {KINDS['border']} | 1 | 0 | 0 | 1 | A pronoun. |"
    assert lines[4:] == ["", "3 of the present 4 worst errors have a remark."]


def test_without_remarks_there_is_only_the_line() -> None:
    assert error_kinds({"worst_errors": ERRORS}, {}, BOOK) == "0 of the present 4 worst errors have a remark."


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (remark("P1", 3, "soft_power", "luck"), "line 2: kind is 'luck'; it must be one of context"),
        (remark("P1", 3, "softpower"), "line 2: category is 'softpower'"),
        (remark("P1", 3, "soft_power", text=" "), "line 2: the remark is empty"),
        (remark("W2", 1, "soft_power", "aid"), "line 2: a second remark on W2, sentence 1, soft_power"),
        (remark("P1", "3", "soft_power"), "line 2: sentence is '3'"),
        ('{"passage": "P1"}', "line 2: .*missing"),
        ("[1]", "line 2: "),
        ("kind: context", "line 2: "),
    ],
)
def test_a_line_that_is_no_remark_is_refused_with_its_number(tmp_path: Path, line: str, words: str) -> None:
    with pytest.raises(RemarkError, match=words):
        read_remarks(written(tmp_path, remark("W2", 1, "soft_power"), line), BOOK)


def test_the_shipped_remarks_are_read_and_short() -> None:
    remarks = read_remarks(REMARKS, BOOK)
    assert len(remarks) >= 50
    assert not [r for r in remarks.values() if len(r.remark.split()) > 25], "a remark describes, it does not quote"
