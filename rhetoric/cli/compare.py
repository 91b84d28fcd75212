"""`rhetoric compare`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rhetoric.cli.options import (
    FILE,
    chosen_groups,
    estimate_options,
    group_options,
    load,
    output_options,
    rows_options,
    seed_option,
    show,
    user_errors,
)

if TYPE_CHECKING:
    from rhetoric.compare import Comparison
    from rhetoric.table import LabelledRows


@click.command()
@rows_options
@click.option("--by", required=True, metavar="COLUMN", help="Column that says to which group a sentence belongs.")
@group_options
@click.option(
    "--against",
    default="",
    metavar="GROUP",
    help="Compare each group with this one, or with rest (default: all pairs).",
)
@estimate_options
@output_options
@click.option(
    "--words", type=FILE, help="Draw the words that set the first two groups apart (png, svg, pdf; needs --category)."
)
@click.option(
    "--sentences", type=click.IntRange(0, 50), default=0, help="Print this many typical sentences of each side."
)
@seed_option
@user_errors
def compare(
    rows: tuple[Path, ...], facts: Path | None, where: tuple[str, ...], by: str, groups: str,
    group: tuple[str, ...], against: str, category: tuple[str, ...], unit: str, audit: Path | None, coder: str, level: float, out: Path | None,
    plot: Path | None, as_json: bool, words: Path | None, sentences: int, random_seed: int,
) -> None:  # fmt: skip
    """Compare groups: difference and ratio of shares, effect size, and a test that permutes documents.

    P-values are adjusted by Holm's method over all comparisons of the run.

    \b
    Examples:
      rhetoric compare rows.jsonl --by speaker --groups "Rivas;Lindqvist"
      rhetoric compare rows.csv --facts speakers.csv --by country --against rest
    """
    import numpy as np

    from rhetoric.compare import REST
    from rhetoric.compare import compare as compare_groups
    from rhetoric.figures import check_format, comparison_figure
    from rhetoric.measure import measure
    from rhetoric.records import comparison_records

    check_format(plot)
    check_format(words)
    if words and len(category) != 1:
        raise click.UsageError("--words draws one category; name it with --category")
    loaded = load(rows, facts, where, category=category, audit=audit, coder=coder)
    measures = measure(loaded.rows, [by], unit, loaded.audit, where)
    chosen = chosen_groups(groups, group)
    results = compare_groups(
        measures,
        chosen,
        against=REST if against == "rest" else against,
        rng=np.random.default_rng(random_seed),
        level=level,
    )
    if plot:
        comparison_figure(results, plot)
    show(comparison_records(results), _columns(results), [*measures.notes, *_notes(results)], as_json=as_json, out=out)
    if sentences or words:
        _drivers(loaded.kept, by, chosen or [g[0] for g in measures.groups()], results, words, sentences)


def _columns(results: Sequence[Comparison]) -> dict[str, list[str]]:
    from rhetoric.records import number, numbers_between, p_value, percent

    return {
        "category": [r.category for r in results],
        "first": [r.first for r in results],
        "second": [r.second for r in results],
        "share 1": [percent(r.share_first.share) for r in results],
        "share 2": [percent(r.share_second.share) for r in results],
        "difference (points)": [number(100 * r.difference) for r in results],
        "interval": [numbers_between(100 * r.difference_low, 100 * r.difference_high) for r in results],
        "ratio": [number(r.ratio) for r in results],
        "ratio interval": [numbers_between(r.ratio_low, r.ratio_high) for r in results],
        "h": [number(r.effect) for r in results],
        "p": [p_value(r.p) for r in results],
        "p (Holm)": [p_value(r.p_holm) for r in results],
    }


def _notes(results: Sequence[Comparison]) -> list[str]:
    notes = [f"{r.category}, {r.first} and {r.second}: {r.note}" for r in results if r.note]
    coarse = max((r.smallest_p for r in results if r.smallest_p == r.smallest_p), default=0.0)
    if coarse > 0.05:
        notes.append(f"with so few documents the smallest p-value that some tests can give is {coarse:.2f}")
    return notes


def _drivers(
    rows: LabelledRows,
    by: str,
    groups: Sequence[str],
    results: Sequence[Comparison],
    words: Path | None,
    sentences: int,
) -> None:
    from rhetoric.compare import REST
    from rhetoric.figures import keyness_figure
    from rhetoric.keyness import KeynessError, in_category, keyness, typical_sentences

    for i, result in enumerate(results):
        others = [g for g in groups if g != result.first] if result.second == REST else [result.second]
        first = in_category(rows, by, [result.first], result.category)
        second = in_category(rows, by, others, result.category)
        try:
            found = keyness(first, second)
        except KeynessError as error:
            click.echo(f"Note: {result.category}, {result.first} and {result.second}: {error}", err=True)
            continue
        if words and i == 0:
            keyness_figure(found, result.first, result.second, result.category, words)
        for name, side, is_first in ((result.first, first, True), (result.second, second, False)):
            if not sentences:
                continue
            click.echo(f"\n{result.category}, typical of {name} against {result.second if is_first else result.first}:")
            for row in typical_sentences(side, found, result.category, first=is_first, limit=sentences).iter_rows(
                named=True
            ):
                click.echo(f"  [{row['document']} {row['sentence']}] {' '.join(row['text'].split())}")
