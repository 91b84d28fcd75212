"""Codings of several coders, from our files or from a coder-by-sentence table."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from rhetoric.agreement import AgreementError, CodingTable, coding_table
from rhetoric.audit import GOLD, read_codings
from rhetoric.table import read_table

Unit = tuple[str, str]
Codings = dict[str, dict[Unit, dict[str, str]]]
"""By category, by unit (document or passage, and sentence): what each coder said."""

CLUSTERS = ("document", "passage", "file", "speech")
SENTENCES = ("sentence", "unit", "id", "item")
_YES = frozenset({"1", "1.0", "true", "yes", "y", "x"})
_NO = frozenset({"0", "0.0", "false", "no", "n", "-"})


def read_coding_tables(paths: Sequence[Path], categories: Sequence[str]) -> list[CodingTable]:
    """Read codings of two coders or more, one table a category.

    Accepts an audit folder; our JSON Lines of passages (`passage`, `coder`, `labels`: a list for each
    sentence); a long table (a column `coder`, and `labels` or a column for each category); filled
    sheets, one file a coder; and a wide table (a row a sentence, a column a coder, any values; or
    columns like `soft_power.anna`). Adjudicated codings (coder "gold") are left out.

    Raises:
        AgreementError: nothing that can be compared was found.
    """
    codings: Codings = {}
    for path in paths:
        for category, unit, coder, value in _codings_of(path, categories):
            if coder == GOLD:
                continue
            row = codings.setdefault(category, {}).setdefault(unit, {})
            if row.get(coder, value) != value:
                raise AgreementError(
                    f"{path}: coder {coder} coded sentence {unit[1]} of {unit[0]} twice, and differently"
                )
            row[coder] = value
    if not codings:
        raise AgreementError(f"{', '.join(map(str, paths))}: no codings found")
    order = {key: i for i, key in enumerate(categories)}
    return [coding_table(key, codings[key]) for key in sorted(codings, key=lambda k: (order.get(k, len(order)), k))]


def _codings_of(path: Path, categories: Sequence[str]) -> Iterator[tuple[str, Unit, str, str]]:
    if path.is_dir():
        yield from _audit(path, categories)
        return
    if path.suffix.lower() == ".jsonl" and (lines := _passages(path)) is not None:
        yield from _passage_codings(lines, path, categories)
        return
    table = read_table(path)
    table = table.with_columns(
        pl.col(c).cast(pl.String) for c in table.columns if table.schema[c] != pl.List(pl.String)
    )
    cluster = next((c for c in CLUSTERS if c in table.columns), None)
    sentence = next((c for c in SENTENCES if c in table.columns), None)
    known = [key for key in categories if key in table.columns]
    for number, row in enumerate(table.iter_rows(named=True), 1):
        unit = (str(row[cluster]) if cluster else f"row {number}", str(row[sentence]) if sentence else str(number))
        if "labels" in table.columns or known:
            yield from _long(row, unit, row.get("coder") or path.stem, known, categories, path)
        else:
            yield from _wide(row, unit, [c for c in (cluster, sentence) if c], categories)


def _audit(folder: Path, categories: Sequence[str]) -> Iterator[tuple[str, Unit, str, str]]:
    for coder, rows in read_codings(folder).items():
        for (document, sentence), labels in rows.items():
            for key in categories:
                yield key, (document, str(sentence)), coder, str(int(key in labels))


def _passages(path: Path) -> list[Any] | None:
    """Lines of a file of coded passages, or None for another kind of file."""
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise AgreementError(f"{path} cannot be read as JSON Lines: {error}") from error
    nested = lines and all(isinstance(x, dict) and {"coder", "labels"} <= x.keys() for x in lines)
    return (
        lines
        if nested and all(all(isinstance(s, list) for s in x["labels"]) and "passage" in x for x in lines)
        else None
    )


def _passage_codings(
    lines: Sequence[Mapping[str, Any]], path: Path, categories: Sequence[str]
) -> Iterator[tuple[str, Unit, str, str]]:
    lengths: dict[str, int] = {}
    for line in lines:
        passage, labels = str(line["passage"]), line["labels"]
        if lengths.setdefault(passage, len(labels)) != len(labels):
            raise AgreementError(
                f"{path}: passage {passage} has {lengths[passage]} sentences for one coder, {len(labels)} for another"
            )
        for number, own in enumerate(labels, 1):
            for key in categories:
                yield key, (passage, str(number)), str(line["coder"]), str(int(key in own))


def _long(
    row: Mapping[str, Any], unit: Unit, coder: str, known: Sequence[str], categories: Sequence[str], path: Path
) -> Iterator[tuple[str, Unit, str, str]]:
    if not known:
        labels = row["labels"] or []
        own = {x.strip() for x in (labels.split(";") if isinstance(labels, str) else labels)}
        for key in categories:
            yield key, unit, coder, str(int(key in own))
        return
    for key in known:
        cell = (row[key] or "").strip().lower()
        if cell:
            if cell not in _YES | _NO:
                raise AgreementError(f"{path}, sentence {unit[1]} of {unit[0]}: {key} is {row[key]!r}; write 1 or 0")
            yield key, unit, coder, str(int(cell in _YES))


def _wide(
    row: Mapping[str, Any], unit: Unit, skip: Sequence[str], categories: Sequence[str]
) -> Iterator[tuple[str, Unit, str, str]]:
    for column, cell in row.items():
        value = (cell or "").strip()
        if column in (*skip, "text", "note", "context", "order") or not value:
            continue
        key = next((k for k in categories if column.startswith(k) and column[len(k) : len(k) + 1] in "._: "), None)
        yield key or "coding", unit, column[len(key) + 1 :] if key else column, value
