"""Tables (csv, tsv, xlsx, jsonl, parquet): a row is a document or a sentence; read row by row, never as a whole."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rhetoric.errors import ReadError
from rhetoric.reading.document import Fact, Mark, Row
from rhetoric.reading.encoding import sniff
from rhetoric.reading.options import COLUMN_NAMES, FACTS, ReadOptions
from rhetoric.reading.raw import Raw
from rhetoric.reading.source import Source, like_a_bomb, megabytes, shown, too_large
from rhetoric.reading.word import check_package

Cells = Mapping[str, Any]
Item = Raw | ReadError
_BATCH = 500
_SENTENCE_COLUMNS = ("sentence",)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a table as they come, each with its number as the user counts (the header of a csv is row 1)."""

    columns: tuple[str, ...]
    rows: Iterable[tuple[int, Cells | ReadError]]
    encoding: str = ""


def read_csv(source: Source, options: ReadOptions) -> Iterator[Item]:
    """Read a csv file: comma, semicolon, tab or bar between cells."""
    yield from _read_delimited(source, options, "")


def read_tsv(source: Source, options: ReadOptions) -> Iterator[Item]:
    """Read a file with tabs between cells."""
    yield from _read_delimited(source, options, "\t")


def _read_delimited(source: Source, options: ReadOptions, delimiter: str) -> Iterator[Item]:
    csv.field_size_limit(max(131_072, min(source.limit, 2**31 - 1)))
    with source.open() as file:
        encoding = sniff(file, source.name)
        lines = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="")
        counted = _capped_lines(lines, source)
        first = next(counted, "")
        if not first.strip():
            raise ReadError(f"{shown(source.name)}: the file is empty")
        delimiter = delimiter or _delimiter(first)
        reader = csv.reader(_chain(first, counted), delimiter=delimiter)
        try:
            header = tuple(cell.strip() or f"column {i}" for i, cell in enumerate(next(reader), 1))
        except (csv.Error, StopIteration) as error:
            raise ReadError(f"{shown(source.name)}: the first row is no header ({error})") from error
        table = Table(header, _delimited_rows(reader, header, delimiter, source), encoding.removesuffix("-sig"))
        yield from _documents(table, source, options)


def _capped_lines(lines: io.TextIOWrapper, source: Source) -> Iterator[str]:
    """Lines without NUL bytes; a line above the limit is an error, so that none is held whole."""
    while line := lines.readline(source.limit + 1):
        if len(line) > source.limit:
            raise too_large(source.name, len(line), source.limit)
        yield line.replace("\x00", " ")


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _delimiter(line: str) -> str:
    """The delimiter that the header holds most of, outside quotes."""
    bare = "".join(part for i, part in enumerate(line.split('"')) if i % 2 == 0)
    return max((",", ";", "\t", "|"), key=bare.count)


def _delimited_rows(
    reader: Any, header: tuple[str, ...], delimiter: str, source: Source
) -> Iterator[tuple[int, Cells | ReadError]]:
    number = 1
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, ReadError(f"{shown(source.name)} row {number}: {error}")
            continue
        if len(cells) > len(header):
            extra = [cell for cell in cells[len(header) :] if cell.strip()]
            if extra and len(header) > 1:
                yield (
                    number,
                    ReadError(
                        f"{shown(source.name)} row {number}: {len(cells)} cells where the header has {len(header)}; "
                        f"a text that holds {delimiter!r} must stand in quotation marks"
                    ),
                )
                continue
            if extra:
                cells = [delimiter.join(cells)]
        yield number, dict(zip(header, cells, strict=False))


def read_jsonl(source: Source, options: ReadOptions) -> Iterator[Item]:
    """Read JSON Lines: an object a line; its keys are the columns."""
    with source.open() as file:
        encoding = sniff(file, source.name)
        lines = io.TextIOWrapper(file, encoding=encoding, errors="replace", newline="\n")
        rows = _json_rows(_capped_lines(lines, source), source)
        first = next((row for row in rows if not isinstance(row[1], ReadError)), None)
        if first is None:
            raise ReadError(f"{shown(source.name)}: no line in it is a JSON object")
        columns = tuple(map(str, first[1])) if isinstance(first[1], Mapping) else ()
        table = Table(columns, _first_and(first, rows), encoding.removesuffix("-sig"))
        yield from _documents(table, source, options)


def _first_and(
    first: tuple[int, Cells | ReadError], rest: Iterator[tuple[int, Cells | ReadError]]
) -> Iterator[tuple[int, Cells | ReadError]]:
    yield first
    yield from rest


def _json_rows(lines: Iterator[str], source: Source) -> Iterator[tuple[int, Cells | ReadError]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield number, ReadError(f"{shown(source.name)} line {number}: this is no JSON ({str(error)[:120]})")
            continue
        if isinstance(value, str):
            value = {"text": value}
        if isinstance(value, dict):
            yield number, value
        else:
            yield (
                number,
                ReadError(f"{shown(source.name)} line {number}: a {type(value).__name__}, not an object with a text"),
            )


def read_xlsx(source: Source, options: ReadOptions) -> Iterator[Item]:
    """Read a workbook: the sheets that have a text column, one after the other."""
    import python_calamine as calamine

    content = source.read()
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        raise ReadError(
            f"{shown(source.name)}: it is encrypted or in Excel's old format; save it as xlsx without a password"
        )
    check_package(content, source)
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = [sheet.name for sheet in book.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet]
    except Exception as error:  # calamine has an error class for each part of a workbook
        raise _damaged(source, "xlsx", error) from error
    found, errors = False, []
    for name in names:
        try:
            rows = book.get_sheet_by_name(name).iter_rows()
            header = tuple(str(cell).strip() or f"column {i}" for i, cell in enumerate(next(rows, []), 1))
        except Exception as error:  # as above
            errors.append(_damaged(source, "xlsx", error))
            continue
        try:
            table = Table(header, ((n, dict(zip(header, cells, strict=False))) for n, cells in enumerate(rows, 2)))
            inner = _documents(table, source, options, f" sheet {name}" if len(names) > 1 else "")
            for item in inner:
                found = True
                yield item
        except ReadError as error:
            errors.append(error)
    if not found:
        raise errors[0] if errors else ReadError(f"{shown(source.name)}: this workbook is empty")


def read_parquet(source: Source, options: ReadOptions) -> Iterator[Item]:
    """Read a Parquet file in batches of rows."""
    import polars as pl

    try:
        frame = pl.scan_parquet(source.path if source.path is not None else io.BytesIO(source.read()), glob=False)
        columns = tuple(frame.collect_schema().names())
        wanted = [c for c in _columns(columns, source, options).values() if c]
        batches = frame.select(wanted).collect_batches(chunk_size=_BATCH, maintain_order=True)
    except ReadError:
        raise
    except BaseException as error:  # polars' Rust side panics with a BaseException on some damaged files
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise _damaged(source, "parquet", error) from error
    yield from _documents(Table(columns, _parquet_rows(batches, source)), source, options)


def _parquet_rows(batches: Iterator[Any], source: Source) -> Iterator[tuple[int, Cells | ReadError]]:
    number = 0
    while True:
        try:
            batch = next(batches)
        except StopIteration:
            return
        except BaseException as error:  # as above
            if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
                raise
            yield number + 1, _damaged(source, "parquet", error)
            return
        for cells in batch.iter_rows(named=True):
            number += 1
            yield number, cells


def _columns(columns: tuple[str, ...], source: Source, options: ReadOptions) -> dict[str, str]:
    """Which column holds what: as the user says, else by its name; "" where there is none.

    Raises:
        ReadError: a named column is missing, or no column of the text is found.
    """
    plain = {"".join(c.split()).casefold(): c for c in reversed(columns)}
    listed = ", ".join(shown(c) for c in columns[:20]) + (" …" if len(columns) > 20 else "")
    found: dict[str, str] = {}
    for role, names in COLUMN_NAMES.items():
        if named := options.columns.get(role):
            if named not in columns:
                raise ReadError(f"{shown(source.name)}: no column {named!r}; there are {listed}")
            found[role] = named
        else:
            found[role] = next((plain[n] for n in names if n in plain and plain[n] not in options.columns.values()), "")
    if not found["text"]:
        raise ReadError(f"{shown(source.name)}: no column is called text; name one of {listed} with --text-column")
    if found["id"] == found["text"]:
        found["id"] = ""
    return found


def _documents(table: Table, source: Source, options: ReadOptions, sheet: str = "") -> Iterator[Item]:
    roles = _columns(table.columns, source, options)
    if (options.rows or ("sentence" if roles["text"].casefold() in _SENTENCE_COLUMNS else "document")) == "sentence":
        yield from _sentence_rows(table, roles, source, sheet)
        return
    total = 0
    for number, cells in table.rows:
        if isinstance(cells, ReadError):
            yield cells
            continue
        text = _cell(cells, roles["text"])
        total += len(text)
        if like_a_bomb(total, source.size):
            yield _bomb(source, total)
            return
        name = f"{source.name}{sheet} row {number}"
        if not text.strip():
            if any(_cell(cells, c) for c in table.columns):
                yield ReadError(f"{shown(name)}: column {roles['text']!r} is empty")
            continue
        if len(text) > source.limit:
            yield too_large(name, len(text), source.limit)
            continue
        facts = _cell_facts(cells, roles)
        if roles["id"] and (id_ := _cell(cells, roles["id"]).strip()):
            facts = (*facts, Fact("id", id_, f"column {roles['id']}"))
        form = source.suffix.lstrip(".")
        yield Raw(name, text, form, table.encoding, facts, marks=(Mark(0, f"row {number}"),), base=source.base)


def _sentence_rows(table: Table, roles: dict[str, str], source: Source, sheet: str) -> Iterator[Item]:
    """Gather consecutive rows of one id into a document; its sentences are the rows."""
    group: _Group | None = None
    total = 0
    for number, cells in table.rows:
        if isinstance(cells, ReadError):
            yield cells
            continue
        text = " ".join(_cell(cells, roles["text"]).split())
        total += len(text)
        if like_a_bomb(total, source.size):
            yield _bomb(source, total)
            return
        if not any(map(str.isalnum, text)):
            continue
        id_ = _cell(cells, roles["id"]).strip() if roles["id"] else ""
        if group is None or group.id != id_:
            if group is not None:
                yield group.raw(table.encoding)
            name = f"{source.name}{sheet} {id_}" if id_ else f"{source.name}{sheet}"
            group = _Group(id_, name, source, _cell_facts(cells, {**roles, "speaker": ""}))
        group.add(text, _cell(cells, roles["speaker"]).strip() if roles["speaker"] else "", number)
    if group is None:
        raise ReadError(f"{shown(source.name)}: column {roles['text']!r} is empty in every row")
    yield group.raw(table.encoding)


def _bomb(source: Source, total: int) -> ReadError:
    """What is said of a table that packs one text a million times over."""
    return ReadError(
        f"{shown(source.name)}: its rows unpack to over {total // max(1, source.size):,} times the file's size, "
        f"like a zip bomb; read no further than {megabytes(total)}"
    )


class _Group:
    """The rows of one document, as they come."""

    def __init__(self, id_: str, name: str, source: Source, facts: tuple[Fact, ...]) -> None:
        self.id, self.name, self.source, self.facts = id_, name, source, facts
        self.parts: list[str] = []
        self.rows: list[Row] = []
        self.marks: list[Mark] = []
        self.length = 0

    def add(self, text: str, speaker: str, number: int) -> None:
        self.rows.append(Row(self.length, self.length + len(text), speaker))
        self.marks.append(Mark(self.length, f"row {number}"))
        self.parts.append(text)
        self.length += len(text) + 1
        if self.length > self.source.limit:
            raise ReadError(
                f"{shown(self.name)}: its rows are above the limit of {megabytes(self.source.limit)} for one document; "
                "name the column that tells documents apart with --id-column"
            )

    def raw(self, encoding: str) -> Raw:
        form = self.source.suffix.lstrip(".")
        return Raw(
            self.name, "\n".join(self.parts), form, encoding, self.facts, marks=tuple(self.marks),
            rows=tuple(self.rows), clean=False, base=self.source.base,
        )  # fmt: skip


def _cell_facts(cells: Cells, roles: Mapping[str, str]) -> tuple[Fact, ...]:
    named = ((role, roles[role]) for role in FACTS if roles.get(role))
    return tuple(
        Fact(role, value, f"column {column}") for role, column in named if (value := _cell(cells, column).strip())
    )


def _cell(cells: Cells, column: str) -> str:
    value = cells.get(column)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list | tuple):
        return "\n\n".join(str(part) for part in value)
    return str(value)


def _damaged(source: Source, kind: str, error: BaseException) -> ReadError:
    reason = " ".join(str(error).split())[:200]
    return ReadError(f"{shown(source.name)}: this {kind} file is cut off or damaged ({reason})")
