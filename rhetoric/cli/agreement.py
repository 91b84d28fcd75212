"""`rhetoric agreement`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rhetoric.cli.options import FILE, PATH, seed_option, show, user_errors

if TYPE_CHECKING:
    from rhetoric.agreement import Agreement


@click.command()
@click.argument("codings", nargs=-1, required=True, type=PATH, metavar="CODINGS...")
@click.option("--category", multiple=True, help="Only this category (repeatable).")
@click.option("--level", type=click.FloatRange(0.5, 0.999), default=0.95, show_default=True, help="Confidence level.")
@click.option("--out", type=FILE, help="Write the numbers to this file (csv, json).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
@seed_option
@user_errors
def agreement(
    codings: tuple[Path, ...],
    category: tuple[str, ...],
    level: float,
    out: Path | None,
    as_json: bool,
    random_seed: int,
) -> None:
    """Measure how far coders agree, by category, with bootstrap intervals over documents.

    CODINGS is an audit folder, a file of coded passages, filled sheets (one a coder), or a table with
    a row a sentence and a column a coder.

    \b
    Examples:
      rhetoric agreement audit/
      rhetoric agreement labels/codings.jsonl
      rhetoric agreement anna.xlsx ben.xlsx
    """
    import numpy as np

    from rhetoric.agreement import agreement as measure_agreement
    from rhetoric.codebook import default_codebook
    from rhetoric.codings import read_coding_tables
    from rhetoric.records import agreement_records

    keys = default_codebook().keys
    unknown = [key for key in category if key not in keys]
    if unknown:
        raise click.UsageError(f"there is no category {unknown[0]!r}; the codebook has {', '.join(keys)}")
    tables = read_coding_tables(codings, category or keys)
    found = [measure_agreement(table, np.random.default_rng(random_seed), level=level) for table in tables]
    show(agreement_records(found), _columns(found), [f"{a.category}: {a.note}" for a in found if a.note],
         as_json=as_json, out=out)  # fmt: skip


def _columns(found: Sequence[Agreement]) -> dict[str, list[str]]:
    from rhetoric.records import between, number, numbers_between, percent

    columns = {
        "category": [a.category for a in found],
        "coders": [str(len(a.coders)) for a in found],
        "units": [f"{a.units:,}" for a in found],
        "rarer value": [percent(a.positive) for a in found],
    }
    for name in ("alpha", "cohen", "fleiss"):
        values = [getattr(a, name) for a in found]
        columns |= {
            name: [number(v.value, 3) for v in values],
            f"{name} interval": [numbers_between(v.low, v.high, 3) for v in values],
        }
    return columns | {
        "agree": [percent(a.percent.value) for a in found],
        "agree interval": [between(a.percent.low, a.percent.high) for a in found],
    }
