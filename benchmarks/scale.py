"""Labelling a corpus from end to end: shares of time, cold start, memory, growth, and equal labels whatever runs.

python -m benchmarks.scale [--only end-to-end cold-start memory growth engines]

Needs the real texts (../shared or $RHETORIC_TEXTS). Writes scale.json and its plots into
benchmarks/results and fills the table in docs/runs.md. Each part is measured by the command line, as a user runs it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from rhetoric.label import load_classifier, split_document
from rhetoric.reading import Document, Reader
from rhetoric.runs import read_run
from rhetoric.shards import shard_paths
from training.cards import fill, table
from training.corpus import texts_folder

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "runs.md"
SPEECH = ROOT / "seeds" / "demo" / "velmara-2006-un-address.txt"
RHETORIC = [sys.executable, "-m", "rhetoric.cli"]
SAMPLES_PER_SECOND = 4
BILLION = 1_000_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--speeches", type=int, default=None, help="of the UN corpus (default: all)")
    options = parser.parse_args()
    speeches = sorted((texts_folder(None) / "corpus" / "ungdc").glob("*.txt"))[: options.speeches]
    path = RESULTS / "scale.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    found["machine"] = f"{os.cpu_count()} {platform.machine()} cores, Python {platform.python_version()}"
    for part in options.only:
        with tempfile.TemporaryDirectory() as work:
            found[part] = PARTS[part](speeches, Path(work))
        print(part, json.dumps({k: v for k, v in found[part].items() if k != "samples"}))
        RESULTS.mkdir(exist_ok=True)
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    plot(found, RESULTS / "scale.png")
    fill(PAGE, "scale", page(found))


def label(paths: list[Path], run: Path, *more: object) -> float:
    """Label files into a run; return the seconds of the whole command."""
    started = time.perf_counter()
    command = [*RHETORIC, "label", *map(str, paths), "--run", str(run), "--quiet", *map(str, more)]
    if subprocess.run(command, check=False, cwd=ROOT).returncode > 1:  # 1: a document could not be read
        raise SystemExit(f"failed: {' '.join(command[2:4])} …")
    return time.perf_counter() - started


def end_to_end(speeches: list[Path], work: Path) -> dict[str, Any]:
    """Seconds of the whole command against those of inference alone on the same sentences."""
    seconds = label(speeches, work / "run")
    with Reader() as reader:
        documents = [item for path in speeches for item in reader.read(str(path)) if isinstance(item, Document)]
    turns = [split_document(document).turns for document in documents]
    classifier = load_classifier()
    started = time.perf_counter()
    for pending in [classifier.start(some) for some in turns]:
        pending.result()
    alone = time.perf_counter() - started
    sentences = read_run(work / "run").counts.sentences
    return {
        "speeches": len(speeches), "sentences": sentences, "seconds": round(seconds, 1),
        "sentences_per_second": round(sentences / seconds, 1), "inference_alone_seconds": round(alone, 1),
        "share_of_labelling": round(alone / seconds, 4),
    }  # fmt: skip


def cold_start(speeches: list[Path], work: Path) -> dict[str, Any]:
    """Wall seconds of one sentence on the command line, with an empty and a warm cache of the compiled model."""
    (work / "one.txt").write_text("The West has lied to us for years.", encoding="utf-8")
    environment = {**os.environ, "XDG_CACHE_HOME": str(work / "cache")}
    seconds = []
    for _ in range(8):
        started = time.perf_counter()
        subprocess.run(
            [*RHETORIC, "label", str(work / "one.txt"), "--quiet"],
            check=True,
            env=environment,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
        )
        seconds.append(time.perf_counter() - started)
    code = f"import sys; sys.argv[1:] = ['label', {str(work / 'one.txt')!r}, '--quiet']\nfrom rhetoric.cli import main\ntry: main()\nexcept SystemExit: pass\nprint('torch' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", code], check=True, env=environment, cwd=ROOT, capture_output=True, text=True
    ).stdout
    return {
        "first_seconds": round(seconds[0], 3), "warm_seconds": round(min(seconds[1:]), 3),
        "warm_median_seconds": round(float(np.median(seconds[1:])), 3), "torch_loaded": told.splitlines()[-1] == "True",
    }  # fmt: skip


def memory(speeches: list[Path], work: Path) -> dict[str, Any]:
    """Most memory of all processes of a run, over a corpus and over one 20 times as long."""
    small = max(1, len(speeches) // 40)
    result: dict[str, Any] = {"samples": {}}
    for name, count in (("once", small), ("twenty_times", 20 * small)):
        texts = [path for n in range(-(-count // len(speeches))) for path in copies(speeches, work / f"{name}{n}")][
            :count
        ]
        process = subprocess.Popen(
            [*RHETORIC, "label", *map(str, texts), "--run", str(work / name), "--quiet"], cwd=ROOT
        )
        samples = list(watch(process))
        result[f"{name}_speeches"], result[f"{name}_megabytes"] = len(texts), round(max(mb for _, mb in samples))
        step = max(1, len(samples) // 300)
        result["samples"][name] = [[round(seconds, 1), round(mb)] for seconds, mb in samples[::step]]
    return result


def copies(speeches: list[Path], folder: Path) -> Iterator[Path]:
    """The speeches, or links to them under other names."""
    folder.mkdir(exist_ok=True)
    for path in speeches:
        link = folder / path.name
        if not link.exists():
            link.symlink_to(path)
        yield link


def watch(process: subprocess.Popen[bytes]) -> Iterator[tuple[float, float]]:
    """Seconds and megabytes (unique memory of the process and of its reader, shared pages once) until it ends."""
    started, top = time.perf_counter(), psutil.Process(process.pid)
    yield 0.0, 0.0
    while process.poll() is None:
        try:
            total = sum(p.memory_full_info().pss for p in (top, *top.children(recursive=True)))
            yield time.perf_counter() - started, total / 1e6
        except psutil.Error:
            pass
        time.sleep(1 / SAMPLES_PER_SECOND)
    if process.returncode:
        raise SystemExit(f"the run ended with {process.returncode}")


def growth(speeches: list[Path], work: Path) -> dict[str, Any]:
    """Seconds for 1, 10, 100 and 1,000 times a piece of a speech, and the exponent of seconds without the start."""
    piece = speeches[0].read_text(encoding="utf-8-sig")[:2500]
    sizes = (1, 10, 100, 1000)
    seconds = []
    for size in sizes:
        folder = work / f"texts{size}"
        folder.mkdir()
        for n in range(size):
            (folder / f"{n:04}.txt").write_text(piece, encoding="utf-8")
        tries = 5 if size <= 10 else 1  # the short ones are mostly start, which varies
        seconds.append(min(label([folder], work / f"run{size}-{n}") for n in range(tries)))
    sentences = read_run(work / "run1-0").counts.sentences
    start = seconds[0] - (seconds[1] - seconds[0]) / 9
    slope = np.polyfit(np.log(sizes[1:]), np.log(np.array(seconds[1:]) - start), 1)[0]
    return {
        "sentences": [sentences * size for size in sizes], "seconds": [round(s, 2) for s in seconds],
        "start_seconds": round(start, 2), "exponent": round(float(slope), 3),
    }  # fmt: skip


def engines(speeches: list[Path], work: Path) -> dict[str, Any]:
    """Flips between a run and one in another order and other parts, and one on Ray with two workers of a thread each."""
    texts = [*speeches, texts_folder(None) / "corpus" / "statements.jsonl"]
    label(texts, work / "local")
    label(texts, work / "ray", "--engine", "ray", "--workers", 2)
    label(texts[::-1], work / "reversed", "--part-mb", 2)
    expected = rows(work / "local")
    result: dict[str, Any] = {"sentences": len(expected)}
    for name in ("ray", "reversed"):
        found = rows(work / name)
        result[f"{name}_flips"] = sum(found.get(key, ())[:1] != row[:1] for key, row in expected.items())
        result[f"{name}_other_probabilities"] = sum(found.get(key, ())[1:] != row[1:] for key, row in expected.items())
    same = [path.read_bytes() == (work / "ray" / path.name).read_bytes() for path in shard_paths(work / "local")]
    result["ray_shards_byte_identical"] = f"{sum(same)} of {len(same)}"
    return result


def rows(run: Path) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Labels and probabilities by file, document and sentence."""
    import polars as pl

    columns = ["input", "item", "sentence", "labels", "probabilities"]
    frame = pl.concat([pl.read_parquet(path, columns=columns) for path in shard_paths(run)])
    return {row[:3]: row[3:] for row in frame.iter_rows()}


PARTS = {"end-to-end": end_to_end, "cold-start": cold_start, "memory": memory, "growth": growth, "engines": engines}


def page(found: dict[str, Any]) -> str:
    """The table of docs/runs.md, of what has been measured."""
    lines: list[tuple[str, str]] = []
    if e := found.get("end-to-end"):
        lines += [
            ("the UN speeches, read, split, labelled and written", f"{e['sentences']:,} sentences of {e['speeches']:,} speeches in {e['seconds']:,} s: {e['sentences_per_second']:,.0f} a second"),
            ("inference alone takes of that", f"{e['share_of_labelling']:.0%}"),
            ("a billion sentences at this rate", billion(e["sentences_per_second"])),
        ]  # fmt: skip
    if c := found.get("cold-start"):
        lines.append(
            (
                "one sentence on the command line",
                f"{c['warm_seconds']} s (the first time {c['first_seconds']} s); torch loaded: {'yes' if c['torch_loaded'] else 'no'}",
            )
        )
    if m := found.get("memory"):
        lines.append(
            (
                "peak memory",
                f"{m['once_megabytes']} MB over {m['once_speeches']} speeches, {m['twenty_times_megabytes']} MB over {m['twenty_times_speeches']}",
            )
        )
    if g := found.get("growth"):
        lines.append(
            (
                "seconds for 1, 10, 100, 1,000 times a text",
                f"{', '.join(map(str, g['seconds']))}; they grow with size to the power {g['exponent']}",
            )
        )
    if n := found.get("engines"):
        lines.append(
            (
                "labels that differ in another order / on Ray",
                f"{n['reversed_flips']} / {n['ray_flips']} of {n['sentences']:,} sentences; shards with the same bytes on Ray: {n['ray_shards_byte_identical']}",
            )
        )
    return table(["", f"on {found['machine']}"], lines)


def billion(rate: float) -> str:
    """Hours and machines for a billion sentences."""
    hours = BILLION / rate / 3600
    return f"{hours:,.0f} hours of one such machine: {hours / 24:,.1f} h on 24 of them"


def plot(found: dict[str, Any], path: Path) -> None:
    """Memory over a run, and seconds against size."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    for name, samples in found.get("memory", {}).get("samples", {}).items():
        x, y = zip(*samples, strict=True)
        left.plot(np.array(x) / max(x[-1], 1e-9), y, label=f"{found['memory'][f'{name}_speeches']} speeches")
    left.axhline(500, color="0.6", linewidth=1)
    left.set(xlabel="share of the run", ylabel="MB", ylim=(0, None), title="Memory")
    left.legend()
    if g := found.get("growth"):
        right.plot(g["sentences"], g["seconds"], "o-")
        right.set(xscale="log", yscale="log", xlabel="sentences", ylabel="seconds", title="Time")
    figure.savefig(path, dpi=120, metadata={"Software": None})
    plt.close(figure)


if __name__ == "__main__":
    main()
