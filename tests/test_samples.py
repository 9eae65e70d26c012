"""statistics: the numbers of scipy and numpy."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from svhn_tune.summary.samples import expected_best, mean, summarize, variance


@pytest.mark.parametrize("count", [2, 3, 10, 100])
def test_the_summary_agrees_with_scipy_and_numpy(count):
    scores = np.random.default_rng(count).normal(0.8, 0.02, count)
    summary = summarize(scores.tolist())
    low, high = stats.t.interval(
        0.95, count - 1, loc=scores.mean(), scale=scores.std(ddof=1) / np.sqrt(count)
    )
    assert summary.n == count
    assert summary.mean == pytest.approx(scores.mean(), rel=1e-12)
    assert summary.sd == pytest.approx(scores.std(ddof=1), rel=1e-12)
    assert summary.ci95 == pytest.approx((low, high), rel=1e-9)
    assert (summary.min, summary.max) == (scores.min(), scores.max())


def test_the_interval_of_ten_runs_is_0_715_standard_deviations():
    summary = summarize([0.01 * run for run in range(10)])
    assert (summary.ci95[1] - summary.mean) / summary.sd == pytest.approx(0.715, abs=5e-4)


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
