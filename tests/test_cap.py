"""The cap on cost: given, or from the hours; what is above it is never proposed."""

import json
import math

import pytest

import svhn_tune
from svhn_tune import load_data, open_project, search
from svhn_tune.cost.cap import Hours, is_capped, make_cap
from svhn_tune.cost.cost_model import Timing, fit_cost
from svhn_tune.errors import InputError
from svhn_tune.models.spaces import load_space, parse_space
from svhn_tune.models.work import Work
from svhn_tune.project.wanted import complete_settings

SMALL = {"max_epochs": 2, "train_images": 64}


@pytest.fixture
def cost():
    """Seconds that follow from operations alone: 1e-9 for each."""
    works = [Work(operations, 1, 1, 1) for operations in (10**6, 10**8)]
    return fit_cost([Timing(each, 1_000, 0, 1e-6 * each.operations) for each in works], 32)


@pytest.fixture
def make(archives, cost):
    """A function that makes the cap of a search of `cnn` with these hours."""
    space, data = load_space("cnn"), load_data(archives)
    models = [space.baseline, space.complete({"kernel_size_2": 5}), space.complete({"blocks": 2})]

    def make(workers=1, time_limit=None, budget=None, **wanted):
        settings = complete_settings(space, data, wanted)
        hours = Hours(workers, time_limit, budget)
        return space, make_cap(space, data, settings, hours, cost, models)

    return make


def test_a_cap_that_is_given_is_in_times_of_the_baseline(make):
    space, cap = make(max_cost=1.5)
    assert (cap.most, cap.share) == (1.5, None)
    assert cap.times(space, space.baseline) == 1
    dear = space.complete({"kernel_size_2": 5})
    assert cap.times(space, dear) > 1.5
    assert not cap.make_test(space)(dear)
    assert cap.left_out == pytest.approx(1 / 3)


def test_no_run_of_full_length_takes_more_than_its_share_of_the_time(make):
    space, cap = make(time_limit=36_000, max_epochs=50)
    longest = cap.most * cap.seconds(space, space.baseline) * 50
    assert longest == pytest.approx(cap.share * 36_000)
    assert make(time_limit=72_000, max_epochs=50)[1].most == pytest.approx(2 * cap.most)


def test_what_costs_twice_the_baseline_is_searched_however_little_time_there_is(make):
    assert make(time_limit=1)[1].most == 2


def test_a_point_to_evaluate_may_take_more_of_the_time(make):
    space, cap = make(time_limit=36_000, max_epochs=50)
    assert cap.most_for_points == pytest.approx(5 * cap.most)
    (point,) = space.points
    beside = space.complete({}, point | {"class_weight": 1.0})
    dear = cap.times(space, point) * 1.01
    is_affordable = cap.model_copy(update={"most": 1, "most_for_points": dear}).make_test(space)
    assert is_affordable(point)
    assert not is_affordable(beside)


def test_a_point_to_evaluate_may_take_as_long_as_all_workers_together(make):
    alone, four = (make(time_limit=36_000, workers=workers)[1] for workers in (1, 4))
    assert four.most_for_points == pytest.approx(4 * alone.most_for_points)
    assert four.most == alone.most


def test_a_point_to_evaluate_costs_no_more_than_a_person_allows(make):
    space, cap = make(max_cost=1)
    assert cap.most_for_points is None
    assert not cap.make_test(space)(*space.points)


def test_ten_runs_of_the_best_three_fit_into_their_share_of_the_budget(make, archives):
    space, cap = make(workers=2, budget=1e6)
    # All 600 images are trained on, and the seconds are those of two workers.
    epoch = cap.seconds(space, space.baseline) * 600 / cap.images
    confirm = 10 * space.protocol.epochs * epoch * (1 + 3 * cap.most) / 2
    assert confirm == pytest.approx(1e6 * 2 / 3, rel=0.02)


@pytest.mark.parametrize(
    ("tuner", "max_cost", "time_limit", "capped"),
    [
        ("halving", None, None, False),
        ("halving", None, 60.0, True),
        ("halving", 3.0, None, True),
        ("hyperband", None, 60.0, False),
        ("random", 3.0, None, True),
    ],
)
def test_who_gives_neither_cap_nor_hours_has_none(tuner, max_cost, time_limit, capped):
    settings = {"tuner": tuner, "max_cost": max_cost}
    assert is_capped(settings, Hours(1, time_limit, None)) is capped


@pytest.mark.parametrize("tuner", ["halving", "hyperband", "bayesian", "random"])
def test_what_costs_more_is_never_proposed(
    tuner, small_space, archives, tmp_path, cost, monkeypatch
):
    # The small engine takes as long for any values: what TensorFlow would take is given.
    monkeypatch.setattr("svhn_tune.cost.timing.fit_cost", lambda *_: cost)
    wanted = SMALL | ({} if tuner == "hyperband" else {"max_trials": 6})
    done = search(small_space, archives, tuner=tuner, max_cost=2, project=tmp_path / "p", **wanted)
    cap = done.settings.cap
    assert cap.most == 2
    is_affordable = cap.make_test(done.space)
    assert all(is_affordable(proposal.values) for proposal in done.proposals())
    status = svhn_tune.status(done)
    assert 0 < status["cap"]["left_out"] < 1
    assert status["cap"]["nearest"] is None or status["cap"]["nearest"]["score"] is not None


def test_a_space_file_has_a_cap(small_space, archives, tmp_path):
    text = small_space.read_text().replace("[limits]", "[limits]\ncost = 2")
    space = parse_space(text, "capped", "capped.toml")
    done = search(space, archives, max_trials=2, project=tmp_path / "p", **SMALL)
    assert done.settings.cap.most == 2


def test_the_estimate_is_frozen_and_a_resumed_search_needs_no_other(
    small_space, archives, tmp_path, monkeypatch
):
    settings = SMALL | {"max_cost": 2, "project": tmp_path / "p"}
    begun = search(small_space, archives, max_trials=2, **settings)
    frozen = begun.settings.cap

    def fail(*_):
        raise AssertionError("timed again")

    monkeypatch.setattr("svhn_tune.stages.search.measure_cap", fail)
    done = search(small_space, archives, max_trials=4, **settings)
    assert open_project(done.folder).settings.cap == frozen
    with pytest.raises(InputError, match=r"was begun with max_cost=2.0, not 3.0"):
        search(small_space, archives, **settings | {"max_cost": 3})


def test_a_search_with_a_time_limit_goes_on_until_its_end(small_space, archives, tmp_path):
    limited = {"project": tmp_path / "p", "workers": 2, "time_limit": 1.0}
    done = search(small_space, archives, **SMALL, **limited)
    begun = [record for record in done.records if record.event == "begin"]
    assert (begun[-1].trials, begun[-1].epochs) == (None, None)
    assert done.settings.max_trials is None
    assert done.settings.cap.share is not None
    before = len(done.proposals())
    # However slow the machine is, each call gets on.
    assert any(
        len(search(small_space, archives, **SMALL, **limited).proposals()) > before
        for _ in range(20)
    )


@pytest.mark.parametrize("value", [0.5, math.nan, math.inf, True, "two", 1e9])
def test_a_cap_that_is_none_is_refused_in_a_line(value, small_space, archives, tmp_path):
    with pytest.raises(InputError, match=r"max_cost=.* must be a number from 1 to"):
        search(small_space, archives, max_cost=value, project=tmp_path / "p")
    assert not (tmp_path / "p").exists()


def test_a_project_without_a_cap_says_none(make_project, tmp_path):
    project = make_project(tmp_path / "p", [{}])
    assert svhn_tune.status(project)["cap"] is None
    json.dumps(svhn_tune.status(project))
