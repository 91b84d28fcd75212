"""Results as flat records: for CSV and JSON files, and as text tables on the screen."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rhetoric.agreement import Agreement, Coefficient
from rhetoric.compare import Comparison
from rhetoric.errors import RhetoricError
from rhetoric.measure import Share
from rhetoric.plan import Plan
from rhetoric.prevalence import Estimate
from rhetoric.trend import Line

Record = Mapping[str, Any]


def share_records(shares: Iterable[Share], by: Sequence[str]) -> list[Record]:
    """One record a category and group."""
    return [
        {
            "category": s.category, **dict(zip(by, s.group, strict=True)), "documents": s.raw.documents,
            "units": s.raw.units, "found": s.raw.hits, **_estimate("share", s.raw), **_corrected(s), "note": s.note,
        }
        for s in shares
    ]  # fmt: skip


def _estimate(name: str, estimate: Estimate | None) -> dict[str, float | None]:
    if estimate is None:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    return {name: estimate.share, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _corrected(share: Share) -> dict[str, Any]:
    fixed = share.corrected
    if fixed is None:
        return {
            **_estimate("corrected", None),
            **_estimate("coded_only", None),
            "weight": None,
            "coded": None,
            "positives": None,
        }
    return {
        **_estimate("corrected", fixed.estimate), **_estimate("coded_only", fixed.coded_only),
        "weight": fixed.weight, "coded": fixed.coded, "positives": fixed.positives,
    }  # fmt: skip


def share_columns(shares: Sequence[Share], by: Sequence[str], *, corrected: bool) -> dict[str, list[str]]:
    """Shares as columns of text; `corrected` adds those of an audit."""
    columns = {"category": [s.category for s in shares]}
    columns |= {name: [s.group[i] for s in shares] for i, name in enumerate(by)}
    columns |= {
        "documents": [f"{s.raw.documents:,}" for s in shares],
        "units": [f"{s.raw.units:,.0f}" for s in shares],
        "raw": [percent(s.raw.share) for s in shares],
        "interval": [between(s.raw.low, s.raw.high) for s in shares],
    }
    if corrected:
        columns |= {
            "coded": [str(s.corrected.coded) if s.corrected else "–" for s in shares],
            "corrected": [percent(s.corrected.estimate.share) if s.corrected else "–" for s in shares],
            "corrected interval": [
                between(s.corrected.estimate.low, s.corrected.estimate.high) if s.corrected else "–" for s in shares
            ],
        }
    return columns


def share_notes(shares: Sequence[Share]) -> list[str]:
    """What must be said of shares, each with its category and group."""
    return [f"{' '.join([s.category, *s.group])}: {s.note}" for s in shares if s.note]


def comparison_records(results: Iterable[Comparison]) -> list[Record]:
    """One record a category and pair of groups."""
    return [
        {
            "category": r.category, "first": r.first, "second": r.second,
            "documents_first": r.share_first.documents, "documents_second": r.share_second.documents,
            **_estimate("share_first", r.share_first), **_estimate("share_second", r.share_second),
            "difference": r.difference, "difference_low": r.difference_low, "difference_high": r.difference_high,
            "ratio": r.ratio, "ratio_low": r.ratio_low, "ratio_high": r.ratio_high, "cohens_h": r.effect,
            "p": r.p, "p_holm": r.p_holm, "smallest_p": r.smallest_p, "note": r.note,
        }
        for r in results
    ]  # fmt: skip


def trend_records(lines: Iterable[Line], by: Sequence[str]) -> list[Record]:
    """One record a point; `level` is that of the changes found, `new_level` marks where one begins."""
    return [record for line in lines for record in _line_records(line, by)]


def _line_records(line: Line, by: Sequence[str]) -> list[Record]:
    records: list[Record] = []
    starts = line.changes.periods if line.changes else ()
    for point in line.points:
        e = point.estimate
        records.append({
            "category": line.category, **dict(zip(by, line.group, strict=False)), "period": point.period, "year": point.year,
            "documents": e.documents, "units": e.units, "found": e.hits, **_estimate("share", e), "raw": point.raw, "coded": point.coded,
            "new_level": point.period in starts, "change_p": line.changes.p if line.changes else None,
            "change_p_holm": line.changes.p_holm if line.changes else None,
        })  # fmt: skip
    return records


def smooth_records(lines: Iterable[Line], by: Sequence[str]) -> list[Record]:
    """One record a place on a smooth line."""
    return [
        {"category": line.category, **dict(zip(by, line.group, strict=False)), "year": year, "share": share, "share_low": low, "share_high": high}
        for line in lines
        if line.smooth
        for year, share, low, high in zip(line.smooth.year, line.smooth.share, line.smooth.low, line.smooth.high, strict=True)
    ]  # fmt: skip


def plan_records(plans: Iterable[Plan], by: Sequence[str]) -> list[Record]:
    """One record a category and group."""
    return [
        {
            "category": p.category, **dict(zip(by, p.group, strict=True)), "share": p.share, "coded": p.coded,
            "half_width": p.half_width, "least_half_width": p.floor, "more_to_code": p.more, "note": p.note,
        }
        for p in plans
    ]  # fmt: skip


def agreement_records(found: Iterable[Agreement]) -> list[Record]:
    """One record a category."""
    return [
        {
            "category": a.category, "coders": ";".join(a.coders), "units": a.units, "documents": a.clusters,
            "rarer_value": a.positive, **_coefficient("alpha", a.alpha), **_coefficient("cohen", a.cohen),
            **_coefficient("fleiss", a.fleiss), **_coefficient("percent", a.percent), "note": a.note,
        }
        for a in found
    ]  # fmt: skip


def _coefficient(name: str, value: Coefficient) -> dict[str, float]:
    return {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}


def cleaned(record: Record) -> dict[str, Any]:
    """Round to eight digits after the point, and empty what is not a number."""
    return {key: _clean(value) for key, value in record.items()}


def _clean(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool, int)):
        return value
    number = float(value)
    return round(number, 8) if math.isfinite(number) else None


def as_csv(records: Sequence[Record]) -> str:
    """Records as CSV text; what is not known is empty."""
    text = io.StringIO()
    if records:
        writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(cleaned(record) for record in records)
    return text.getvalue()


def as_json(records: Sequence[Record]) -> str:
    """Records as a JSON list; what is not known is null."""
    return json.dumps([cleaned(record) for record in records], indent=2, ensure_ascii=False) + "\n"


def write_records(records: Sequence[Record], path: Path) -> None:
    """Write records in the format of the path's ending: csv or json.

    Raises:
        RhetoricError: another ending, or the file cannot be written.
    """
    forms = {".csv": as_csv, ".json": as_json}
    if path.suffix.lower() not in forms:
        raise RhetoricError(f"{path}: the ending must be .csv or .json")
    try:
        path.write_text(forms[path.suffix.lower()](records), encoding="utf-8")
    except OSError as error:
        raise RhetoricError(f"{path}: {error.strerror or error}") from error


def percent(value: float | None) -> str:
    """Share as text, with two digits that count.

    >>> percent(0.1234), percent(0.0123), percent(0.00012), percent(None)
    ('12.3%', '1.2%', '0.012%', '–')
    """
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(100 * value)
    if size >= 1 or size == 0:
        return f"{100 * value:.1f}%"
    return f"{100 * value:.{min(1 - math.floor(math.log10(size)), 4)}f}%"


def between(low: float | None, high: float | None) -> str:
    """Interval as text."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return "–"
    return f"{percent(low)} to {percent(high)}"


def number(value: float | None, digits: int = 2) -> str:
    """Round number, or a dash where there is none."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def numbers_between(low: float, high: float, digits: int = 2) -> str:
    """Interval of plain numbers, or a dash where there is none.

    >>> numbers_between(-0.123, 0.5), numbers_between(float("nan"), float("nan"))
    ('-0.12 to 0.50', '–')
    """
    return f"{number(low, digits)} to {number(high, digits)}" if math.isfinite(low) and math.isfinite(high) else "–"


def p_value(value: float | None) -> str:
    """P-value as papers print it.

    >>> p_value(0.00004), p_value(0.0312), p_value(0.5)
    ('<0.001', '0.031', '0.50')
    """
    if value is None or not math.isfinite(value):
        return "–"
    return "<0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def as_text(columns: Mapping[str, Sequence[str]]) -> str:
    """Columns of text as a table for the screen; numbers to the right.

    >>> print(as_text({"group": ["A", "B"], "share": ["1.0%", "12.0%"]}))
    group  share
    A       1.0%
    B      12.0%
    """
    cells = {name: [name, *values] for name, values in columns.items()}
    widths = {name: max(map(len, values)) for name, values in cells.items()}
    right = {name: all(v[:1].isdigit() or v[:1] in "–-+<" or not v for v in columns[name]) for name in columns}
    lines = zip(*cells.values(), strict=True)
    return "\n".join(
        "  ".join(
            cell.rjust(widths[name]) if right[name] else cell.ljust(widths[name])
            for name, cell in zip(cells, line, strict=True)
        ).rstrip()
        for line in lines
    )
