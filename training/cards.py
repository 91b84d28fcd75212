"""The figures in the README, the model card and the datasheet: filled in between marks, never typed."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from model.manifest import WEIGHTS, Manifest, read_manifest
from rhetoric.codebook import Codebook
from training import inspection, reliability
from training.config import FACTS_NAME
from training.corpus import GOLD_PATH, PASSAGES_PATH, REREAD_PATH
from training.data import WRITTEN_PATH, read_jsonl
from training.decide import REFERENCE_PREVALENCE
from training.remarks import KINDS, Error, Remark, read_remarks, remarks_on
from training.splits import read_splits

ROOT = Path(__file__).resolve().parent.parent
EVALUATION = ROOT / "model" / "evaluation"
README, MODEL_CARD, DATASHEET = ROOT / "README.md", ROOT / "model" / "MODEL_CARD.md", ROOT / "labels" / "README.md"
INSTALLATION = ROOT / "benchmarks" / "results" / "installation.json"
BESIDE = ROOT / "benchmarks" / "results" / "beside" / "throughput.json"
MODELS = EVALUATION / "models.json"
REMARKS = EVALUATION / "error_remarks.jsonl"
_MARK = r"(<!-- figures: {name} -->\n).*?(<!-- /figures -->)"


class CardError(Exception):
    """A card lacks the marks between which figures go."""


def fill(path: Path, name: str, text: str) -> None:
    """Replace what stands between the marks of that name."""
    old = path.read_text(encoding="utf-8")
    new, count = re.subn(
        _MARK.format(name=re.escape(name)), lambda m: f"{m[1]}{text.rstrip()}\n{m[2]}", old, flags=re.DOTALL
    )
    if count != 1:
        raise CardError(f"{path} has {count} places marked `figures: {name}`, expected one")
    path.write_text(new, encoding="utf-8")


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in [header, *rows]]
    lines.insert(1, "|" + "---|" * len(header))
    return "\n".join(lines)


def quality(report: Mapping[str, Any], codebook: Codebook) -> str:
    """The table of the README: F1 with its interval by category, on the held-out test sets."""
    rows = []
    for name, title in (
        ("seeds", "the five seed documents"),
        ("real", "held-out speeches and statements"),
        ("written", "held-out written passages"),
    ):
        part = report["tests"][name]
        cells = [_f1(part["categories"][key]) for key in codebook.keys]
        rows.append(
            [title, part["sentences"], *cells, f"**{part['macro_f1']:.2f}** ({_span(part['macro_f1_interval'])})"]
        )
    return table(["F1 on", "sentences", *(codebook[key].name for key in codebook.keys), "macro-F1"], rows) + (
        "\n\nIn brackets 95% intervals by a bootstrap over documents. The real test passages are mostly drawn where a category was "
        "likely; a random sample has far fewer positives (see the model card). None of them was trained on, and no weight or threshold was chosen by them. Two things learnt from "
        "test figures guided the work in general: the low recall on the seeds led to a second look at how thresholds are chosen (on development "
        "data), and kinds of errors on the others to what was written next."
    )


def installation(found: Mapping[str, Any]) -> str:
    """What each command downloads and takes, as `benchmarks/installation.py` measured it."""
    commands = [
        ("`make run`, until the page answers", "run", "labelling"),
        ("`make setup-train`, the `train` extra added", "train", "training"),
        ("`make test`, with all that and the tests' tools", "test", "test"),
    ]
    rows = [
        [name, *(_figure(found, f"{command}_{cache}_cache_seconds", "s") for cache in ("empty", "warm")),
         *(_figure(found, f"{part}_{what}megabytes", "MB") for what in ("download_", ""))]
        for name, command, part in commands
    ]  # fmt: skip
    head = ["on a clean clone", "with an empty pip cache", "with a warm one", "downloaded by pip", "installed in all"]
    return (
        table(head, rows)
        + f"\n\nOn {found['machine']}; from `rhetoric label` to its first row: {found['first_row_seconds']} s."
    )


def _figure(found: Mapping[str, Any], name: str, unit: str) -> str:
    return f"{found[name]:,} {unit}" if name in found else "not measured"


def _f1(score: Mapping[str, Any]) -> str:
    return f"{score['f1']:.2f} ({_span(score['f1_interval'])})"


def _span(interval: Sequence[float]) -> str:
    return f"{interval[0]:.2f} to {interval[1]:.2f}"


def details(report: Mapping[str, Any], codebook: Codebook) -> str:
    """The tables of the model card: every test set, category by category."""
    parts = []
    for name, part in report["tests"].items():
        rows = [
            [codebook[key].name, c["positives"], f"{c['precision']:.2f}", f"{c['recall']:.2f}", _f1(c), _number(c["f1_at_reference"]), _number(c["average_precision"]), f"{c['expected_calibration_error']:.3f}"]
            for key, c in part["categories"].items()
        ]  # fmt: skip
        head = f"**{name}**: {part['sentences']} sentences of {part['documents']} documents, macro-F1 {part['macro_f1']:.3f} ({_span(part['macro_f1_interval'])})"
        parts.append(
            head
            + "\n\n"
            + table(
                [
                    "category",
                    "positives",
                    "precision",
                    "recall",
                    "F1 (95% interval)",
                    f"F1 at {REFERENCE_PREVALENCE:.0%}",
                    "average precision",
                    "ECE",
                ],
                rows,
            )
        )
    return "\n\n".join(parts)


def facets(report: Mapping[str, Any], codebook: Codebook) -> str:
    """F1 by source, stratum, decade, side, genre and length, over the real and written test passages."""
    parts = []
    for facet, values in report["facets"].items():
        rows = [
            [v, row["sentences"], *(f"{row[k]['f1']:.2f} ({row[k]['positives']})" for k in codebook.keys)]
            for v, row in values.items()
        ]
        parts.append(table([facet, "sentences", *(f"{codebook[k].name}: F1 (positives)" for k in codebook.keys)], rows))
    return "\n\n".join(parts)


def doubt(report: Mapping[str, Any], codebook: Codebook) -> str:
    """What the doubt band keeps of its promise."""
    rows = [
        [codebook[k].name, f"{d['share_inside']:.1%}", f"{d['right_outside']:.1%}", _percent(d["yes_right_outside"]), _percent(d["right_inside"]), f"{d['positives_below']:.1%}"]
        for k, d in report["doubt"].items() if k in codebook.keys
    ]  # fmt: skip
    head = [
        "category",
        "sentences inside",
        "decisions right outside",
        "yes decisions right above",
        "right inside",
        "positives missed below",
    ]
    return (
        table(head, rows)
        + f"\n\nIn all {report['doubt']['sentences_to_review']:.1%} of the sentences of the real test passages are marked `needs_review`."
    )


def compared_models(rows: Mapping[str, Any], codebook: Codebook) -> str:
    """Other models on the same splits, as `python -m training models` found them."""
    lines = []
    for name, row in rows.items():
        real, seeds, written = (row["tests"][source] for source in ("real", "seeds", "written"))
        lines.append(
            [name, *(f"{real['f1'][key]:.2f}" for key in codebook.keys), f"**{real['macro_f1']:.3f}**", f"{real['average_precision']:.3f}", f"{seeds['macro_f1']:.3f}", f"{written['macro_f1']:.3f}", row["minutes"]]
        )  # fmt: skip
    head = ["model", *(f"{codebook[key].name}: F1" for key in codebook.keys), "macro-F1, real", "average precision, real", "macro-F1, seeds", "macro-F1, written", "minutes"]  # fmt: skip
    return table(head, lines)


def steps(facts: Mapping[str, Any]) -> str:
    """The fits that led to the shipped weights, the first one first, as each noted them in fit.json."""
    fits: list[Mapping[str, Any]] = []
    now: Mapping[str, Any] | None = facts
    while now:
        fits.append(now)
        now = now.get("started_from")
    rows = []
    for number, fit in enumerate(reversed(fits), 1):
        counts = [
            "" if fit.get(key) is None else f"{fit[key]:,}"
            for key in ("training_sentences", "taught_sentences", "vectors")
        ]
        options = [(fit.get("config") or {}).get(key, "") for key in ("epochs", "plain_share")]
        noted = [fit.get("model", ""), "averaged with the weights before" if fit.get("averaged_with") else ""]
        rows.append([number, *counts, *options, fit["minutes"], "; ".join(filter(None, noted))])
    shown = [
        "sentences coded", "with the teacher's labels", "word pieces with its vectors", "epochs",
        "share of plain passages shown",
    ]  # fmt: skip
    return table(["fit", *shown, "minutes", "noted"], rows)


def behaviour(report: Mapping[str, Any]) -> str:
    """Failure rates of the behaviour tests."""
    rows = [
        [t.replace("_", " "), r["cases"], r["right_before"], r["failures"], f"{r['failure_rate']:.0%}"]
        for t, r in report["behaviour"].items()
    ]
    return table(["test", "cases", "right before the change", "wrong after it", "failure rate"], rows)


def error_kinds(report: Mapping[str, Any], remarks: Mapping[Error, Remark], codebook: Codebook) -> str:
    """The kinds of the worst errors, by category, as a reader saw them; the example is the surest error's remark."""
    errors = report["worst_errors"]
    found = remarks_on(errors, remarks)
    coverage = f"{len(found)} of the present {len(errors)} worst errors have a remark."
    rows = []
    for kind, meaning in KINDS.items():
        of_kind = [r for r in found if r.kind == kind]
        if of_kind:
            counts = [sum(r.category == key for r in of_kind) for key in codebook.keys]
            rows.append([meaning, len(of_kind), *counts, of_kind[0].remark])
    if not rows:
        return coverage
    head = ["what kind", "errors", *(codebook[key].name for key in codebook.keys), "for example"]
    return f"{table(head, rows)}\n\n{coverage}"


def _number(value: float) -> str:
    return "–" if value != value else f"{value:.2f}"  # NaN differs from itself


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def read_report(path: Path) -> dict[str, Any]:
    """Read what `python -m training evaluate` wrote."""
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report


def fill_cards(codebook: Codebook) -> None:
    """Fill every mark from the report, the manifest and the dataset."""
    report = read_report(EVALUATION / "report.json")
    manifest = read_manifest()
    fill(README, "quality", quality(report, codebook))
    if INSTALLATION.is_file():
        fill(README, "installation", installation(read_report(INSTALLATION)))
    if BESIDE.is_file():
        fill(MODEL_CARD, "beside", beside(read_report(BESIDE)))
    fill(MODEL_CARD, "model", _model(manifest))
    fill(MODEL_CARD, "details", details(report, codebook))
    fill(MODEL_CARD, "facets", facets(report, codebook))
    fill(MODEL_CARD, "doubt", doubt(report, codebook))
    fill(MODEL_CARD, "behaviour", behaviour(report))
    fill(MODEL_CARD, "errors", error_kinds(report, read_remarks(REMARKS, codebook), codebook))
    fill(MODEL_CARD, "steps", steps(read_report(WEIGHTS / FACTS_NAME)))
    if MODELS.is_file():
        fill(MODEL_CARD, "models", compared_models(read_report(MODELS), codebook))
    rows = read_jsonl(WRITTEN_PATH)
    head = ["passages", "sentences", *(codebook[key].name for key in codebook.keys)]
    fill(
        DATASHEET,
        "counts",
        table(["written set", ""], [[name, f"{n:,}"] for name, n in inspection.counts(rows, codebook).items()]),
    )
    fill(
        DATASHEET,
        "matrix",
        "\n\n".join(table([name, *head], lines) for name, lines in inspection.matrix(rows, codebook).items()),
    )
    coded = ["set", "passages", "sentences", *(f"{codebook[key].name}: alpha" for key in codebook.keys)]
    fill(DATASHEET, "agreement", table(coded, reliability.lines(reliability.agreements(codebook))))
    fill(DATASHEET, "reread", _reread(codebook))
    fill(DATASHEET, "real", _real(codebook))


def _model(manifest: Manifest) -> str:
    size = sum(file.bytes for file in manifest.files.values())
    facts = [
        ["version", manifest.version], ["codebook", manifest.codebook_version], ["base", f"all-MiniLM-L6-v2, sha256 `{manifest.base_sha256[:16]}…`"],
        ["context", manifest.context], ["longest window", f"{manifest.max_pieces} word pieces"],
        ["trained on", f"labels, sha256 `{manifest.dataset_sha256[:16]}…`"], ["size of the files", f"{size / 1e6:.1f} MB"],
    ]  # fmt: skip
    for key, d in manifest.decisions.items():
        facts.append([f"{key}: threshold, doubt band", f"{d.threshold:.2f}, {d.doubt[0]:.2f} to {d.doubt[1]:.2f}"])
    return table(["", ""], facts)


def beside(result: dict[str, Any]) -> str:
    """How fast bigger exported models label, beside the shipped one, in one run."""
    rows = [
        [way["name"], way["what"].rpartition(", ")[2], f"{way['sentences_per_second']:,.0f}", f"{way['macro_f1']:.3f}"]
        for way in result["ways"]
        if way["what"].startswith("predict_proba")
    ]
    return table(
        ["model", "files", "sentences a second", f"macro-F1 on {result['test_sentences']} test sentences"], rows
    )


def _reread(codebook: Codebook) -> str:
    """Sentences that a further coder read again: how often its labels differed, and how often gold was changed."""
    rows = read_jsonl(REREAD_PATH)
    lines = []
    for drawn, control in (("teacher and gold label differ", False), ("control", True)):
        read = [row for row in rows if row["control"] is control]
        changed = [row for row in read if row["adjudicated"] is not None and row["adjudicated"] != row["before"]]
        by_category = [
            f"+{sum(key in row['adjudicated'] and key not in row['before'] for row in changed)} "
            f"−{sum(key in row['before'] and key not in row['adjudicated'] for row in changed)}"
            for key in codebook.keys
        ]
        lines.append(
            [drawn, len(read), sum(row["adjudicated"] is not None for row in read), len(changed), *by_category]
        )
    names = (codebook[key].name for key in codebook.keys)
    return table(["drawn because", "sentences", "the further coder differs", "gold changed", *names], lines)


def _real(codebook: Codebook) -> str:
    gold = {row["passage"]: row["labels"] for row in read_jsonl(GOLD_PATH)}
    splits = read_splits()
    strata: dict[tuple[str, str], list[list[str]]] = {}
    passages: Counter[tuple[str, str]] = Counter()
    for row in read_jsonl(PASSAGES_PATH):
        key = (str(row["stratum"]), splits[row["id"]])
        passages[key] += 1
        strata.setdefault(key, []).extend(gold[row["id"]])
    rows = [
        [*key, passages[key], len(labels), *(sum(k in one for one in labels) for k in codebook.keys)]
        for key, labels in sorted(strata.items())
    ]
    total = [one for labels in strata.values() for one in labels]
    rows.append(
        ["**all**", "", sum(passages.values()), len(total), *(sum(k in one for one in total) for k in codebook.keys)]
    )
    return table(["stratum", "split", "passages", "sentences", *(codebook[k].name for k in codebook.keys)], rows)
