"""A round of coding, from the draw to labels/."""

import json
import random
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.train
pytest.importorskip("datasets", reason="the train extra is not installed: make setup-train")

from rhetoric.codebook import default_codebook  # noqa: E402
from training import reread, rounds  # noqa: E402
from training.coding import CodingError  # noqa: E402
from training.corpus import CorpusDocument, CorpusError  # noqa: E402
from training.data import CodedSentence, Passage, gold_vector, read_jsonl  # noqa: E402
from training.sampling import LONGEST, SHORTEST, draw_enriched, draw_random, frame  # noqa: E402

BOOK = default_codebook()


def speech(name: str, sentences: int) -> CorpusDocument:
    rng = random.Random(name)
    text = "".join(f"This is sentence {i} of {name}.{rng.choice([' ', ' ', chr(10)])}" for i in range(sentences))
    return CorpusDocument(name, text, {"source": "a test", "speaker": name})


DOCUMENTS = {name: speech(name, n) for name, n in (("alpha", 60), ("beta", 33), ("gamma", 7), ("delta", 3))}


def test_the_frame_covers_every_sentence_once_in_passages_of_the_stated_length() -> None:
    passages = frame(DOCUMENTS.values())
    assert all(SHORTEST <= len(p.sentences) <= LONGEST for p in passages)
    for name, number in (("alpha", 60), ("beta", 33), ("gamma", 7), ("delta", 0)):
        starts = [s.start for p in passages if p.document == name for s in p.sentences]
        assert len(starts) == len(set(starts)) == number
        assert starts == sorted(starts)


def test_only_random_draws_have_a_probability_and_nothing_is_drawn_twice() -> None:
    passages, rng = frame(DOCUMENTS.values()), np.random.default_rng(1)
    drawn = draw_random(passages, 4, "random-1", rng)
    assert {d.probability for d in drawn} == {4 / len(passages)}
    taken = {d.passage.key for d in drawn}
    probabilities = [rng.random((len(p.sentences), 3)) for p in passages]
    more = draw_enriched(passages, probabilities, {"soft_power": 2, "uncertain": 2}, BOOK, taken, rng)
    keys = [d.passage.key for d in [*drawn, *more]]
    assert len(keys) == len(set(keys)) == 8
    assert {d.probability for d in more} == {None}


@pytest.fixture
def labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "labels"
    folder.mkdir()
    for name in ("passages", "gold", "codings", "written"):
        (folder / f"{name}.jsonl").touch()
    monkeypatch.setattr(rounds, "PASSAGES_PATH", folder / "passages.jsonl")
    monkeypatch.setattr(rounds, "GOLD_PATH", folder / "gold.jsonl")
    monkeypatch.setattr(rounds, "WRITTEN_PATH", folder / "written.jsonl")
    monkeypatch.setattr(rounds, "LABELS", folder)
    return folder


def test_a_round_goes_through_coders_and_adjudicator_into_the_labels(tmp_path: Path, labels: Path) -> None:
    folder = tmp_path / "round"
    drawn = draw_random(frame(DOCUMENTS.values()), 2, "random-1", np.random.default_rng(2))
    rounds.write_round(drawn, DOCUMENTS, 1, folder)
    sheet = (folder / "sheet_01.txt").read_text(encoding="utf-8")
    assert sheet.startswith("### P0001 | a test, ")
    assert "\n1 This is sentence" in sheet
    (folder / "A_1.txt").write_text("P0001 1C\nP0002 -\n", encoding="utf-8")
    (folder / "B_1.txt").write_text("P0001 1C 2S\nP0002 -\n", encoding="utf-8")
    with pytest.raises(CodingError, match="no adjudication"):
        rounds.gather(folder, BOOK)
    assert rounds.write_adjudication(folder, DOCUMENTS, BOOK) == 1
    assert "DECIDE 2" in (folder / rounds.ADJUDICATION).read_text(encoding="utf-8")
    (folder / "G_1.txt").write_text("P0001 2.\n", encoding="utf-8")
    assert rounds.gather(folder, BOOK) == 2
    gold = read_jsonl(labels / "gold.jsonl")
    assert gold[0]["labels"][:2] == [["criticism_west"], []]
    assert gold[0]["adjudicated"] == [2]
    assert len(read_jsonl(labels / "codings.jsonl")) == 4
    text = json.dumps(read_jsonl(labels / "passages.jsonl"))
    assert "sentence" not in text
    with pytest.raises(CodingError, match="already"):
        rounds.gather(folder, BOOK)


def test_doubted_sentences_are_read_again_and_gold_follows_the_adjudicator(
    tmp_path: Path, labels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = draw_random(frame(DOCUMENTS.values()), 2, "random-1", np.random.default_rng(2))
    rounds.write_round(drawn, DOCUMENTS, 1, tmp_path / "first")
    for coder in "AB":
        (tmp_path / "first" / f"{coder}_1.txt").write_text("P0001 1C\nP0002 3N\n", encoding="utf-8")
    rounds.gather(tmp_path / "first", BOOK)
    for name in ("PASSAGES_PATH", "GOLD_PATH"):
        monkeypatch.setattr(reread, name, getattr(rounds, name))
    monkeypatch.setattr(reread, "REREAD_PATH", labels / "reread.jsonl")
    passages = [
        Passage(row["passage"], "d", "real", {}, (tuple(CodedSentence("x", gold_vector(x, BOOK)) for x in row["labels"]),))
        for row in read_jsonl(labels / "gold.jsonl")
    ]  # fmt: skip
    said = {p.id: np.full((len(list(p.sentences())), 3), 0.01) for p in passages}
    said["P0001"][2, 0] = 0.9
    said["P0002"][2, 2] = 0.9
    asked = reread.draw(passages, said, set(), random.Random(1))
    assert asked == {"P0001": {1: False, 3: False}}  # too few for a control
    assert reread.draw(passages, said, {("P0001", 3)}, random.Random(1)) == {"P0001": {1: False}}
    asked["P0002"] = {3: True}
    folder = tmp_path / "again"
    reread.write_round(asked, DOCUMENTS, folder, random.Random(1))
    sheet = (folder / "sheet_01.txt").read_text(encoding="utf-8")
    assert [line.split()[0] for line in sheet.splitlines() if " >> " in line] in (["1", "3", "3"], ["3", "1", "3"])
    (folder / "B_01.txt").write_text("P0001 1. 2N 3S\n", encoding="utf-8")
    with pytest.raises(CodingError, match="P0002 lacks an answer"):
        reread.write_adjudication(folder, DOCUMENTS, BOOK)
    (folder / "B_02.txt").write_text("P0002 3N\n", encoding="utf-8")
    with pytest.raises(CodingError, match="nobody asked for sentence 2"):
        reread.write_adjudication(folder, DOCUMENTS, BOOK)
    (folder / "B_01.txt").write_text("P0001 1. 3S\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="not among the texts"):
        reread.write_adjudication(folder, {}, BOOK)
    assert reread.write_adjudication(folder, DOCUMENTS, BOOK) == 1
    assert (folder / rounds.ADJUDICATION).read_text(encoding="utf-8").count("DECIDE") == 2
    (folder / "G_1.txt").write_text("P0001 1C 3N\n", encoding="utf-8")
    with pytest.raises(CodingError, match="sentence 3: the adjudicator's answer is neither"):
        reread.gather(folder, BOOK)
    (folder / "G_1.txt").write_text("P0001 1C 3S\n", encoding="utf-8")
    assert reread.gather(folder, BOOK) == 1
    gold = read_jsonl(labels / "gold.jsonl")[0]
    assert gold["labels"][:3] == [["criticism_west"], [], ["soft_power"]]
    assert gold["adjudicated"] == [1, 3]
    assert [(row["control"], row["adjudicated"]) for row in read_jsonl(labels / "reread.jsonl")] == [
        (False, ["criticism_west"]), (False, ["soft_power"]), (True, None),
    ]  # fmt: skip
    assert reread.read_before() == {("P0001", 1), ("P0001", 3), ("P0002", 3)}
    with pytest.raises(CodingError, match="read again before"):
        reread.gather(folder, BOOK)


def written_row(*lines: tuple[str, int, str, list[str]]) -> dict[str, object]:
    sentences = [
        {"text": text, "turn": turn, "speaker": speaker, "labels": given, "near_misses": []}
        for text, turn, speaker, given in lines
    ]
    return {"id": "W90001", "country": "Arvenia", "year": 2011, "genre": "interview", "side": "other",
            "speaker": "Lira", "register": "plain", "sentences": sentences}  # fmt: skip


ROW = written_row(
    ("Who pays?", 0, "Q", []), ("We do.", 1, "LIRA", ["ngo_support"]), ("Good.", 1, "LIRA", ["soft_power"])
)


def new_set(path: Path, *rows: dict[str, object]) -> list[Path]:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return [path]


def test_written_passages_get_a_second_coder_and_gold_labels(tmp_path: Path, labels: Path) -> None:
    folder = tmp_path / "round"
    assert rounds.write_written_round(new_set(tmp_path / "new.jsonl", ROW), folder, BOOK) == 1
    shown = (folder / "sheet_01.txt").read_text(encoding="utf-8")
    assert "-- Q:\n1 Who pays?\n-- LIRA:\n2 We do.\n3 Good." in shown
    bare = written_row(("Who pays?", 0, "Q", []), ("We do.", 1, "LIRA", []), ("Good.", 1, "LIRA", []))
    rounds.write_written_round(new_set(tmp_path / "bare.jsonl", bare), tmp_path / "bare", BOOK)
    assert (tmp_path / "bare" / "sheet_01.txt").read_text(encoding="utf-8") == shown  # labels do not show
    for step in (rounds.gather, lambda f, b: rounds.write_adjudication(f, {}, b)):
        with pytest.raises(CodingError, match="W90001 lacks a coding by B"):
            step(folder, BOOK)
    (folder / "B_01.txt").write_text("W90001 2N 3.?\n", encoding="utf-8")
    assert rounds.write_adjudication(folder, {}, BOOK) == 1
    assert "DECIDE 3: one coder S, the other none" in (folder / "adjudication.txt").read_text(encoding="utf-8")
    (folder / "G_1.txt").write_text("W90001 3.\n", encoding="utf-8")
    assert rounds.gather(folder, BOOK) == 1
    (kept,) = read_jsonl(labels / "written.jsonl")
    assert [s["labels"] for s in kept["sentences"]] == [[], ["ngo_support"], []]
    assert [s["near_misses"] for s in kept["sentences"]] == [[], [], ["soft_power"]]
    assert [c["coder"] for c in read_jsonl(labels / "codings.jsonl")] == ["writer", "B"]
    with pytest.raises(CodingError, match="already"):
        rounds.gather(folder, BOOK)


@pytest.mark.parametrize(
    ("rows", "word"),
    [
        ([{**ROW, "year": None} | {"sentences": [{"text": "Yes."}]}], "line 1.*'labels'"),
        ([{k: v for k, v in ROW.items() if k != "genre"}], "needs genre"),
        ([written_row(("Yes.", 0, "", ["hard_power"]))], "hard_power"),
        ([ROW, ROW], "line 2: there is a passage W90001"),
    ],
    ids=["sentence", "fact", "label", "twice"],
)
def test_a_bad_written_set_is_refused_before_anything_is_made(
    tmp_path: Path, labels: Path, rows: list[dict[str, object]], word: str
) -> None:
    with pytest.raises(CodingError, match=word):
        rounds.write_written_round(new_set(tmp_path / "new.jsonl", *rows), tmp_path / "round", BOOK)
    assert not (tmp_path / "round").exists()


def test_a_folder_that_is_no_round_is_said(tmp_path: Path, labels: Path) -> None:
    (tmp_path / "empty").mkdir()
    for step in (rounds.gather, lambda f, b: rounds.write_adjudication(f, {}, b)):
        with pytest.raises(CodingError, match="not a round's folder"):
            step(tmp_path / "empty", BOOK)
    with pytest.raises(CodingError, match="there already"):
        rounds.write_written_round(new_set(tmp_path / "new.jsonl", ROW), tmp_path / "empty", BOOK)
