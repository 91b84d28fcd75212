"""What a run promises when things break: kills, a full disk, Ctrl-C, a worker of a cluster that dies."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from rhetoric.cli.running import Order, carry_out
from rhetoric.engines import Cluster
from rhetoric.parts import Settings
from rhetoric.shards import shard_paths
from rhetoric.verify import problems
from tests import killer
from tests.integration.test_cli import ROOT, rhetoric

KILLS = 200


def write_texts(folder: Path, number: int, sentences: int = 1) -> Path:
    folder.mkdir()
    for n in range(number):
        said = " ".join(f"The West has lied to us {n + k} times." for k in range(sentences))
        (folder / f"{n:04}.txt").write_text(said, encoding="utf-8")
    return folder


def contents(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in shard_paths(run)}


Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the command line in a process group of its own, which ends with the test."""
    processes = []

    def start(*arguments: object) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "rhetoric.cli", *map(str, arguments)]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for_shards(run: Path, number: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 200
    while len(shard_paths(run)) < number:
        assert process.poll() is None, "it ended too soon"
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.timeout(900)
def test_two_hundred_kills_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    texts = write_texts(tmp_path / "texts", 420)
    command = [sys.executable, "tests/killer.py", str(tmp_path / "run"), str(texts), str(KILLS)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, timeout=800, check=False)
    assert done.returncode == 0, done.stderr.decode()
    told = json.loads(done.stdout)
    assert told["exit"] == 0, done.stderr.decode()
    assert told["kills"] >= KILLS
    assert all(told["stages"].get(stage, 0) >= 3 for stage in killer.STAGES), told["stages"]
    assert list(problems(tmp_path / "run")) == []
    undisturbed = Order(tmp_path / "undisturbed", (str(texts),), killer.SETTINGS, killer.PART_BYTES)
    assert carry_out(undisturbed, quiet=True, as_json=False) == 0
    assert contents(tmp_path / "run") == contents(tmp_path / "undisturbed")
    assert len(contents(tmp_path / "run")) > 300
    assert not list((tmp_path / "run").glob(".*.tmp"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 KB, in memory."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_stops_the_run_and_room_lets_it_go_on(small_disk: Path, tmp_path: Path) -> None:
    texts, run = write_texts(tmp_path / "texts", 80), small_disk / "run"
    options = ["--part-mb", 0.00003, "--quiet"]
    stopped = rhetoric("label", texts, "--run", run, *options)
    assert stopped.returncode == 3
    assert b"No space left" in stopped.stderr
    assert f"rhetoric runs resume {run}".encode() in stopped.stderr
    assert b"Traceback" not in stopped.stderr
    before = contents(run)
    assert len(before) > 10
    assert all("not finished" in problem for problem in problems(run))
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    assert rhetoric("runs", "resume", run).returncode == 0
    assert contents(run).items() >= before.items()
    assert len(contents(run)) == 80
    assert list(problems(run)) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_within_two_seconds_and_says_how_to_go_on(tmp_path: Path, number: int, start: Start) -> None:
    texts = write_texts(tmp_path / "texts", 40, sentences=60)
    run, options = tmp_path / "run", ["--part-mb", 0.005, "--quiet"]
    process = start("label", texts, "--run", run, *options)
    wait_for_shards(run, 3, process)
    begun = time.monotonic()
    os.killpg(process.pid, number)  # as a terminal does
    _, told = process.communicate(timeout=60)
    assert time.monotonic() - begun < 2
    assert process.returncode == 130
    assert told.decode().count("\n") == 1
    assert f"rhetoric runs resume {run}" in told.decode()
    before = contents(run)
    assert 3 <= len(before) < 20
    assert rhetoric("runs", "resume", run).returncode == 0
    assert contents(run).items() > before.items()
    assert list(problems(run)) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cluster_is_interrupted_in_one_line(tmp_path: Path, number: int, start: Start) -> None:
    pytest.importorskip("ray", reason="Ray is the cluster extra: pip install -c constraints.txt -e '.[cluster]'")
    texts = write_texts(tmp_path / "texts", 60, sentences=60)
    run = tmp_path / "run"
    process = start("label", texts, "--run", run, "--engine", "ray", "--workers", 2, "--part-mb", 0.005, "--json")
    wait_for_shards(run, 2, process)
    process.send_signal(number)
    out, told = process.communicate(timeout=60)
    assert process.returncode == 130
    again = f"Go on with: rhetoric runs resume {run}"
    assert told.decode() == f"rhetoric: stopped; what is labelled so far is kept. {again}\n"
    assert all(json.loads(line)["event"] == "progress" for line in out.decode().splitlines())
    before = contents(run)
    assert 2 <= len(before) < 30
    assert rhetoric("runs", "resume", run, "--engine", "local").returncode == 0
    assert contents(run).items() > before.items()
    assert list(problems(run)) == []


def test_an_input_that_changes_under_the_run_is_an_error_row(tmp_path: Path, start: Start) -> None:
    texts = write_texts(tmp_path / "texts", 40, sentences=60)
    run = tmp_path / "run"
    process = start("label", texts, "--run", run, "--part-mb", 0.005, "--quiet")
    wait_for_shards(run, 1, process)
    (texts / "0039.txt").write_text("Something else.", encoding="utf-8")
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert rhetoric("runs", "resume", run).returncode == 0
    assert list(problems(run)) == []


def test_a_ray_worker_that_dies_costs_nothing(tmp_path: Path, start: Start) -> None:
    pytest.importorskip("ray", reason="Ray is the cluster extra: pip install -c constraints.txt -e '.[cluster]'")
    texts = write_texts(tmp_path / "texts", 60, sentences=40)
    run, settings, part_bytes = tmp_path / "run", Settings(shard_sentences=100), 4_000
    process = start("label", texts, "--run", run, "--engine", "ray", "--workers", 2, "--part-mb", part_bytes / 1e6,
                    "--shard-sentences", 100, "--quiet")  # fmt: skip
    wait_for_shards(run, 4, process)
    workers = [p for p in psutil.Process(process.pid).children(recursive=True) if "MapWorker" in " ".join(p.cmdline())]
    assert len(workers) == 2
    workers[0].kill()
    assert len(shard_paths(run)) < 30
    _, told = process.communicate(timeout=300)
    assert process.returncode == 0, told.decode()
    assert list(problems(run)) == []
    undisturbed = Order(tmp_path / "local", (str(texts),), settings, part_bytes, cluster=Cluster())
    assert carry_out(undisturbed, quiet=True, as_json=False) == 0
    assert contents(run) == contents(tmp_path / "local")
