"""Do the intervals hold what they promise? Made-up corpora with known truth, through the shipped functions.

    python benchmarks/coverage.py            all settings, 2,000 corpora each, into benchmarks/results/
    python benchmarks/coverage.py --corpora 200 --out /tmp/quick

A corpus has two groups of documents. Documents differ in length (negative binomial) and in how often
they speak of the category (beta-binomial, intra-class correlation `icc`). A classifier with the given
sensitivity and specificity scores every sentence (binormal), and its probabilities are computed as if
both groups were like the first: where the groups' errors differ they are miscalibrated, too. Then an
audit sample is drawn and "coded" without error, and intervals and tests are computed by the same
functions that the commands use. Truth is the share in the population that documents come from.
"""

from __future__ import annotations

import argparse
import csv
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import norm

from rhetoric.audit import STRATA, allocate, cut, sizes
from rhetoric.compare import Sides, assignments, compare_sides, count_as_far, mover_difference
from rhetoric.correction import (
    AuditedSentences,
    CorrectedShare,
    correct_share,
    document_totals,
    pseudo_outcomes,
    tuned_weight,
)
from rhetoric.measure import MIN_POSITIVES
from rhetoric.prevalence import Totals, design_effect, estimate_share, wilson_interval
from rhetoric.trend import changes, smooth

PERMUTATIONS = 499
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Setting:
    """One line of the table; pairs are for the two groups. `by_group`: whether the audit was drawn by group."""

    name: str
    documents: tuple[int, int] = (40, 40)
    sentences: int = 50
    prevalence: tuple[float, float] = (0.1, 0.1)
    icc: float = 0.05
    sensitivity: tuple[float, float] = (0.7, 0.7)
    specificity: tuple[float, float] = (0.98, 0.98)
    coded: int = 300
    design: str = "stratified"
    by_group: bool = True
    stress: bool = False


WORSE = {"sensitivity": (0.8, 0.55), "specificity": (0.99, 0.96)}
SETTINGS = (
    Setting("0.5%", (100, 100), 60, (0.005, 0.005), 0.01, coded=400, specificity=(0.995, 0.995)),
    Setting("0.5%, errors differ", (100, 100), 60, (0.005, 0.005), 0.01, (0.8, 0.6), (0.995, 0.985), coded=600),
    Setting("0.5% against 1.5%, errors differ", (100, 100), 60, (0.005, 0.015), 0.01, (0.8, 0.6), (0.995, 0.985), coded=600),
    Setting("2%", prevalence=(0.02, 0.02), icc=0.03),
    Setting("2%, errors differ", (60, 60), prevalence=(0.02, 0.02), icc=0.03, coded=400, **WORSE),
    Setting("2% against 5%, errors differ", (60, 60), prevalence=(0.02, 0.05), icc=0.03, coded=400, **WORSE),
    Setting("2%, random audit", (60, 60), prevalence=(0.02, 0.02), icc=0.03, coded=600, design="random", **WORSE),
    Setting("10%"),
    Setting("10%, errors differ", **WORSE),
    Setting("10% against 20%, errors differ", prevalence=(0.1, 0.2), **WORSE),
    Setting("10%, errors differ, random audit", design="random", **WORSE),
    Setting("10%, errors differ, small audit", coded=150, **WORSE),
    Setting("10%, errors differ, audit not by group", by_group=False, **WORSE),
    Setting("10%, clusters strong (ICC 0.2)", icc=0.2, **WORSE),
    Setting("10%, clusters weak (ICC 0.01)", icc=0.01, **WORSE),
    Setting("10%, long speeches", (25, 25), 200, **WORSE),
    Setting("10%, 60 against 20 documents", (60, 20), **WORSE),
    Setting("10%, errors large", sensitivity=(0.5, 0.4), specificity=(0.93, 0.9), coded=400),
    Setting("40%", prevalence=(0.4, 0.4), icc=0.1, sensitivity=(0.85, 0.85), specificity=(0.9, 0.9)),
    Setting("40%, errors differ", prevalence=(0.4, 0.4), icc=0.1, sensitivity=(0.85, 0.65), specificity=(0.95, 0.85)),
    Setting("40% against 30%, errors differ", prevalence=(0.4, 0.3), icc=0.1, sensitivity=(0.85, 0.65), specificity=(0.95, 0.85)),
    Setting("stress: 12 documents a group", (12, 12), stress=True, **WORSE),
    Setting("stress: 0.5%, 30 documents, 200 coded", (30, 30), prevalence=(0.005, 0.005), icc=0.02, coded=200, stress=True, **WORSE),
    Setting("stress: 2%, 100 coded at random", prevalence=(0.02, 0.02), icc=0.03, coded=100, design="random", stress=True, **WORSE),
)  # fmt: skip


@dataclass(frozen=True)
class Group:
    """One group of one corpus: arrays of shape (sentences,)."""

    document: np.ndarray
    gold: np.ndarray
    probability: np.ndarray
    label: np.ndarray


def make_group(setting: Setting, side: int, rng: np.random.Generator) -> Group:
    """Draw documents, sentences, truth and the classifier's answers."""
    p, icc = setting.prevalence[side], setting.icc
    length = np.maximum(5, rng.negative_binomial(4, 4 / (4 + setting.sentences), setting.documents[side]))
    inclination = rng.beta(p * (1 - icc) / icc, (1 - p) * (1 - icc) / icc, length.size)
    document = np.repeat(np.arange(length.size), length)
    gold = (rng.random(document.size) < inclination[document]).astype(float)
    yes, no = norm.ppf(setting.sensitivity[side]), -norm.ppf(setting.specificity[side])
    score = np.where(gold == 1, yes, no) + rng.standard_normal(document.size)
    return Group(document, gold, believed(score, setting.sensitivity[0], setting.specificity[0], p), (score > 0) * 1.0)


def believed(score: np.ndarray, sensitivity: float, specificity: float, prevalence: float) -> np.ndarray:
    """Probabilities by a classifier that takes these for its sensitivity, specificity and the share."""
    yes, no = norm.ppf(sensitivity), -norm.ppf(specificity)
    odds = (yes - no) * score - (yes**2 - no**2) / 2 + np.log(prevalence / (1 - prevalence))
    return np.asarray(1 / (1 + np.exp(-odds)))


def draw_audit(
    probability: np.ndarray, size: int, design: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Stratum of each sentence and whether it was coded, as `rhetoric audit draw` does it for one group."""
    stratum = np.zeros(probability.size, dtype=np.int64)
    if design == "stratified":
        stratum = cut(sizes(probability[:, None]), STRATA)
    counts = np.bincount(stratum)
    coded = np.zeros(probability.size, dtype=bool)
    for number, count in enumerate(allocate(size, counts.tolist())):
        coded[rng.choice(np.flatnonzero(stratum == number), count, replace=False)] = True
    return stratum, coded


def audit_groups(
    setting: Setting, groups: list[Group], rng: np.random.Generator
) -> tuple[list[CorrectedShare], list[Totals]]:
    """Corrected share of each group, and the totals with one weight for both on which they are tested."""
    if setting.by_group:
        drawn = [draw_audit(g.probability, setting.coded, setting.design, rng) for g in groups]
        stratum = np.concatenate([drawn[0][0], drawn[1][0] + drawn[0][0].max() + 1])
        coded = np.concatenate([d[1] for d in drawn])
    else:
        both = np.concatenate([g.probability for g in groups])
        stratum, coded = draw_audit(both, 2 * setting.coded, setting.design, rng)
    gold = np.concatenate([g.gold for g in groups])
    probability = np.concatenate([g.probability for g in groups])
    pseudo = pseudo_outcomes(AuditedSentences(stratum, np.ones(gold.size), probability, coded, gold))
    results, tested = [], []
    common = tuned_weight(pseudo.product.sum(), pseudo.square.sum())
    first = groups[0].gold.size
    for part, group in ((slice(None, first), groups[0]), (slice(first, None), groups[1])):
        units = np.ones(group.gold.size)
        sums = [document_totals(values[part], units, group.document) for values in (pseudo.without, pseudo.change)]
        weight = tuned_weight(pseudo.product[part].sum(), pseudo.square[part].sum())
        counts = int(coded[part].sum()), int(gold[part][coded[part]].sum())
        results.append(correct_share(*sums, weight, *counts))
        tested.append(correct_share(*sums, common, *counts).totals)
    return results, tested


def sides_of(first: Totals, second: Totals) -> Sides:
    """Two groups whose documents are all different."""
    k, n = first.documents, second.documents
    return Sides(
        np.arange(k + n), np.arange(k + n) < k,
        np.concatenate([first.hits, second.hits]), np.concatenate([first.units, second.units]),
    )  # fmt: skip


def covers(ends: tuple[float, float], truth: float) -> bool:
    """Whether an interval holds the truth; one that is missing does not."""
    return bool(ends[0] <= truth <= ends[1])


def naive_p(first: Totals, second: Totals) -> float:
    """P-value that takes every sentence as independent (two-sample z-test)."""
    a, b = first.share, second.share
    both = (first.hits.sum() + second.hits.sum()) / (first.units.sum() + second.units.sum())
    se = np.sqrt(both * (1 - both) * (1 / first.units.sum() + 1 / second.units.sum()))
    return float(2 * norm.sf(abs(a - b) / se)) if se > 0 else 1.0


def one_corpus(setting: Setting, rng: np.random.Generator) -> dict[str, float]:
    """All measures of one made-up corpus."""
    groups = [make_group(setting, side, rng) for side in (0, 1)]
    truth = setting.prevalence
    raw = [document_totals(g.label, np.ones(g.label.size), g.document) for g in groups]
    perfect = [document_totals(g.gold, np.ones(g.gold.size), g.document) for g in groups]
    fixed, tested = audit_groups(setting, groups, rng)
    measures: dict[str, list[float]] = {}
    for side in (0, 1):
        estimate, own = fixed[side].estimate, estimate_share(perfect[side])
        label = estimate_share(raw[side])
        measures.setdefault("corrected", []).append(covers((estimate.low, estimate.high), truth[side]))
        measures.setdefault("raw_clustered", []).append(covers((label.low, label.high), truth[side]))
        measures.setdefault("raw_naive", []).append(
            covers(wilson_interval(raw[side].hits.sum(), raw[side].units.sum()), truth[side])
        )
        measures.setdefault("gold_clustered", []).append(covers((own.low, own.high), truth[side]))
        measures.setdefault("gold_naive", []).append(
            covers(wilson_interval(perfect[side].hits.sum(), perfect[side].units.sum()), truth[side])
        )
        measures.setdefault("width_corrected", []).append(estimate.high - estimate.low)
        measures.setdefault("width_coded_only", []).append(fixed[side].coded_only.high - fixed[side].coded_only.low)
        measures.setdefault("width_raw_clustered", []).append(label.high - label.low)
        measures.setdefault("bias_corrected", []).append(estimate.share - truth[side])
        measures.setdefault("bias_raw", []).append(label.share - truth[side])
        measures.setdefault("weight", []).append(fixed[side].weight)
        measures.setdefault("positives", []).append(fixed[side].positives)
    result = {name: float(np.nanmean(values)) for name, values in measures.items()}
    difference = truth[0] - truth[1]
    mended = sides_of(fixed[0].totals, fixed[1].totals)
    found = compare_sides(mended, rng, draws=1)
    result["difference"] = covers((found.difference_low, found.difference_high), difference)
    plain = [estimate_share(r) for r in raw]
    ends = mover_difference(*((e.share, e.low, e.high) for e in plain))
    result["raw_difference"] = covers(ends, difference)
    ways, _ = assignments(mended, rng, PERMUTATIONS)  # as permutation_test does, once for both
    for name, sides in (("corrected", sides_of(*tested)), ("raw", sides_of(*raw))):
        result[f"reject_{name}"] = (count_as_far(ways, sides) + 1) / (PERMUTATIONS + 1) <= 0.05
    if min(f.positives for f in fixed) < MIN_POSITIVES:
        result["reject_corrected"] = False  # as `rhetoric compare`, which makes no test then
    result["no_test"] = float(min(f.positives for f in fixed) < MIN_POSITIVES)
    result["reject_naive"] = naive_p(*raw) <= 0.05
    result["no_interval"] = float(not all(np.isfinite(f.estimate.se) for f in fixed))
    return result


def run_setting(setting: Setting, corpora: int, seed: int) -> dict[str, float | str]:
    """Average over many corpora."""
    rng = np.random.default_rng([seed, *setting.name.encode()])
    rows = [one_corpus(setting, rng) for _ in range(corpora)]
    return {"setting": setting.name, **{name: float(np.nanmean([r[name] for r in rows])) for name in rows[0]}}


def same(setting: Setting) -> bool:
    """Whether the groups are alike in truth, so that every rejection is a false one."""
    return setting.prevalence[0] == setting.prevalence[1]


TRENDS = (
    ("25 years, 1 speech each, 5%", 25, 1, 0.05, 0.0), ("25 years, 1 speech each, 1%", 25, 1, 0.01, 0.0),
    ("12 years, 6 speeches each, 5%", 12, 6, 0.05, 0.0), ("25 years, 1 speech each, 5% doubles", 25, 1, 0.05, 1.0),
)  # fmt: skip


def trend_check(trend: tuple[str, int, int, float, float], corpora: int, seed: int) -> dict[str, float | str | None]:
    """False alarms of the change test, its power, and pointwise coverage of the smooth line's band."""
    name, periods, each, p, change = trend
    rng = np.random.default_rng([seed, *name.encode()])
    alarms, covered = [], []
    for _ in range(corpora):
        documents, years, truth = make_trend(rng, periods, each, p, change)
        found = changes([str(2000 + y) for y in years], documents, rng, PERMUTATIONS)
        alarms.append(bool(found and found.p < 0.05))
        line = smooth(years.astype(float), documents)
        if line is not None and not change:
            covered.append(np.mean((line.low <= truth) & (truth <= line.high)))
    return {
        "setting": name, "change_found": float(np.mean(alarms)), "band": float(np.mean(covered)) if covered else None,
    }  # fmt: skip


@dataclass(frozen=True)
class Drift:
    """Years of one true share in which the classifier gets worse half-way; pairs are for the two halves."""

    name: str
    years: int
    speeches: int
    prevalence: float
    coded: int
    icc: float = 0.05
    sensitivity: tuple[float, float] = (0.8, 0.55)
    specificity: tuple[float, float] = (0.99, 0.96)


DRIFTS = (
    Drift("8 years, 25 speeches each, 10%, errors change", 8, 25, 0.1, 1000),
    Drift("8 years, 25 speeches each, 2%, errors change", 8, 25, 0.02, 2000, 0.03),
    Drift("24 years, 8 speeches each, 10%, errors change", 24, 8, 0.1, 2000),
    Drift("8 years, 25 speeches each, 10%, errors alike", 8, 25, 0.1, 1000, 0.05, (0.7, 0.7), (0.98, 0.98)),
)  # fmt: skip


def one_drift(drift: Drift, rng: np.random.Generator) -> dict[str, float]:
    """Points, band and change test of one made-up corpus, as counted and as corrected."""
    p, icc = drift.prevalence, drift.icc
    length = np.maximum(5, rng.negative_binomial(4, 4 / 54, drift.years * drift.speeches))
    year = np.repeat(np.arange(drift.years), drift.speeches)
    document = np.repeat(np.arange(length.size), length)
    late = (year >= drift.years / 2)[document].astype(int)
    gold = (
        rng.random(document.size) < rng.beta(p * (1 - icc) / icc, (1 - p) * (1 - icc) / icc, length.size)[document]
    ) * 1.0
    yes, no = norm.ppf(drift.sensitivity)[late], -norm.ppf(drift.specificity)[late]
    score = np.where(gold == 1, yes, no) + rng.standard_normal(document.size)
    probability = believed(score, drift.sensitivity[0], drift.specificity[0], p)
    stratum, coded = draw_audit(probability, drift.coded, "stratified", rng)
    units = np.ones(gold.size)
    pseudo = pseudo_outcomes(AuditedSentences(stratum, units, probability, coded, gold))
    values = pseudo.without + tuned_weight(pseudo.product.sum(), pseudo.square.sum()) * pseudo.change
    names = [str(2000 + y) for y in year]
    result = {}
    for kind, hits in (("corrected", values), ("raw", (score > 0) * 1.0)):
        documents = document_totals(hits, units, document)
        design = design_effect(documents)
        points = [
            estimate_share(Totals(documents.hits[year == y], documents.units[year == y]), design=design)
            for y in range(drift.years)
        ]
        line = smooth(year.astype(float), documents)
        found = changes(names, documents, rng, PERMUTATIONS)
        result[f"points_{kind}"] = float(np.mean([covers((e.low, e.high), p) for e in points]))
        result[f"band_{kind}"] = float(np.mean((line.low <= p) & (p <= line.high))) if line else np.nan
        result[f"change_found_{kind}"] = float(bool(found and found.p < 0.05))
    return result


def drift_check(drift: Drift, corpora: int, seed: int) -> dict[str, float | str]:
    """A trend whose classifier changes, averaged over many corpora."""
    rng = np.random.default_rng([seed, *drift.name.encode()])
    rows = [one_drift(drift, rng) for _ in range(corpora)]
    return {"setting": drift.name, **{name: float(np.nanmean([r[name] for r in rows])) for name in rows[0]}}


def make_trend(
    rng: np.random.Generator, periods: int, each: int, p: float, change: float
) -> tuple[Totals, np.ndarray, float]:
    """Documents of a constant share, or of one that grows by `change` half-way."""
    years = np.repeat(np.arange(periods), each)
    share = p * (1 + change * (years >= periods / 2))
    icc = 0.03
    length = np.maximum(5, rng.negative_binomial(4, 4 / (4 + 90), years.size))
    hits = rng.binomial(length, rng.beta(share * (1 - icc) / icc, (1 - share) * (1 - icc) / icc))
    return Totals(hits.astype(float), length.astype(float)), years, p


def draw_figure(rows: list[dict], path: Path) -> None:
    """Coverage and false positives by setting: the naive way against ours."""
    from rhetoric.figures import GREY, INK, LIGHT, save

    chosen = [r for r in rows if not r["stress"]]
    names = [str(r["setting"]) for r in chosen]

    def draw(figure) -> None:  # noqa: ANN001
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
        for axis in (left, right):
            axis.set_ylim(len(names) - 0.4, -0.6)
            axis.grid(axis="x", color=LIGHT, linewidth=0.6)
            axis.set_axisbelow(True)
            axis.tick_params(axis="y", length=0)
        left.set_yticks(range(len(names)), names)
        left.axvspan(0.93, 0.97, color="#cfe3d4", linewidth=0)
        for key, colour, label, marker in (
            ("raw_naive", "#cc3311", "sentences counted as independent (Wilson)", "x"),
            ("raw_clustered", "#b08a00", "clustered by document", "^"),
            ("corrected", "#0f5e9c", "clustered and corrected (rhetoric --audit)", "o"),
        ):
            left.plot([r[key] for r in chosen], range(len(names)), marker, color=colour, label=label, markersize=5)
        left.set_xlim(-0.02, 1.02)
        left.set_title("Does the 95% interval hold the true share?")
        right.axvspan(0.04, 0.06, color="#cfe3d4", linewidth=0)
        for key, colour, marker in (
            ("reject_naive", "#cc3311", "x"),
            ("reject_raw", "#b08a00", "^"),
            ("reject_corrected", "#0f5e9c", "o"),
        ):
            places = [(r[key], i) for i, r in enumerate(chosen) if r["same"]]
            right.plot([x for x, _ in places], [y for _, y in places], marker, color=colour, markersize=5)
        right.set_xlim(-0.02, 1.02)
        right.set_title("Equal groups: false alarms")
        for axis in (left, right):
            axis.xaxis.set_major_formatter(lambda x, _: f"{100 * x:.0f}%")
        figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False, labelcolor=INK)
        figure.suptitle("", color=GREY)

    save(draw, (10.5, 0.27 * len(names) + 1.4), path)


def share_check(setting: Setting, corpora: int, seed: int) -> dict[str, Any]:
    """A setting with its results, as it stands in the table."""
    row = {**run_setting(setting, corpora, seed), "same": same(setting), "stress": setting.stress}
    return {**row, **{f"setting_{k}": v for k, v in asdict(setting).items() if k != "name"}}


def main() -> None:
    """Run the settings, each with a seed of its own, and write table and figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--only", default="", help="settings whose name holds this")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    tasks = [("shares", share_check, s) for s in SETTINGS if options.only in s.name]
    if not options.only:
        tasks += [("drift", drift_check, d) for d in DRIFTS] + [("trend", trend_check, t) for t in TRENDS]
    found: dict[str, list[dict[str, Any]]] = {"shares": [], "drift": [], "trend": []}
    with ProcessPoolExecutor(options.jobs) as pool:
        waiting = [(kind, pool.submit(check, what, options.corpora, options.seed)) for kind, check, what in tasks]
        for kind, future in waiting:
            row = future.result()
            found[kind].append(row)
            shown = {k: round(v, 4) for k, v in row.items() if isinstance(v, float)}
            print(kind, row["setting"], shown, flush=True)
    write(found, options)
    if not options.only:
        for ending in ("png", "svg"):
            draw_figure(found["shares"], options.out / f"coverage.{ending}")


def write(found: dict[str, list[dict[str, Any]]], options: argparse.Namespace) -> None:
    """Write the table as JSON, and the shares as CSV."""
    table = {"corpora": options.corpora, "seed": options.seed, "permutations": PERMUTATIONS, **found}
    (options.out / "coverage.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    with (options.out / "coverage.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(found["shares"][0]), lineterminator="\n")
        writer.writeheader()
        for row in found["shares"]:
            writer.writerow({k: round(v, 5) if isinstance(v, float) else v for k, v in row.items()})


if __name__ == "__main__":
    main()
