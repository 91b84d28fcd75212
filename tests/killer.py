"""Carries out a run in a child process and kills it with SIGKILL, again and again, at moments of every stage.

python tests/killer.py RUN TEXTS KILLS     prints {"kills": …, "stages": {…}} once the run has come to its end

The children do real work; only marks of what they are at are put around the real system calls, and
short pauses, so that kills fall into stages that last microseconds.
"""

from __future__ import annotations

import json
import mmap
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rhetoric import durable
from rhetoric.cli import running
from rhetoric.parts import Settings

STAGES = ("starting", "planning", "labelling", "writing", "flushed", "renamed", "finishing")
LINGER, LINGERS = 0.05, 0.6
"""Seconds that a child stays in the stage it is to die in, and how often it does when it comes by."""
MAIN, WRITER = 0, 1
SETTINGS = Settings(shard_sentences=1)
PART_BYTES = 100


def main(run: Path, texts: Path, kills: int) -> None:
    marks = mmap.mmap(-1, 2)
    rng = random.Random(1)
    stages: Counter[str] = Counter()
    while True:
        marks[:] = bytes(2)
        target = STAGES[rng.randrange(len(STAGES) - 1)] if sum(stages.values()) < kills else "finishing"
        if target == "finishing" and stages[target] >= 5:
            target = ""
        child = os.fork()
        if child == 0:
            _child(marks, run, texts, target, rng)
        ended = _watch(child, marks, target, rng)
        if ended is not None:
            break
        stages[_stage(marks)] += 1
    print(json.dumps({"kills": sum(stages.values()), "stages": stages, "exit": ended}))


def _watch(child: int, marks: mmap.mmap, target: str, rng: random.Random) -> int | None:
    """Kill the child a random moment after it reached the target; return its exit code if it ended first."""
    delay = rng.uniform(0, {"starting": 0.002, "labelling": 0.03}.get(target, LINGER / 2))
    reached = None
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        now = time.monotonic()
        if reached is None and target and _at(marks, target):
            reached = now
        if reached is not None and now >= reached + delay:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None
        time.sleep(0.0002)


def _at(marks: mmap.mmap, target: str) -> bool:
    number = STAGES.index(target)
    return marks[WRITER] == number if target in ("writing", "flushed", "renamed") else marks[MAIN] >= number


def _stage(marks: mmap.mmap) -> str:
    """What the child was at when it died: writing, if it was at a shard."""
    return STAGES[marks[WRITER] or marks[MAIN]]


def _child(marks: mmap.mmap, run: Path, texts: Path, target: str, rng: random.Random) -> None:
    """Carry out the run with marks around its stages, and leave."""
    rng.random()

    def mark(which: int, stage: str) -> None:
        marks[which] = STAGES.index(stage) if stage else 0
        if stage == target and stage not in ("starting", "labelling") and (which == MAIN or rng.random() < LINGERS):
            time.sleep(LINGER)

    def write() -> None:
        if marks[WRITER] != STAGES.index("renamed"):  # the folder is flushed after the file was renamed
            mark(WRITER, "writing")

    def flushed() -> None:
        if marks[WRITER] != STAGES.index("renamed"):
            mark(WRITER, "flushed")

    def around(owner: Any, name: str, before: Callable[[], None], after: Callable[[], None]) -> None:
        real = getattr(owner, name)

        def marked(*args: Any, **kwargs: Any) -> Any:
            before()
            done = real(*args, **kwargs)
            after()
            return done

        setattr(owner, name, marked)

    around(running, "prepare", lambda: mark(MAIN, "planning"), lambda: mark(MAIN, "labelling"))
    around(running, "finish", lambda: mark(MAIN, "finishing"), lambda: mark(MAIN, "finishing"))
    around(durable.os, "fsync", write, flushed)
    around(durable, "sync_folder", lambda: mark(WRITER, "renamed"), lambda: mark(WRITER, ""))
    order = running.Order(run, (str(texts),), SETTINGS, PART_BYTES)
    os._exit(running.carry_out(order, quiet=True, as_json=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
