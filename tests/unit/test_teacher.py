"""Distillation: which passages the teacher labels, and what is kept of its labels."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytestmark = pytest.mark.train
pytest.importorskip("torch", reason="the train extra is not installed: make setup-train")

from training import splits, teacher  # noqa: E402
from training.config import Config  # noqa: E402
from training.corpus import CorpusDocument, CorpusError  # noqa: E402
from training.data import read_jsonl  # noqa: E402
from training.fit import fit, gold_matrix  # noqa: E402


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


def test_taught_labels_come_back_as_targets_and_only_for_the_text_that_was_labelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "passages.jsonl").touch()
    monkeypatch.setattr(teacher, "PASSAGES_PATH", tmp_path / "passages.jsonl")
    config = Config(epochs=1, max_pieces=64, batch_pieces=64, frozen_layers=5)
    rows = teacher.uncoded(DOCUMENTS, [])[:2]
    ones = [teacher.rebuild(row, DOCUMENTS, [(1, 0, 0)] * len(row["spans"])) for row in rows]
    network, tokenizer = fit(ones, 3, config, progress=False)
    count = teacher.teach(network, tokenizer, config, DOCUMENTS, [], tmp_path / "taught.jsonl", limit=3)
    passages = teacher.read_taught(tmp_path / "taught.jsonl", DOCUMENTS, [])
    written = [p for row in read_jsonl(tmp_path / "taught.jsonl") for p in row["probabilities"]]
    assert [list(s.gold) for p in passages for s in p.sentences()] == written
    assert len(written) == count > 0 and len(passages) == 3
    assert "sentence" not in (tmp_path / "taught.jsonl").read_text()  # stand-off: no text
    again, _ = fit(passages, 3, config, progress=False)  # probabilities are targets as gold labels are
    assert again.head.out_features == gold_matrix(ones).shape[1]
    name = json.loads((tmp_path / "taught.jsonl").read_text().splitlines()[0])["document"]
    with pytest.raises(CorpusError, match=name):
        teacher.read_taught(tmp_path / "taught.jsonl", {**DOCUMENTS, name: speech("another")}, [])


def test_coded_passages_learn_from_gold_label_and_teacher_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [row | {"round": 1, "id": f"P{i}"} for i, row in enumerate(teacher.uncoded(DOCUMENTS, [])[:4])]
    (tmp_path / "passages.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    monkeypatch.setattr(teacher, "PASSAGES_PATH", tmp_path / "passages.jsonl")
    labels = [(1, 0, 0), (0, 0, 0), (1, 0, 0), (0, 0, 0)]
    coded = [teacher.rebuild(r, DOCUMENTS, [y] * len(r["spans"])) for r, y in zip(rows, labels, strict=True)]
    config = Config(epochs=1, max_pieces=64, batch_pieces=64, frozen_layers=5, plain_share=0.0)
    network, tokenizer = fit(coded, 3, config, progress=False)
    out = tmp_path / "taught.jsonl"
    teacher.teach(network, tokenizer, config, DOCUMENTS, coded, out, limit=0)
    said = {row["id"]: row["probabilities"] for row in read_jsonl(out)}
    assert set(said) == {"P0", "P2"}  # plain ones are left out as plain_share says
    mixed = teacher.read_taught(out, DOCUMENTS, coded)
    assert [p.id for p in mixed] == [p.id for p in coded] and mixed[1] == coded[1] and mixed[3] == coded[3]
    another = [teacher.rebuild(rows[1], DOCUMENTS, [(0, 0, 0)] * len(rows[1]["spans"]))]
    with pytest.raises(CorpusError, match="P0 is not the one"):
        teacher.read_taught(out, DOCUMENTS, [replace(another[0], id="P0")])
    for s, p in zip(mixed[0].sentences(), said["P0"], strict=True):
        assert s.gold == pytest.approx([(g + q) / 2 for g, q in zip((1, 0, 0), p, strict=True)])


def test_a_teacher_without_texts_says_so(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="RHETORIC_TEXTS"):
        teacher.teach(None, None, Config(), {}, [], tmp_path / "taught.jsonl")  # type: ignore[arg-type]
    assert not (tmp_path / "taught.jsonl").exists()
