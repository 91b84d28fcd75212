"""The two real analyses of the comparison issue: UN speeches 2000 to 2024, and the five seeds.

    rhetoric label ../shared/corpus/ungdc --out /tmp/comparison/ungdc.parquet
    rhetoric label ../shared/seeds --out /tmp/comparison/seeds.parquet
    python benchmarks/real_analyses.py --out /tmp/comparison/real

Texts stay where they are: tables, figures and top sentences go to --out, which must lie outside the
repository.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import polars as pl

from rhetoric.compare import REST, compare
from rhetoric.figures import comparison_figure, keyness_figure, shares_figure, trend_figure
from rhetoric.keyness import in_category, keyness, typical_sentences
from rhetoric.measure import measure, shares
from rhetoric.records import comparison_records, share_records, trend_records, write_records
from rhetoric.table import LabelledRows, read_rows
from rhetoric.trend import trend

REPOSITORY = Path(__file__).resolve().parent.parent
SHOWN = ("RUS", "USA", "CHN", "CUB", "IRN", "FRA", "DEU", "GBR", "BRA", "IND", "TUR", "ZAF")
LOOKED_AT = ("RUS-2007", "RUS-2014", "RUS-2015", "RUS-2022", "RUS-2023", "USA-2003", "CUB-2010")
CATEGORY = "criticism_west"


def un_speeches(rows: LabelledRows, out: Path) -> None:
    """Share of criticism of the West by country, over countries and over years."""
    by_country = measure(rows, ["country_code"])
    found = list(shares(by_country))
    write_records(share_records(found, ["country_code"]), out / "ungdc-shares.csv")
    ranked = sorted((s for s in found if s.category == CATEGORY), key=lambda s: -s.raw.share)
    shares_figure(ranked, out / "ungdc-shares.png")
    for share in ranked:
        print(
            f"{share.group[0]}  {share.raw.share:.3f}  {share.raw.low:.3f} to {share.raw.high:.3f}  {share.raw.documents} speeches"
        )
    against = compare(by_country, against=REST, rng=np.random.default_rng(0))
    write_records(comparison_records(against), out / "ungdc-against-rest.csv")
    lines = trend(measure(rows, ["country_code", "year"]), "year", rng=np.random.default_rng(0))
    lines = [line for line in lines if line.category == CATEGORY]
    write_records(trend_records(lines, ["country_code"]), out / "ungdc-trend.csv")
    trend_figure([line for code in SHOWN for line in lines if line.group == (code,)], out / "ungdc-trend.png")
    for line in lines:
        if line.changes and line.changes.periods:
            print(line.group[0], "changes in", ", ".join(line.changes.periods), [round(x, 3) for x in line.changes.levels],
                  f"p {line.changes.p:.4f}, Holm {line.changes.p_holm:.3f}")  # fmt: skip
    standing_out(lines)
    first, second = (in_category(rows, "country_code", [code], CATEGORY) for code in ("RUS", "USA"))
    if first.height and second.height:
        keyness_figure(keyness(first, second), "Russia", "United States", CATEGORY, out / "ungdc-words.png")


def standing_out(lines: list) -> None:
    """Rank of Russia's and the United States' years among the country's own."""
    for line in lines:
        if line.group[0] in ("RUS", "USA"):
            known = sorted((p for p in line.points if np.isfinite(p.raw)), key=lambda p: -p.raw)
            print(line.group[0], "years by share:", ", ".join(f"{p.period} {p.raw:.3f}" for p in known[:8]))


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


def seeds(rows: LabelledRows, out: Path) -> None:
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
    for r in results:
        print(
            f"{r.category}: {r.share_first.share:.3f} against {r.share_second.share:.3f}, p {r.p:.2f} (least {r.smallest_p:.2f}) {r.note}"
        )
    sides = [in_category(rows, "time", [name], CATEGORY) for name in ("2018 and 2019", "2008 and 2012")]
    if all(side.height for side in sides):
        words = keyness(*sides)
        for side, first in zip(sides, (True, False), strict=True):
            for row in typical_sentences(side, words, CATEGORY, first=first, limit=5).iter_rows(named=True):
                print("  ", row["date"], row["text"][:160].replace("\n", " "))


def main() -> None:
    """Run both analyses on the rows that are there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ungdc", type=Path, default=Path("/tmp/comparison/ungdc.parquet"))
    parser.add_argument("--facts", type=Path, default=REPOSITORY.parent / "shared" / "corpus" / "ungdc_speakers.csv")
    parser.add_argument("--seeds", type=Path, default=Path("/tmp/comparison/seeds.parquet"))
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.out.resolve().is_relative_to(REPOSITORY):
        parser.error("--out must lie outside the repository: the texts are not ours to put there")
    options.out.mkdir(parents=True, exist_ok=True)
    if options.ungdc.is_file():
        rows = read_rows([options.ungdc], options.facts)
        un_speeches(rows, options.out)
        top_sentences(rows, options.out)
    if options.seeds.is_file():
        seeds(read_rows([options.seeds]), options.out)


if __name__ == "__main__":
    main()
