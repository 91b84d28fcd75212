"""The doctests of the statistics, and their agreement with independent implementations."""

import doctest
import importlib
from dataclasses import replace

import numpy as np
import pytest

from rhetoric.agreement import CodingTable, agreement, krippendorff_alpha
from rhetoric.compare import Sides, count_as_far, holm, permutation_test, ratio_interval, studentised, welch_df
from rhetoric.correction import AuditedSentences, correct_share, document_totals, pseudo_outcomes, tuned_weight
from rhetoric.keyness import log_likelihood, shrunken_z
from rhetoric.prevalence import (
    Totals,
    bootstrap_interval,
    estimate_share,
    logit_interval,
    ratio_variance,
    wilson_interval,
)
from rhetoric.trend import smoother

MODULES = ("agreement", "audit", "compare", "correction", "keyness", "plan", "prevalence", "records", "report_html",
           "table", "trend")  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_doctests(name):
    result = doctest.testmod(importlib.import_module(f"rhetoric.{name}"))
    assert result.attempted > 0
    assert result.failed == 0


def clusters(seed=1, k=30):
    rng = np.random.default_rng(seed)
    units = rng.integers(5, 80, k)
    return Totals(rng.binomial(units, rng.beta(2, 8, k)).astype(float), units.astype(float))


def test_variance_is_the_cluster_robust_one_of_statsmodels():
    import statsmodels.api as sm

    totals = clusters()
    y, groups = one_by_one(totals)
    fit = sm.OLS(y, np.ones_like(y)).fit(cov_type="cluster", cov_kwds={"groups": groups})
    assert totals.share == pytest.approx(fit.params[0])
    assert ratio_variance(totals) == pytest.approx(fit.bse[0] ** 2, rel=1e-9)


def one_by_one(totals):
    """Sentences and their documents, as the libraries want them."""
    y = np.concatenate(
        [np.r_[np.ones(int(h)), np.zeros(int(u - h))] for h, u in zip(totals.hits, totals.units, strict=True)]
    )
    return y, np.repeat(np.arange(totals.documents), totals.units.astype(int))


def clustered_glm(totals, link):
    import statsmodels.api as sm

    y, groups = one_by_one(totals)
    model = sm.GLM(y, np.ones_like(y), family=sm.families.Binomial(link))
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": groups}, start_params=[link(y.mean())])
    return fit.params[0], fit.bse[0]


def test_logit_interval_is_that_of_a_clustered_logistic_regression():
    import statsmodels.api as sm

    totals = clusters()
    middle, se = clustered_glm(totals, sm.families.links.Logit())
    low, high = logit_interval(totals.share, ratio_variance(totals) ** 0.5, 1e9)
    theirs = 1 / (1 + np.exp(-(middle + np.array([-1, 1]) * 1.959964 * se)))
    assert [low, high] == pytest.approx(theirs, rel=1e-5)


def test_ratio_interval_is_that_of_two_clustered_log_binomial_regressions():
    import statsmodels.api as sm

    sides = [clusters(seed) for seed in (1, 2)]
    (a, first), (b, second) = (clustered_glm(side, sm.families.links.Log()) for side in sides)
    half = 1.959964 * np.hypot(first, second)
    estimates = [replace(estimate_share(side), df=1e9) for side in sides]
    assert ratio_interval(*estimates, 0.0, 0.95) == pytest.approx(np.exp([a - b - half, a - b + half]), rel=1e-4)


def test_degrees_of_freedom_of_a_sum_are_welchs():
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(4)
    x, y = rng.normal(size=9), rng.normal(scale=3, size=14)
    ours = welch_df(x.var(ddof=1) / 9, 8, y.var(ddof=1) / 14, 13)
    assert ours == pytest.approx(ttest_ind(x, y, equal_var=False).df)


def test_bootstrap_and_robust_interval_agree_for_many_documents():
    totals = clusters(k=200)
    robust = estimate_share(totals)
    low, high = bootstrap_interval(totals, np.random.default_rng(2))
    assert low == pytest.approx(robust.low, abs=0.004)
    assert high == pytest.approx(robust.high, abs=0.004)


def test_wider_than_the_naive_interval_when_documents_differ():
    totals = clusters()
    robust = estimate_share(totals)
    low, high = wilson_interval(totals.hits.sum(), totals.units.sum())
    assert robust.high - robust.low > high - low


def independent_audit(seed=3, size=2000, coded=400):
    rng = np.random.default_rng(seed)
    gold = (rng.random(size) < 0.3).astype(float)
    prediction = np.clip(0.25 * gold + 0.2 + 0.2 * rng.random(size), 0, 1)
    chosen = np.zeros(size, dtype=bool)
    chosen[rng.choice(size, coded, replace=False)] = True
    return AuditedSentences(np.zeros(size, dtype=np.int64), np.ones(size), prediction, chosen, gold)


def corrected(audit, document, weight=None):
    pseudo = pseudo_outcomes(audit)
    sums = [document_totals(v, audit.units, document) for v in (pseudo.without, pseudo.change)]
    weight = tuned_weight(pseudo.product.sum(), pseudo.square.sum()) if weight is None else weight
    return correct_share(*sums, weight, int(audit.coded.sum()), int(audit.gold[audit.coded].sum()))


@pytest.mark.parametrize("weight", [0.0, 0.6, 1.0])
def test_point_estimate_is_that_of_ppi_python(weight):
    ppi_py = pytest.importorskip("ppi_py")
    audit = independent_audit()
    y, f = audit.gold[audit.coded], audit.prediction[audit.coded]
    theirs = ppi_py.ppi_mean_pointestimate(y, f, audit.prediction, lam=weight)
    ours = corrected(audit, np.arange(audit.gold.size), weight)
    assert ours.estimate.share == pytest.approx(float(np.squeeze(theirs)), abs=1e-9)


def test_interval_and_weight_are_close_to_ppi_python():
    """Every sentence its own document, one stratum: the setting of PPI++."""
    ppi_py = pytest.importorskip("ppi_py")
    audit = independent_audit(size=20000, coded=500)
    y, f, rest = audit.gold[audit.coded], audit.prediction[audit.coded], audit.prediction[~audit.coded]
    low, high = (float(np.squeeze(x)) for x in ppi_py.ppi_mean_ci(y, f, rest, alpha=0.05))
    ours = corrected(audit, np.arange(audit.gold.size))
    assert ours.estimate.share == pytest.approx((low + high) / 2, abs=0.003)
    assert ours.estimate.high - ours.estimate.low == pytest.approx(high - low, rel=0.05)


def test_correction_is_unbiased_however_wrong_the_model_is():
    rng = np.random.default_rng(5)
    shares = []
    for _ in range(300):
        gold = (np.arange(600) % 10 == 0).astype(float)
        stratum = (np.arange(600) % 3).astype(np.int64)
        coded = np.zeros(600, dtype=bool)
        for number in range(3):
            coded[rng.choice(np.flatnonzero(stratum == number), 40, replace=False)] = True
        audit = AuditedSentences(stratum, np.ones(600), 1 - gold, coded, gold)
        shares.append(corrected(audit, np.arange(600) // 20, 1.0).estimate.share)
    assert np.mean(shares) == pytest.approx(0.1, abs=3 * np.std(shares) / np.sqrt(300))


def test_coding_everything_gives_the_truth():
    audit = independent_audit(size=300, coded=300)
    found = corrected(audit, np.arange(300) // 10)
    assert found.estimate.share == pytest.approx(audit.gold.mean())
    truth = estimate_share(document_totals(audit.gold, audit.units, np.arange(300) // 10))
    assert found.estimate.se == pytest.approx(truth.se)


def two_sides(seed=7, k=8, n=7):
    rng = np.random.default_rng(seed)
    units = rng.integers(10, 60, k + n).astype(float)
    hits = rng.binomial(units.astype(int), 0.2).astype(float)
    return Sides(np.arange(k + n), np.arange(k + n) < k, hits, units)


def test_permutation_test_agrees_with_scipy():
    from scipy.stats import permutation_test as scipy_test

    sides = two_sides()
    first = np.flatnonzero(sides.first)

    def statistic(a, b, axis=-1):
        rows = np.atleast_2d(a)
        chosen = np.zeros((rows.shape[0], sides.first.size), dtype=bool)
        np.put_along_axis(chosen, rows.astype(int), True, axis=1)
        return np.abs(studentised(chosen, sides)).reshape(np.asarray(a).shape[:-1])

    theirs = scipy_test((first, np.flatnonzero(~sides.first)), statistic, vectorized=True, n_resamples=np.inf,
                        alternative="greater")  # fmt: skip
    p, least = permutation_test(sides, np.random.default_rng(0))
    assert p == pytest.approx(theirs.pvalue)
    assert least == pytest.approx(1 / 6435)


def test_studentised_difference_is_that_of_two_clustered_shares():
    sides = two_sides()
    a, b = sides.side(first=True), sides.side(first=False)
    t = (a.share - b.share) / np.sqrt(ratio_variance(a) + ratio_variance(b))
    assert studentised(sides.first[None, :], sides)[0] == pytest.approx(t)


def test_documents_on_both_sides_are_swapped_not_moved():
    document = np.repeat(np.arange(5), 2)
    sides = Sides(document, np.tile([True, False], 5), np.tile([3.0, 1.0], 5), np.full(10, 10.0))
    p, least = permutation_test(sides, np.random.default_rng(0))
    assert p == pytest.approx(2 / 32)
    assert least == pytest.approx(2 / 32)


def test_holm_keeps_the_order_and_is_at_least_p():
    p = [0.2, 0.001, 0.04, 0.9]
    adjusted = holm(p)
    assert all(a >= b for a, b in zip(adjusted, p, strict=True))
    assert np.argsort(adjusted).tolist() == np.argsort(p).tolist()


def test_g2_is_scipys_for_rare_words_and_grows_with_imbalance():
    from scipy.stats import power_divergence

    a, b, c, d = 311.0, 420.0, 2.0e6, 2.2e6
    expected = np.array([c, d]) * (a + b) / (c + d)
    theirs = power_divergence([a, b], expected, lambda_="log-likelihood").statistic
    assert log_likelihood(np.array([a]), np.array([b]), c, d)[0] == pytest.approx(theirs)


def test_shrunken_z_is_the_formula_of_monroe_written_out():
    a, b, prior = np.array([12.0, 3.0]), np.array([4.0, 30.0]), np.array([2.0, 5.0])
    c, d, total = 1000.0, 1500.0, 7.0
    first = np.log((12 + 2) / (c + total - 14)) - np.log((4 + 2) / (d + total - 6))
    assert shrunken_z(a, b, c, d, prior)[0] == pytest.approx(first / np.sqrt(1 / 14 + 1 / 6))
    assert np.allclose(shrunken_z(a, b, c, d, prior), -shrunken_z(b, a, d, c, prior))


def test_alpha_is_fleiss_kappa_corrected_for_small_samples():
    """With no codings missing, alpha = 1 - (1 - kappa)(n - 1) / n over n codings; kappa from statsmodels."""
    from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

    rng = np.random.default_rng(9)
    codes = (rng.random((80, 1)) < 0.3).astype(int) ^ (rng.random((80, 4)) < 0.1).astype(int)
    kappa = fleiss_kappa(aggregate_raters(codes)[0], method="fleiss")
    table = CodingTable("x", tuple("abcd"), ("0", "1"), codes, np.arange(80) // 8)
    assert krippendorff_alpha(table.counts()) == pytest.approx(1 - (1 - kappa) * (codes.size - 1) / codes.size)
    found = agreement(table, np.random.default_rng(0), draws=200)
    assert found.alpha.low < found.alpha.value < found.alpha.high


def test_the_smoother_is_statsmodels_lowess():
    from statsmodels.nonparametric.smoothers_lowess import lowess

    rng = np.random.default_rng(1)
    x, y = np.arange(15.0), rng.random(15)
    assert smoother(x, x, 0.6) @ y == pytest.approx(lowess(y, x, frac=0.6, it=0, return_sorted=False))


def test_as_far_counts_the_observed_assignment():
    sides = two_sides()
    assert count_as_far(sides.first[None, :], sides) == 1
