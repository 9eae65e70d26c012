"""The simulated clock of `benchmarks/search_quality.py`, on the real table with a small pool."""

import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


@pytest.fixture(scope="module")
def world():
    sys.path.insert(0, str(BENCHMARKS))
    try:
        from replay.world import Setting, make_world
        from table.runs import read_table

        yield make_world(read_table("cnn"), Setting(2_500, 1_500), pool=200)
    finally:
        sys.path.remove(str(BENCHMARKS))


def search(world, name, cores=2, budget=200.0, seed=0):
    from replay.clock import replay
    from replay.contestants import Terms
    from replay.line_up import ONE_AT_A_TIME, OTHERS, PARTS

    make = {**ONE_AT_A_TIME, **OTHERS, **PARTS}[name]
    terms = Terms(world, budget, cores, seed)
    return replay(make(terms), world, cores, budget, np.random.default_rng(seed))


def test_a_trained_configuration_is_worth_what_it_reached(world):
    from table.runs import read_table

    for each in read_table("cnn").configurations[:5]:
        number = world.number(each.values)
        assert world.score(number) == pytest.approx(each.accuracy[:, -1].mean())


@pytest.mark.parametrize("name", ["KerasTuner Hyperband", "hyperband", "... + forest"])
def test_a_replay_spends_its_core_seconds_and_no_more(world, name):
    replayed = search(world, name)
    assert 0 < replayed.seconds <= 200 * (1 + 1e-9)
    assert 0 < replayed.used <= 1 + 1e-9
    assert replayed.chosen is not None


def test_a_replay_repeats(world):
    assert search(world, "... + forest") == search(world, "... + forest")


def test_halving_leaves_no_core_idle(world):
    assert search(world, "halving + cap", cores=8, budget=800.0).used == pytest.approx(1)


def test_what_is_promoted_trains_each_epoch_once(world):
    from replay.clock import Run
    from replay.contestants import Terms
    from replay.line_up import HALVED

    halving = HALVED(Terms(world, 1e9, 1, 0))
    runs = []
    for _ in range(40):
        run = halving.ask(0, 0.0)
        assert isinstance(run, Run)
        runs.append(run)
        halving.tell(run, np.linspace(0, run.number / 100, run.last), True)
    spans = {}
    for run in runs:
        assert run.first == spans.get(run.trial, 0)
        spans[run.trial] = run.last
    assert 27 in spans.values()


def test_a_short_run_is_not_chosen_before_one_that_went_on(world):
    from replay.today import Today

    today = Today(world, "halving", seed=0)
    first, *others = [today.ask(0, 0.0) for _ in range(3)]
    today.tell(first, np.full(first.last, 0.9), True)
    for run in others:
        today.tell(run, np.full(run.last, 0.1), True)
    promoted = today.ask(0, 0.0)
    assert (promoted.number, promoted.first) == (first.number, first.last)
    today.tell(promoted, np.full(promoted.last, 0.5), True)
    # The others are points to evaluate, which go on; then something new begins.
    asked = iter(lambda: today.ask(0, 0.0), None)
    short, cut = (next(run for run in asked if run.first == 0) for _ in range(2))
    today.tell(short, np.full(short.last, 0.8), True)
    today.tell(cut, np.full(cut.last, 0.95), False)
    assert today.choose() == first.number
