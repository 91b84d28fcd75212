"""Distillation: which passages the teacher labels, and what is kept of its labels."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.train
pytest.importorskip("torch", reason="the train extra is not installed: make setup-train")

from training import splits, teacher  # noqa: E402
from training.config import Config  # noqa: E402
from training.corpus import CorpusDocument, CorpusError  # noqa: E402
from training.data import CodedSentence, Passage, read_jsonl  # noqa: E402
from training.fit import fit  # noqa: E402
from training.metrics import Floats  # noqa: E402


def speech(name: str) -> CorpusDocument:
    text = " ".join(f"This is sentence {i} of {name}." for i in range(20))
    return CorpusDocument(name, text, {"source": "a test", "speaker": name})


NAMES = [f"corpus/{n}.txt" for n in range(12)] + ["seeds/one.txt"]
DOCUMENTS = {name: speech(name) for name in NAMES}


def test_the_teacher_labels_passages_of_training_documents_that_nobody_coded() -> None:
    rows = teacher.uncoded(DOCUMENTS, [])
    assert {r["document"] for r in rows} == {n for n in NAMES if splits.assign(n, "real") == splits.TRAIN}
    assert "seeds/one.txt" not in {r["document"] for r in rows}
    coded = rows[0] | {"spans": rows[0]["spans"][1:3]}  # another cut of the same passage
    left = teacher.uncoded(DOCUMENTS, [coded])
    assert len(left) == len(rows) - 1
    assert not any(r["document"] == coded["document"] and r["spans"] == rows[0]["spans"] for r in left)


def sure(passages: Sequence[Passage]) -> Floats:
    """A teacher that finds every sentence to be the first category, a little less from one to the next."""
    return np.array([[0.9 - i / 1000, 0.05, 0.0] for i, _ in enumerate(s for p in passages for s in p.sentences())])


@pytest.fixture
def stand_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    rows = [row | {"round": 1, "id": f"P{i}"} for i, row in enumerate(teacher.uncoded(DOCUMENTS, [])[:4])]
    (tmp_path / "passages.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setattr(teacher, "PASSAGES_PATH", tmp_path / "passages.jsonl")
    return rows


def test_taught_labels_come_back_as_targets_and_only_for_the_text_that_was_labelled(
    tmp_path: Path, stand_off: list[dict[str, Any]]
) -> None:
    out = tmp_path / "taught.jsonl"
    count = teacher.teach(sure, 3, DOCUMENTS, [], out, limit=3)
    passages = teacher.read_taught(out, DOCUMENTS, [], 0.5)
    said = [p for row in read_jsonl(out) for p in row["probabilities"]]
    assert [list(s.gold) for p in passages for s in p.sentences() if s.gold] == said == sure(passages).tolist()
    assert len(said) == count > 0 and len(passages) == 3
    assert "sentence" not in out.read_text()  # stand-off: no text
    config = Config(epochs=1, max_pieces=64, batch_pieces=64, frozen_layers=5)
    assert fit(passages, 3, config, progress=False)[0].head.out_features == 3  # targets as gold labels are
    name = json.loads(out.read_text().splitlines()[0])["document"]
    with pytest.raises(CorpusError, match=name):
        teacher.read_taught(out, {**DOCUMENTS, name: speech("another")}, [], 0.5)
    (tmp_path / "passages.jsonl").write_text(out.read_text())  # they have been coded since
    assert teacher.read_taught(out, DOCUMENTS, [], 0.5) == []


def test_coded_passages_learn_from_gold_label_and_teacher_by_shares(
    tmp_path: Path, stand_off: list[dict[str, Any]]
) -> None:
    real = [teacher.rebuild(row, DOCUMENTS, [(0, 1, 0)] * len(row["spans"])) for row in stand_off]
    turn = (CodedSentence("They left.", (1, 0, 0)), CodedSentence("It rained.", None))
    coded = [*real, Passage("W1", "W1", "written", {}, (turn,))]
    out = tmp_path / "taught.jsonl"
    teacher.teach(sure, 3, DOCUMENTS, coded, out, limit=0)
    assert "They left" not in out.read_text()
    later = replace(coded[0], id="P99")
    mixed = teacher.read_taught(out, DOCUMENTS, [*coded, later], 0.25)
    assert [p.id for p in mixed] == ["P0", "P1", "P2", "P3", "W1", "P99"] and mixed[-1] == later
    for s, said in zip((s for p in mixed[:4] for s in p.sentences()), sure(real), strict=True):
        assert s.gold == pytest.approx(0.75 * np.array([0, 1, 0]) + 0.25 * said)
    (first, context) = mixed[4].turns[0]
    assert (
        first.gold == pytest.approx(0.75 * np.array([1, 0, 0]) + 0.25 * sure(coded)[-1], abs=1e-4)
        and context.gold is None
    )
    another = replace(coded[4], turns=((replace(turn[0], text="They stayed."), turn[1]),))
    with pytest.raises(CorpusError, match="W1 is not the one"):
        teacher.read_taught(out, DOCUMENTS, [another], 0.5)
    old = [{k: v for k, v in row.items() if k != "text_sha256"} for row in read_jsonl(out)]
    out.write_text("".join(json.dumps(row) + "\n" for row in old))
    with pytest.raises(CorpusError, match="run `python -m training teach` again"):
        teacher.read_taught(out, DOCUMENTS, coded, 0.5)


def test_a_teacher_without_texts_says_so(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="RHETORIC_TEXTS"):
        teacher.teach(sure, 3, {}, [], tmp_path / "taught.jsonl")
    assert not (tmp_path / "taught.jsonl").exists()
