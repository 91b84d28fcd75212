"""What `make run` and `make test` cost on a clean clone: seconds and megabytes, with an empty and a warm pip cache.

python benchmarks/installation.py            about half an hour; writes benchmarks/results/installation.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "installation.json"
ADDRESS = "http://127.0.0.1:7860"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-tests", action="store_true", help="leave `make test` out")
    tests = not parser.parse_args().no_tests
    found: dict[str, object] = {"machine": f"{os.cpu_count()} shared cores, Python {platform.python_version()}"}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name in ("empty", "warm"):
            clone = work / name
            subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
            if (ROOT.parent / "shared").is_dir() and not (work / "shared").exists():
                (work / "shared").symlink_to(ROOT.parent / "shared")
            environment = {
                **os.environ,
                "PIP_CACHE_DIR": str(work / "cache"),
                "XDG_CACHE_HOME": str(work / f"home-{name}"),
            }
            run, first = seconds_to_page(clone, environment)
            found[f"run_{name}_cache_seconds"] = run
            found["first_row_seconds"] = first
            found["labelling_megabytes"] = megabytes(clone / ".venv")
            found["labelling_download_megabytes"] = downloaded(clone, ".", work / "labelling")
            if tests:
                started = time.monotonic()
                subprocess.run(["make", "test"], cwd=clone, env=environment, check=True)
                found[f"test_{name}_cache_seconds"] = round(time.monotonic() - started)
                found["training_megabytes"] = megabytes(clone / ".venv")
            found["training_download_megabytes"] = downloaded(clone, ".[train,test]", work / "training")
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


def seconds_to_page(clone: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Seconds from `make run` to the first answer of the page, and from `rhetoric label` to its first row."""
    started = time.monotonic()
    server = subprocess.Popen(["make", "run"], cwd=clone, env=environment, start_new_session=True)
    try:
        while True:
            try:
                urllib.request.urlopen(ADDRESS, timeout=5)
                break
            except OSError:
                if server.poll() is not None:
                    raise SystemExit("make run ended before the page answered") from None
                time.sleep(0.2)
        elapsed = time.monotonic() - started
    finally:
        os.killpg(server.pid, 15)
        server.wait()
    return round(elapsed), first_row(clone, environment)


def first_row(clone: Path, environment: dict[str, str]) -> float:
    """Best of three starts of the command line, until its first row."""
    best = float("inf")
    for _ in range(3):
        started = time.monotonic()
        command = [".venv/bin/rhetoric", "label", "seeds/demo/velmara-2006-un-address.txt"]
        process = subprocess.Popen(
            command, cwd=clone, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert process.stdout
        process.stdout.readline()
        best = min(best, time.monotonic() - started)
        process.communicate()
    return round(best, 2)


def downloaded(clone: Path, what: str, folder: Path) -> int:
    """Size of the packages that pip fetches for an installation; nothing is fetched twice."""
    if not folder.exists():
        pip = [".venv/bin/python", "-m", "pip", "download", "--quiet", "-c", "constraints.txt", "-d", str(folder), what]
        subprocess.run(pip, cwd=clone, check=True)
    return megabytes(folder)


def megabytes(folder: Path) -> int:
    """Size of a folder on disk."""
    out = subprocess.run(["du", "-sm", str(folder)], capture_output=True, text=True, check=True).stdout
    return int(re.match(r"\d+", out)[0])  # type: ignore[index]


if __name__ == "__main__":
    main()
