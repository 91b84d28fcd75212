"""A labelling run on disk: a folder with a manifest and Parquet shards, which a crash leaves whole.

The manifest is written before the first shard. It lists the input files with their sums and cuts
them into parts; every shard follows from it, so a run that was broken off goes on where its shards
end, and gives the bytes that an undisturbed one gives.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl
from filelock import FileLock, Timeout

from model.classifier import MODEL_NAME
from model.manifest import MANIFEST_NAME as MODEL_MANIFEST
from model.manifest import read_manifest, sha256_of
from rhetoric.codebook import CODEBOOK_PATH, default_codebook
from rhetoric.durable import remove_leftovers, sync_folder, write_durably
from rhetoric.errors import ReadError, RhetoricError
from rhetoric.label import LabelledSentence
from rhetoric.parts import Input, Settings, Work, sum_of
from rhetoric.reading import Limits, ReadOptions, find_files
from rhetoric.reading.paths import STDIN
from rhetoric.segment import SEGMENTER
from rhetoric.shards import Counts, Shard, drop_inputs, frames, read_shard, shard_paths

FORMAT = 1
MANIFEST_NAME = "manifest.json"
LOCK_NAME = ".lock"
PART_FILES = 256
_LOCK_SECONDS = 1.0
"""A process that was killed while it started another one holds the lock some moments longer."""
LIBRARIES = ("openvino", "tokenizers", "sentencex", "numpy", "polars")


class RunError(RhetoricError):
    """A run cannot be started, gone on with or read."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a run is: what it labels, with what, and what came of it.

    `identity` is what the rows depend on beside the inputs; `paths` are as given, seen from
    `folder`; `sums` are the sha256 of the shards of a finished run.
    """

    identity: Mapping[str, str]
    settings: Settings
    part_bytes: int
    folder: str
    paths: tuple[str, ...]
    inputs: tuple[Input, ...]
    libraries: Mapping[str, str]
    model_version: str
    model_sha256: str
    codebook_version: str
    started: str
    ended: str = ""
    engine: str = ""
    counts: Counts = field(default_factory=Counts)
    sums: Mapping[str, str] = field(default_factory=dict)

    @property
    def parts(self) -> Iterator[tuple[int, tuple[Input, ...]]]:
        """Numbers of the parts with their files."""
        for number, files in groupby(sorted(self.inputs, key=lambda f: f.part), key=lambda f: f.part):
            yield number, tuple(files)

    @property
    def current(self) -> dict[str, Input]:
        """The input files as they were last seen, by path."""
        return {file.path: file for file in self.inputs if not file.replaced}

    def write(self, folder: Path) -> None:
        """Write the manifest durably."""
        table = {"format": FORMAT, **asdict(self)}
        write_durably(folder / MANIFEST_NAME, (json.dumps(table, indent=1, ensure_ascii=True) + "\n").encode("ascii"))


def read_run(folder: Path) -> Manifest:
    """Read the manifest of a run.

    Raises:
        RunError: there is none, or it is not one.
    """
    path = folder / MANIFEST_NAME
    try:
        table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if table.pop("format") != FORMAT:
            raise RunError(f"{path} has another format than {FORMAT}; label into a new folder")
        reading = table["settings"].pop("reading")
        options = ReadOptions(**{**reading, "limits": Limits(**reading["limits"])})
        table["settings"] = Settings(reading=options, **table["settings"])
        table["inputs"] = tuple(Input(**file) for file in table["inputs"])
        table["paths"] = tuple(table["paths"])
        table["counts"] = Counts(**table["counts"])
        return Manifest(**table)
    except FileNotFoundError as error:
        raise RunError(f"{folder} is no run: it has no {MANIFEST_NAME}") from error
    except OSError as error:
        raise RunError(f"{path}: {error.strerror or error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path} is not the manifest of a run: {error!r}") from error


@dataclass(frozen=True, slots=True)
class Changes:
    """What became of the input files since the run began: new ones, changed ones, ones that are gone."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a run folder, made where it is missing, for this process alone; the system lets go when it dies.

    Raises:
        RunError: another process holds it, or it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK_NAME, timeout=_LOCK_SECONDS, preserve_lock_file=True)
        lock.acquire()
    except Timeout as error:
        raise RunError(f"another process works on {folder}; wait for it, or label into another folder") from error
    except OSError as error:
        raise RunError(f"{folder}: {error.strerror or error}") from error
    try:
        yield
    finally:
        lock.release()


def prepare(
    folder: Path, paths: Sequence[str], settings: Settings, part_bytes: int, engine: str, retry: bool = False
) -> tuple[Manifest, Changes]:
    """Plan a run, or what a run that exists has still to do. The folder must be `locked`.

    Args:
        folder: of the run.
        paths: files and folders as given; none where a run goes on with its own.
        settings: how to read and cut.
        part_bytes: size of input files that make up a part.
        engine: what will label.
        retry: read anew what could not be read.

    Raises:
        RunError: the run was begun with something else, which is named.
    """
    remove_leftovers(folder)
    fresh = _new_manifest(paths, settings, part_bytes, engine)
    old = read_run(folder) if (folder / MANIFEST_NAME).exists() else None
    if old is None and shard_paths(folder):
        raise RunError(f"{folder} has shards but no {MANIFEST_NAME}; label into a new folder")
    if old is None:
        _refuse_strangers(folder)
        manifest, changes = _with_inputs(fresh, find_inputs(fresh.paths), frozenset())[0], Changes()
    else:
        _refuse_differences(folder, old, fresh)
        if old.folder != fresh.folder and any(not Path(path).is_absolute() for path in (*old.paths, *paths)):
            raise RunError(f"{folder} was begun in {old.folder}, from where its paths are seen; give the command there")
        known = replace(old, settings=settings, paths=tuple(dict.fromkeys((*old.paths, *paths))))
        failed = frozenset(_failed(folder)) if retry else frozenset()
        manifest, changes = _with_inputs(known, find_inputs(known.paths), failed)
    if old is None or manifest != old:
        manifest = replace(manifest, ended="", engine=engine, libraries=fresh.libraries)
        manifest.write(folder)
    _drop_replaced(folder, manifest)
    return manifest, changes


def _new_manifest(paths: Sequence[str], settings: Settings, part_bytes: int, engine: str) -> Manifest:
    model, book = read_manifest(settings.weights), default_codebook()
    weights = model.files[MODEL_NAME].sha256
    facts = settings.reading.facts_table
    identity = {
        "model": f"{model.version} ({sha256_of(settings.weights / MODEL_MANIFEST)[:16]})",
        "codebook": f"{book.version} ({sha256_of(CODEBOOK_PATH)[:16]})",
        "segmenter": SEGMENTER,
        "columns": ", ".join(f.name for f in fields(LabelledSentence)),
        **{f"option {name}": str(value) for name, value in _flat_options(settings)},
        "table of facts": f"{facts} ({sum_of(facts)[:16]})" if facts else "",
        "option part_bytes": str(part_bytes),
    }
    return Manifest(
        identity=identity, settings=settings, part_bytes=part_bytes, folder=str(Path.cwd()),
        paths=tuple(dict.fromkeys(paths)), inputs=(), libraries=_libraries(), model_version=model.version,
        model_sha256=weights, codebook_version=book.version, started=_now(), engine=engine,
    )  # fmt: skip


def _flat_options(settings: Settings) -> Iterator[tuple[str, object]]:
    table = asdict(settings)
    reading = table.pop("reading")
    del table["model"]  # its sum is in the identity, wherever it lies
    del reading["limits"], reading["facts_table"]  # limits decide only whether a document is read; the table has a sum
    yield from {**table, **reading}.items()


def _libraries() -> dict[str, str]:
    return {"python": platform.python_version(), **{name: version(name) for name in LIBRARIES}}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _refuse_strangers(folder: Path) -> None:
    strange = [path.name for path in folder.iterdir() if path.name != LOCK_NAME]
    if strange:
        raise RunError(f"{folder} is no run and holds {', '.join(sorted(strange)[:3])}; name a new or empty folder")


def _refuse_differences(folder: Path, old: Manifest, new: Manifest) -> None:
    differing = [
        f"{name} was {old.identity.get(name, '') or 'not set'} and is {new.identity.get(name, '') or 'not set'} now"
        for name in {**old.identity, **new.identity}
        if old.identity.get(name, "") != new.identity.get(name, "")
    ]
    if differing:
        raise RunError(
            f"{folder} was labelled with something else: {'; '.join(differing)}. Rows of both do not belong together: "
            "label into a new folder"
        )


def find_inputs(paths: Sequence[str]) -> Iterator[Input]:
    """Input files, not in parts yet; what cannot be read is among them, for its error is a row too.

    Raises:
        RunError: standard input, of which there is no second reading.
    """
    seen = set()
    for entry in find_files(paths):
        path, error = (entry.path, str(entry)) if isinstance(entry, ReadError) else (entry, "")
        if path == STDIN:
            raise RunError("a run cannot read standard input, which could not be read again; name files")
        if path not in seen:
            seen.add(path)
            yield Input(path, 0, "", -1, error) if error else Input(path, Path(path).stat().st_size, sum_of(path), -1)


def _with_inputs(manifest: Manifest, found: Iterator[Input], again: frozenset[str]) -> tuple[Manifest, Changes]:
    """Add the files that are new or changed, or to be read `again`, in parts after the others."""
    known = manifest.current
    gone = dict(known)
    added: list[Input] = []
    for file in found:
        if file.error and any(path == file.path or Path(file.path) in Path(path).parents for path in known):
            continue  # it is not there any more, and neither is what was below it
        old = gone.pop(file.path, None)
        if old is None or file.sha256 != old.sha256 or file.path in again:
            added.append(file)
    anew = {file.path for file in added}
    first = max((file.part for file in manifest.inputs), default=-1) + 1
    kept = (replace(f, replaced=True) if f.path in anew else f for f in manifest.inputs)
    changes = Changes(
        tuple(path for path in anew if path not in known),
        tuple(path for path in anew if path in known),
        tuple(path for path, file in gone.items() if file.sha256),
    )
    return replace(manifest, inputs=(*kept, *_in_parts(added, first, manifest.part_bytes))), changes


def _in_parts(files: Sequence[Input], part: int, part_bytes: int) -> Iterator[Input]:
    """Cut files into parts of about so many bytes, in order."""
    size = count = 0
    for file in files:
        if count and (size + file.bytes > part_bytes or count >= PART_FILES):
            part, size, count = part + 1, 0, 0
        size, count = size + file.bytes, count + 1
        yield replace(file, part=part)


def _failed(folder: Path) -> Iterator[str]:
    for frame in frames(folder):
        yield from frame.filter(pl.col("error") != "")["input"]


def _drop_replaced(folder: Path, manifest: Manifest) -> None:
    """Take the rows of replaced files out of the shards of their parts."""
    replaced = {number: {f.path for f in files if f.replaced} for number, files in manifest.parts}
    for path in shard_paths(folder):
        inputs = replaced.get(read_shard(path).part)
        if inputs:
            drop_inputs(path, inputs)


def left(folder: Path, manifest: Manifest) -> list[Work]:
    """What is left to label."""
    reached: dict[int, Shard] = {}
    for shard in map(read_shard, shard_paths(folder)):
        before = reached.get(shard.part)
        if shard.number == (before.number + 1 if before is not None else 0):  # what lies beyond a gap is labelled again
            reached[shard.part] = shard
    works = []
    for number, files in manifest.parts:
        last = reached.get(number)
        if last is None:
            works.append(Work(number, files))
        elif not last.last:
            works.append(Work(number, files, last.number + 1, last.next))
    return works


def counts_of(folder: Path) -> Counts:
    """Counts over the shards that are there."""
    total = Counts()
    for path in shard_paths(folder):
        total.add(read_shard(path).counts)
    return total


def labelled(folder: Path) -> Iterator[LabelledSentence]:
    """Labelled sentences of a run, in reading order, without the rows of errors."""
    for frame in frames(folder):
        for row in frame.filter(pl.col("error") == "").drop("input", "item", "error").iter_rows(named=True):
            yield LabelledSentence(**{**row, "labels": tuple(row["labels"])})


def finish(folder: Path, manifest: Manifest) -> Manifest:
    """Note the end of a run in its manifest, with its counts and the sums of its shards."""
    sync_folder(folder)
    done = replace(
        manifest, ended=_now(), counts=counts_of(folder), sums={p.name: sha256_of(p) for p in shard_paths(folder)}
    )
    done.write(folder)
    return done


def is_run(folder: Path) -> bool:
    """Tell a run folder by its manifest."""
    return (folder / MANIFEST_NAME).is_file()
