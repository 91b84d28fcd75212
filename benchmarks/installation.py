"""What `make run` and `make test` cost on clean clones: seconds and megabytes, with an empty and a warm pip cache.

python benchmarks/installation.py            about half an hour; writes benchmarks/results/installation.json

Every command gets a clone of its own, of what is committed, and a pip cache of its own: empty at first, then the
one that it filled. `make test` is timed in two legs, `make setup-train` and the rest, to tell what the `train`
extra adds. A browser that is on the machine is used as it is.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "installation.json"
HOST, PORT = "127.0.0.1", 7860
STARTS = 3
TORCH_INDEX = "https://download.pytorch.org/whl/cpu"

Found = dict[str, object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-tests", action="store_true", help="leave `make test` out")
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    with socket.socket() as probe:  # whoever answers there would be taken for our page
        if probe.connect_ex((HOST, PORT)) == 0:
            raise SystemExit(f"something answers on {HOST}:{PORT} already; end it first")
    found: Found = {"machine": f"{os.cpu_count()} shared cores, Python {platform.python_version()}"}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        if (ROOT.parent / "shared").is_dir():
            (work / "shared").symlink_to(ROOT.parent / "shared")
        for cache in ("empty", "warm"):
            measure_run(work, cache, found)
            keep(found, arguments.out)
            if not arguments.no_tests:
                measure_test(work, cache, found)
                keep(found, arguments.out)
    print(json.dumps(found, indent=1))


def measure_run(work: Path, cache: str, found: Found) -> None:
    """`make run` until the page answers, then the command line's start."""
    clone, environment = cloned(work, "run", cache)
    found[f"run_{cache}_cache_seconds"] = seconds_to_page(clone, environment)
    starts = [seconds_to_row(clone, environment) for _ in range(STARTS)]
    found["first_row_seconds"] = min(starts)
    found["labelling_megabytes"] = megabytes(clone / ".venv")
    found["labelling_download_megabytes"] = downloaded(clone, environment, work / "labelling")


def measure_test(work: Path, cache: str, found: Found) -> None:
    """`make test`, and how much of it is the `train` extra. CI is set, so that no browser test is skipped."""
    clone, environment = cloned(work, "test", cache)
    started = time.monotonic()
    subprocess.run(["make", "setup-train"], cwd=clone, env=environment, check=True)
    training = time.monotonic() - started
    found[f"train_{cache}_cache_seconds"] = round(training)
    found["training_megabytes"] = megabytes(clone / ".venv")
    found["training_download_megabytes"] = downloaded(clone, environment, work / "training")
    started = time.monotonic()
    subprocess.run(["make", "test"], cwd=clone, env={**environment, "CI": "true"}, check=True)
    found[f"test_{cache}_cache_seconds"] = round(training + time.monotonic() - started)
    found["test_megabytes"] = megabytes(clone / ".venv")
    found["test_download_megabytes"] = downloaded(clone, environment, work / "test")


def cloned(work: Path, command: str, cache: str) -> tuple[Path, dict[str, str]]:
    """A clean clone, and an environment in which nothing of this machine's caches is seen."""
    clone = work / f"{command}-{cache}"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    caches = {"PIP_CACHE_DIR": str(work / f"pip-{command}"), "XDG_CACHE_HOME": str(work / f"cache-{command}-{cache}")}
    return clone, {**os.environ, **caches}


def seconds_to_page(clone: Path, environment: Mapping[str, str]) -> int:
    """Seconds from `make run` to the first answer of the page."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    started = time.monotonic()
    server = subprocess.Popen(["make", "run"], cwd=clone, env=environment, start_new_session=True)
    try:
        while True:
            try:
                opener.open(f"http://{HOST}:{PORT}", timeout=5).close()
                return round(time.monotonic() - started)
            except OSError:
                if server.poll() is not None:
                    raise SystemExit("make run ended before the page answered") from None
                time.sleep(0.2)
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def seconds_to_row(clone: Path, environment: Mapping[str, str]) -> float:
    """Seconds from `rhetoric label` to its first row."""
    command = [".venv/bin/rhetoric", "label", "seeds/demo/velmara-2006-un-address.txt"]
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=clone, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout
    row = process.stdout.readline()
    elapsed = round(time.monotonic() - started, 2)
    process.communicate()
    if not row or process.returncode:
        raise SystemExit("rhetoric label wrote no row")
    return elapsed


def downloaded(clone: Path, environment: Mapping[str, str], folder: Path) -> int:
    """Size of the files of exactly those packages that are installed now."""
    if not folder.exists():
        pip = [".venv/bin/python", "-m", "pip"]
        frozen = subprocess.run(
            [*pip, "freeze", "--exclude-editable"],
            cwd=clone,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        listed = folder.with_suffix(".txt")
        listed.write_text(frozen, encoding="utf-8")
        command = [*pip, "download", "--quiet", "--no-deps", "-r", str(listed), "-d", str(folder)]
        if subprocess.run(command, cwd=clone, env=environment, check=False).returncode:  # as in scripts/torch.sh
            subprocess.run([*command, "--extra-index-url", TORCH_INDEX], cwd=clone, env=environment, check=True)
    return megabytes(folder)


def megabytes(folder: Path) -> int:
    """Size of a folder on disk."""
    out = subprocess.run(["du", "-sm", str(folder)], capture_output=True, text=True, check=True).stdout
    return int(re.match(r"\d+", out)[0])  # type: ignore[index]


def keep(found: Found, out: Path) -> None:
    """Write what was found so far."""
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
