"""figures/dial: what a network reads off the clocks, around the dial, and its worst ones."""

import numpy as np
import pytest
from dials import make_clocks, make_space

from svhn_tune import confirm, search
from svhn_tune.figures import Figures
from svhn_tune.figures.dial import unroll
from svhn_tune.files import read_arrays, write_arrays
from svhn_tune.project.records import decode_predicted
from svhn_tune.space.dial import measure_apart, say_time


@pytest.fixture(scope="module")
def clocks():
    return make_clocks(train=120)


@pytest.fixture(scope="module")
def confirmed(clocks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clock") / "clock"
    project = search(make_space("angle"), clocks, project=folder, tuner="random", max_trials=2)
    return confirm(project, clocks, top=1, runs=2, baseline=False)


def read_texts(axes):
    return [axes.get_title(loc=place) for place in ("left", "center", "right")]


def test_pictures_are_of_the_run_that_is_handed_in(confirmed, clocks):
    arrays = read_arrays(confirmed.pictures_path)
    predicted = decode_predicted(confirmed.best_confirmed())
    np.testing.assert_array_equal(arrays["dial_predicted"], predicted)
    np.testing.assert_array_equal(arrays["dial_labels"], clocks.test.labels)
    apart = measure_apart(clocks.test.labels, predicted)
    places = arrays["worst_places"]
    assert len(places) == 12
    assert apart[places].tolist() == sorted(apart, reverse=True)[:12]
    np.testing.assert_array_equal(arrays["worst_images"], clocks.test.images[places])


def test_times_across_twelve_are_as_near_as_they_are_on_the_dial():
    labels = np.array([715, 5, 0, 360, 100])
    predicted = np.array([5.0, 715.0, 0.0, 30.0, 459.0])
    unrolled = unroll(labels, predicted)
    assert unrolled.tolist() == [725, -5, 0, 30, 459]
    np.testing.assert_array_equal(abs(unrolled - labels), measure_apart(labels, predicted))
    np.testing.assert_array_equal(unrolled % 720, predicted)


def test_every_clock_is_a_dot_and_the_headline_says_how_far_off_they_are(confirmed, clocks):
    chart = Figures(confirmed).times()
    against, shares = chart.axes
    dots = np.concatenate([line.get_xydata() for line in against.lines[1:]])
    predicted = decode_predicted(confirmed.best_confirmed())
    expected = np.stack([clocks.test.labels, unroll(clocks.test.labels, predicted)], axis=1)
    assert sorted(map(tuple, dots)) == sorted(map(tuple, expected))
    apart = measure_apart(clocks.test.labels, predicted)
    assert f"{apart.mean():.1f} minutes off on average" in chart.get_suptitle().replace("\n", " ")
    assert f"{np.median(apart):.1f}" in chart.get_suptitle()
    (curve,) = shares.lines
    within = dict(curve.get_xydata().tolist())
    assert max(within.values()) == 100
    assert within[max(within)] == 100


def test_the_worst_clocks_stand_beside_both_times(confirmed):
    arrays = read_arrays(confirmed.pictures_path)
    chart = Figures(confirmed).worst_clocks()
    assert len(chart.axes) == 2 * 12
    for place, (left, right) in zip(
        arrays["worst_places"], zip(chart.axes[::2], chart.axes[1::2], strict=True), strict=True
    ):
        true, read = arrays["dial_labels"][place], float(arrays["dial_predicted"][place])
        assert f"is {say_time(true)}" in read_texts(left)
        assert f"read {say_time(read)}" in read_texts(right)
        hands = [line for line in right.lines if line.get_linewidth() > 1]
        ends = [line.get_xydata()[1] for line in hands]
        turns = [np.arctan2(x, y) / (2 * np.pi) % 1 for x, y in ends]
        expected = [true / 720, true % 60 / 60, read / 720, read % 60 / 60]
        np.testing.assert_allclose(turns, np.mod(expected, 1), atol=1e-6)


def test_without_clocks_there_is_nothing_to_draw(confirmed):
    whole = read_arrays(confirmed.pictures_path)
    try:
        write_arrays(confirmed.pictures_path, {"trial": whole["trial"]})
        assert Figures(confirmed).times() is None
        assert Figures(confirmed).worst_clocks() is None
    finally:
        write_arrays(confirmed.pictures_path, whole)
