"""More formulas against independent implementations and published data; and the table that lists every check."""

import doctest
import importlib
import re
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from rhetoric.agreement import CodingTable, agreement, percent_agreement
from rhetoric.audit import cut, sizes
from rhetoric.compare import Sides, compare_sides, mover_difference, welch_df
from rhetoric.correction import AuditedSentences, correct_share, document_totals, pseudo_outcomes, tuned_weight
from rhetoric.plan import growth, stratified_variance
from rhetoric.prevalence import (
    Totals,
    bootstrap_interval,
    degrees_of_freedom,
    design_effect,
    estimate_share,
    ratio_variance,
)
from rhetoric.trend import _weighted_cost, changes, line_variance, score_interval, split_gains

DOCS = Path(__file__).parents[2] / "docs" / "comparison.md"


def clusters(seed=1, k=30):
    rng = np.random.default_rng(seed)
    units = rng.integers(5, 80, k)
    return Totals(rng.binomial(units, rng.beta(2, 8, k)).astype(float), units.astype(float))


def one_by_one(totals):
    """Sentences (1 or 0) and their documents."""
    hits, units = totals.hits.astype(int), totals.units.astype(int)
    y = np.concatenate([np.r_[np.ones(h), np.zeros(u - h)] for h, u in zip(hits, units, strict=True)])
    return y, np.repeat(np.arange(totals.documents), units)


def speeches(shares, units=1000.0):
    """Documents of one length."""
    return Totals(np.asarray(shares) * units, np.full(len(shares), units))


# Shares


def test_speeches_of_one_length_give_the_t_interval_of_their_mean():
    """Where all documents are as long, a share is the mean of their shares: standard error and df are the t-test's."""
    from scipy.stats import ttest_1samp

    shares = np.random.default_rng(3).uniform(0.05, 0.25, 15)  # flat, so not above normal in kurtosis
    found, theirs = estimate_share(speeches(shares)), ttest_1samp(shares, 0.1)
    assert found.df == theirs.df == 14
    assert found.se == pytest.approx((found.share - 0.1) / theirs.statistic)


def test_degrees_of_freedom_of_two_shares_are_welchs():
    """The df of each share and of their sum, against Welch's t-test of the speeches' shares."""
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(4)
    first, second = rng.uniform(0.1, 0.2, 9), rng.uniform(0.05, 0.5, 14)
    a, b = estimate_share(speeches(first)), estimate_share(speeches(second))
    theirs = ttest_ind(first, second, equal_var=False)
    assert welch_df(a.se**2, a.df, b.se**2, b.df) == pytest.approx(theirs.df)
    assert (a.share - b.share) / np.hypot(a.se, b.se) == pytest.approx(theirs.statistic)


@pytest.mark.parametrize(("name", "parameters"), [("laplace", ()), ("t", (10,)), ("expon", ()), ("logistic", ())])
def test_degrees_of_freedom_follow_the_known_kurtosis_of_heavy_tails(name, parameters):
    """The variance of s squared is (2 / (k - 1) + excess / k) times its square: df = 2 / that, with scipy's excess."""
    import scipy.stats

    law, k = getattr(scipy.stats, name)(*parameters), 40_000
    draws = law.ppf((np.arange(k) + 0.5) / k)
    theirs = 2 / (2 / (k - 1) + float(law.stats("k")) / k)
    assert degrees_of_freedom(draws - draws.mean()) == pytest.approx(theirs, rel=0.05)


def test_design_effect_is_the_ratio_of_two_regressions_variances():
    import statsmodels.api as sm

    totals = clusters()
    y, groups = one_by_one(totals)
    model = sm.OLS(y, np.ones_like(y))
    plain = model.fit().bse[0] ** 2 * (y.size - 1) / y.size  # OLS divides by n - 1
    clustered = model.fit(cov_type="cluster", cov_kwds={"groups": groups}).bse[0] ** 2
    assert design_effect(totals) == pytest.approx(clustered / plain)


def test_the_bootstrap_is_that_of_documents_drawn_one_by_one():
    totals, draws = clusters(k=12), 400
    weights = np.random.default_rng(5).multinomial(12, np.full(12, 1 / 12), size=draws)
    logit = np.log(totals.share / (1 - totals.share))
    t = []
    for counts in weights:
        drawn = Totals(np.repeat(totals.hits, counts), np.repeat(totals.units, counts))
        spread = ratio_variance(drawn) ** 0.5 / (drawn.share * (1 - drawn.share))
        t.append((np.log(drawn.share / (1 - drawn.share)) - logit) / spread)
    scale = ratio_variance(totals) ** 0.5 / (totals.share * (1 - totals.share))
    ends = 1 / (1 + np.exp(-(logit - np.quantile(t, [0.975, 0.025]) * scale)))
    assert bootstrap_interval(totals, np.random.default_rng(5), draws=draws) == pytest.approx(ends)


# Comparison


def test_a_difference_within_documents_has_the_variance_of_a_clustered_regression():
    """Documents that stand on both sides: MOVER's correlation against OLS with errors clustered by document."""
    import statsmodels.api as sm

    first, second = clusters(1, 25), clusters(2, 25)
    second = Totals(np.minimum(first.hits + second.hits, second.units), second.units)
    sides = Sides(
        np.tile(np.arange(25), 2), np.arange(50) < 25,
        np.concatenate([first.hits, second.hits]), np.concatenate([first.units, second.units]),
    )  # fmt: skip
    (y, a), (z, b) = one_by_one(first), one_by_one(second)
    side = np.r_[np.ones(y.size), np.zeros(z.size)]
    fit = sm.OLS(np.r_[y, z], np.stack([np.ones_like(side), side], axis=1)).fit(
        cov_type="cluster", cov_kwds={"groups": np.r_[a, b], "use_correction": False}
    )
    theirs = fit.bse[1] * np.sqrt(25 / 24)
    found = compare_sides(sides, np.random.default_rng(0), draws=9)
    one, two = found.share_first, found.share_second
    plain = [(e.share, e.share - e.se, e.share + e.se) for e in (one, two)]
    correlation = (one.se**2 + two.se**2 - theirs**2) / (2 * one.se * two.se)
    assert abs(correlation) > 0.1
    low, high = mover_difference(plain[0], plain[1], correlation)
    assert (high - low) / 2 == pytest.approx(theirs)
    ends = mover_difference((one.share, one.low, one.high), (two.share, two.low, two.high), correlation)
    assert (found.difference_low, found.difference_high) == pytest.approx(ends)


# Corrected shares


def audit(strata=1, size=1500, coded=300, seed=3):
    rng = np.random.default_rng(seed)
    gold = (rng.random(size) < 0.3).astype(float)
    prediction = np.clip(0.25 * gold + 0.2 + 0.4 * rng.random(size), 0, 1)
    stratum = np.sort(rng.integers(0, strata, size))
    chosen = np.zeros(size, dtype=bool)
    for number in range(strata):
        chosen[rng.choice(np.flatnonzero(stratum == number), coded // strata, replace=False)] = True
    return AuditedSentences(stratum, np.ones(size), prediction, chosen, gold)


def corrected(sample, weight):
    pseudo = pseudo_outcomes(sample)
    each = np.arange(sample.gold.size)
    sums = [document_totals(v, sample.units, each) for v in (pseudo.without, pseudo.change)]
    return correct_share(*sums, weight, int(sample.coded.sum()), int(sample.gold[sample.coded].sum()))


def test_without_predictions_the_standard_error_is_that_of_the_coded_sentences():
    from scipy.stats import sem

    sample = audit()
    found = corrected(sample, 0.0).estimate
    n = sample.gold.size
    assert found.se == pytest.approx(sem(sample.gold[sample.coded]) * np.sqrt(n / (n - 1)))


@pytest.mark.parametrize("weight", [0.0, 0.6, 1.0])
def test_strata_are_put_together_by_size_from_ppi_pythons_estimates(weight):
    ppi_py = pytest.importorskip("ppi_py")
    sample = audit(strata=3)
    theirs = 0.0
    for number in range(3):
        own = sample.stratum == number
        known = own & sample.coded
        part = ppi_py.ppi_mean_pointestimate(
            sample.gold[known], sample.prediction[known], sample.prediction[own], lam=weight
        )
        theirs += own.mean() * float(np.squeeze(part))
    assert corrected(sample, weight).estimate.share == pytest.approx(theirs, abs=1e-9)


def test_the_tuned_weight_is_the_slope_of_codings_on_predictions():
    from scipy.stats import linregress

    sample = audit()
    pseudo = pseudo_outcomes(sample)
    slope = linregress(sample.prediction[sample.coded], sample.gold[sample.coded]).slope
    assert 0 < tuned_weight(pseudo.product.sum(), pseudo.square.sum()) == pytest.approx(min(slope, 1.0))


def test_the_tuned_weight_gives_the_least_variance():
    sample = audit(strata=3, seed=8)
    pseudo = pseudo_outcomes(sample)
    best = tuned_weight(pseudo.product.sum(), pseudo.square.sum())

    def spread(weight):
        """Cochran's stratified variance of what predictions leave unexplained."""
        left = sample.gold - weight * sample.prediction
        parts = [left[sample.coded & (sample.stratum == h)] for h in range(3)]
        size = np.bincount(sample.stratum).astype(float)
        return stratified_variance(size, np.array([100.0] * 3), np.array([p.var(ddof=1) for p in parts]))

    assert spread(best) <= min(spread(w) for w in np.linspace(0, 1, 101)) + 1e-9


# Audit samples and planning


def test_equal_samples_from_the_strata_are_close_to_the_best_allocation():
    """Cochran (1977), equation 5.27: the least variance is (sum of N S) squared over n, less the sum of N S squared."""
    p = np.random.default_rng(2).beta(0.3, 4, 20_000)
    stratum = cut(sizes(p[:, None]), 5)
    size = np.bincount(stratum).astype(float)
    variance = np.array([np.mean(p[stratum == h] * (1 - p[stratum == h])) for h in range(5)])
    least = np.sum(size * np.sqrt(variance)) ** 2 / 500 - np.sum(size * variance)
    ours = stratified_variance(size, np.full(5, 100.0), variance)
    proportional = stratified_variance(size, 500 * size / size.sum(), variance)
    assert least <= ours < 1.15 * least < proportional


@pytest.mark.parametrize(("share", "half_width"), [(0.1, 0.02), (0.3, 0.05)])
def test_the_sample_for_a_width_is_that_of_statsmodels(share, half_width):
    """One stratum so large that its end does not matter, and no documents' part: the sample size of a proportion."""
    from statsmodels.stats.proportion import samplesize_confint_proportion

    size = 1e9
    target = (half_width / 1.959964 * size) ** 2
    grow = growth(target, 0.0, np.array([size]), np.array([50.0]), np.array([share * (1 - share)]))
    assert grow * 50 == pytest.approx(samplesize_confint_proportion(share, half_width), rel=1e-5)


def test_a_sample_that_grows_as_planned_has_the_wanted_variance():
    """Against Cochran's formula, which has its own check, with a documents' part and strata that end."""
    size, sample, variance = np.array([16.0, 48.0, 900]), np.array([4.0, 6.0, 20.0]), np.array([9.0, 2.0, 0.5])
    now = stratified_variance(size, sample, variance)
    grow = growth(400.0 + now / 3, 400.0, size, sample, variance)
    assert 400.0 + stratified_variance(size, grow * sample, variance) == pytest.approx(400.0 + now / 3)
    assert growth(399.0, 400.0, size, sample, variance) is None


def test_a_planned_sample_gives_the_planned_width():
    """Plan from a first sample, draw what was planned anew, and look at the intervals that come out."""
    rng = np.random.default_rng(6)
    documents, sentences, wanted = 80, 40, 0.025
    document = np.repeat(np.arange(documents), sentences)
    gold = (rng.random(document.size) < rng.beta(6, 34, documents)[document]).astype(float)
    prediction = np.clip(0.5 * gold + 0.05 + 0.3 * rng.random(gold.size), 0, 1)
    stratum = np.zeros(gold.size, dtype=np.int64)

    def estimate(count):
        chosen = np.zeros(gold.size, dtype=bool)
        chosen[rng.choice(gold.size, count, replace=False)] = True
        sample = AuditedSentences(stratum, np.ones(gold.size), prediction, chosen, gold)
        pseudo = pseudo_outcomes(sample)
        weight = tuned_weight(pseudo.product.sum(), pseudo.square.sum())
        sums = [document_totals(v, sample.units, document) for v in (pseudo.without, pseudo.change)]
        found = correct_share(*sums, weight, count, int(gold[chosen].sum())).estimate
        return found, (gold - weight * prediction)[chosen].var(ddof=1)

    planned = []
    for _ in range(40):
        found, variance = estimate(150)
        audit_part = stratified_variance(np.array([3200.0]), np.array([150.0]), np.array([variance]))
        rest = max((found.se * 3200) ** 2 - audit_part, 0.0)
        planned.append(
            growth((wanted / 1.99 * 3200) ** 2, rest, np.array([3200.0]), np.array([150.0]), np.array([variance]))
        )
    count = round(150 * float(np.median([p for p in planned if p is not None])))
    widths = [(found.high - found.low) / 2 for found, _ in (estimate(count) for _ in range(40))]
    assert np.mean(widths) == pytest.approx(wanted, rel=0.15)


# Trend


def test_line_variance_is_that_of_quasi_binomial_regression():
    """A flat line through all documents: Pearson's dispersion and standard error from statsmodels' GLM."""
    import statsmodels.api as sm

    rng = np.random.default_rng(7)
    units = rng.integers(40, 60, 60).astype(float)
    totals = Totals(rng.binomial(units.astype(int), rng.beta(2, 8, 60)).astype(float), units)
    model = sm.GLM(totals.hits / units, np.ones(60), family=sm.families.Binomial(), var_weights=units)
    fit = model.fit(scale="X2")
    assert fit.scale > 1
    theirs = (fit.bse[0] * totals.share * (1 - totals.share)) ** 2  # from log-odds
    ours = line_variance(np.full((1, 60), 1 / units.sum()), totals, np.full(60, totals.share), 59.0)
    assert ours[0] == pytest.approx(theirs)


def test_line_variance_of_speeches_of_one_length_is_that_of_their_mean():
    from scipy.stats import sem

    shares = np.random.default_rng(3).uniform(0.05, 0.25, 15)
    found = line_variance(np.full((1, 15), 1 / 15_000), speeches(shares), np.full(15, shares.mean()), 14.0)
    assert found[0] == pytest.approx(sem(shares) ** 2)


def test_score_interval_is_statsmodels_wilson():
    from statsmodels.stats.proportion import proportion_confint

    low, high = score_interval(np.array([0.04, 0.5]), np.array([50.0, 20.0]), 1.959963985)
    theirs = proportion_confint(np.array([2, 10]), np.array([50, 20]), method="wilson")
    assert [*low, *high] == pytest.approx([*theirs[0], *theirs[1]])


def test_the_gain_of_a_split_is_that_of_ruptures_on_single_sentences():
    import ruptures

    totals = clusters(k=8)
    ends = np.cumsum([2, 1, 3, 2])
    y, document = one_by_one(totals)
    cost = ruptures.costs.CostL2().fit(y)
    whole = cost.error(0, y.size)
    places = [int(np.sum(document < end)) for end in ends[:-1]]
    theirs = [whole - cost.error(0, i) - cost.error(i, y.size) for i in places]
    assert split_gains(totals.hits[None], totals.units[None], ends)[0] == pytest.approx(theirs)


def test_the_cost_of_a_segment_is_that_of_ruptures_on_repeated_shares():
    import ruptures

    totals = clusters(k=8)
    share = totals.hits / totals.units
    ours = _weighted_cost().fit(np.stack([share, totals.units], axis=1))
    theirs = ruptures.costs.CostL2().fit(np.repeat(share, totals.units.astype(int)))
    ends = np.r_[0, np.cumsum(totals.units)].astype(int)
    for start, end in ((0, 8), (1, 4), (3, 8)):
        assert ours.error(start, end) == pytest.approx(theirs.error(ends[start], ends[end]))


SEVEN = Totals(np.array([2.0, 1, 3, 9, 7, 4, 8]), np.array([30.0, 25, 60, 55, 40, 30, 45]))


def largest_gain(order):
    """Largest gain over the splits that leave two years on each side, written out for one order of speeches."""
    hits, units = SEVEN.hits[order], SEVEN.units[order]
    gains = []
    for i in range(2, 6):
        parts = [(hits[:i].sum(), units[:i].sum()), (hits[i:].sum(), units[i:].sum())]
        gains.append(sum(h * h / u for h, u in parts))
    return max(gains)


def test_the_test_of_a_change_is_a_permutation_test():
    """One speech in each of seven years: all 5,040 orders gone through by hand and by scipy, ours drawn at random."""
    from scipy.stats import permutation_test

    years = [str(2000 + i) for i in range(7)]
    values = np.array([largest_gain(list(order)) for order in permutations(range(7))])
    exact = float(np.mean(values >= values[0] * (1 - 1e-9)))
    theirs = permutation_test(
        (np.arange(7),), lambda order: largest_gain(np.asarray(order, dtype=int)), permutation_type="pairings",
        n_resamples=np.inf, alternative="greater", vectorized=False,
    )  # fmt: skip
    assert exact == pytest.approx(theirs.pvalue)
    ours = changes(years, SEVEN, np.random.default_rng(0), 20_000).p
    assert ours == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20_000))


def test_the_change_of_the_nile_is_found_in_1899():
    """Annual flow at Aswan, 1871 to 1970: Zeileis et al. (2003) find one break, after 1898, from 1097.75 to 849.97."""
    from statsmodels.datasets import nile

    flow = nile.load_pandas().data["volume"].to_numpy()
    years = [str(year) for year in range(1871, 1971)]
    found = changes(years, Totals(flow, np.ones(100)), np.random.default_rng(0), 999)
    assert found.periods == ("1899",)
    assert found.levels == pytest.approx((1097.75, 849.97), abs=0.005)
    assert found.p == 0.001


# Agreement


def test_the_interval_of_agreement_is_scipys_bootstrap():
    """Each sentence a document of its own, as scipy draws them."""
    from scipy.stats import bootstrap

    rng = np.random.default_rng(9)
    codes = (rng.random((80, 1)) < 0.3).astype(int) ^ (rng.random((80, 3)) < 0.1).astype(int)
    table = CodingTable("x", tuple("abc"), ("0", "1"), codes, np.arange(80))
    found = agreement(table, np.random.default_rng(0), draws=4000).percent
    counts = table.counts()
    theirs = bootstrap(
        (np.arange(80),), lambda i: percent_agreement(counts[np.asarray(i, dtype=int)]), n_resamples=4000,
        method="percentile", vectorized=False, rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)


# The table in docs/comparison.md


def checks():
    """Formula and the names of its checks, from the table."""
    table = DOCS.read_text(encoding="utf-8").split("## Checked against", 1)[1]
    lines = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| formula |")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return [(row[0], re.findall(r"`([^`]+)`", row[-1])) for row in cells]


def test_every_check_that_the_docs_name_exists():
    here = Path(__file__).parent
    sources = "".join((here / f"test_{name}.py").read_text(encoding="utf-8") for name in ("formulas", "formula_checks"))
    tests = set(re.findall(r"^def (test_\w+)", sources, re.MULTILINE))
    found = checks()
    assert len(found) > 30
    for formula, names in found:
        assert names, f"{formula} names no test"
        for name in names:
            if name.startswith("test_"):
                assert name in tests, formula
            elif name.endswith(".py"):
                assert (DOCS.parents[1] / name).is_file(), formula
            else:
                module, function = name.rsplit(".", 1)
                shown = doctest.DocTestFinder().find(getattr(importlib.import_module(f"rhetoric.{module}"), function))
                assert any(test.examples for test in shown), f"{formula}: {name} has no doctest"
