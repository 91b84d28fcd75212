"""Shards of a run: Parquet files that each say what they hold and where the run goes on after them.

A shard depends on the inputs alone, not on when or by whom it was written: the same run gives the
same bytes, so writing one twice does no harm.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import polars as pl

from rhetoric.durable import write_durably
from rhetoric.errors import RhetoricError
from rhetoric.label import LabelledSentence, Labelling

KEY = "rhetoric"
"""Where a Parquet file's own metadata hold the shard's facts."""
PATTERN = "part-*.parquet"


class ShardError(RhetoricError):
    """A shard cannot be read."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """How far a part has come: so many files are done, and so many documents of the next one."""

    files: int = 0
    items: int = 0


@dataclass(slots=True)
class Counts:
    """Counts over rows: `errors` are documents that could not be read, `review` sentences to look at."""

    documents: int = 0
    sentences: int = 0
    review: int = 0
    errors: int = 0
    labels: dict[str, int] = field(default_factory=dict)

    def add(self, other: Counts) -> None:
        """Add other counts to these."""
        self.documents += other.documents
        self.sentences += other.sentences
        self.review += other.review
        self.errors += other.errors
        self.labels = {
            key: self.labels.get(key, 0) + other.labels.get(key, 0) for key in {**self.labels, **other.labels}
        }

    @classmethod
    def of_document(cls, labelling: Labelling) -> Counts:
        """Count a labelled document."""
        rows = labelling.sentences
        return cls(
            1, len(rows), sum(r.needs_review for r in rows), 0, dict(Counter(key for r in rows for key in r.labels))
        )

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Counts:
        """Count rows."""
        labels = frame["labels"].explode().drop_nulls()
        return cls(
            documents=frame.filter(pl.col("sentence") == 1).height,
            sentences=frame.filter(pl.col("error") == "").height,
            review=int(frame["needs_review"].sum()),
            errors=frame.filter(pl.col("error") != "").height,
            labels=dict(sorted(Counter(labels.to_list()).items())),
        )


@dataclass(frozen=True, slots=True)
class Shard:
    """The facts of a shard: its number in its part, whether it is the part's last, where the part goes on."""

    part: int
    number: int
    last: bool
    next: Place
    counts: Counts

    @property
    def name(self) -> str:
        """File name; in order of names shards are in reading order."""
        return f"part-{self.part:06d}-{self.number:04d}.parquet"


class Rows:
    """Rows of a shard as they come; a document is added wholly or not at all."""

    def __init__(self, categories: Sequence[str]) -> None:
        """Start with no rows."""
        types: dict[str, Any] = {
            "item": pl.Int64, "turn": pl.Int64, "sentence": pl.Int64, "start": pl.Int64, "end": pl.Int64,
            "labels": pl.List(pl.String), "needs_review": pl.Boolean,
            "probabilities": pl.Struct(dict.fromkeys(categories, pl.Float64)),
        }  # fmt: skip
        names = ["input", "item", *(f.name for f in fields(LabelledSentence)), "error"]
        self._schema = {name: types.get(name, pl.String) for name in names}
        self._columns: dict[str, list[Any]] = {name: [] for name in names}

    def __len__(self) -> int:
        """Count rows."""
        return len(self._columns["input"])

    def add(self, path: str, item: int, labelling: Labelling) -> None:
        """Add a document: number `item` of the file at `path`."""
        for row in labelling.sentences:
            self._append(path, item, row, "")

    def add_error(self, path: str, item: int, error: str) -> None:
        """Add the one row of what could not be read."""
        self._append(path, item, LabelledSentence(path, "", "", "", 0, 0, 0, 0, "", (), {}, False), error)

    def _append(self, path: str, item: int, row: LabelledSentence, error: str) -> None:
        columns = self._columns
        columns["input"].append(_valid(path))
        columns["item"].append(item)
        columns["error"].append(_valid(error))
        for name in _FIELDS:
            value = getattr(row, name)
            columns[name].append(_valid(value) if isinstance(value, str) else value)

    def frame(self) -> pl.DataFrame:
        """Rows as a table."""
        return pl.DataFrame(self._columns, schema=self._schema)


_FIELDS = tuple(f.name for f in fields(LabelledSentence))


def _valid(text: str) -> str:
    """Parquet holds valid UTF-8 only; half characters become question marks."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def write_shard(folder: Path, frame: pl.DataFrame, part: int, number: int, last: bool, after: Place) -> Shard:
    """Write a shard durably.

    Raises:
        OSError: it cannot be written; nothing is left of it then.
    """
    shard = Shard(part, number, last, after, Counts.of(frame))
    facts = {"last": last, "next": [after.files, after.items], "counts": asdict(shard.counts)}
    content = io.BytesIO()
    frame.write_parquet(content, metadata={KEY: json.dumps(facts)})
    write_durably(folder / shard.name, content.getvalue())
    return shard


def read_shard(path: Path) -> Shard:
    """Read the facts of a shard without its rows.

    Raises:
        ShardError: it is not a shard.
    """
    try:
        facts = json.loads(pl.read_parquet_metadata(path)[KEY])
        _, part, number = path.stem.split("-")
        return Shard(int(part), int(number), facts["last"], Place(*facts["next"]), Counts(**facts["counts"]))
    except (pl.exceptions.PolarsError, OSError, KeyError, ValueError, TypeError) as error:
        raise ShardError(f"{path} is not a shard of a run, or is damaged: {error}") from error


def read_frame(path: Path) -> pl.DataFrame:
    """Read the rows of a shard.

    Raises:
        ShardError: it is damaged.
    """
    try:
        return pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ShardError(f"{path} is damaged: {error}") from error


def drop_inputs(path: Path, inputs: set[str]) -> None:
    """Write a shard anew without the rows of some files; a shard without such rows stays as it is."""
    frame = read_frame(path)
    kept = frame.filter(~pl.col("input").is_in(list(inputs)))
    if kept.height < frame.height:
        shard = read_shard(path)
        write_shard(path.parent, kept, shard.part, shard.number, shard.last, shard.next)


def shard_paths(folder: Path) -> list[Path]:
    """Shards of a folder, in reading order."""
    return sorted(folder.glob(PATTERN))


def frames(folder: Path) -> Iterator[pl.DataFrame]:
    """Rows of a folder's shards, one shard after the other."""
    return (read_frame(path) for path in shard_paths(folder))
