"""Fill the tables of docs/reading.md and docs/comparison.md from results/*.json: `python benchmarks/tables.py`.

Which benchmark makes which file is said in each; a table whose file is not there stays as it is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from rhetoric.records import percent  # noqa: E402
from training.cards import fill, table  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
READING, COMPARISON = ROOT / "docs" / "reading.md", ROOT / "docs" / "comparison.md"
SETS = {"seeds": "the five seeds", "ungdc": "UN speeches the rules were mended on", "fresh": "fresh UN speeches"}


def speed(found: Mapping[str, Any]) -> str:
    """MB/s by format, beside labelling."""
    label = found["labelling"]["megabytes_a_second"]
    rows = [
        [ending, f"{row['megabytes_a_second']:.1f}", f"{row['megabytes_a_second'] / label:,.0f}", f"{row['peak_megabytes']:.0f}"]
        for ending, row in found["formats"].items()
    ]  # fmt: skip
    rows.append(["turns, sentences, voices", f"{found['sentences']['megabytes_a_second']:.1f}",
                 f"{found['sentences']['megabytes_a_second'] / label:,.0f}", ""])  # fmt: skip
    return (
        table(
            ["format", "MB of text a second of processor time", "times as fast as labelling", "worker's peak, MB"], rows
        )
        + f"\n\nLabelling takes {label:.3f} MB in the same seconds ({found['labelling']['sentences_a_second']:,.0f} sentences). "
        f"The first file takes {found['start']['first_file_seconds']:.1f} s, for the worker has to start.\n\n"
        + _streamed(found.get("streamed", {}))
    )


def _streamed(found: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Peak memory over files of two lengths."""
    lengths = next(iter(found.values()), ())
    rows = [[ending, *(f"{row['peak_megabytes']:.0f} MB" for row in pair)] for ending, pair in found.items()]
    head = ["worker's peak memory", *(f"{row['text_megabytes']:.1f} MB of text" for row in lengths)]
    return table(head, rows) if rows else ""


def boundaries(found: Mapping[str, Any]) -> str:
    """F1 by set and system."""
    systems = list(dict.fromkeys(name for part in found["sets"].values() for name in part["systems"]))
    rows = []
    for key, part in found["sets"].items():
        cells = [f"{part['systems'][s]['f1']:.4f}" if s in part["systems"] else "–" for s in systems]
        rows.append([SETS[key], part["documents"], f"{part['boundaries']:,}", f"**{cells[0]}**", *cells[1:],
                     f"{part['systems']['rhetoric']['lowest_f1']:.3f}"])  # fmt: skip
    alone = [f"{name} {found['versions'].get(name, '')}" for name in systems[1:]]
    return table(["F1 on", "documents", "boundaries", "rhetoric", *alone, "rhetoric's lowest"], rows)


def hostile(found: Sequence[Mapping[str, Any]]) -> str:
    """What a user sees for each input."""
    rows = [[row["input"], _seen(row).replace("|", "\\|"), f"{row['seconds']:.0f} s"] for row in found]
    return table(["input", "what the user sees", "time"], rows)


def _seen(row: Mapping[str, Any]) -> str:
    parts = []
    if row["documents"]:
        parts.append(f"{row['documents']:,} document{'s' * (row['documents'] != 1)} read")
    if row["error_rows"]:
        parts.append(f"{row['error_rows']:,} error row{'s' * (row['error_rows'] != 1)}: `{row['first_errors'][0]}`")
    return "; ".join(parts)


def fuzzing(found: Mapping[str, Any]) -> str:
    """What came of mutated files, by format."""
    rows = [[suffix, *(f"{counts[k]:,}" for k in ("inputs", "documents", "errors", "unforeseen_errors"))]
            for suffix, counts in found["formats"].items()]  # fmt: skip
    stopped = f"{len(found['stopped']):,} broke the worker or had to be stopped"
    return (
        table(["format", "inputs", "documents read", "error rows", "of which unforeseen"], rows)
        + f"\n\n{found['inputs']:,} inputs, seed {found['seed']}: {stopped}; the slowest took {found['slowest_seconds']} s."
    )


def seeds(found: Sequence[Mapping[str, Any]]) -> str:
    """Facts of the seeds from their text alone, and the date that their card gives."""
    rows = []
    for row in found:
        text = row["from_its_text"]
        said = "; ".join(f"{name} {n}" for name, n in row["sentences"].items())
        rows.append([row["file"][:3], text["date"] or ", ".join(row["other_dates"]).replace("--", "no year, "), row["with_card"]["date"].split(" (")[0],
                     text["speaker"] or "–", text["place"] or "–", row["turns"], said, ", ".join(dict.fromkeys(row["dropped"]))])  # fmt: skip
    head = ["seed", "date in the text", "with its card", "speaker", "place", "turns", "sentences by voice", "dropped"]
    return table(head, rows)


def coverage(found: Mapping[str, Any]) -> str:
    """Every setting: coverage, false alarms, and what the naive ways do."""
    rows = []
    for row in found["shares"]:
        alarms = [percent(row[k]) if row["same"] else "–" for k in ("reject_corrected", "reject_raw", "reject_naive")]
        rows.append([row["setting"], *(percent(row[k]) for k in ("corrected", "difference")), alarms[0],
                     *(percent(row[k]) for k in ("raw_clustered", "raw_naive")), *alarms[1:]])  # fmt: skip
    head = ["setting", "corrected share", "difference", "false alarms of `compare`", "not corrected, clustered",
            "not corrected, naive", "false alarms, not corrected", "false alarms, naive"]  # fmt: skip
    usual = [row for row in found["shares"] if not row["stress"]]
    least, most = (f(row[k] for row in usual for k in ("corrected", "difference")) for f in (min, max))
    alarms = [row["reject_corrected"] for row in usual if row["same"]]
    naive = [row["raw_naive"] for row in usual]
    false = [row["reject_naive"] for row in usual if row["same"]]
    return (
        f"{found['corpora']:,} corpora a setting, {found['permutations']} permutations. But for the stress settings, corrected "
        f"intervals hold the truth in {percent(least)} to {percent(most)} of corpora, where the naive one does in "
        f"{percent(min(naive))} to {percent(max(naive))}; `compare` calls equal groups different in {percent(min(alarms))} to "
        f"{percent(max(alarms))}, a naive test on uncorrected labels in up to {percent(max(false))}.\n\n"
        + table(head, rows)
    )


def trends(found: Mapping[str, Any]) -> str:
    """Trends: a constant share under a classifier that changes, and the change test."""
    parts = []
    if "drift" in found:
        rows = [[row["setting"], *(percent(row[f"{what}_{kind}"]) for what in ("points", "band", "change_found") for kind in ("corrected", "raw"))]
                for row in found["drift"]]  # fmt: skip
        head = ["one true share", "points hold it, corrected", "not corrected", "band holds it, corrected", "not corrected",
                "false changes, corrected", "not corrected"]  # fmt: skip
        parts.append(table(head, rows))
    rows = [[row["setting"], percent(row["change_found"]), percent(row["band"])] for row in found["trend"]]
    parts.append(table(["true labels", "change found", "band holds the truth"], rows))
    return "\n\n".join(parts)


def real(found: Mapping[str, Any]) -> str:
    """The two real analyses."""
    un = found["un_speeches"]
    countries = [[row["country"], row["speeches"], percent(row["share"]), f"{percent(row['low'])} to {percent(row['high'])}"]
                 for row in un["countries"][:12] + [r for r in un["countries"][12:] if r["country"] in ("USA", "CHN", "DEU")]]  # fmt: skip
    asked = [[f"{row['country']} {row['year']}", percent(row["share"]) if row["rank"] else "no speech in the corpus",
              f"{row['rank']} of {row['of_years']}" if row["rank"] else "–"] for row in un["asked"]]  # fmt: skip
    changes = [[row["country"], ", ".join(row["periods"]), " → ".join(map(percent, row["levels"])), f"{row['p']:.4f}", f"{row['p_holm']:.2f}"]
               for row in un["changes"]]  # fmt: skip
    dates = list(dict.fromkeys(row["date"] for row in found["seeds"]["shares"]))
    share = {(row["date"], row["category"]): row["share"] for row in found["seeds"]["shares"]}
    keys = list(dict.fromkeys(row["category"] for row in found["seeds"]["shares"]))
    seeds_ = [[date, *(percent(share[date, key]) for key in keys)] for date in dates]
    compared = [[row["category"], percent(row["early"]), percent(row["late"]), f"{row['p']:.2f}", f"{row['smallest_p']:.2f}"]
                for row in found["seeds"]["compared"]]  # fmt: skip
    return "\n\n".join([
        f"Model {found['model']}; {un['sentences']:,} sentences of {un['speeches']:,} UN speeches, `{found['category']}`, not corrected:",
        table(["country", "speeches", "share", "95% interval"], countries), table(["speech", "share", "rank among its years"], asked),
        table(["country", "level changes in", "levels", "p", "after Holm"], changes),
        "The five seeds, shares by speech, and 2008 and 2012 against 2018 and 2019:",
        table(["speech of", *(f"`{key}`" for key in keys)], seeds_),
        table(["category", "early", "late", "p", "smallest p possible"], compared),
    ])  # fmt: skip


BLOCKS: tuple[tuple[Path, str, str, Callable[[Any], str]], ...] = (
    (READING, "speed", "reading", speed), (READING, "boundaries", "boundaries", boundaries), (READING, "hostile", "hostile", hostile),
    (READING, "fuzzing", "fuzzing", fuzzing), (READING, "seeds", "seeds", seeds), (COMPARISON, "coverage", "coverage", coverage),
    (COMPARISON, "trends", "coverage", trends), (COMPARISON, "real", "real", real),
)  # fmt: skip


def main() -> None:
    """Fill what can be filled."""
    for path, block, name, write in BLOCKS:
        source = RESULTS / f"{name}.json"
        if source.is_file():
            fill(path, block, write(json.loads(source.read_text(encoding="utf-8"))))
        else:
            print(f"{path.name}, {block}: {source.name} is not there", file=sys.stderr)


if __name__ == "__main__":
    main()
