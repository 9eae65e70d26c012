"""The whole numbers of search, confirm and plan: refused at once, in the same words everywhere."""

import numpy as np
import pytest

from svhn_tune import confirm, plan, search
from svhn_tune.errors import InputError
from svhn_tune.journal.numbers import RANGES, check_numbers
from svhn_tune.models.spaces import load_space

TUNERS = ("hyperband", "bayesian", "tpe", "random")
SEEDS = [-1, 2**32 - 1, 2**32, 10**30, True, False, 1.0, 1.5, "1", float("nan"), [1]]


def told(call, *arguments, **settings):
    with pytest.raises(InputError) as refused:
        call(*arguments, **settings)
    return str(refused.value)


@pytest.mark.parametrize("seed", SEEDS, ids=repr)
def test_a_seed_is_refused_by_every_tuner_and_plan_before_anything_is_written(
    seed, archives, tmp_path
):
    lines = {told(plan, "cnn", archives, seed=seed)}
    for tuner in TUNERS:
        project = tmp_path / tuner
        lines.add(told(search, "cnn", archives, tuner=tuner, seed=seed, project=project))
        assert not project.exists()
    (line,) = lines
    assert line.startswith(f"seed={seed} must be " if type(seed) is int else f"seed={seed!r} must")


@pytest.mark.parametrize("value", [True, 2.0, "2", np.float64(2), np.bool_(True)], ids=repr)
@pytest.mark.parametrize("name", sorted(RANGES))
def test_what_is_no_whole_number_is_refused(name, value):
    assert told(check_numbers, {name: value}) == (
        f"{name}={value!r} must be a whole number, such as {RANGES[name][0]}"
    )


@pytest.mark.parametrize("name", sorted(set(RANGES) - {"seed"}))
def test_the_ends_of_a_range_are_in_it_and_what_is_beyond_is_named(name):
    low, high = RANGES[name]
    assert check_numbers({name: low}) == {name: low}
    assert check_numbers({name: high}) == {name: high}
    assert told(check_numbers, {name: low - 1}) == f"{name}={low - 1} must be at least {low}"
    assert told(check_numbers, {name: 10**400}).endswith(f" must be at most {high:,}")


def test_numbers_of_numpy_become_pythons_own():
    checked = check_numbers({"seed": np.int64(7), "max_epochs": None, "tuner": "random"})
    assert checked == {"seed": 7, "max_epochs": None, "tuner": "random"}
    assert type(checked["seed"]) is int


def test_no_workers_are_refused_everywhere(archives, make_project, tmp_path):
    project = make_project(tmp_path / "done", [{"score": 0.5}])
    lines = {
        told(search, "cnn", archives, workers=0, project=tmp_path / "new"),
        told(confirm, project, archives, top=1, workers=0),
        told(plan, "cnn", archives, workers=0),
    }
    assert lines == {"workers=0 must be at least 1"}
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("tuner", TUNERS)
def test_a_space_without_hyperparameters_is_refused_by_search_and_plan(tuner, archives, tmp_path):
    text = load_space("cnn").text.partition("[hyperparameters")[0]
    (tmp_path / "empty.toml").write_text(f"{text}[hyperparameters]\n")
    lines = {
        told(search, tmp_path / "empty.toml", archives, tuner=tuner, project=tmp_path / "p"),
        told(plan, tmp_path / "empty.toml", archives, tuner=tuner),
    }
    (line,) = lines
    assert line.startswith("empty.toml has no hyperparameters, so there is nothing to search: ")
    assert not (tmp_path / "p").exists()
