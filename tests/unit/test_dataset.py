"""What must hold of the data in labels/."""

import os
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.train
pytest.importorskip("datasets", reason="the train extra is not installed: make setup-train")

from rhetoric.codebook import default_codebook  # noqa: E402
from training.corpus import CorpusError, read_documents, read_real, rebuild, texts_folder  # noqa: E402
from training.data import LABELS, WRITTEN_PATH, CodedSentence, Passage, read_jsonl, read_written  # noqa: E402
from training.inspection import copies, counts  # noqa: E402
from training.splits import TEST, TRAIN, assign, near_duplicate_groups, read_splits, select, write_splits  # noqa: E402

BOOK = default_codebook()


@pytest.fixture(scope="module")
def written() -> list[Passage]:
    return read_written(BOOK)


def test_the_written_set_is_as_large_as_promised() -> None:
    table = counts(read_jsonl(WRITTEN_PATH), BOOK)
    assert table["sentences"] >= 4000
    assert table["passages"] >= 500
    assert table["passages with plain sentences"] > table["passages"] / 2
    assert table["sentences with two categories or more"] >= 200
    assert table["countries of origin"] >= 40
    for key in BOOK.keys:
        assert table[f"{key} positives"] >= 600
        assert table[f"{key} near misses"] >= 800


def test_no_sentence_is_positive_and_a_near_miss_of_one_category() -> None:
    for row in read_jsonl(WRITTEN_PATH):
        for sentence in row["sentences"]:
            assert not set(sentence["labels"]) & set(sentence["near_misses"]), row["id"]


def test_every_passage_has_two_codings_and_gold_only_where_they_or_an_adjudicator_say_so() -> None:
    coders = {}
    for row in read_jsonl(LABELS / "codings.jsonl"):
        coders.setdefault(row["passage"], []).append(row)
    gold = {row["passage"]: row for row in read_jsonl(LABELS / "gold.jsonl")}
    for passage in read_jsonl(LABELS / "passages.jsonl"):
        a, b = coders[passage["id"]]
        decided = gold[passage["id"]]
        for n, (x, y, g) in enumerate(zip(a["labels"], b["labels"], decided["labels"], strict=True), 1):
            assert set(x) == set(y) == set(g) or n in decided["adjudicated"]
    for row in read_jsonl(WRITTEN_PATH):
        assert len(coders[row["id"]]) == 2


def test_what_was_read_again_stands_in_the_gold_labels_of_training_passages() -> None:
    gold = {row["passage"]: row for row in read_jsonl(LABELS / "gold.jsonl")}
    assigned = read_splits()
    for row in read_jsonl(LABELS / "reread.jsonl"):
        decided = gold[row["passage"]]
        assert assigned[row["passage"]] == TRAIN
        differed = set(row["coder"]) != set(row["before"])
        assert (row["adjudicated"] is not None) == differed == (differed and row["sentence"] in decided["adjudicated"])
        assert decided["labels"][row["sentence"] - 1] == (row["adjudicated"] if differed else row["before"])


def test_codings_are_stand_off() -> None:
    fields = {
        "id",
        "document",
        "sha256",
        "round",
        "stratum",
        "probability",
        "spans",
        "turns",
        "context",
        "context_turns",
    }
    for row in read_jsonl(LABELS / "passages.jsonl"):
        assert set(row) == fields


def test_there_are_enough_real_passages_and_a_random_stratum_with_its_probabilities() -> None:
    rows = [row for row in read_jsonl(LABELS / "passages.jsonl") if row["stratum"] != "seeds"]
    assert len(rows) >= 900
    assert sum(len(row["spans"]) for row in rows) >= 8000
    random = [row for row in rows if row["stratum"].startswith("random")]
    assert sum(len(row["spans"]) for row in random) >= 1500
    assert all(0 < row["probability"] < 1 for row in random)
    assert all(row["probability"] is None for row in rows if row not in random)


def test_splits_keep_documents_and_near_duplicates_together(written: list[Passage]) -> None:
    splits = read_splits()
    where: dict[str, set[str]] = {}
    for row in read_jsonl(LABELS / "passages.jsonl"):
        where.setdefault(row["document"], set()).add(splits[row["id"]])
    groups = near_duplicate_groups(written)
    for passage in written:
        where.setdefault(groups[passage.id], set()).add(splits[passage.id])
    assert all(len(names) == 1 for names in where.values())
    seeds = [row for row in read_jsonl(LABELS / "passages.jsonl") if row["document"].startswith("seeds/")]
    assert len(seeds) == 5
    assert {splits[row["id"]] for row in seeds} == {TEST}
    assert Counter(splits.values())[TRAIN] > len(splits) / 2


def test_a_passage_outside_the_splits_is_noticed(written: list[Passage]) -> None:
    with pytest.raises(Exception, match="no split"):
        select(written, {}, TRAIN)
    assert assign("seeds/x", "real") == TEST


def test_no_run_of_ten_words_is_shared_inside_the_set_or_with_the_real_texts() -> None:
    folder = texts_folder()
    texts = {d.id: d.text for d in read_documents(folder).values()} if folder.is_dir() else {}
    if os.environ.get("CI"):
        assert texts, "CI has the real texts beside the checkout"
    assert copies(read_jsonl(WRITTEN_PATH), texts) == []


def test_real_passages_are_rebuilt_from_where_the_texts_lie() -> None:
    folder = texts_folder()
    if not folder.is_dir():
        pytest.skip(f"no real texts in {folder}; set RHETORIC_TEXTS")
    passages = read_real(BOOK, folder)
    assert sum(len(list(p.sentences())) for p in passages) > 8000
    assert all(s.text.strip() for p in passages for s in p.sentences())


def test_a_document_that_is_missing_or_differs_is_refused(tmp_path: Path) -> None:
    (tmp_path / "corpus" / "ungdc").mkdir(parents=True)
    (tmp_path / "corpus" / "ungdc" / "XXX_1_2001.txt").write_text("Another text.", encoding="utf-8")
    row = {**read_jsonl(LABELS / "passages.jsonl")[0], "document": "corpus/ungdc/XXX_1_2001.txt"}
    labels = [(0.0, 0.0, 0.0)] * len(row["spans"])
    with pytest.raises(CorpusError, match="not among the texts"):
        rebuild(row, {}, labels)
    with pytest.raises(CorpusError, match="sha256"):
        rebuild(row, read_documents(tmp_path), labels)


def passage(name: str, text: str) -> Passage:
    return Passage(name, name, "written", {}, ((CodedSentence(text, (0, 0, 0)),),))


def test_a_new_passage_never_moves_an_old_one_and_joins_its_near_duplicates(tmp_path: Path) -> None:
    formula = "we thank the president of this assembly for his patient work"

    old = [passage(f"W{i:03}", f"Number {i} stands alone here.") for i in range(40)]
    first = write_splits(old, tmp_path / "splits.json")
    held = next(name for name, split in first.items() if split == TEST)
    kept = [*(p for p in old if p.id != held), passage(held, f"{formula}, said one.")]
    tied = [passage("X1", f"{formula}, said two."), *(passage(f"Y{i}", f"{formula} and {i}.") for i in range(9))]
    again = write_splits([*kept, *tied], tmp_path / "splits.json")
    assert {name: again[name] for name in first} == first
    assert {again[p.id] for p in tied} == {TEST}


def test_new_written_passages_may_all_be_for_training_but_no_new_passage_of_a_test_document(tmp_path: Path) -> None:
    old = [passage(f"W{i}", f"number {i} is a sentence of its own.") for i in range(30)]
    first = write_splits(old, tmp_path / "splits.json")
    new = [passage(f"X{i}", f"item {i} stands by itself here.") for i in range(30)]
    real = [Passage(f"P{i}", f"doc-{i}", "real", {}, new[i % 30].turns) for i in range(60)]
    again = write_splits([*old, *new, *real], tmp_path / "splits.json", new=TRAIN)
    assert {again[p.id] for p in new} == {TRAIN} and {name: again[name] for name in first} == first
    assert {p.id: again[p.id] for p in real} == {p.id: assign(p.group, "real") for p in real}
    assert TEST in {again[p.id] for p in real}
