"""statistics: the numbers of scipy and numpy."""

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from svhn_tune.statistics.samples import expected_best, mean, summarize, variance


@pytest.mark.parametrize("highest", [1.0, math.inf])
@pytest.mark.parametrize("count", [3, 10, 100])
def test_the_summary_agrees_with_scipy_and_numpy(count, highest):
    scores = np.random.default_rng(count).normal(0.8, 2e-5, count)
    summary = summarize(scores.tolist(), highest=highest)
    low, high = stats.t.interval(
        0.95, count - 1, loc=scores.mean(), scale=scores.std(ddof=1) / np.sqrt(count)
    )
    assert summary.n == count
    assert summary.mean == pytest.approx(scores.mean(), rel=1e-12)
    assert summary.sd == pytest.approx(scores.std(ddof=1), rel=1e-12)
    # On the scale of the logit or the logarithm, which is straight so near the mean.
    assert np.subtract(summary.ci95, summary.mean) == pytest.approx(
        np.subtract((low, high), scores.mean()), rel=1e-3
    )
    assert (summary.min, summary.max) == (scores.min(), scores.max())


def test_the_interval_of_ten_runs_is_0_715_standard_deviations():
    summary = summarize([0.5 + 1e-5 * run for run in range(10)])
    assert (summary.ci95[1] - summary.mean) / summary.sd == pytest.approx(0.715, abs=5e-4)


@pytest.mark.parametrize("scores", [[0.99, 1.0, 0.9], [0.5978, 0.1907, 0.1907], [0.0, 0.0, 1.0]])
def test_no_interval_leaves_the_range_of_the_scores(scores):
    low, high = summarize(scores).ci95
    assert 0 <= low < summarize(scores).mean < high <= 1
    t = stats.t.interval(0.95, 2, loc=np.mean(scores), scale=stats.sem(scores))
    assert t[0] < 0 or t[1] > 1
    low, high = summarize([2.3, 0.1, 1e9], highest=math.inf).ci95
    assert 0 < low < 1e9 / 3 < high < math.inf


def test_two_scores_have_a_spread_and_no_interval():
    summary = summarize([0.3, 0.4])
    assert (summary.ci95, summary.sd) == (None, pytest.approx(0.1 / math.sqrt(2)))


def test_one_score_says_nothing_about_the_spread():
    summary = summarize([0.75])
    assert summary.sd is None
    assert summary.ci95 is None
    assert (summary.n, summary.mean, summary.min, summary.max) == (1, 0.75, 0.75, 0.75)


def test_equal_scores_have_no_spread():
    summary = summarize([0.1] * 10)
    assert summary.sd == 0
    assert summary.ci95 == (0.1, 0.1)


def test_the_document_calls_the_number_of_scores_runs():
    assert set(summarize([0.5, 0.6]).as_dict()) == {"runs", "mean", "sd", "ci95", "min", "max"}


@pytest.mark.parametrize("score", [0.1, 1 / 3, 0.7])
@pytest.mark.parametrize("count", range(2, 60))
def test_equal_scores_have_exactly_no_variance(score, count):
    assert (mean([score] * count), variance([score] * count)) == (score, 0)


def test_the_expected_best_is_the_mean_over_all_choices_of_n():
    scores = [0.3, 0.9, 0.5, 0.8, 0.1]
    for n in range(1, 6):
        draws = list(combinations(scores, n))
        assert expected_best(scores, n) == pytest.approx(np.mean([max(draw) for draw in draws]))
        lowest = np.mean([min(draw) for draw in draws])
        assert expected_best(scores, n, higher_is_better=False) == pytest.approx(lowest)


def test_the_expected_best_of_one_is_the_mean_and_of_all_the_best():
    scores = [0.3, 0.9, 0.5]
    assert expected_best(scores, 1) == pytest.approx(mean(scores))
    assert expected_best(scores, 3) == 0.9
