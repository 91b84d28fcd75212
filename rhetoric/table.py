"""Labelled rows, as `rhetoric label` writes them, read into one Polars table with the facts of each document."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from rhetoric.errors import RhetoricError
from rhetoric.reading.assemble import name_regex
from rhetoric.reading.options import ReadOptions

REQUIRED = ("document", "sentence", "text", "labels")
FACT_KEYS = ("file", "document", "filename", "name")
PERIODS = ("year", "quarter", "month")
UNITS = ("sentence", "word", "document")
MANIFEST_FACTS = ("model", "model_version", "model_sha256", "codebook_version")
WORD = r"\w+(?:['’\-]\w+)*"
"""What counts as a word: letters and digits, with apostrophes and hyphens inside."""


class TableError(RhetoricError):
    """Labelled rows or a side table cannot be used."""


@dataclass(frozen=True, slots=True)
class Source:
    """One file that was read: its path as given, the sha256 of its bytes and what its run says of the model."""

    path: str
    sha256: str
    rows: int
    model: str = ""


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """Labelled sentences, one row each.

    `frame` has the columns of `LabelledSentence` (with `label_KEY` true or false and
    `probability_KEY` for each category instead of `labels` and `probabilities`), `words`, and the
    facts. `notes` say what a reader must know, such as documents that a side table lacks.
    """

    frame: pl.DataFrame
    categories: tuple[str, ...]
    sources: tuple[Source, ...]
    notes: tuple[str, ...] = ()

    def column(self, name: str) -> pl.Expr:
        """Column to group by, as text: one of the frame's, or year, quarter or month of the date.

        Raises:
            TableError: there is no such column.
        """
        if name in self.frame.columns:
            return pl.col(name).cast(pl.String).replace("", None).alias(name)
        if name in PERIODS:
            return period_of(pl.col("date"), name).alias(name)
        hidden = ("label_", "probability_", "text", "start", "end")
        usable = [c for c in self.frame.columns if not c.startswith(hidden)]
        raise TableError(
            f"there is no column {name!r}; the rows have {', '.join(usable)}, and {', '.join(PERIODS)} come from the "
            "date. More columns come from a table with --facts"
        )

    def where(self, condition: str) -> LabelledRows:
        """Keep the rows in which a column has one of some values (`country=Russia` or `country=Russia,China`).

        A value with a comma stands in quotes, as in a CSV: `speaker="Lee, Ann",Rivas`.

        Raises:
            TableError: the condition is not COLUMN=VALUE or nothing is left.
        """
        name, sign, value = condition.partition("=")
        if not sign or not name or not value:
            raise TableError(f"{condition!r} is not like country=Russia or country=Russia,China")
        try:
            values = [v.strip() for v in next(csv.reader([value], skipinitialspace=True))]
        except csv.Error as error:
            raise TableError(f"{condition!r} cannot be read: {error}") from error
        column = self.column(name.strip())
        frame = self.frame.filter(column.is_in(values))
        if frame.is_empty():
            raise TableError(f"no row has {name.strip()} {' or '.join(values)}; there is {_some(self.frame, column)}")
        return replace(self, frame=frame)

    def grouped(self, by: Sequence[str]) -> tuple[pl.DataFrame, tuple[str, ...]]:
        """Rows with the group columns as text; rows without a group go, and a note says how many.

        Raises:
            TableError: no row has a group, or a column is named twice.
        """
        if len(set(by)) < len(by):
            raise TableError(f"the columns to group by are {', '.join(by)}; name each once")
        frame = self.frame.with_columns(self.column(name) for name in by)
        notes = []
        for name in by:
            lost = frame.filter(pl.col(name).is_null())
            if lost.height:
                notes.append(
                    f"{lost.height:,} sentences in {lost['document'].n_unique():,} documents have no {name} "
                    "and are left out"
                )
            frame = frame.filter(pl.col(name).is_not_null())
            if frame.is_empty():
                raise TableError(f"no row has a {name}; give it in a table with --facts, or group by another column")
        return frame, tuple(notes)


def _some(frame: pl.DataFrame, column: pl.Expr, limit: int = 12) -> str:
    values = frame.select(column).to_series().drop_nulls().unique().sort().to_list()
    return ", ".join(values[:limit]) + (f" and {len(values) - limit} more" if len(values) > limit else "")


def period_of(date: pl.Expr, period: str) -> pl.Expr:
    """Period of ISO dates, as text (2014, 2014-Q2, 2014-06); null where the date is not precise enough.

    >>> dates = pl.DataFrame({"date": ["2014-06-02", "2014", ""]})
    >>> dates.select(period_of(pl.col("date"), "quarter")).to_series().to_list()
    ['2014-Q2', None, None]
    """
    if period not in PERIODS:
        raise TableError(f"period must be one of {', '.join(PERIODS)}, got {period!r}")
    if period == "year":
        return pl.when(date.str.len_chars() >= 4).then(date.str.slice(0, 4))
    month = date.str.slice(5, 2)
    known = date.str.len_chars() >= 7
    if period == "month":
        return pl.when(known).then(date.str.slice(0, 7))
    quarter = ((month.cast(pl.Int64, strict=False) + 2) // 3).cast(pl.String)
    return pl.when(known).then(date.str.slice(0, 4) + "-Q" + quarter)


def read_rows(paths: Sequence[Path], facts: Path | None = None) -> LabelledRows:
    """Read labelled rows of one or more files or run folders, and join a side table of facts.

    Raises:
        TableError: a file cannot be read, lacks columns, holds what another one holds too, or two
            runs come from different models.
    """
    if not paths:
        raise TableError("no rows were given; name a file that rhetoric label wrote")
    parts = [part for path in paths for part in _read_path(path)]
    categories = _one_codebook(parts)
    sources = tuple(source for _, source in parts)
    _one_model(sources)
    frame = pl.concat([frame for frame, _ in parts], how="diagonal_relaxed")
    frame = _checked(frame)
    rows = LabelledRows(frame, categories, sources, _unknown_models(sources))
    return join_facts(rows, facts) if facts else rows


def _read_path(path: Path) -> list[tuple[pl.DataFrame, Source]]:
    if not path.is_dir():
        return [_read_file(path, "")]
    files = sorted(path.glob("*.parquet"))
    if (path / "manifest.json").is_file() and files:
        return [_read_run(path, files)]
    if not files:
        raise TableError(f"{path}: no Parquet file in this folder; give the rows that rhetoric label wrote")
    return [_read_file(file, "") for file in files]


def _read_run(folder: Path, files: Sequence[Path]) -> tuple[pl.DataFrame, Source]:
    """Read the shards of a run as one source; rows of what could not be read are left out."""
    frame = pl.concat([read_table(file) for file in files], how="diagonal_relaxed")
    if "error" in frame.columns:
        frame = frame.filter(pl.col("error") == "").drop("error")
    sums = "".join(sha256_of(file) for file in files)
    return _labelled(frame, folder), Source(
        str(folder), hashlib.sha256(sums.encode("ascii")).hexdigest(), frame.height, _manifest_model(folder)
    )


def _manifest_model(folder: Path) -> str:
    path = folder / "manifest.json"
    if not path.is_file():
        return ""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise TableError(f"{path} is not JSON: {error}") from error
    known = {key: manifest[key] for key in MANIFEST_FACTS if key in manifest}
    return json.dumps(known, sort_keys=True) if known else ""


def _jsonl(path: Path) -> pl.DataFrame:
    return pl.read_ndjson(path, infer_schema_length=None)


def _csv(path: Path, *, as_text: bool = False) -> pl.DataFrame:
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    return pl.read_csv(
        path, infer_schema=not as_text, infer_schema_length=None, separator=separator, try_parse_dates=False
    )


READERS: Mapping[str, Callable[[Path], pl.DataFrame]] = {
    ".jsonl": _jsonl, ".ndjson": _jsonl, ".csv": _csv, ".tsv": _csv, ".parquet": pl.read_parquet,
}  # fmt: skip


def read_table(path: Path, *, as_text: bool = False) -> pl.DataFrame:
    """Read any table (jsonl, csv, tsv, parquet, xlsx) by its ending; `as_text` keeps 007 in a csv from becoming 7.

    Raises:
        TableError: it is missing, has another ending, or is damaged.
    """
    suffix = path.suffix.lower()
    if not path.is_file():
        raise TableError(f"{path}: no such file")
    if suffix == ".xlsx":
        return read_sheet(path)
    if suffix not in READERS:
        raise TableError(f"{path}: the ending must be one of {', '.join((*READERS, '.xlsx'))}")
    try:
        return _csv(path, as_text=True) if as_text and suffix in (".csv", ".tsv") else READERS[suffix](path)
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise TableError(f"{path} cannot be read as {suffix[1:]}: {str(error).splitlines()[0]}") from error


def read_sheet(path: Path) -> pl.DataFrame:
    """Read the first sheet of a workbook, every cell as text."""
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, OSError) as error:
        raise TableError(f"{path} cannot be read as a workbook: {error}") from error
    lines = book.worksheets[0].iter_rows(values_only=True)
    header = [str(cell) if cell is not None else "" for cell in next(lines, ())]
    rows = [["" if cell is None else str(cell) for cell in line] for line in lines]
    book.close()
    used = [i for i, name in enumerate(header) if name]
    return pl.DataFrame(
        {header[i]: [row[i] if i < len(row) else "" for row in rows] for i in used},
        schema={header[i]: pl.String for i in used},
    )


def _read_file(path: Path, model: str) -> tuple[pl.DataFrame, Source]:
    frame = read_table(path)
    return _labelled(frame, path), Source(str(path), sha256_of(path), frame.height, model)


def _labelled(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    """One form of labelled rows for all that follows.

    Raises:
        TableError: they are no such rows, or there are none.
    """
    missing = [name for name in REQUIRED if name not in frame.columns]
    if missing:
        raise TableError(
            f"{path} has no column {', '.join(missing)}; give the rows that rhetoric label wrote (it has "
            f"{', '.join(frame.columns[:12])})"
        )
    if frame.is_empty():
        raise TableError(f"{path} holds no rows")
    return _flat(frame, path)


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flat(frame: pl.DataFrame, path: Path) -> pl.DataFrame:
    """One column a probability and one a label, whatever the file's form."""
    if "probabilities" in frame.columns:
        struct = frame["probabilities"].struct
        frame = frame.with_columns(struct.field(name).alias(f"probability_{name}") for name in struct.fields)
    keys = [name.removeprefix("probability_") for name in frame.columns if name.startswith("probability_")]
    if not keys:
        raise TableError(f"{path} has no probabilities; give the rows that rhetoric label wrote")
    labels = pl.col("labels")
    if frame.schema["labels"] == pl.String or frame.schema["labels"] == pl.Null:
        labels = labels.cast(pl.String).fill_null("").str.split(";")
    else:
        labels = labels.cast(pl.List(pl.String))
    unknown = set(frame.select(labels.explode().drop_nulls().unique()).to_series()) - {*keys, ""}
    if unknown:
        raise TableError(f"{path} has labels {', '.join(sorted(unknown))} without probabilities for them")
    text = {name: pl.col(name).cast(pl.String).fill_null("") for name in ("document", "title", "date", "speaker")}
    present = [expr.alias(name) for name, expr in text.items() if name in frame.columns]
    absent = [pl.lit("").alias(name) for name in text if name not in frame.columns]
    return frame.with_columns(
        *present,
        *absent,
        *(labels.list.contains(key).fill_null(value=False).alias(f"label_{key}") for key in keys),
        *(pl.col(f"probability_{key}").cast(pl.Float64) for key in keys),
        pl.col("sentence").cast(pl.Int64),
        pl.col("text").cast(pl.String).fill_null(""),
    ).drop("labels", "probabilities", strict=False)


def _one_codebook(parts: Sequence[tuple[pl.DataFrame, Source]]) -> tuple[str, ...]:
    first: tuple[str, ...] | None = None
    for frame, source in parts:
        keys = tuple(c.removeprefix("probability_") for c in frame.columns if c.startswith("probability_"))
        if first is None:
            first, where = keys, source.path
        elif set(keys) != set(first):
            raise TableError(
                f"{where} has the categories {', '.join(first)}, {source.path} has {', '.join(keys)}: they were "
                "labelled with different codebooks and cannot be counted together; label both with one model"
            )
    return first or ()


def _one_model(sources: Sequence[Source]) -> None:
    known = {source.model: source.path for source in sources if source.model}
    if len(known) > 1:
        listed = "; ".join(f"{path}: {model}" for model, path in known.items())
        raise TableError(
            f"the runs come from different models ({listed}). Their shares differ by the models' errors too; "
            "label all of them again with one model"
        )


def _unknown_models(sources: Sequence[Source]) -> tuple[str, ...]:
    """Say where nothing tells whether several files were labelled with one model."""
    unknown = [source.path for source in sources if not source.model]
    if len(sources) < 2 or not unknown:
        return ()
    return (
        f"{', '.join(unknown)} {'does' if len(unknown) == 1 else 'do'} not say with which model; if it is not the same for "
        "all, shares differ by the models' errors too (rhetoric label --run FOLDER records it)",
    )


def _checked(frame: pl.DataFrame) -> pl.DataFrame:
    """Refuse doubled rows, odd dates and probabilities; add the number of words."""
    doubled = frame.filter(frame.select("document", "sentence").is_duplicated())
    if doubled.height:
        first = doubled.row(0, named=True)
        raise TableError(
            f"sentence {first['sentence']} of {first['document']} occurs more than once ({doubled.height:,} "
            f"such rows); "
            "give every run once, or label documents of one name under different paths"
        )
    _check_dates(frame)
    for name in (c for c in frame.columns if c.startswith("probability_")):
        bad = frame.filter(pl.col(name).is_null() | pl.col(name).is_nan() | ~pl.col(name).is_between(0, 1))
        if bad.height:
            raise TableError(f"{bad['document'][0]}: {name} {bad[name][0]!r} is not between 0 and 1")
    return frame.with_columns(pl.col("text").str.count_matches(WORD).cast(pl.Int64).alias("words"))


def _check_dates(frame: pl.DataFrame) -> None:
    """Refuse what is no date: a month 13 or a year 0000 would make periods that do not exist."""
    dates = frame.filter(pl.col("date") != "").unique("date", keep="first", maintain_order=True)
    whole = pl.col("date") + pl.col("date").str.len_chars().replace_strict({4: "-01-01", 7: "-01"}, default="")
    odd = dates.filter(
        ~pl.col("date").str.contains(r"^\d{4}(-\d{2}(-\d{2})?)?$")
        | pl.col("date").str.starts_with("0000")
        | whole.str.to_date("%Y-%m-%d", strict=False).is_null()
    )
    if odd.height:
        raise TableError(f"{odd['document'][0]}: date {odd['date'][0]!r} is not like 2012, 2012-10 or 2012-10-31; leave "
                         "it empty where it is not known")  # fmt: skip


def join_facts(rows: LabelledRows, path: Path) -> LabelledRows:
    """Add the columns of a side table, joined on the document's file name, or the fields of a name pattern.

    A path like `{country}_{session}_{year}` is a pattern of the file names themselves. The key of a table is the table's column `file`, `document`, `filename` or `name`, else its first. Where
    rows and table have a column of one name, the table fills what the rows leave empty; a `year`
    also fills an empty date.

    Raises:
        TableError: no document is found in the table, or a key occurs twice.
    """
    pattern = "{" in path.name and not path.exists()
    table = (
        _named(rows, str(path)) if pattern else read_table(path, as_text=True).with_columns(pl.all().cast(pl.String))
    )
    if not table.columns:
        raise TableError(f"{path} has no columns")
    key = next((name for name in FACT_KEYS if name in table.columns), table.columns[0])
    table = table.with_columns(_base(pl.col(key)).alias("_key")).drop(key)
    if table["_key"].is_duplicated().any():
        twice = table.filter(table["_key"].is_duplicated())["_key"][0]
        raise TableError(f"{path}: {twice!r} occurs more than once in column {key!r}; one line a document")
    frame = rows.frame.with_columns(_base(pl.col("document")).alias("_key"))
    table, matched = _match(frame, table)
    if not matched:
        raise TableError(
            f"{path}: none of the {frame['document'].n_unique():,} documents is in its column {key!r} "
            f"(documents are named like {frame['_key'][0]!r}, the column like "
            f"{table['_key'][0] if table.height else ''!r})"
        )
    joined = frame.join(table, on="_key", how="left", suffix="_fact", maintain_order="left")
    shared = [c for c in rows.frame.columns if f"{c}_fact" in joined.columns]
    joined = joined.with_columns(
        pl.coalesce(pl.col(c).cast(pl.String).replace("", None), pl.col(f"{c}_fact")).fill_null("").alias(c)
        for c in shared
    )
    if "year" in joined.columns:
        joined = joined.with_columns(
            pl.coalesce(pl.col("date").replace("", None), pl.col("year")).fill_null("").alias("date")
        )
    _check_dates(joined)
    missing = frame.filter(~pl.col("_key").is_in(table["_key"].implode()))["document"].n_unique()
    note = (f"{missing:,} documents are not in {path}",) if missing else ()
    frame = joined.drop("_key", *(f"{c}_fact" for c in shared))
    sources = rows.sources if pattern else (*rows.sources, Source(str(path), sha256_of(path), table.height))
    return replace(rows, frame=frame, sources=sources, notes=(*rows.notes, *note))


def _named(rows: LabelledRows, pattern: str) -> pl.DataFrame:
    """Facts that the documents' file names hold, a row a file whose name is like the pattern.

    Raises:
        TableError: no file's name is.
        ReadError: the pattern cannot be read.
    """
    form = name_regex(ReadOptions(name_pattern=pattern).name_pattern)
    names = rows.frame.select(_base(pl.col("document")).unique().sort()).to_series().to_list()
    found = [{"file": name, **match.groupdict()} for name in names if (match := form.fullmatch(Path(name).stem))]
    if not found:
        raise TableError(f"no document is named like {pattern}; they are named like {names[0]}")
    return pl.DataFrame(found)


def _base(name: pl.Expr) -> pl.Expr:
    return name.str.replace_all(r"\\", "/").str.split("/").list.last()


def _match(frame: pl.DataFrame, table: pl.DataFrame) -> tuple[pl.DataFrame, bool]:
    """Match file names, or names without their endings where no name matches."""
    names = set(frame["_key"])
    if names & set(table["_key"]):
        return table, True
    stems = {Path(name).stem: name for name in names}
    keys = [stems.get(Path(key or "").stem, key) for key in table["_key"]]
    table = table.with_columns(pl.Series("_key", keys, dtype=pl.String))
    return table.unique("_key", keep="first", maintain_order=True), bool(names & set(keys))


def facts_of(rows: LabelledRows) -> Mapping[str, Any]:
    """Counts that every command prints: sentences and documents."""
    return {"sentences": rows.frame.height, "documents": rows.frame["document"].n_unique()}
