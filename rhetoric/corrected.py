"""Raw and corrected shares side by side, as HTML: what `rhetoric audit read` and `share --audit` say, for the page.

Pure functions without Gradio. What users wrote goes through `rhetoric.page.escape` or `inert`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from rhetoric import records
from rhetoric.audit import audited, gap_note, read_audit, read_sheets
from rhetoric.explore import Explored, drawing, said, scope
from rhetoric.figures import category_name, shares_figure
from rhetoric.measure import measure, shares
from rhetoric.page import escape, inert
from rhetoric.report_html import table
from rhetoric.table import LabelledRows


@dataclass(frozen=True, slots=True)
class Coded:
    """An audit's frame with the codings of one sheet, and what must be said of the sheet."""

    frame: pl.DataFrame
    note: str


def read_coded(folder: Path, sheet: Path) -> Coded:
    """Read an audit's files and a filled sheet of it.

    Raises:
        AuditError: as `read_audit`, `read_sheets` and `audited`.
    """
    audit = read_audit(folder)
    codings = read_sheets(audit, sheet)
    return Coded(audited(audit, codings), gap_note(audit, codings))


def corrected(rows: LabelledRows, coded: Coded, by: str, folder: Path) -> Explored:
    """Put raw and corrected shares of all categories side by side.

    Args:
        rows: the whole run from which the audit was drawn.
        coded: the audit.
        by: a column, or "" for all rows together.
        folder: where the files to download are written.

    Raises:
        RhetoricError: the rows are not those of the audit, or cannot be grouped.
    """
    columns = [by] if by else []
    measures = measure(rows, columns, audit=coded.frame)
    found = list(shares(measures))
    files = (folder / "shares.csv", folder / "shares.svg", folder / "shares.png")
    records.write_records(records.share_records(found, columns), files[0])
    for path in files[1:]:
        shares_figure(found, path)
    shown = records.share_columns(found, columns, corrected=True)
    shown["category"] = [category_name(key) for key in shown["category"]]
    html = (
        f'<section class="rh rh-corrected" aria-label="Corrected shares"><h2 id="rh-corrected-title">Raw and corrected '
        f'shares{f", by {escape(by)}" if by else ""}</h2><p class="rh-facts">{scope(rows)} · '
        f"{int(coded.frame['coded'].sum()):,} coded</p>"
        '<p class="rh-hint">Raw is what the model counts; corrected takes out its errors as the coded sentences show '
        "them, and takes your codings as true. 95% intervals; documents, not sentences, are what varies.</p>"
        f"{inert(table(shown))}{said([coded.note, *measures.notes, *records.share_notes(found)])}"
        f'<div class="rh-drawing">{drawing(files[1])}</div></section>'
    )
    return Explored(html, files)
