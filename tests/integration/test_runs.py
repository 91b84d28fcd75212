"""Run folders: what is in them, going on, refusing, taking in changes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from rhetoric.cli.running import Order, carry_out
from rhetoric.errors import StoppedError
from rhetoric.label import label_document, load_classifier
from rhetoric.parts import Settings, label_parts
from rhetoric.reading import Reader, ReadOptions, read_text
from rhetoric.runs import RunError, labelled, left, locked, read_run
from rhetoric.shards import KEY, frames, shard_paths
from rhetoric.table import read_rows, sha256_of
from rhetoric.verify import problems
from tests.integration.test_cli import DEMO, rhetoric


def rows(run: Path) -> pl.DataFrame:
    return pl.concat(list(frames(run)))


def go(run: Path, *paths: Path, settings: Settings | None = None, **options: object) -> int:
    order = Order(run, tuple(map(str, paths)), settings or Settings(shard_sentences=20), 6_000, **options)  # type: ignore[arg-type]
    return carry_out(order, quiet=True, as_json=False)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run over copies of the demo transcripts; tests that change it copy its folder first."""
    folder = tmp_path_factory.mktemp("runs")
    shutil.copytree(DEMO, folder / "texts")
    assert go(folder / "run", folder / "texts") == 0
    return folder


@pytest.fixture
def copy(done: Path, tmp_path: Path) -> Path:
    """The run with its texts under their old paths."""
    shutil.copytree(done / "run", tmp_path / "run")
    return tmp_path / "run"


def test_a_run_has_the_rows_of_label_in_reading_order(done: Path) -> None:
    assert rhetoric("label", done / "texts", "--out", done / "rows.parquet").returncode == 0
    expected = pl.read_parquet(done / "rows.parquet")
    assert rows(done / "run").drop("input", "item", "error").equals(expected)
    assert len(shard_paths(done / "run")) > 5
    assert list(problems(done / "run")) == []


def test_the_manifest_says_what_was_labelled_with_what(done: Path) -> None:
    manifest = read_run(done / "run")
    assert [file.path for file in manifest.inputs] == sorted(str(p) for p in (done / "texts").iterdir())
    assert all(len(file.sha256) == 64 for file in manifest.inputs)
    assert manifest.counts.sentences == rows(done / "run").height
    assert manifest.counts.documents == len(manifest.inputs)
    assert manifest.started <= manifest.ended
    assert {"model", "codebook", "segmenter"} <= set(manifest.identity)
    assert "openvino" in manifest.libraries


def test_a_document_is_in_one_shard(done: Path) -> None:
    owners: dict[str, set[Path]] = {}
    for path in shard_paths(done / "run"):
        for name in pl.read_parquet(path)["input"].unique():
            owners.setdefault(name, set()).add(path)
    assert len(owners) == 8
    assert all(len(paths) == 1 for paths in owners.values())


def test_a_finished_run_is_left_alone(done: Path, copy: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in copy.iterdir()}
    order = Order(copy, (str(done / "texts"),), Settings(shard_sentences=20), 6_000)
    assert carry_out(order, quiet=False, as_json=False) == 0
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in copy.iterdir()} == before
    assert "Nothing is left" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (Settings(shard_sentences=20, any_language=True), "option any_language was False and is True now"),
        (Settings(shard_sentences=21), "option shard_sentences was 20 and is 21 now"),
        (Settings(ReadOptions(rows="sentence"), shard_sentences=20), "option rows was not set and is sentence now"),
    ],
)
def test_other_options_are_refused_by_name(done: Path, copy: Path, settings: Settings, named: str) -> None:
    with pytest.raises(RunError, match=named):
        go(copy, done / "texts", settings=settings)


@pytest.mark.parametrize("what", ["model", "codebook", "segmenter"])
def test_another_model_codebook_or_segmenter_is_refused(done: Path, copy: Path, what: str) -> None:
    path = copy / "manifest.json"
    table = json.loads(path.read_text(encoding="utf-8"))
    table["identity"][what] = "another"
    path.write_text(json.dumps(table), encoding="utf-8")
    with pytest.raises(RunError, match=f"{what} was another and is "):
        go(copy, done / "texts")


def test_a_run_of_before_place_and_source_is_read_and_not_added_to(done: Path, copy: Path) -> None:
    manifest = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    del manifest["identity"]["columns"]
    for path in shard_paths(copy):
        metadata = pl.read_parquet_metadata(path)
        old = pl.read_parquet(path).drop("place", "source")
        old.write_parquet(path, metadata={KEY: metadata[KEY]})
        manifest["sums"][path.name] = sha256_of(path)
    (copy / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert list(problems(copy)) == []
    assert {(row.place, row.source) for row in labelled(copy)} == {("", "")}
    assert read_rows([copy]).frame.height == rows(done / "run").height
    with pytest.raises(RunError, match=r"columns was not set and is .*, place, source now.*label into a new folder"):
        go(copy, done / "texts")


def test_new_and_changed_files_are_taken_in_and_removed_ones_reported(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    texts, run = tmp_path / "texts", tmp_path / "run"
    shutil.copytree(DEMO, texts)
    assert go(run, texts) == 0
    before = rows(run)
    first, second, third = sorted(texts.iterdir())[:3]
    first.write_text("The West has lied to us. We thank the chair.", encoding="utf-8")
    second.unlink()
    (texts / "new.txt").write_text("We shall give grants to our NGOs.", encoding="utf-8")
    order = Order(run, (str(texts),), Settings(shard_sentences=20), 6_000)
    assert carry_out(order, quiet=False, as_json=False) == 0
    told = capfd.readouterr().err
    for word, path in (("new", texts / "new.txt"), ("changed", first), ("not there any more", second)):
        assert any(word in line and str(path) in line for line in told.splitlines())
    after = rows(run)
    assert after.filter(pl.col("input") == str(first))["text"].to_list() == [
        "The West has lied to us.",
        "We thank the chair.",
    ]
    assert after.filter(pl.col("input") == str(texts / "new.txt")).height == 1
    for path in (second, third):
        assert after.filter(pl.col("input") == str(path)).equals(before.filter(pl.col("input") == str(path)))
    assert [p for p in problems(run) if "is gone" not in p] == []


def test_the_same_text_twice_gives_both_rows_and_the_same_path_twice_one(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("The West has lied to us for years.", encoding="utf-8")
    assert go(tmp_path / "run", tmp_path / "a.txt", tmp_path / "b.txt", tmp_path / "a.txt") == 0
    frame = rows(tmp_path / "run")
    assert frame["document"].to_list() == [str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]
    assert frame["labels"].n_unique() == 1


def test_what_cannot_be_read_is_one_row_and_can_be_tried_again(tmp_path: Path) -> None:
    texts, run = tmp_path / "texts", tmp_path / "run"
    texts.mkdir()
    (texts / "binary.txt").write_bytes(bytes(range(256)) * 40)
    (texts / "good.txt").write_text("We shall give grants to our NGOs.", encoding="utf-8")
    (texts / "german.txt").write_text(
        "Wir danken allen, die gekommen sind, und wünschen ihnen einen guten Tag. " * 5, encoding="utf-8"
    )
    missing = tmp_path / "missing.txt"
    assert go(run, texts, missing) == 1
    errors = rows(run).filter(pl.col("error") != "")
    assert sorted(errors["input"]) == sorted(map(str, (missing, texts / "binary.txt", texts / "german.txt")))
    assert errors["sentence"].to_list() == [0, 0, 0]
    assert list(problems(run)) == []
    assert go(run, texts, missing) == 1
    assert rows(run).height == 4
    missing.write_text("The session begins at ten.", encoding="utf-8")
    assert go(run, texts, missing, retry=True) == 1
    assert sorted(rows(run).filter(pl.col("error") != "")["input"]) == sorted(
        map(str, (texts / "binary.txt", texts / "german.txt"))
    )
    assert list(problems(run)) == []
    assert read_rows([run]).frame["document"].n_unique() == 2


def write_bad_ones(folder: Path, first: int) -> None:
    (folder / f"{first}.txt").write_bytes(b"")
    (folder / f"{first + 1}.pdf").write_bytes(b"%PDF-1.7 and no more")
    (folder / f"{first + 2}.zip").write_bytes(b"PK\x05\x06" + bytes(18))  # a zip with nothing in it
    (folder / f"{first + 3}.jsonl").write_text('{"text": ""}\n{"text": "... --- ..."}\n', encoding="utf-8")


@pytest.mark.parametrize("part_bytes", [30, 1_000_000])
@pytest.mark.parametrize("good", [0, 4, 5])
def test_a_run_that_ends_with_what_cannot_be_read_has_no_empty_shard(
    tmp_path: Path, good: int, part_bytes: int
) -> None:
    texts, run = tmp_path / "texts", tmp_path / "run"
    texts.mkdir()
    for n in range(good):
        (texts / f"{n}.txt").write_text("We thank the chair of the session.", encoding="utf-8")
    write_bad_ones(texts, good)
    order = Order(run, (str(texts),), Settings(shard_sentences=2), part_bytes)
    assert carry_out(order, quiet=True, as_json=False) == 1
    assert all(frame.height for frame in frames(run))
    assert [error != "" for error in rows(run)["error"]] == [False] * good + [True] * (rows(run).height - good)
    assert set(rows(run)["input"]) == {str(path) for path in texts.iterdir()}
    assert list(problems(run)) == []
    assert left(run, read_run(run)) == []
    before = {path.name: path.read_bytes() for path in shard_paths(run)}
    for path in shard_paths(run)[1:]:
        path.unlink()
    assert carry_out(order, quiet=True, as_json=False) == 1
    assert {path.name: path.read_bytes() for path in shard_paths(run)} == before


def test_verify_finds_what_is_damaged(copy: Path) -> None:
    first, second, third, *_ = shard_paths(copy)
    content = bytearray(first.read_bytes())
    content[len(content) // 3] ^= 1
    first.write_bytes(content)
    second.unlink()
    shutil.copy(third, copy / "part-000099-0000.parquet")
    found = "\n".join(problems(copy))
    for name in (first.name, second.name, "part-000099-0000.parquet"):
        assert name in found


def test_a_missing_shard_is_labelled_again_with_the_same_bytes(done: Path, copy: Path) -> None:
    path = shard_paths(copy)[2]
    before = path.read_bytes()
    path.unlink()
    assert go(copy, done / "texts") == 0
    assert path.read_bytes() == before
    assert list(problems(copy)) == []


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path, done: Path) -> None:
    (tmp_path / "diary.txt").write_text("x", encoding="utf-8")
    with pytest.raises(RunError, match=r"diary\.txt"):
        go(tmp_path, done / "texts")


def test_standard_input_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="standard input"):
        go(tmp_path / "run", Path("-"))


def test_a_table_of_many_documents_goes_on_in_its_middle(tmp_path: Path) -> None:
    table = tmp_path / "speeches.csv"
    lines = [f'"d{n}","The West has lied to us {n} times. We thank the chair."' for n in range(50)]
    table.write_text("\n".join(['"id","text"', *lines]) + "\n", encoding="utf-8")
    assert go(tmp_path / "whole", table) == 0
    assert go(tmp_path / "run", table) == 0
    paths = shard_paths(tmp_path / "run")
    assert len(paths) >= 5
    for path in paths[2:]:
        path.unlink()
    assert go(tmp_path / "run", table) == 0
    whole = {path.name: path.read_bytes() for path in shard_paths(tmp_path / "whole")}
    assert {path.name: path.read_bytes() for path in shard_paths(tmp_path / "run")} == whole
    assert rows(tmp_path / "run")["document"].n_unique() == 50


def test_a_table_that_changes_in_the_middle_of_its_labelling_stops_the_run(tmp_path: Path) -> None:
    table, run = tmp_path / "speeches.csv", tmp_path / "run"
    lines = [f'"d{n}","The West has lied to us {n} times. We thank the chair."' for n in range(50)]
    table.write_text("\n".join(['"id","text"', *lines]) + "\n", encoding="utf-8")
    assert go(run, table) == 0
    for path in shard_paths(run)[2:]:
        path.unlink()
    (work,) = left(run, read_run(run))
    table.write_text("\n".join(['"id","text"', *lines[::-1]]) + "\n", encoding="utf-8")
    with Reader() as reader, pytest.raises(StoppedError, match="changed while the run went on"):
        list(label_parts([work], Settings(shard_sentences=20), reader, load_classifier(), run))
    assert go(run, table) == 0
    assert rows(run)["document"].n_unique() == rows(run).height / 2 == 50
    assert list(problems(run)) == []


def test_a_second_process_is_refused(done: Path, copy: Path) -> None:
    with locked(copy):
        second = rhetoric("label", done / "texts", "--run", copy, "--shard-sentences", 20, "--part-mb", 0.006)
    assert second.returncode == 2
    assert b"another process works on" in second.stderr
    assert rhetoric("label", done / "texts", "--run", copy, "--shard-sentences", 20, "--part-mb", 0.006).returncode == 0


def test_labels_are_those_of_one_document_at_a_time(done: Path, classifier: object) -> None:
    """Batches, order and workers of a run do not matter: each document by itself has the same rows."""
    frame = rows(done / "run")
    for path in sorted((done / "texts").iterdir()):
        alone = label_document(read_text(path), classifier).sentences  # type: ignore[arg-type]
        run = frame.filter(pl.col("input") == str(path))
        assert run["probabilities"].to_list() == [s.probabilities for s in alone]


def test_the_commands_on_runs(done: Path, tmp_path: Path) -> None:
    run = done / "run"
    assert str(run) in rhetoric("runs", "list", done).stdout.decode()
    assert json.loads(rhetoric("runs", "show", run, "--json").stdout)["counts"]["documents"] == 8
    assert b"openvino" in rhetoric("runs", "show", run).stdout
    assert rhetoric("runs", "verify", run).returncode == 0
    assert rhetoric("runs", "resume", run).returncode == 0
    for form in ("csv", "jsonl", "parquet"):
        by_run, by_label = tmp_path / f"run.{form}", tmp_path / f"label.{form}"
        assert rhetoric("runs", "export", run, "--out", by_run).returncode == 0
        assert rhetoric("label", done / "texts", "--out", by_label).returncode == 0
        assert by_run.read_bytes() == by_label.read_bytes()
    for arguments in (
        ["runs", "verify", tmp_path],
        ["label", DEMO, "--engine", "local"],
        ["label", DEMO, "--run", tmp_path / "x", "--out", "y.csv"],
    ):
        refused = rhetoric(*arguments)
        assert refused.returncode == 2
        assert b"Traceback" not in refused.stderr


def test_progress_for_machines_is_json_and_a_pipe_gets_no_bar(done: Path, tmp_path: Path) -> None:
    told = rhetoric("label", done / "texts", "--run", tmp_path / "run", "--json")
    lines = [json.loads(line) for line in told.stdout.decode().splitlines()]
    assert lines[-1]["event"] == "end"
    assert lines[-1]["sentences"] == rows(tmp_path / "run").height
    assert b"\r" not in told.stderr


def test_share_takes_a_run_where_it_takes_rows(done: Path) -> None:
    table = read_rows([done / "run"])
    assert len(table.sources) == 1
    assert "0." in table.sources[0].model
    assert rhetoric("share", done / "run").returncode == 0


def test_a_pipe_that_closes_is_no_error(done: Path) -> None:
    command = f"{sys.executable} -m rhetoric.cli runs export {done / 'run'} | head -n 1"
    piped = subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(DEMO.parents[1])},
    )
    assert len(piped.stdout.splitlines()) == 1
    assert b"Traceback" not in piped.stderr
