"""What a search has still to train is counted, at the same cost for any number of trials."""

import numpy as np
import pytest

from svhn_tune.bounds import MAX_TRIALS
from svhn_tune.cost.remaining import Remaining
from svhn_tune.models.spaces import load_space, parse_space
from svhn_tune.oracles.ask_tell import Proposal, ask, make_oracle, tell
from svhn_tune.oracles.simulation import LONGEST, SAMPLE, simulate_search

TUNERS = ("halving", "hyperband", "bayesian", "tpe", "random")
MANY = MAX_TRIALS


def make_settings(tuner, **changes):
    default = {"tuner": tuner, "seed": 0, "max_epochs": 3, "factor": 3, "max_trials": 50}
    return default | changes


def make_finite(count):
    """A space of so many models."""
    text = load_space("cnn").text
    units = "\n".join(
        [
            "[hyperparameters.units]",
            'type = "Choice"',
            f"values = {list(range(32, 32 + count))}",
            "default = 32",
        ]
    )
    return parse_space(text[: text.index("[hyperparameters")] + units, "finite", "finite.toml")


def make_remaining(make_project, folder, settings):
    project = make_project(folder, **settings)
    names = ("seed", "max_epochs", "factor", "max_trials")
    oracle = make_oracle(
        project.space, settings["tuner"], **{name: settings[name] for name in names}
    )
    return project, oracle, Remaining(project, oracle)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("tuner", ["bayesian", "tpe", "random"])
def test_as_many_trials_as_may_be_are_counted_and_a_few_of_their_models_drawn(
    make_project, tmp_path, tuner
):
    settings = make_settings(tuner, max_trials=MANY)
    _, _, remaining = make_remaining(make_project, tmp_path / "cnn", settings)
    planned = remaining.plan()
    assert (remaining.trials, remaining.epochs) == (MANY, 3 * MANY)
    assert (planned.others, planned.epochs, planned.runs) == (MANY, 3 * MANY, {})
    assert len(planned.models) == SAMPLE


@pytest.mark.timeout(60)
def test_a_hyperband_of_as_many_epochs_as_may_be_is_counted(make_project, tmp_path):
    settings = make_settings("hyperband", max_epochs=MANY)
    _, oracle, remaining = make_remaining(make_project, tmp_path / "cnn", settings)
    assert remaining.trials == sum(size for _, size, _, _ in oracle.rounds()) > 50_000
    assert remaining.plan().others == remaining.trials


def test_of_a_search_that_time_ends_nothing_is_counted(make_project, tmp_path):
    project, oracle, _ = make_remaining(make_project, tmp_path / "cnn", make_settings("halving"))
    remaining = Remaining(project, oracle, is_endless=True)
    assert (remaining.trials, remaining.epochs, remaining.plan()) == (None, None, None)


def test_what_is_proposed_is_known_and_what_has_ended_is_over(make_project, tmp_path):
    settings = make_settings("random", max_epochs=4)
    project, _, remaining = make_remaining(make_project, tmp_path / "cnn", settings)
    trials = [{}, {"status": "running"}]
    for record in make_project(tmp_path / "other", trials, **settings).records:
        project.record(record)
    planned = remaining.plan()
    assert planned.runs == {(1, 0): (project.values(1), 4)}
    assert (planned.others, planned.epochs) == (48, 4 * 48)


@pytest.mark.usefixtures("few_draws")
@pytest.mark.parametrize("tuner", TUNERS)
@pytest.mark.parametrize("count", [1, 7])
def test_a_space_of_few_models_is_counted_as_it_is_searched(make_project, tmp_path, tuner, count):
    space, settings = make_finite(count), make_settings(tuner, max_epochs=12)
    project = make_project(tmp_path / "cnn", **settings)
    project.space = space
    oracle = make_oracle(space, tuner, max_epochs=12, max_trials=50)
    remaining = Remaining(project, oracle)
    # Who goes on, and in halving how many, depends on the scores: they are those of the simulation.
    scores, proposals = np.random.default_rng(0), []
    while isinstance(proposal := ask(oracle, 12), Proposal):
        proposals.append(proposal)
        tell(oracle, proposal.trial, scores.random())
    assert remaining.trials == len(proposals)
    assert remaining.epochs == sum(each.epochs - each.initial_epoch for each in proposals)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "settings",
    [make_settings("random", max_trials=MANY), make_settings("hyperband", max_epochs=MANY)],
    ids=["trials", "epochs"],
)
def test_a_long_search_is_not_simulated(settings):
    simulated = simulate_search(load_space("cnn"), settings, 2, lambda each: each.epochs)
    assert simulated.trials > 50_000
    assert len(simulated.models) == SAMPLE
    assert simulated.epochs / 2 <= simulated.seconds < 2 * simulated.epochs


@pytest.mark.parametrize(("tuner", "power"), [("halving", 0), ("hyperband", 0), ("random", 0.5)])
def test_where_both_are_possible_counting_and_simulating_agree(tuner, power, monkeypatch):
    settings = make_settings(tuner, max_epochs=100, max_trials=LONGEST)

    def cost(proposal):
        span = proposal.epochs - proposal.initial_epoch
        return span * proposal.values["units"] ** power

    simulated = simulate_search(load_space("cnn"), settings, 2, cost)
    monkeypatch.setattr("svhn_tune.oracles.simulation.LONGEST", 0)
    counted = simulate_search(load_space("cnn"), settings, 2, cost)
    assert (counted.trials, counted.epochs) == (simulated.trials, simulated.epochs)
    assert counted.seconds == pytest.approx(simulated.seconds, rel=0.15)
