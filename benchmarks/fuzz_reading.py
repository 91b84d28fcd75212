"""Read mutated files of every format and report what came of them: `python benchmarks/fuzz_reading.py [COUNT] [SEED]`.

A failure is a worker that died or had to be stopped; everything else is a document or an error row. An
error that a reader did not foresee says `cannot be read (…)`. Counts go to results/fuzzing.json.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fuzzing import mutants  # noqa: E402
from reading_files import write_all  # noqa: E402

from rhetoric.errors import ReadError  # noqa: E402
from rhetoric.reading import Document, Limits, Reader, ReadOptions, Source  # noqa: E402
from rhetoric.voices import read_voices  # noqa: E402

SECONDS = 60
COUNTED = ("inputs", "documents", "errors", "unforeseen_errors")
STOPPED = ("broke off", "took longer", "process does not start")


def main(count: int, seed: int) -> dict[str, Any]:
    """Read the mutants; return counts by format and the failures."""
    outcomes: dict[str, Counter[str]] = {}
    slowest = (0.0, "")
    failures = []
    with tempfile.TemporaryDirectory() as folder, Reader(ReadOptions(limits=Limits(seconds=SECONDS))) as reader:
        paths = list(write_all(Path(folder)).values())
        for name, content in mutants(paths, count, seed):
            begin = time.perf_counter()
            counts = outcomes.setdefault(Path(name).suffix.lstrip("."), Counter())
            for item in reader.read(Source(name, content=content)):
                counts[outcome(item)] += 1
                if isinstance(item, ReadError) and any(words in str(item) for words in STOPPED):
                    failures.append(str(item))
            counts["inputs"] += 1
            slowest = max(slowest, (time.perf_counter() - begin, name))
    return {
        "inputs": sum(c["inputs"] for c in outcomes.values()), "seed": seed, "seconds_limit": SECONDS,
        "slowest_seconds": round(slowest[0], 2), "slowest": slowest[1], "stopped": failures,
        "formats": {suffix: {k: counts[k] for k in COUNTED} for suffix, counts in outcomes.items()},
    }  # fmt: skip


def outcome(item: Document | ReadError) -> str:
    """Name what came of an input, and check that a document can be taken apart."""
    if isinstance(item, ReadError):
        if "cannot be read (" in str(item):
            print("unforeseen:", str(item)[:160], flush=True)
            return "unforeseen_errors"
        return "errors"
    voices = read_voices(item)
    assert all(0 <= s.start < s.end <= len(item.text) for s in voices.segments.sentences)
    return "documents"


if __name__ == "__main__":
    found = main(*map(int, [*sys.argv[1:], *("10000", "1")[len(sys.argv) - 1 :]]))
    print(json.dumps(found, indent=1))
    out = ROOT / "benchmarks" / "results" / "fuzzing.json"
    out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
