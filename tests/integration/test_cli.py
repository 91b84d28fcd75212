"""The command line, as a user runs it: in a process of its own."""

import csv
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from model.manifest import WEIGHTS, read_manifest
from rhetoric.cli import COMMANDS
from rhetoric.codebook import default_codebook

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "seeds" / "demo"
SPEECH = DEMO / "velmara-2006-un-address.txt"
FIELDS = "document title date speaker turn sentence start end text labels probabilities needs_review".split()


def rhetoric(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "rhetoric.cli", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, cwd=ROOT, timeout=120, check=False)


def rows_of(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, object]]:
    return [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]


def test_a_file_gives_one_row_a_sentence_and_a_summary() -> None:
    done = rhetoric("label", SPEECH)
    assert done.returncode == 0, done.stderr
    rows = rows_of(done)
    assert list(rows[0])[: len(FIELDS)] == FIELDS
    assert [row["sentence"] for row in rows] == list(range(1, len(rows) + 1))
    assert {row["document"] for row in rows} == {str(SPEECH)}
    assert rows[0]["date"]
    assert f"{len(rows)} sentences in 1 document: " in done.stderr.decode()


def test_standard_input_gives_the_rows_of_the_file() -> None:
    by_file, by_pipe = rows_of(rhetoric("label", SPEECH)), rows_of(rhetoric("label", "-", stdin=SPEECH.read_bytes()))
    assert [{**row, "document": "-"} for row in by_file] == by_pipe


@pytest.fixture
def eager(tmp_path: Path) -> Path:
    """A model of one's own: the shipped one, which finds the first category everywhere."""
    folder = tmp_path / "eager"
    shutil.copytree(WEIGHTS, folder)
    manifest = read_manifest(folder)
    first, *others = manifest.decisions
    decisions = {first: replace(manifest.decisions[first], threshold=0.0, doubt=(0.0, 0.0))}
    replace(manifest, decisions={**decisions, **{key: manifest.decisions[key] for key in others}}).write(folder)
    return folder


def test_a_model_of_ones_own_labels_files_and_runs_and_is_kept_apart(eager: Path, tmp_path: Path) -> None:
    shipped, own = rows_of(rhetoric("label", SPEECH)), rows_of(rhetoric("label", SPEECH, "--model", eager))
    assert [row["probabilities"] for row in own] == [row["probabilities"] for row in shipped]
    assert all("soft_power" in row["labels"] for row in own) and own != shipped  # type: ignore[operator]
    run = tmp_path / "run"
    assert rhetoric("label", SPEECH, "--run", run, "--model", eager).returncode == 0
    assert rows_of(rhetoric("runs", "export", run)) == own
    refused = rhetoric("label", SPEECH, "--run", run)
    assert refused.returncode == 2 and b"model was 0.1.0" in refused.stderr
    assert rhetoric("runs", "resume", run).returncode == 0
    eager.rename(tmp_path / "elsewhere")
    lost = rhetoric("runs", "resume", run)
    assert lost.returncode == 2 and b"there is no model in" in lost.stderr and b"Traceback" not in lost.stderr
    assert rhetoric("label", SPEECH, "--run", run, "--model", tmp_path / "elsewhere").returncode == 0
    assert rhetoric("label", SPEECH, "--model", DEMO).returncode == 2


def test_a_folder_in_three_formats_gives_the_same_labels(tmp_path: Path) -> None:
    for form in ("jsonl", "csv", "parquet"):
        assert rhetoric("label", DEMO, "--out", tmp_path / f"rows.{form}").returncode == 0
    lines = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    with (tmp_path / "rows.csv").open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    frame = pl.read_parquet(tmp_path / "rows.parquet").to_dicts()
    assert len(lines) == len(table) == len(frame) > 150
    for line, cells, row in zip(lines, table, frame, strict=True):
        assert line == row
        assert cells["text"] == line["text"]
        assert cells["labels"] == ";".join(line["labels"])
        assert float(cells["probability_soft_power"]) == line["probabilities"]["soft_power"]


def test_a_row_says_where_the_speech_was_given_and_who_published_it(tmp_path: Path) -> None:
    toast, plain = tmp_path / "toast.txt", tmp_path / "plain.txt"
    toast.write_text("---\nplace: Port Ellis\nsource: Tealo Herald\n---\nGood evening to you all.\n")
    plain.write_text("Good evening to you all.\n")
    readers = {"jsonl": pl.read_ndjson, "csv": pl.read_csv, "parquet": pl.read_parquet}
    for form, read in readers.items():
        assert rhetoric("label", toast, plain, "--out", tmp_path / f"rows.{form}").returncode == 0
        facts = read(tmp_path / f"rows.{form}").select(pl.col("place", "source").fill_null(""))
        assert facts.rows() == [("Port Ellis", "Tealo Herald"), ("", "")]
    assert b"Port Ellis" in rhetoric("share", tmp_path / "rows.csv", "--by", "place").stdout


def test_what_cannot_be_read_is_said_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "binary.txt").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "dots.txt").write_bytes(b"... --- ...")
    (tmp_path / "good.txt").write_text("We shall give grants to the NGOs of our country.", encoding="utf-8")
    done = rhetoric("label", tmp_path, tmp_path / "missing.txt")
    assert done.returncode == 1
    assert [row["document"] for row in rows_of(done)] == [str(tmp_path / "good.txt")]
    errors = done.stderr.decode()
    assert "Traceback" not in errors
    for name in ("empty.txt", "binary.txt", "dots.txt", "missing.txt"):
        assert sum(name in line for line in errors.splitlines()) == 1
    assert "4 files could not be read" in errors


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["label"], "PATH"),
        (["label", SPEECH, "--format", "xml"], "xml"),
        (["label", SPEECH, "--out", "rows.xyz"], "--format"),
        (["label", SPEECH, "--format", "parquet"], "--out"),
        (["label", SPEECH, "--out", "/nowhere/rows.csv"], "/nowhere/rows.csv"),
        (["lable"], "lable"),
    ],
)
def test_a_wrong_command_says_what_would_work(arguments: list[object], word: str) -> None:
    done = rhetoric(*arguments)
    assert done.returncode == 2
    assert word in done.stderr.decode()
    assert b"Traceback" not in done.stderr
    assert not done.stdout


@pytest.mark.parametrize("what", ["rows.csv", "."])
def test_what_is_to_be_read_is_not_written_over(tmp_path: Path, what: str) -> None:
    table = b"text\nWe shall give grants to the NGOs of our country.\n"
    (tmp_path / "rows.csv").write_bytes(table)
    done = rhetoric("label", tmp_path / what, "--out", tmp_path / "rows.csv")
    assert done.returncode == 2
    assert "among what is to be read" in done.stderr.decode()
    assert (tmp_path / "rows.csv").read_bytes() == table


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
@pytest.mark.parametrize(
    "arguments",
    [
        f"label {SPEECH}",
        f"label {SPEECH} --format csv",
        f"inspect {SPEECH}",
        "codebook",
        "--help",
        "label -h",
        "--version",
    ],
)
def test_a_full_disk_is_one_line(arguments: str) -> None:
    command = f"{sys.executable} -m rhetoric.cli {arguments} > /dev/full"
    done = subprocess.run(["sh", "-c", command], capture_output=True, cwd=ROOT, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == ["Error: the output cannot be written: No space left on device"]


@pytest.mark.parametrize("arguments", [f"inspect {SPEECH}", "codebook", "--help", "label -h", "--version"])
def test_a_closed_screen_is_one_line(arguments: str) -> None:
    command = f"{sys.executable} -m rhetoric.cli {arguments} >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, cwd=ROOT, timeout=120, check=False)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == ["Error: the output cannot be written: standard output is closed"]


def test_nobody_to_tell_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -m rhetoric.cli label {SPEECH} --out {tmp_path}/rows.csv >&- 2>&-"
    assert subprocess.run(["sh", "-c", command], cwd=ROOT, timeout=120, check=False).returncode == 0
    assert len((tmp_path / "rows.csv").read_text(encoding="utf-8").splitlines()) > 10


def test_rows_to_a_closed_screen_need_a_file() -> None:
    command = f"{sys.executable} -m rhetoric.cli label {SPEECH} >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, cwd=ROOT, timeout=120, check=False)
    assert done.returncode == 2
    assert "--out" in done.stderr.decode() and "Traceback" not in done.stderr.decode()


@pytest.mark.skipif(sys.platform != "linux", reason="script(1) has other options elsewhere")
def test_progress_is_drawn_on_a_terminal_and_not_in_a_pipe(tmp_path: Path) -> None:
    command = f"{sys.executable} -m rhetoric.cli label {DEMO} --out {tmp_path}/rows.csv"
    screen = subprocess.run(
        ["script", "-qec", f"stty rows 40 cols 100; {command}", "/dev/null"],
        capture_output=True,
        cwd=ROOT,
        timeout=120,
        check=True,
    )
    assert "0/8 [" in screen.stdout.decode()
    piped = subprocess.run(command.split(), capture_output=True, cwd=ROOT, timeout=120, check=True)
    assert piped.stderr.decode().count("\n") == 1
    assert not piped.stdout


def test_nothing_has_no_shares(tmp_path: Path) -> None:
    done = rhetoric("label", "-", stdin=b"")
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [
        "rhetoric: -: the file is empty", "0 sentences in 0 documents; 1 file could not be read",
    ]  # fmt: skip


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m rhetoric.cli label {DEMO} | head -n 1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, cwd=ROOT, timeout=120, check=False)
    assert len(done.stdout.splitlines()) == 1
    assert b"Traceback" not in done.stderr
    assert b"Error" not in done.stderr


def test_other_encodings_are_read(tmp_path: Path) -> None:
    text = "The café of Côte d’Ivoire – a meeting place. We reject the “rules” of the West, which lies to us all.\n" * 3
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "cp1252"):
        (tmp_path / "speech.txt").write_bytes(text.encode(encoding))
        assert (
            "".join(str(row["text"]) for row in rows_of(rhetoric("label", tmp_path / "speech.txt"))).count("café") == 3
        )


def test_help_lists_every_command_and_loads_none() -> None:
    done = rhetoric("--help")
    assert done.returncode == 0
    for word in ("label", "codebook", "Examples", "Exit codes"):
        assert word in done.stdout.decode()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    out = rhetoric(command, "--help").stdout.decode()
    assert out.startswith("Usage:")
    assert "\\b" not in out
    assert "\b" not in out


def test_the_codebook_command_shows_the_rules() -> None:
    out = rhetoric("codebook").stdout.decode()
    book = default_codebook()
    for line in (
        *book.rules,
        *(
            line
            for c in book.categories
            for line in (c.name, c.definition, c.test, *c.yes, *c.no, *c.examples, *c.near_misses)
        ),
    ):
        assert line in out


@pytest.mark.parametrize("module", ["rhetoric.cli", "rhetoric.cli.label", "model.classifier", "rhetoric.label", "app"])
def test_labelling_never_loads_torch(module: str) -> None:
    code = f"import sys, {module}; sys.exit(bool({{'torch', 'transformers', 'datasets'}} & set(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=False).returncode == 0
