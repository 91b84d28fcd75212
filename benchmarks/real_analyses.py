"""The two real analyses of the comparison issue: UN speeches 2000 to 2024, and the five seeds.

    python benchmarks/real_analyses.py --out /tmp/real       labels both with the shipped model, then compares

Rows, tables, figures and top sentences go to --out, which must lie outside the repository and is best a
new folder: rows that lie in it already are not made again. Figures without anybody's words (shares by
country and year, the trend's picture) go to results/real.json and results/real-*.png as well.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from model.manifest import read_manifest
from rhetoric.compare import REST, compare
from rhetoric.figures import comparison_figure, keyness_figure, shares_figure, trend_figure
from rhetoric.keyness import in_category, keyness, typical_sentences
from rhetoric.measure import Share, measure, shares
from rhetoric.records import comparison_records, share_records, trend_records, write_records
from rhetoric.table import LabelledRows, read_rows
from rhetoric.trend import Line, trend

REPOSITORY = Path(__file__).resolve().parent.parent
SHOWN = ("RUS", "USA", "CHN", "CUB", "IRN", "FRA", "DEU", "GBR", "BRA", "IND", "TUR", "ZAF")
LOOKED_AT = ("RUS-2007", "RUS-2014", "RUS-2015", "RUS-2022", "RUS-2023", "USA-2003", "CUB-2010")
ASKED = (
    ("RUS", "2007"), ("RUS", "2014"), ("RUS", "2022"), ("RUS", "2023"), ("USA", "2003"), ("USA", "2022"),
)  # fmt: skip
CATEGORY = "criticism_west"
RESULTS = REPOSITORY / "benchmarks" / "results"


def un_speeches(rows: LabelledRows, out: Path) -> dict[str, Any]:
    """Share of criticism of the West by country, over countries and over years."""
    by_country = measure(rows, ["country_code"])
    found = list(shares(by_country))
    write_records(share_records(found, ["country_code"]), out / "ungdc-shares.csv")
    ranked = sorted((s for s in found if s.category == CATEGORY), key=lambda s: -s.raw.share)
    shares_figure(ranked, out / "ungdc-shares.png")
    against = compare(by_country, against=REST, rng=np.random.default_rng(0))
    write_records(comparison_records(against), out / "ungdc-against-rest.csv")
    lines = trend(measure(rows, ["country_code", "year"]), "year", rng=np.random.default_rng(0))
    lines = [line for line in lines if line.category == CATEGORY]
    write_records(trend_records(lines, ["country_code"]), out / "ungdc-trend.csv")
    for path in (out / "ungdc-trend.png", RESULTS / "real-trend.png"):
        trend_figure([line for code in SHOWN for line in lines if line.group == (code,)], path)
    first, second = (in_category(rows, "country_code", [code], CATEGORY) for code in ("RUS", "USA"))
    if first.height and second.height:
        keyness_figure(keyness(first, second), "Russia", "United States", CATEGORY, out / "ungdc-words.png")
    return {
        "sentences": rows.frame.height, "speeches": rows.frame["document"].n_unique(),
        "countries": country_table(ranked), "asked": standing_out(lines), "changes": changes_found(lines),
    }  # fmt: skip


def country_table(ranked: list[Share]) -> list[dict[str, Any]]:
    """Shares by country, the highest first."""
    return [
        {"country": s.group[0], "speeches": s.raw.documents, "share": s.raw.share, "low": s.raw.low, "high": s.raw.high}
        for s in ranked
    ]


def changes_found(lines: list[Line]) -> list[dict[str, Any]]:
    """Countries whose level changes at p < 0.05 before any adjustment, the surest first."""
    found = [(line.group[0], line.changes) for line in lines if line.changes and line.changes.periods]
    rows = [{"country": name, **asdict(change)} for name, change in found]
    return sorted(rows, key=lambda row: row["p"])


def standing_out(lines: list[Line]) -> list[dict[str, Any]]:
    """The years that were asked about, with their rank among the country's own."""
    rows = []
    for country, year in ASKED:
        (line,) = (line for line in lines if line.group == (country,))
        known = sorted((p for p in line.points if np.isfinite(p.raw)), key=lambda p: -p.raw)
        places = [i for i, point in enumerate(known, 1) if point.period == year]
        rows.append({
            "country": country, "year": year, "share": known[places[0] - 1].raw if places else None,
            "rank": places[0] if places else None, "of_years": len(known),
        })  # fmt: skip
    return rows


def top_sentences(rows: LabelledRows, out: Path) -> None:
    """Sentences with the highest probability in the speeches that are looked at closely."""
    frame = rows.frame.with_columns((pl.col("country_code") + "-" + pl.col("year")).alias("speech"))
    lines = []
    for speech in LOOKED_AT:
        own = frame.filter(pl.col("speech") == speech).sort(f"probability_{CATEGORY}", descending=True)
        hits = int(own[f"label_{CATEGORY}"].sum()) if own.height else 0
        lines.append(f"\n{speech}: {hits} of {own.height} sentences")
        lines += [
            f"  {p:.2f}  {' '.join(t.split())}"
            for p, t in own.head(12).select(f"probability_{CATEGORY}", "text").iter_rows()
        ]
    (out / "ungdc-top.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def seeds(rows: LabelledRows, out: Path) -> dict[str, Any]:
    """The five seed documents, 2008 to 2019."""
    dated = rows.frame.with_columns(
        (pl.col("date").str.slice(0, 10) + " " + pl.col("title").str.slice(0, 40)).alias("speech")
    )
    rows = LabelledRows(dated, rows.categories, rows.sources)
    measures = measure(rows, ["speech"])
    found = list(shares(measures))
    write_records(share_records(found, ["speech"]), out / "seeds-shares.csv")
    shares_figure(found, out / "seeds-shares.png")
    lines = trend(measure(rows, ["year"]), "year", rng=np.random.default_rng(0))
    write_records(trend_records(lines, []), out / "seeds-trend.csv")
    trend_figure(lines, out / "seeds-trend.png")
    early = pl.when(pl.col("year") < "2015").then(pl.lit("2008 and 2012")).otherwise(pl.lit("2018 and 2019"))
    frame = dated.with_columns(pl.col("date").str.slice(0, 4).alias("year")).with_columns(early.alias("time"))
    rows = LabelledRows(frame, rows.categories, rows.sources)
    results = compare(measure(rows, ["time"]), ["2018 and 2019", "2008 and 2012"], rng=np.random.default_rng(0))
    write_records(comparison_records(results), out / "seeds-compare.csv")
    comparison_figure(results, out / "seeds-compare.png")
    typical = []
    sides = [in_category(rows, "time", [name], CATEGORY) for name in ("2018 and 2019", "2008 and 2012")]
    if all(side.height for side in sides):
        words = keyness(*sides)
        for side, first in zip(sides, (True, False), strict=True):
            found_rows = typical_sentences(side, words, CATEGORY, first=first, limit=5).iter_rows(named=True)
            typical += [f"{row['date']} {' '.join(row['text'].split())}" for row in found_rows]
    (out / "seeds-typical.txt").write_text("\n".join(typical) + "\n", encoding="utf-8")
    return {
        "shares": [
            {"category": s.category, "date": s.group[0][:10], "sentences": s.raw.units, "share": s.raw.share} for s in found
        ],
        "compared": [
            {"category": r.category, "late": r.share_first.share, "early": r.share_second.share, "p": r.p, "smallest_p": r.smallest_p}
            for r in results
        ],
    }  # fmt: skip


def labelled(texts: Path, path: Path) -> Path:
    """Rows of a folder of texts, labelled with the shipped model where they are not there yet."""
    if not path.is_file():
        command = [sys.executable, "-m", "rhetoric.cli", "label", str(texts), "--out", str(path), "--quiet"]
        subprocess.run(command, cwd=REPOSITORY, check=True)
    return path


def main() -> None:
    """Label what is not labelled yet, run both analyses, write what may be published."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, default=REPOSITORY.parent / "shared")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.out.resolve().is_relative_to(REPOSITORY):
        parser.error("--out must lie outside the repository: the texts are not ours to put there")
    options.out.mkdir(parents=True, exist_ok=True)
    texts = options.texts.resolve()
    speeches = labelled(texts / "corpus" / "ungdc", options.out / "ungdc.parquet")
    rows = read_rows([speeches], texts / "corpus" / "ungdc_speakers.csv")
    found = {"model": read_manifest().version, "category": CATEGORY, "un_speeches": un_speeches(rows, options.out)}
    top_sentences(rows, options.out)
    found["seeds"] = seeds(read_rows([labelled(texts / "seeds", options.out / "seeds.parquet")]), options.out)
    rounded = json.loads(
        json.dumps(found, default=float),
        parse_float=lambda number: float(f"{float(number):.4g}"),
        parse_constant=lambda name: None,  # what has no value or no end is null
    )
    (RESULTS / "real.json").write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
