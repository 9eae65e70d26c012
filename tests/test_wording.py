"""wording: the answer of a project in one sentence, whatever its runs say."""

import pytest
from test_confirmed import EQUAL, GOOD, POOR, add_runs

import svhn_tune
from svhn_tune.journal.record_types import ChoiceRecord
from svhn_tune.models.spaces import load_space
from svhn_tune.summary.confirmed import summarize_confirmed
from svhn_tune.summary.wording import say_answer, say_cap, say_order

CONFUSION = [[700, 0], [150, 150]]


@pytest.fixture
def say(tmp_path, make_project):
    """The answer of a project whose trials have these scores in confirm."""

    def answer(scores, then=None, **changes):
        trials = [{"score": 0.60}, {"score": 0.64}, {"score": 0.63}]
        project = make_project(tmp_path / "cnn", trials)
        for trial, each in scores.items():
            add_runs(project, trial, each, confusion=CONFUSION, **changes)
        if then is not None:
            then(project)
        entries = summarize_confirmed(project)
        longest = [entry for entry in entries if entry.epochs == entries[0].epochs]
        return say_answer(project, longest, svhn_tune.status(project)).split("; ")

    return answer


def test_the_order_says_why_one_trained_for_less_comes_first(make_project, tmp_path):
    trials = [{"score": 0.7}, {"score": 0.6}]
    longest = [*trials, {"score": 0.8, "parent": 1, "initial_epoch": 4, "epochs": 12}]
    usual = make_project(tmp_path / "usual", trials)
    alone = make_project(tmp_path / "alone", longest)
    assert say_order(usual.ranking()) == "longest trained first"
    assert say_order(alone.ranking()) == (
        "longest trained first, after one that was ahead of trial 001, alone with its 12 epochs"
    )


def test_the_best_configuration_and_its_best_file(say):
    file, merit = say({0: POOR, 1: GOOD})
    assert file.startswith("a grade is that of one file: hand in trial 001's run 5, the best of 12")
    assert file.endswith("0.8530 on the test set (expect 0.8505 on new images)")
    assert merit.endswith("by that trial 001 (0.8505) is better than every other, over 6 runs each")


def test_the_best_file_of_a_configuration_that_ties(say):
    file, merit = say({0: POOR, 1: GOOD, 2: EQUAL})
    assert "hand in trial 001's run 5" in file
    assert "by that trial 001 (0.8505) and trial 002 (0.8500) tie over 6 runs each" in merit


def test_the_baseline_on_top_is_named(say):
    file, merit = say({0: GOOD, 1: POOR})
    assert "hand in trial 000's run 5" in file
    assert "by that trial 000 (the baseline, 0.8505) is better than every other" in merit


def test_a_lucky_file_of_a_worse_configuration_is_still_the_best_file(say):
    file, merit = say({1: GOOD, 2: [*POOR[:5], 0.86]})
    assert "hand in trial 002's run 5" in file
    assert "by that trial 001 (0.8505)" in merit


def test_numbers_of_runs_that_differ_are_told(say):
    assert say({0: POOR, 1: GOOD[:3]})[1].endswith("over 3 to 6 runs each")


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_than_three_runs_tell_nothing(say, count):
    file, merit = say({0: POOR[:count], 1: GOOD[:count]})
    assert "expect" not in file
    assert merit.endswith("with fewer than 3 runs of each, it cannot be told which is better")


def test_what_was_chosen_by_runs_of_its_own_is_compared_by_others(say):
    def choose_second(project):
        used = [[root, run] for root in (1, 2) for run in range(6)]
        project.record(ChoiceRecord(epochs=100, chosen=[1], used=used))

    _, merit = say({0: POOR, 1: GOOD, 2: EQUAL}, then=choose_second)
    assert "with fewer than 3 runs of trial 001, those that chose left out, it cannot be" in merit


def test_what_has_too_few_runs_is_not_compared(say):
    _, merit = say({0: POOR, 1: GOOD, 2: EQUAL[:2]})
    assert merit.endswith(
        "trial 001 (0.8505) is better than every other compared, over 6 runs each"
    )


def test_one_configuration_alone_is_compared_with_none(say):
    file, merit = say({1: GOOD[:1]})
    assert "hand in trial 001's run 0, the only file, 0.8500 on the test set" in file
    assert (
        merit == "a configuration's merit is the mean of its runs: trial 001 (0.8500), over 1 run"
    )


def test_a_file_of_few_epochs_is_none_to_hand_in(say):
    file, _ = say({0: POOR, 1: GOOD}, planned_epochs=1, epochs=1)
    assert file.startswith("the best of 12 files is trial 001's run 5, 0.8530 on the test set")
    assert file.endswith("but it is none to hand in, trained for 1 of 100 epochs")


def test_what_a_point_to_evaluate_may_cost_is_said_where_it_is_more():
    objective = load_space("cnn").objective
    told = (
        "no model is proposed whose epoch costs more than 4.41 times the baseline's, for no run to "
        "take more than 20% of the hours: 57% of the space"
    )
    assert say_cap(objective, 4.414, 0.2, 0.57, 4.414) == told
    more = say_cap(objective, 4.414, 0.2, 0.57, 15.449)
    assert more == f"{told}; a point to evaluate may cost 15.4 times"
    near = {"trial": 3, "score": 0.5, "epochs": 9}
    whole = say_cap(objective, 4.414, 0.2, 0.57, 15.449, near)
    # "Half of that" is of what any other model may cost.
    assert whole.startswith(f"{told}; the best of those above half of that, trial 003, reached ")
    assert whole.endswith("; a point to evaluate may cost 15.4 times")
