"""Checks of a run folder: is each sentence there exactly once, and is everything what the manifest says?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import polars as pl

from model.manifest import sha256_of
from rhetoric.parts import Input, sum_of
from rhetoric.runs import Manifest, left, read_run
from rhetoric.shards import ShardError, read_frame, read_shard, shard_paths


def problems(folder: Path) -> Iterator[str]:
    """Say what is wrong with a run; nothing if it is whole and its input files are as they were.

    Raises:
        RunError: it has no readable manifest.
    """
    manifest = read_run(folder)
    paths = shard_paths(folder)
    yield from _of_sums(manifest, paths)
    damaged = False
    parts = dict(manifest.parts)
    for name, group in groupby(paths, key=lambda path: path.name.rpartition("-")[0]):  # one part in memory at a time
        try:
            frames = [(read_shard(path), read_frame(path)) for path in group]
        except ShardError as error:
            damaged = True
            yield str(error)
            continue
        files = parts.get(frames[0][0].part, ())
        yield from (f"{name}: {problem}" for problem in _of_rows(pl.concat(frame for _, frame in frames), files))
    if not damaged and (works := left(folder, manifest)):
        yield f"{len(works):,} of {len(parts):,} parts are not finished; go on with `rhetoric runs resume`"
    yield from changed_inputs(manifest)


def _of_sums(manifest: Manifest, paths: list[Path]) -> Iterator[str]:
    if not manifest.ended:
        return
    names = {path.name for path in paths}
    yield from (f"{name} is missing" for name in manifest.sums if name not in names)
    for path in paths:
        if path.name not in manifest.sums:
            yield f"{path.name} is not in the manifest"
        elif sha256_of(path) != manifest.sums[path.name]:
            yield f"{path.name} is not as it was written (its sha256 differs)"


def _of_rows(frame: pl.DataFrame, files: tuple[Input, ...]) -> Iterator[str]:
    """Check the rows of a part: documents of each file without gaps, sentences of each document likewise, offsets."""
    planned = {file.path for file in files if not file.replaced}
    found = set(frame["input"])
    yield from (f"{path} is in the shards but not in the manifest" for path in sorted(found - planned))
    key = ["input", "item"]
    if frame.select(*key, "sentence").is_duplicated().any():
        yield "sentences are there more than once"
    ordinary = frame.filter(pl.col("error") == "")
    per_document = ordinary.group_by(key).agg(
        (pl.col("sentence").max() == pl.len()).alias("whole"),
        ((pl.col("end") - pl.col("start")) == pl.col("text").str.len_chars()).all().alias("exact"),
        (pl.col("start") >= pl.col("end").shift(1, fill_value=0)).all().alias("ordered"),
    )
    for column, text in (("whole", "lacks sentences"), ("exact", "has offsets that are not its texts'"), ("ordered", "has sentences out of order")):  # fmt: skip
        yield from (
            f"{path} (document {item}) {text}" for path, item in per_document.filter(~pl.col(column)).select(key).rows()
        )
    per_file = frame.group_by("input").agg((pl.col("item").max() == pl.col("item").n_unique()).alias("whole"))
    yield from (f"{path} lacks documents" for path in per_file.filter(~pl.col("whole"))["input"])


def changed_inputs(manifest: Manifest) -> Iterator[str]:
    """Input files that are not as they were labelled, seen from the run's own folder."""
    for path, file in manifest.current.items():
        if file.sha256 and (checksum := sum_of(str(Path(manifest.folder) / path))) != file.sha256:
            yield f"input file {path} {'has changed' if checksum else 'is gone or cannot be read'} since it was labelled"
