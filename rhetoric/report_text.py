"""The words of a report: methods with their citations, and limits, from what was really done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rhetoric import records
from rhetoric.figures import group_name
from rhetoric.trend import Line, Point

CITATIONS = {
    "cluster": "Scheaffer, R. L., Mendenhall, W., Ott, R. L. & Gerow, K. G. (2012). Elementary Survey Sampling "
               "(7th ed.). Brooks/Cole.",
    "satterthwaite": "Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance "
                     "components. Biometrics Bulletin 2(6), 110–114.",
    "wilson": "Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. JASA "
              "22(158), 209–212.",
    "dsl": "Egami, N., Hinck, M., Stewart, B. M. & Wei, H. (2023). Using imperfect surrogates for downstream "
           "inference: Design-based supervised learning for social science applications of large language "
           "models. NeurIPS 36.",
    "ppi": "Angelopoulos, A. N., Duchi, J. C. & Zrnic, T. (2023). PPI++: Efficient prediction-powered "
           "inference. arXiv:2311.01453.",
    "mover": "Zou, G. Y. & Donner, A. (2008). Construction of confidence limits about effect measures: A "
             "general approach. Statistics in Medicine 27(10), 1693–1702.",
    "permutation": "Chung, E. & Romano, J. P. (2013). Exact and asymptotically robust permutation tests. Annals "
                   "of Statistics 41(2), 484–507.",
    "holm": "Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of "
            "Statistics 6(2), 65–70.",
    "cohen": "Cohen, J. (1988). Statistical Power Analysis for the Behavioral Sciences (2nd ed.). Erlbaum.",
    "words": "Monroe, B. L., Colaresi, M. P. & Quinn, K. M. (2008). Fightin' words: Lexical feature selection "
             "and evaluation for identifying the content of political conflict. Political Analysis 16(4), 372–403.",
    "g2": "Rayson, P. & Garside, R. (2000). Comparing corpora using frequency profiling. Proceedings of the "
          "Workshop on Comparing Corpora, 1–6.",
    "loess": "Cleveland, W. S. (1979). Robust locally weighted regression and smoothing scatterplots. JASA "
             "74(368), 829–836.",
    "pelt": "Killick, R., Fearnhead, P. & Eckley, I. A. (2012). Optimal detection of changepoints with a linear "
            "computational cost. JASA 107(500), 1590–1598.",
    "alpha": "Krippendorff, K. (2004). Content Analysis: An Introduction to Its Methodology (2nd ed.). Sage.",
}  # fmt: skip
"""References by key, in the order in which a report lists them."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a report did, as far as its wording depends on it."""

    sentences: int
    documents: int
    by: str
    groups: int
    period: str
    audit_design: str
    coded: int
    compared: bool
    trended: bool
    agreement: bool
    words: bool
    unit: str
    level: float


def methods(done: Done) -> tuple[list[str], list[str]]:
    """Paragraphs of the methods section, and the keys of the works they cite."""
    unit = {"word": "words", "document": "documents"}.get(done.unit, "sentences")
    paragraphs, keys = [], ["cluster", "satterthwaite"]
    text = (
        f"The unit of analysis is the sentence; {done.sentences:,} sentences of {done.documents:,} documents "
        f"were labelled by a "
        f"classifier that was trained on the codebook below. Shares are shares of {unit}. Their "
        f"{done.level:.0%} intervals treat "
        "documents as the units that were sampled: the variance is that of a ratio estimated from clusters "
        "(Scheaffer et al. 2012), "
        "with degrees of freedom matched to how evenly documents contribute to it (Satterthwaite 1946), and the "
        "interval is symmetric "
        "in log-odds."
    )
    if done.unit == "document":
        text = (
            text.split(" Their ")[0]
            + " A document counts once if any of its sentences is in the category; intervals are Wilson's (1927)."
        )
        keys = ["wilson"]
    paragraphs.append(text)
    if done.audit_design:
        keys += ["dsl", "ppi"]
        how = "stratified by the classifier's probabilities" if done.audit_design == "stratified" else "drawn at random"
        paragraphs.append(
            f"Because the classifier errs, shares are corrected with {done.coded:,} sentences coded by people, "
            f"{how} with known "
            "inclusion probabilities. The estimator is design-based supervised learning (Egami et al. 2023) "
            "with predictions recalibrated "
            "by stratum and the tuned weight of PPI++ (Angelopoulos et al. 2023), clustered by document. It is "
            "unbiased by design, "
            "however the classifier errs, if the codings are right."
        )
    if done.compared:
        keys += ["mover", "permutation", "holm", "cohen"]
        paragraphs.append(
            "Groups are compared by the difference of their shares, with an interval built from both shares' "
            "own intervals (Zou and Donner "
            "2008), by their ratio, and by Cohen's h (1988). P-values come from permuting documents between the "
            "groups, with a studentised "
            "statistic (Chung and Romano 2013), and are adjusted over all comparisons of this report (Holm 1979)."
        )
    if done.words:
        keys += ["words", "g2"]
        paragraphs.append(
            "Words are ranked by the log-odds ratio with an informative Dirichlet prior, over its standard "
            "deviation (Monroe et al. 2008); "
            "the data also give G2 (Rayson and Garside 2000) and the log ratio. They describe the sentences "
            "that the classifier put into the category."
        )
    if done.trended:
        keys += ["loess", "pelt"]
        paragraphs.append(
            f"Trends are shares by {done.period}. The line is LOESS (Cleveland 1979) of hits over LOESS of "
            f"units, with a pointwise band whose "
            "width follows the scatter of documents around it. Changes of level are reported only where a "
            "permutation test (documents shuffled "
            "over dates) finds one at p < 0.05; they are placed by PELT (Killick et al. 2012) on shares "
            "weighted by their units, with a penalty of "
            "3 log(periods) times the dispersion."
        )
    if done.agreement:
        keys.append("alpha")
        paragraphs.append(
            "Agreement between coders is Krippendorff's alpha (2004), with intervals from drawing documents again."
        )
    return paragraphs, [key for key in CITATIONS if key in keys]


def limits(done: Done, notes: Sequence[str]) -> list[str]:
    """What a reader must not conclude, and what the data could not tell."""
    items = []
    if not done.audit_design:
        items.append(
            "The shares are what the classifier counts. It errs, and it may err more for one group or period "
            "than for another, so "
            "differences between groups can come from its errors alone. Code an audit sample (rhetoric audit "
            "draw) before publishing."
        )
    else:
        items.append("The correction takes the codings as true; errors that coders share remain.")
    items += [
        "Intervals speak of documents like these. If these are all the documents there are, they say how far "
        "chance in what was said would carry.",
        "Documents of one speaker or one year may resemble each other more than others; intervals take only "
        "documents as clusters.",
        "A sentence that reports or quotes criticism counts as criticism: categories say what a sentence says, "
        "not who holds it.",
    ]
    if done.compared:
        items.append(
            "A difference between groups is not the effect of belonging to them: occasions, genres and "
            "translators differ as well."
        )
    if done.trended:
        items.append("The band of a trend is pointwise: over a whole line some places lie outside more often "
                     "than one in twenty. "
                     "The change test reacts to gradual drift too, not only to jumps.")  # fmt: skip
    return [*items, *dict.fromkeys(notes)]


def point_text(line: Line, point: Point, unit: str = "sentence") -> str:
    """One point of a trend in words: group, period, share, interval, and what it rests on."""
    e = point.estimate
    where = ", ".join(filter(None, [*line.group, point.period]))
    known = (
        f"{records.percent(e.share)} ({records.between(e.low, e.high)})"
        if np.isfinite(e.low)
        else records.percent(e.share)
    )
    if not np.isfinite(e.share):
        known = f"{records.percent(point.raw)}, not corrected"
    return f"{where}: {known} of {e.units:,.0f} {unit}s, in {e.documents:,} document{'s' * (e.documents != 1)}"


def change_text(line: Line) -> str:
    """What the test for changes of level says of a line, "" where none was made."""
    name, found = group_name(line.group), line.changes
    if found is None:
        return ""
    if not found.periods:
        return f"{name}: no change of level shown (p {records.p_value(found.p)})"
    levels = " → ".join(records.percent(level) for level in found.levels)
    return (f"{name}: the level changes in {', '.join(found.periods)} ({levels}); p {records.p_value(found.p)}, "
            f"after Holm {records.p_value(found.p_holm)}")  # fmt: skip
