"""Read mutated files of every format and report what came of them: `python benchmarks/fuzz_reading.py [COUNT] [SEED]`.

A failure is a worker that died or had to be stopped; everything else is a document or an error row.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from fuzzing import mutants  # noqa: E402
from reading_files import write_all  # noqa: E402

from rhetoric.errors import ReadError  # noqa: E402
from rhetoric.reading import Limits, Reader, ReadOptions, Source  # noqa: E402
from rhetoric.voices import read_voices  # noqa: E402


def main(count: int, seed: int) -> None:
    outcomes: dict[str, Counter[str]] = {}
    slowest = (0.0, "")
    failures = []
    with tempfile.TemporaryDirectory() as folder, Reader(ReadOptions(limits=Limits(seconds=20))) as reader:
        paths = list(write_all(Path(folder)).values())
        for name, content in mutants(paths, count, seed):
            begin = time.perf_counter()
            counts = outcomes.setdefault(Path(name).suffix, Counter())
            for item in reader.read(Source(name, content=content)):
                if isinstance(item, ReadError):
                    counts["errors"] += 1
                    broken = (
                        "broke off" in str(item) or "took longer" in str(item) or "process does not start" in str(item)
                    )
                    if broken:
                        failures.append(str(item))
                    odd = "cannot be read (" in str(item)
                    counts["unforeseen errors"] += odd
                    if odd:
                        print("unforeseen:", str(item)[:160])
                else:
                    voices = read_voices(item)
                    assert all(0 <= s.start < s.end <= len(item.text) for s in voices.segments.sentences)
                    counts["documents"] += 1
            counts["inputs"] += 1
            slowest = max(slowest, (time.perf_counter() - begin, name))
    for suffix, counts in outcomes.items():
        print(
            f"{suffix:9} "
            + ", ".join(f"{counts[k]:,} {k}" for k in ("inputs", "documents", "errors", "unforeseen errors"))
        )
    print(f"{sum(c['inputs'] for c in outcomes.values()):,} inputs, seed {seed}; slowest {slowest[0]:.2f} s ({slowest[1]}); "
          f"{len(failures)} broke or stopped the worker")  # fmt: skip
    for failure in failures[:20]:
        print("  ", failure)


if __name__ == "__main__":
    main(*map(int, [*sys.argv[1:], *("10000", "1")[len(sys.argv) - 1 :]]))
