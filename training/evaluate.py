"""How good the shipped model is, and where it fails: one report, written by one command."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import f1_score

from model.classifier import Classifier
from model.manifest import Decision
from model.windows import normalise
from rhetoric.codebook import Codebook
from training.data import LABELS, Passage
from training.decide import reference_weights
from training.export import shipped_probabilities
from training.fit import gold_matrix
from training.metrics import Floats, Ints, category_scores, document_bootstrap, expected_calibration_error, macro_f1
from training.models import test_set

Turns = Sequence[Sequence[str]]
BEHAVIOUR_PATH = LABELS / "behaviour.jsonl"
DRAWS = 2000
LENGTHS = ((1, 10), (11, 20), (21, 30), (31, 45), (46, 10_000))
WESTERN_COUNTRIES = frozenset({"USA", "CAN", "GBR", "FRA", "DEU", "NOR", "SWE", "POL", "HUN", "AUS", "EU_", "EU"})


@dataclass(frozen=True, slots=True)
class Predictions:
    """Gold, probabilities and decisions of the sentences of passages; arrays are (sentences, categories)."""

    passages: Sequence[Passage]
    owners: Sequence[Passage]
    texts: Sequence[str]
    gold: Ints
    probabilities: Floats
    predicted: Ints

    def where(self, keep: Sequence[bool]) -> Predictions:
        """The predictions of some sentences."""
        mask = np.asarray(keep, dtype=bool)
        pick = np.flatnonzero(mask)
        return Predictions(
            self.passages, [self.owners[i] for i in pick], [self.texts[i] for i in pick],
            self.gold[mask], self.probabilities[mask], self.predicted[mask],
        )  # fmt: skip


def predictions(classifier: Classifier, passages: Sequence[Passage]) -> Predictions:
    """Run the shipped model over passages."""
    probabilities = shipped_probabilities(classifier, passages)
    thresholds = np.array([d.threshold for d in classifier.manifest.decisions.values()])
    owners = [p for p in passages for _ in p.sentences()]
    texts = [s.text for p in passages for s in p.sentences()]
    decided = (probabilities >= thresholds).astype(np.int64)
    return Predictions(passages, owners, texts, gold_matrix(passages), probabilities, decided)


def scores(p: Predictions, keys: Sequence[str], random_seed: int = 1) -> dict[str, Any]:
    """Per category and macro, with 95% intervals by a bootstrap over documents."""
    f1, macro = document_bootstrap(
        [o.group for o in p.owners], p.gold, p.predicted, DRAWS, np.random.default_rng(random_seed)
    )
    table: dict[str, Any] = {
        "sentences": len(p.gold), "documents": len({o.group for o in p.owners}),
        "macro_f1": round(macro_f1(p.gold, p.predicted), 4), "macro_f1_interval": _interval(macro), "categories": {},
    }  # fmt: skip
    for j, (key, score) in enumerate(zip(keys, category_scores(p.gold, p.predicted, p.probabilities), strict=True)):
        table["categories"][key] = {
            **{name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(score).items()},
            "f1_interval": _interval(f1[:, j]),
            "f1_at_reference": f1_at_reference(p.gold[:, j], p.predicted[:, j]),
            "expected_calibration_error": round(expected_calibration_error(p.gold[:, j], p.probabilities[:, j]), 4),
        }
    return table


def f1_at_reference(gold: Ints, predicted: Ints) -> float:
    """F1 of one category where REFERENCE_PREVALENCE of the sentences had it, with recall and false alarms as found.

    Test sets differ in how common a category is, and F1 moves with that. Arrays have shape (sentences,); NaN where
    there are no positives or nothing else.
    """
    if not gold.any() or gold.all():
        return float("nan")
    weights = reference_weights(gold, np.ones(len(gold), dtype=bool))
    return round(float(f1_score(gold, predicted, sample_weight=weights, zero_division=0.0)), 4)


def _interval(draws: Floats) -> list[float]:
    return [round(float(x), 4) for x in np.quantile(draws, (0.025, 0.975))]


def by_facet(p: Predictions, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Precision, recall and F1 by source, decade, speaker's side, genre and length of the sentence."""
    facets: dict[str, Callable[[int], str]] = {
        "source": lambda i: str(p.owners[i].facts.get("source", p.owners[i].source)),
        "stratum": lambda i: str(p.owners[i].facts.get("stratum", "written")),
        "decade": lambda i: _decade(str(p.owners[i].facts.get("year", ""))),
        "side": lambda i: side(p.owners[i].facts),
        "genre": lambda i: str(p.owners[i].facts.get("genre", p.owners[i].facts.get("source", ""))),
        "words": lambda i: _length(p.texts[i]),
    }
    tables: dict[str, dict[str, Any]] = {}
    for name, value in facets.items():
        values = np.array([value(i) for i in range(len(p.texts))])
        tables[name] = {str(v): _facet(p.where(values == v), keys) for v in sorted(set(values))}
    return tables


def _facet(p: Predictions, keys: Sequence[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"sentences": len(p.gold)}
    for key, score in zip(keys, category_scores(p.gold, p.predicted, p.probabilities), strict=True):
        row[key] = {
            "positives": score.positives,
            "precision": round(score.precision, 3),
            "recall": round(score.recall, 3),
            "f1": round(score.f1, 3),
        }
    return row


def _decade(year: str) -> str:
    return f"{year[:3]}0s" if year[:4].isdigit() else "unknown"


def _length(text: str) -> str:
    words = len(text.split())
    low, high = next(band for band in LENGTHS if words <= band[1])
    return f"{low:02d} to {high}" if high < LENGTHS[-1][1] else f"{low} or more"


def side(facts: Mapping[str, Any]) -> str:
    """Whether the speaker is Western: from the written passage's facts, else from the country."""
    if facts.get("side"):
        return str(facts["side"])
    country = facts.get("country")
    return "unknown" if not country else "western" if country in WESTERN_COUNTRIES else "other"


def doubt_promise(p: Predictions, classifier: Classifier) -> dict[str, Any]:
    """What the doubt band keeps of its promise: share inside it, decisions right outside it."""
    table: dict[str, Any] = {}
    inside_any = np.zeros(len(p.gold), dtype=bool)
    for j, (key, decision) in enumerate(classifier.manifest.decisions.items()):
        low, high = decision.doubt
        inside = (p.probabilities[:, j] >= low) & (p.probabilities[:, j] <= high)
        inside_any |= inside
        right = p.gold[:, j] == p.predicted[:, j]
        yes = p.predicted[:, j].astype(bool) & ~inside
        table[key] = {
            "share_inside": round(float(inside.mean()), 4),
            "right_outside": round(float(right[~inside].mean()), 4),
            "yes_right_outside": round(float(right[yes].mean()), 4) if yes.any() else None,
            "right_inside": round(float(right[inside].mean()), 4) if inside.any() else None,
            "positives_below": round(
                float(p.gold[p.probabilities[:, j] < low, j].sum() / max(1, p.gold[:, j].sum())), 4
            ),
        }
    table["sentences_to_review"] = round(float(inside_any.mean()), 4)
    return table


@dataclass(frozen=True, slots=True)
class BehaviourCase:
    """A pair of turns that differ in one thing; `sentence` is the number of the sentence judged (from 0).

    `expected` is the decision on `category` after the change: the same as before it when the thing must not matter.
    """

    test: str
    category: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    sentence_before: int
    sentence_after: int
    expected_before: int
    expected_after: int


def read_behaviour(path: Path = BEHAVIOUR_PATH) -> list[BehaviourCase]:
    """Read the behaviour cases (JSON Lines)."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [BehaviourCase(**{**row, "before": tuple(row["before"]), "after": tuple(row["after"])}) for row in rows]


def behaviour(
    label: Callable[[Turns], Sequence[Floats]], decisions: Mapping[str, Decision], cases: Sequence[BehaviourCase],
    codebook: Codebook,
) -> dict[str, dict[str, float]]:  # fmt: skip
    """Failure rate of each behaviour test, after Ribeiro et al. 2020 (CheckList).

    `label` gives each turn's probabilities, shape (sentences, categories). A case counts where the model is right
    before the change; it fails where it is wrong after it.
    """
    found = label([turn for case in cases for turn in (case.before, case.after)])
    table: dict[str, list[int]] = {}
    for case, before, after in zip(cases, found[::2], found[1::2], strict=True):
        j = codebook.keys.index(case.category)
        yes = [
            int(round(float(p[n, j]), 4) >= decisions[case.category].threshold)
            for p, n in ((before, case.sentence_before), (after, case.sentence_after))
        ]
        table.setdefault(case.test, [0, 0, 0])
        counts = table[case.test]
        counts[0] += 1
        counts[1] += yes[0] == case.expected_before
        counts[2] += yes[0] == case.expected_before and yes[1] != case.expected_after
    return {
        test: {"cases": n, "right_before": ok, "failures": bad, "failure_rate": round(bad / max(1, ok), 3)}
        for test, (n, ok, bad) in table.items()
    }


def worst_errors(p: Predictions, keys: Sequence[str], number: int = 50) -> list[dict[str, Any]]:
    """The errors of which the model was surest: where they stand, never their text when it is somebody else's."""
    gap = np.where(p.gold == 1, 1 - p.probabilities, p.probabilities) * (p.gold != p.predicted)
    order = np.dstack(np.unravel_index(np.argsort(-gap, axis=None), gap.shape))[0][:number]
    rows = []
    for i, j in order:
        owner = p.owners[i]
        position = [s.text for s in owner.sentences()].index(p.texts[i]) + 1
        rows.append({
            "passage": owner.id, "sentence": position, "document": owner.group, "category": keys[j],
            "gold": int(p.gold[i, j]), "probability": round(float(p.probabilities[i, j]), 3), "words": len(normalise(p.texts[i]).split()),
        })  # fmt: skip
    return rows


def write_report(classifier: Classifier, test: Sequence[Passage], codebook: Codebook, out: Path) -> dict[str, Any]:
    """Measure everything on test passages and write `report.json` and the reliability plot."""
    out.mkdir(parents=True, exist_ok=True)
    parts = {name: [p for p in test if test_set(p) == name] for name in ("seeds", "real", "written")}
    found = {name: predictions(classifier, passages) for name, passages in parts.items() if passages}
    if "real" in found:
        real = found["real"]
        found["random"] = real.where([str(o.facts["stratum"]).startswith("random") for o in real.owners])
    both = predictions(classifier, parts["real"] + parts["written"])
    report = {
        "model": {"version": classifier.manifest.version, "dataset_sha256": classifier.manifest.dataset_sha256},
        "tests": {name: scores(p, codebook.keys) for name, p in found.items()},
        "facets": by_facet(both, codebook.keys),
        "doubt": doubt_promise(found.get("real", both), classifier),
        "behaviour": behaviour(classifier.predict_proba, classifier.manifest.decisions, read_behaviour(), codebook),
        "worst_errors": worst_errors(both, codebook.keys),
    }
    (out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    reliability_plot(found.get("real", both), codebook, out / "reliability.png")
    return report


def reliability_plot(p: Predictions, codebook: Codebook, path: Path) -> None:
    """Share of positives against the mean probability, by tenths, one panel a category."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, len(codebook.categories), figsize=(10, 3.6), sharey=True, layout="constrained")
    for j, (category, panel) in enumerate(zip(codebook.categories, panels, strict=True)):
        which = np.minimum((p.probabilities[:, j] * 10).astype(int), 9)
        panel.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        for b in sorted(set(which)):
            inside = which == b
            x, y = p.probabilities[inside, j].mean(), p.gold[inside, j].mean()
            panel.plot(x, y, "o", color=category.colour, markeredgecolor="black")
            panel.annotate(f"{inside.sum():,}", (x, y), textcoords="offset points", xytext=(5, -9), fontsize=7)
        panel.set(title=category.name, xlabel="probability", xlim=(0, 1), ylim=(0, 1))
    panels[0].set_ylabel("share that is positive")
    figure.savefig(path, dpi=120, metadata={"Software": None})
    plt.close(figure)
