"""Asynchronous halving: who goes on, what is proposed, and that a journal's order decides."""

import json

import numpy as np
import pytest

from svhn_tune.models.size import measure_size
from svhn_tune.models.spaces import load_space, parse_space
from svhn_tune.oracles.ask_tell import Proposal, ask, make_oracle, tell
from svhn_tune.oracles.halving import list_lengths
from svhn_tune.stages.search_loop import _told, restore_oracle


def make(space="cnn_open", has_points=False, **settings):
    settings = {"max_epochs": 27, "min_epochs": 3, "max_trials": 9} | settings
    space = load_space(space)
    if not has_points:
        text, *_ = space.text.split("[[points_to_evaluate]]")
        space = parse_space(text, space.name, "it")
    return make_oracle(space, "halving", **settings)


def begin(oracle, count):
    """Ask for so many new configurations, which must come."""
    proposals = [ask(oracle, 27) for _ in range(count)]
    assert all(proposal.parent is None for proposal in proposals)
    return proposals


def play(oracle, workers, seed=0):
    """Drive a search with random scores, `workers` trials at once; what was asked, in order."""
    rng, running, asked = np.random.default_rng(seed), [], []
    while True:
        while len(running) < workers:
            proposal = ask(oracle, 27)
            if not isinstance(proposal, Proposal):
                break
            running.append(proposal)
            asked.append(proposal)
        if not running:
            return asked
        ended = running.pop(int(rng.integers(len(running))))
        tell(oracle, ended.trial, float(rng.random()))


@pytest.mark.parametrize(
    ("first", "last", "lengths"),
    [
        (1, 27, [1, 3, 9, 27]),
        (2, 27, [3, 9, 27]),
        (4, 100, [4, 12, 34, 100]),
        (1, 1, [1]),
        (5, 4, [4]),
        (1, 2, [1, 2]),
    ],
)
def test_runs_are_compared_at_a_third_of_a_third_of_the_full_length(first, last, lengths):
    assert list_lengths(first, last, 3) == lengths


def test_a_run_goes_on_once_it_is_among_the_best_third_and_nobody_waits():
    oracle = make()
    first, second, third, fourth = begin(oracle, 4)
    assert (first.initial_epoch, first.epochs, first.round) == (0, 3, 0)
    tell(oracle, first.trial, 0.5)
    tell(oracle, second.trial, 0.4)
    # Two have ended: a third of two is none.
    assert begin(oracle, 1)
    tell(oracle, third.trial, 0.7)
    promoted = ask(oracle, 27)
    assert (promoted.parent, promoted.values) == (third.trial, third.values)
    assert (promoted.initial_epoch, promoted.epochs, promoted.round) == (3, 9, 1)
    # Of three ended ones one has gone on; the fourth is still running, and nobody waits for it.
    assert begin(oracle, 1)
    tell(oracle, fourth.trial, 0.1)


def test_who_was_passed_over_goes_on_later():
    oracle = make()
    trials = begin(oracle, 6)
    for trial, score in zip(trials[:3], (0.5, 0.4, 0.7), strict=True):
        tell(oracle, trial.trial, score)
    assert ask(oracle, 27).parent == trials[2].trial
    for trial, score in zip(trials[3:], (0.2, 0.1, 0.3), strict=True):
        tell(oracle, trial.trial, score)
    assert ask(oracle, 27).parent == trials[0].trial


def test_the_longest_that_may_go_on_goes_on_first():
    oracle = make(max_trials=30)
    while True:
        proposal = ask(oracle, 27)
        if proposal.round == 2:
            break
        tell(oracle, proposal.trial, 0.001 * proposal.trial)
    assert (proposal.initial_epoch, proposal.epochs) == (9, 27)


@pytest.mark.parametrize("workers", [1, 3, 20])
@pytest.mark.parametrize("count", [1, 2, 9])
def test_a_search_of_so_many_configurations_ends_with_one_of_full_length(count, workers):
    asked = play(make(max_trials=count), workers)
    assert sum(proposal.begins_new for proposal in asked) == count
    assert max(proposal.epochs for proposal in asked) == 27
    continued = [proposal.parent for proposal in asked if proposal.parent is not None]
    assert len(continued) == len(set(continued))


def test_the_baseline_comes_first_and_no_configuration_twice():
    oracle = make(max_trials=40)
    asked = play(oracle, 2)
    begun = [proposal.values for proposal in asked if proposal.begins_new]
    assert begun[0] == load_space("cnn_open").baseline
    assert len({str(values) for values in begun}) == 40


def test_proposals_learn_from_what_has_ended():
    oracle = make(max_trials=60)
    rates = []
    while isinstance(proposal := ask(oracle, 27), Proposal):
        distance = abs(np.log10(proposal.values["learning_rate"]) + 3)
        if proposal.parent is None:
            rates.append(distance)
        tell(oracle, proposal.trial, float(1 - distance / 4))
    assert np.mean(rates[-20:]) < 0.5 * np.mean(rates[:12])


def test_only_feasible_and_affordable_models_are_proposed():
    space = load_space("cnn_open")
    oracle = make_oracle(
        space, "halving", max_epochs=27, max_trials=40, affordable=lambda v: v["units"] <= 256
    )
    for proposal in play(oracle, 2):
        assert measure_size(space, proposal.values).feasible
        assert proposal.values["units"] <= 256


def test_the_same_order_of_ends_gives_the_same_search():
    assert play(make(max_trials=20), 3, seed=5) == play(make(max_trials=20), 3, seed=5)
    assert play(make(max_trials=14), 1, seed=5) != play(make(max_trials=14, seed=1), 1, seed=5)


@pytest.mark.usefixtures("few_draws")
def test_a_space_with_few_values_is_searched_to_its_end():
    head = load_space("cnn").text.partition("[hyperparameters")[0]
    units = {"type": "Choice", "values": list(range(32, 62)), "default": 32}
    lines = [f"{key} = {json.dumps(value)}" for key, value in units.items()]
    space = parse_space("\n".join([f"{head}[hyperparameters.units]", *lines]), "few", "few.toml")
    oracle = make_oracle(space, "halving", max_epochs=9, min_epochs=1, max_trials=10_000)
    asked = play(oracle, 2)
    assert max(proposal.epochs for proposal in asked) == 9
    begun = [proposal.values["units"] for proposal in asked if proposal.begins_new]
    assert sorted(begun) == units["values"]


def bring_to_full_length(count):
    """An oracle, and the trials that are to train for all 27 epochs, so many."""
    oracle = make(min_epochs=9, max_trials=60)
    for trial in begin(oracle, 3 * count):
        tell(oracle, trial.trial, 0.1 + 0.01 * trial.trial)
    whole = [ask(oracle, 27) for _ in range(count)]
    assert {each.epochs for each in whole} == {27}
    return oracle, whole


def is_run_of(proposal, trial):
    """Whether it trains the trial's values from the start, from a seed of its own."""
    return (
        proposal.values == trial.values
        and (proposal.initial_epoch, proposal.epochs, proposal.parent) == (0, 27, None)
        and not proposal.begins_new
    )


def test_what_leads_is_trained_again_until_it_has_three_runs():
    oracle, (first, *others) = bring_to_full_length(7)
    tell(oracle, first.trial, 0.8)
    # Alone at full length it leads nobody.
    assert ask(oracle, 27).begins_new
    for other in others:
        tell(oracle, other.trial, 0.6)
    again = ask(oracle, 27)
    assert is_run_of(again, first)
    # One at a time: its score may end its lead.
    assert ask(oracle, 27).begins_new
    tell(oracle, again.trial, 0.7)
    third = ask(oracle, 27)
    assert is_run_of(third, first)
    tell(oracle, third.trial, 0.7)
    assert ask(oracle, 27).begins_new


def test_who_led_by_luck_no_longer_does_and_the_next_is_trained_again():
    oracle, whole = bring_to_full_length(4)
    for trial, score in zip(whole, (0.8, 0.6, 0.5, 0.5), strict=True):
        tell(oracle, trial.trial, score)
    tell(oracle, ask(oracle, 27).trial, 0.2)
    assert is_run_of(ask(oracle, 27), whole[1])


def test_of_three_that_came_to_full_length_one_is_trained_again():
    oracle, whole = bring_to_full_length(3)
    for trial in whole:
        tell(oracle, trial.trial, 0.5)
    tell(oracle, ask(oracle, 27).trial, 0.2)
    assert ask(oracle, 27).begins_new


def test_as_a_search_closes_the_best_three_are_trained_until_each_has_three_runs():
    oracle, whole = bring_to_full_length(5)
    for trial, score in zip(whole, (0.8, 0.6, 0.7, 0.5, 0.4), strict=True):
        tell(oracle, trial.trial, score)
    oracle.closing = True
    again = [ask(oracle, 27) for _ in range(3)]
    for run, trial in zip(again, (whole[0], whole[2], whole[1]), strict=True):
        assert is_run_of(run, trial)
    # One run of each at a time.
    assert ask(oracle, 27).begins_new
    for run, score in zip(again, (0.8, 0.7, 0.6), strict=True):
        tell(oracle, run.trial, score)
    for trial in (whole[0], whole[2], whole[1]):
        third = ask(oracle, 27)
        assert is_run_of(third, trial)
        tell(oracle, third.trial, 0.65)
    assert not is_run_of(ask(oracle, 27), whole[0])


def test_as_a_search_closes_the_best_goes_on_and_something_new_begins_where_nothing_can():
    oracle = make(min_epochs=9, max_trials=60)
    first, second = begin(oracle, 2)
    tell(oracle, first.trial, 0.2)
    oracle.closing = True
    # Of one that has ended, the best third, rounded up.
    assert ask(oracle, 27).parent == first.trial
    assert ask(oracle, 27).begins_new
    tell(oracle, second.trial, 0.1)
    assert ask(oracle, 27).begins_new


def test_where_one_length_is_all_there_is_nothing_is_trained_again():
    asked = play(make(max_epochs=3, max_trials=9), 2)
    assert [proposal.begins_new for proposal in asked] == [True] * 9


def test_points_to_evaluate_go_to_full_length_whatever_their_scores():
    oracle, points = make(has_points=True, max_trials=30), load_space("cnn_open").points
    asked = []
    while isinstance(proposal := ask(oracle, 27), Proposal):
        asked.append(proposal)
        tell(oracle, proposal.trial, 0.1 if proposal.values in points else 0.5)
    whole = [proposal.values for proposal in asked if proposal.epochs == 27]
    assert all(point in whole for point in points)
    # Others go on as they would: of 30, ten and then three.
    assert len([each for each in whole if each not in points]) >= 3


def test_the_rounds_count_points_that_go_on_in_any_case():
    assert len(load_space("cnn_open").points) == 4
    of_points = make(has_points=True, max_trials=9, min_epochs=9).rounds()
    assert of_points == [(9, 0, 9), (4, 9, 27), (2, 0, 27)]


def test_the_rounds_count_the_runs_of_what_leads():
    assert make(max_trials=9, min_epochs=9).rounds() == [(9, 0, 9), (3, 9, 27), (1, 0, 27)]
    assert make(max_trials=3, min_epochs=9).rounds() == [(3, 0, 9), (1, 9, 27)]


def test_checkpoints_are_kept_of_all_that_may_still_go_on():
    oracle = make()
    first, second = begin(oracle, 2)
    tell(oracle, first.trial, 0.5)
    tell(oracle, second.trial, 0.4)
    assert oracle.promotable() >= {first.trial, second.trial}
    third = ask(oracle, 27)
    tell(oracle, third.trial, 0.6)
    promoted = ask(oracle, 27)
    assert third.trial not in oracle.promotable()
    assert promoted.trial in oracle.promotable()


@pytest.mark.parametrize(
    ("tuner", "told"), [("halving", [0, 0.12, 0.1]), ("random", [0.19, 0.12, 0.1])]
)
def test_halving_alone_passes_over_who_knows_one_class(tuner, told, make_project, tmp_path):
    scores = [{"score": 0.19, "collapsed": True}, {"score": 0.12}, {"score": 0.1}]
    project = make_project(tmp_path / "p", scores, tuner=tuner)
    assert [_told(project, record) for record in project.ended("search")] == told


def test_a_restored_search_promotes_as_it_did(make_project, tmp_path):
    scores = [{"score": 0.19, "collapsed": True}, {"score": 0.12}, {"score": 0.1}]
    trials = [each | {"round": 0} for each in scores]
    project = make_project(tmp_path / "p", trials, tuner="halving", max_epochs=12, max_trials=9)
    assert ask(restore_oracle(project), 12).parent == 1
