"""expected: what a file that was chosen is worth on images that did not choose it."""

import numpy as np
import pytest

from svhn_tune.statistics.expected import expect_on_new_images

IMAGES = 10_000


def test_runs_that_differ_by_their_images_alone_are_worth_their_mean():
    # Of 10 % errors on 10,000 images, chance alone has an SD of 0.0022.
    scores = [0.8990, 0.9000, 0.9010]
    assert expect_on_new_images([scores], 0, 0.9010, IMAGES) == pytest.approx(0.9)


def test_a_run_that_is_far_above_chance_keeps_its_score():
    scores = [0.1907, 0.1907, 0.5978]
    expected = expect_on_new_images([scores], 0, 0.5978, IMAGES)
    assert 0.597 < expected < 0.5978


def test_between_the_two_it_keeps_its_share():
    scores = [0.895, 0.9, 0.905]
    share = 1 - 0.1 / 2 / IMAGES / np.var(scores, ddof=1)
    expected = expect_on_new_images([scores], 0, 0.905, IMAGES)
    assert expected == pytest.approx(0.9 + share * 0.005)


def test_many_errors_have_no_more_noise_than_draws_of_images():
    scores = [0.19, 0.2, 0.21]
    share = 1 - 0.2 * 0.8 / IMAGES / np.var(scores, ddof=1)
    expected = expect_on_new_images([scores], 0, 0.21, IMAGES)
    assert expected == pytest.approx(0.2 + share * 0.01)


def test_the_spread_of_all_makes_up_for_that_of_few():
    wide, narrow = [0.88, 0.9, 0.92], [0.8999, 0.9, 0.9001]
    alone = expect_on_new_images([wide], 0, 0.92, IMAGES)
    assert 0.9 < expect_on_new_images([wide, narrow], 0, 0.92, IMAGES) < alone
    # A wide one beside it makes nobody's own spread wider.
    assert expect_on_new_images([wide, narrow], 1, 0.9001, IMAGES) == pytest.approx(0.9)


@pytest.mark.parametrize("scores", [[0.9], [0.9, 0.91]])
def test_fewer_than_three_runs_say_nothing(scores):
    assert expect_on_new_images([scores, [0.1, 0.2, 0.3]], 0, max(scores), IMAGES) is None


def test_runs_without_spread_are_worth_what_they_have():
    assert expect_on_new_images([[0.1959] * 3], 0, 0.1959, IMAGES) == 0.1959
