"""comparison: the numbers of scipy, verdicts that are kept, and nothing said where nothing is."""

import json
import math
import warnings

import numpy as np
import pytest
from scipy import stats

from svhn_tune.statistics.comparison import (
    bound_probability,
    compare,
    estimate_probability,
    probability_variance,
    recommend,
)

SD = 0.003


def draw(seed, *counts, shift=0.0):
    """Scores of configurations with `counts` runs, each `shift` above the one before."""
    random = np.random.default_rng(seed)
    return [
        random.normal(0.9 + shift * index, SD * (1 + index), count).tolist()
        for index, count in enumerate(counts)
    ]


def test_two_configurations_of_equal_size_are_compared_by_welchs_t():
    a, b = draw(2, 10, 10, shift=SD)
    comparison = compare([a, b])[0][1]
    welch = stats.ttest_ind(a, b, equal_var=False)
    low, high = welch.confidence_interval()
    assert comparison.difference == pytest.approx(np.mean(a) - np.mean(b))
    assert comparison.p == pytest.approx(welch.pvalue)
    assert comparison.ci95 == pytest.approx((low, high))


def test_p_is_adjusted_for_all_pairs_by_sidak():
    groups = draw(3, 8, 8, 8, 8, shift=SD)
    comparison = compare(groups)[1][3]
    alone = stats.ttest_ind(groups[1], groups[3], equal_var=False).pvalue
    assert comparison.p == pytest.approx(1 - (1 - alone) ** 6)


def test_few_runs_of_one_cap_the_degrees_of_freedom():
    b, a = draw(4, 3, 20, shift=SD)
    comparison = compare([b, a])[0][1]
    error = np.sqrt(np.var(a, ddof=1) / 20 + np.var(b, ddof=1) / 3)
    welch = stats.ttest_ind(b, a, equal_var=False)
    t = abs(np.mean(b) - np.mean(a)) / error
    assert comparison.p == pytest.approx(2 * stats.t.sf(t, min(welch.df, 4)))
    assert comparison.p > welch.pvalue


@pytest.mark.parametrize("seed", range(20))
def test_the_verdict_the_interval_and_p_say_the_same(seed):
    groups = draw(seed, 10, 7, 5, 3, shift=2 * SD)
    for row in compare(groups):
        for comparison in filter(None, row):
            low, high = comparison.ci95
            verdict = "better" if low > 0 else "worse" if high < 0 else "tie"
            assert comparison.verdict == verdict
            assert (comparison.p < 0.05) == (verdict != "tie")


def test_a_comparison_read_the_other_way_round_is_its_mirror():
    groups = draw(5, 10, 4, shift=5 * SD)
    there, back = compare(groups)[0][1], compare(groups[::-1])[0][1]
    assert back.difference == pytest.approx(-there.difference)
    assert back.ci95 == pytest.approx([-bound for bound in reversed(there.ci95)])
    assert back.probability == pytest.approx(1 - there.probability)
    assert back.probability_ci95 == pytest.approx(
        [1 - bound for bound in reversed(there.probability_ci95)]
    )
    assert back.p == pytest.approx(there.p)
    assert {there.verdict, back.verdict} == {"better", "worse"}


def test_of_a_loss_the_lower_is_better():
    low, high = [0.30, 0.31, 0.32, 0.31], [0.50, 0.51, 0.52, 0.51]
    comparison = compare([low, high], higher_is_better=False)[0][1]
    assert comparison.difference == pytest.approx(-0.2)
    assert (comparison.verdict, comparison.probability) == ("better", 1)


DEGENERATE = {
    "one run": [[0.9], [0.8, 0.81, 0.82]],
    "one run each": [[0.9], [0.8]],
    "two runs": [[0.9, 0.901], [0.1, 0.101, 0.102]],
    "no spread": [[0.1, 0.1, 0.1], [0.2, 0.2, 0.2]],
    "identical": [[0.1] * 10, [0.1] * 10, [0.1]],
    "no run": [[], [0.5, 0.6]],
    "one configuration": [[0.5, 0.6]],
}


@pytest.mark.parametrize("groups", DEGENERATE.values(), ids=DEGENERATE)
def test_where_nothing_can_be_said_it_is_a_tie_without_warning_or_nan(groups):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = compare(groups)
    for comparison in (each for row in rows for each in row if each is not None):
        assert comparison.verdict == "tie"
        assert (comparison.ci95, comparison.p) == (None, None)
        json.dumps(comparison.as_dict(), allow_nan=False)


@pytest.mark.parametrize("other", [[0.9, 0.9003, 0.8996], [0.9, 0.9 + 1e-9], [0.9, 0.9]])
def test_a_configuration_whose_runs_all_collapsed_is_worse(other):
    collapsed = [0.1959] * 10
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        comparison = compare([collapsed, other])[0][1]
    assert comparison.verdict == ("tie" if comparison.p is None else "worse")
    json.dumps(comparison.as_dict(), allow_nan=False)


def test_no_difference_is_greater_than_the_scores_allow():
    far = [[0.9, 0.5, 0.1], [0.8, 0.2, 0.0]]
    assert compare(far)[0][1].ci95[1] == 1
    assert compare(far, highest=math.inf)[0][1].ci95[1] > 1


def test_a_configuration_with_two_runs_does_not_count_in_the_family():
    pair = draw(6, 10, 10)
    assert compare([*pair, [0.9, 0.8]])[0][1] == compare(pair)[0][1]


def test_the_probability_is_mann_and_whitneys_with_equal_scores_counted_half():
    random = np.random.default_rng(9)
    a, b = random.integers(0, 6, 9).tolist(), random.integers(0, 6, 7).tolist()
    u = stats.mannwhitneyu(a, b).statistic
    assert estimate_probability(a, b) == pytest.approx(u / 63)
    assert estimate_probability(a, b, higher_is_better=False) == pytest.approx(1 - u / 63)


@pytest.mark.parametrize("count", [2, 3, 10, 50])
def test_the_variance_at_one_half_is_mann_and_whitneys(count):
    exact = (2 * count + 1) / (12 * count**2)
    assert probability_variance(0.5, count, count) == pytest.approx(exact)


@pytest.mark.parametrize("estimate", [0.0, 0.02, 0.5, 0.77, 1.0])
@pytest.mark.parametrize("counts", [(2, 2), (3, 10), (10, 10)])
def test_the_probabilitys_interval_ends_t_errors_from_the_estimate(estimate, counts):
    low, high = bound_probability(estimate, *counts)
    assert 0 <= low <= estimate <= high <= 1
    quantile = stats.t.ppf(0.975, 2 * (min(counts) - 1))
    for bound in (low, high):
        if bound not in (0, 1):
            error = np.sqrt(probability_variance(bound, *counts))
            assert abs(estimate - bound) == pytest.approx(quantile * error, rel=1e-6)


def test_even_when_every_run_is_better_the_probability_is_not_certain():
    low, high = bound_probability(1.0, 10, 10)
    assert (round(low, 2), high) == (0.77, 1.0)


def chosen(groups, file_bytes, seconds, **options):
    return recommend(groups, compare(groups, **options), file_bytes, seconds, **options)


def test_of_a_tie_the_smaller_file_is_recommended_then_the_faster():
    groups = [[0.90, 0.91, 0.92], [0.90, 0.91, 0.93], [0.90, 0.91, 0.925], [0.1, 0.11, 0.12]]
    assert chosen(groups, [7, 9, 8, 1], [1, 1, 1, 1]) == (0, [0, 1, 2])
    assert chosen(groups, [8, 9, 8, 1], [2, 1, 1, 1]) == (2, [0, 1, 2])


def test_the_better_one_is_recommended_however_large():
    groups = [[0.90, 0.91, 0.92], [0.10, 0.11, 0.12]]
    assert chosen(groups, [9, 1], [9, 1]) == (0, [0])
    assert chosen(groups, [1, 9], [1, 9], higher_is_better=False) == (1, [1])


def test_what_has_two_runs_is_not_recommended():
    assert chosen([[0.90, 0.91, 0.92], [0.99, 0.99]], [9, 1], [9, 1]) == (0, [0])
    assert chosen([[0.90, 0.91], [0.99, 0.98]], [9, 1], [9, 1]) is None


def test_what_does_not_vary_is_a_tie_only_if_it_is_equal():
    assert chosen([[0.9] * 3, [0.1] * 3], [9, 1], [9, 1]) == (0, [0])
    assert chosen([[0.9] * 3, [0.9] * 3], [9, 1], [9, 1]) == (1, [0, 1])
