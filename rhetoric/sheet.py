"""The coding sheet: drawn sentences as a workbook or CSV that people fill in."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from rhetoric.codebook import Codebook

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

COLUMNS = ("order", "document", "sentence", "date", "speaker", "context", "text")
WIDTHS = {"order": 7, "document": 22, "sentence": 9, "date": 11, "speaker": 18, "context": 60, "text": 70, "note": 24}
_FORMULA = ("=", "+", "-", "@", "\t")


def write_sheets(folder: Path, sample: pl.DataFrame, codebook: Codebook) -> tuple[Path, Path]:
    """Write sheet.xlsx and sheet.csv into a folder; returns their paths."""
    header = [*COLUMNS, *codebook.keys, "note"]
    rows = [[row.get(name, "") for name in COLUMNS] for row in sample.iter_rows(named=True)]
    workbook, table = folder / "sheet.xlsx", folder / "sheet.csv"
    _write_workbook(workbook, header, rows, codebook)
    with table.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([*map(_harmless, row), *[""] * (len(codebook.keys) + 1)] for row in rows)
    return workbook, table


def _harmless(cell: Any) -> Any:
    """Keep a spreadsheet from taking a sentence for a formula. The document's name must stay as it is."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _write_workbook(path: Path, header: list[str], rows: list[list[Any]], codebook: Codebook) -> None:
    from openpyxl import Workbook

    book = Workbook()
    book.properties.created = book.properties.modified = datetime(2000, 1, 1)
    sheet = book.worksheets[0]
    sheet.title = "sentences"
    _fill(sheet, header, rows)
    _decorate(sheet, header, len(rows), codebook)
    rules = book.create_sheet("codebook")
    rules.append(
        [
            "What to do",
            "For every sentence write 1 or 0 into every category's column. Work from the top; you may stop "
            "after any row.",
        ]
    )
    for rule in codebook.rules:
        rules.append(["Rule", rule])
    for category in codebook.categories:
        rules.append([category.name, category.definition])
        rules.append(["Test", category.test])
        for kind, lines in (("Yes", category.yes), ("No", category.no)):
            for line in lines:
                rules.append([kind, line])
    _wrap(rules, {1: 18, 2: 110})
    book.save(path)


def _fill(sheet: Worksheet, header: list[str], rows: list[list[Any]]) -> None:
    sheet.append(header)
    for number, row in enumerate(rows, 2):
        for column, value in enumerate(row, 1):
            cell = sheet.cell(number, column)
            cell.value = _printable(value)
            if isinstance(value, str):
                cell.data_type = "s"  # never a formula


def _printable(value: Any) -> Any:
    """Drop what a workbook cannot hold."""
    return "".join(c for c in value if c >= " " or c in "\n\t") if isinstance(value, str) else value


def _decorate(sheet: Worksheet, header: list[str], rows: int, codebook: Codebook) -> None:
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    _wrap(sheet, {i: WIDTHS.get(name, 15) for i, name in enumerate(header, 1)})
    sheet.freeze_panes = "A2"
    choice = DataValidation(
        type="list", formula1='"1,0"', allow_blank=True, showErrorMessage=True, error="Write 1 or 0"
    )
    sheet.add_data_validation(choice)
    for i, name in enumerate(header, 1):
        sheet.cell(1, i).font = Font(bold=True)
        if name in codebook.keys:
            letter = get_column_letter(i)
            choice.add(f"{letter}2:{letter}{rows + 1}")
            sheet.cell(1, i).fill = PatternFill("solid", fgColor=codebook[name].colour.lstrip("#"))


def _wrap(sheet: Worksheet, widths: dict[int, int]) -> None:
    from openpyxl.styles import Alignment
    from openpyxl.utils import get_column_letter

    for column, width in widths.items():
        sheet.column_dimensions[get_column_letter(column)].width = width
    for row in sheet.iter_rows():
        for cell in row:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
