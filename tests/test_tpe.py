"""TPE alone: Optuna is told what happened, says nothing, keeps nothing, and beats random search."""

import math
import random
import statistics

import optuna
import pytest
from forked import CONTEXT

from svhn_tune.models.spaces import load_space, parse_space
from svhn_tune.oracles.ask_tell import INITIAL_POINTS, Proposal, ask, make_oracle, tell

OTHER_TYPES = """
[hyperparameters.learning_rate]
type = "Float"
min_value = 1e-6
max_value = 1e-2
sampling = "reverse_log"
default = 1e-5

[hyperparameters.blocks]
type = "Int"
min_value = 1
max_value = 3
default = 3

[hyperparameters.convolutions]
type = "Fixed"
value = 1
per = "block"

[hyperparameters.units]
type = "Int"
min_value = 32
max_value = 4096
sampling = "log"
default = 64

[hyperparameters.batch_normalization]
type = "Boolean"
default = false

[hyperparameters.dropout]
type = "Float"
min_value = 0.0
max_value = 0.5
step = 0.2
default = 0.5

[hyperparameters.l2]
per = "block"
type = "Choice"
values = [1e-3, 0.0, 1e-5]
ordered = false
default = 0.0
"""
FEW_VALUES = """
[hyperparameters.units]
type = "Choice"
values = [32, 64, 128, 256, 512]
default = 64

[hyperparameters.dropout]
type = "Choice"
values = [0.0, 0.1, 0.2, 0.3]
default = 0.0
"""


def make_space(hyperparameters=None, objective="val_categorical_accuracy"):
    # What it finds is its own merit, not that of a good point to begin with.
    text, _ = load_space("cnn").text.split("[[points_to_evaluate]]")
    text = text.replace("val_categorical_accuracy", objective)
    if hyperparameters:
        text = text[: text.index("[hyperparameters")] + hyperparameters
    return parse_space(text, "cnn", "cnn.toml")


def score(values):
    """A made-up accuracy: the best kernels, dropouts, units and number of blocks are neither end's.

    It has no interactions but that of blocks, and one choice of words.
    """
    blocks = range(1, values["blocks"] + 1)
    kernels = statistics.fmean(values[f"kernel_size_{block}"] == 5 for block in blocks)
    dropouts = statistics.fmean(values[f"spatial_dropout_{block}"] for block in blocks)
    return (
        0.5 * kernels
        - dropouts
        - 0.25 * abs(values["blocks"] - 4)
        - abs(values["dropout"] - 0.2)
        - 0.1 * abs(math.log2(values["units"] / 512))
        - 0.3 * (not values["kernel_initializer"].startswith("lecun"))
    )


def drive(oracle, trials, tell_score=score):
    """Ask and tell one trial after another; returns what was proposed."""
    proposals = []
    for _ in range(trials):
        proposal = ask(oracle, 1)
        if not isinstance(proposal, Proposal):
            assert proposal == "STOPPED"
            break
        proposals.append(proposal.values)
        tell(oracle, proposal.trial, tell_score(proposal.values))
    return proposals


@pytest.mark.slow
def test_tpe_beats_random_search_after_60_trials():
    space, best = make_space(), {"tpe": [], "random": []}
    for seed in range(3):
        for tuner, found in best.items():
            oracle = make_oracle(space, tuner, seed=seed, max_trials=60)
            found.append(max(map(score, drive(oracle, 60))))
    assert statistics.fmean(best["tpe"]) > statistics.fmean(best["random"]) + 0.2


def test_the_first_trials_are_those_of_random_search():
    space = make_space()
    tpe, drawn = (drive(make_oracle(space, tuner), 20) for tuner in ("tpe", "random"))
    assert tpe[:INITIAL_POINTS] == drawn[:INITIAL_POINTS]
    assert tpe[INITIAL_POINTS] != drawn[INITIAL_POINTS]


def test_only_the_order_of_scores_counts_in_either_direction():
    accuracies = drive(make_oracle(make_space(), "tpe"), 18)
    space = make_space(objective="val_loss")
    losses = drive(make_oracle(space, "tpe"), 18, lambda values: -score(values))
    assert losses == accuracies
    assert drive(make_oracle(space, "tpe"), 18) != accuracies


def test_runs_that_collapsed_do_not_move_it_more_than_bad_ones():
    space = make_space(objective="val_loss")

    def make_score(worst):
        return lambda values: worst if values["dropout"] > 0.3 else -score(values)

    collapsed = drive(make_oracle(space, "tpe"), 30, make_score(1e9))
    assert collapsed == drive(make_oracle(space, "tpe"), 30, make_score(50.0))
    assert statistics.fmean(values["dropout"] > 0.3 for values in collapsed[15:]) < 0.2


def interleave(oracle, trials):
    """Three trials at once, which end in a random order; returns what was proposed."""
    chance, running, proposed = random.Random(7), [], []
    while len(proposed) < trials:
        while len(running) < 3:
            running.append(ask(oracle, 1))
            proposed.append(running[-1].values)
        ended = running.pop(chance.randrange(3))
        tell(oracle, ended.trial, score(ended.values))
    return proposed


def test_asking_and_telling_again_side_by_side_proposes_the_same():
    space = make_space()
    proposed = interleave(make_oracle(space, "tpe"), 30)
    assert interleave(make_oracle(space, "tpe"), 30) == proposed
    recorded = dict(enumerate(proposed[:20]))
    assert interleave(make_oracle(space, "tpe", recorded=recorded), 30) == proposed


def propose():
    """What this process proposes, and how it hashes words: each interpreter in its own way."""
    return drive(make_oracle(make_space(), "tpe"), 18), hash("cnn")


def test_another_process_proposes_the_same():
    with CONTEXT.Pool(1) as pool:
        theirs, their_hash = pool.apply(propose)
    ours, our_hash = propose()
    assert theirs == ours
    assert their_hash != our_hash


def test_every_kind_of_hyperparameter_is_proposed_as_the_space_declares_it():
    space = make_space(OTHER_TYPES)

    def score(values):
        return math.log(values["learning_rate"] * values["units"]) - values["dropout"]

    proposed = drive(make_oracle(space, "tpe", max_trials=40), 40, score)
    assert all(space.complete(values) == values for values in proposed)
    assert {type(values["units"]) for values in proposed} == {int}
    assert {values["dropout"] for values in proposed[1:]} == {0.0, 0.2, 0.4}
    rates = [values["learning_rate"] for values in proposed]
    assert statistics.fmean(rates[25:]) > statistics.fmean(rates[:INITIAL_POINTS])


def test_a_space_of_20_models_is_proposed_whole_and_then_it_stops():
    oracle = make_oracle(make_space(FEW_VALUES), "tpe")
    proposed = drive(oracle, 50, lambda values: values["units"])
    assert len({str(values) for values in proposed}) == len(proposed) == 20


def test_optuna_says_nothing_and_is_left_as_it_was(capfd):
    before = optuna.logging.get_verbosity()
    drive(make_oracle(make_space(), "tpe"), 14)
    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == before


@pytest.mark.parametrize("verbosity", [optuna.logging.DEBUG, optuna.logging.ERROR])
def test_a_verbosity_that_was_set_stays(verbosity):
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(verbosity)
    try:
        drive(make_oracle(make_space(), "tpe"), 13)
        assert optuna.logging.get_verbosity() == verbosity
    finally:
        optuna.logging.set_verbosity(before)
