"""What it will cost, and the one budget: costs are fitted, searches simulated, hours counted."""

import json
import sys
from dataclasses import replace
from functools import partial
from importlib import import_module

import numpy as np
import pytest
from conftest import FORKED, TENSORFLOW, train_by

import svhn_tune
from svhn_tune import confirm, load_data, open_project, plan, search
from svhn_tune.cli import main
from svhn_tune.commands.tables import print_plan
from svhn_tune.cost.budget import Budget
from svhn_tune.cost.cost_model import Timing, fit_cost, schedule
from svhn_tune.cost.estimate import Estimate, count_together
from svhn_tune.cost.forecast import Forecast, Planned
from svhn_tune.cost.plan import describe_plan
from svhn_tune.cost.timing import _make_setup, _read, _Watch, choose_probes
from svhn_tune.errors import InputError
from svhn_tune.journal.record_types import SessionRecord
from svhn_tune.machines.choice import ThisMachine
from svhn_tune.models.spaces import load_space
from svhn_tune.models.work import Work, measure_work, rest_units, train_units
from svhn_tune.oracles import halving
from svhn_tune.oracles.simulation import simulate_search, time_proposal
from svhn_tune.project.wanted import complete_settings

SMALL, LARGE = Work(10**6, 10**4, 10**5, 6), Work(10**8, 10**5, 10**7, 9)


def timing(work, images=320, validation=100):
    """What a machine takes that does 1e9 operations a second, and nothing else."""
    return Timing(work, images, validation, images * work.operations / 1e9, 0.1, 2.0)


@pytest.fixture
def cost():
    return fit_cost([timing(SMALL), timing(LARGE), timing(replace(SMALL, operations=10**7))], 32)


@pytest.fixture
def estimate(archives, cost):
    """A function that makes the estimate of a search on this machine."""
    space, data = load_space("cnn"), load_data(archives)

    def make(workers=2, together=1, **wanted):
        settings = {"tuner": "hyperband", "max_epochs": 12, **wanted}
        settings = complete_settings(space, data, settings)
        models = simulate_search(space, settings, workers, lambda _: 1.0, 1).models
        return Estimate(space, data, settings, workers, cost, 12, models, together)

    return make


def test_operations_are_the_multiply_adds_of_a_forward_pass():
    space = load_space("cnn")
    sides, channels = (32, 16, 8), (3, 16, 32, 64)
    convolutions = sum(
        side**2 * 9 * channels[block] * channels[block + 1] for block, side in enumerate(sides)
    )
    dense = 4 * 4 * 64 * 64 + 64 * 10
    assert measure_work(space, space.baseline).operations == convolutions + dense


def test_the_fit_finds_what_the_seconds_were_made_of(cost):
    between = Work(5 * 10**7, 5 * 10**4, 10**6, 8)
    assert cost.epoch_seconds(between, 1_000, 100) == pytest.approx(50 + 0.1, rel=0.1)
    assert cost.run_seconds(between, 3, 1_000, 100, 0) == pytest.approx(150 + 0.3 + 2, rel=0.1)
    for terms in (cost.train, cost.rest, cost.start):
        assert (terms >= 0).all()


def test_a_run_is_saved_after_its_first_epoch_and_its_last_and_else_for_a_fiftieth_of_the_time():
    timings = [replace(timing(work), save=1e-6 * work.parameters) for work in (SMALL, LARGE)]
    cost = fit_cost(timings, 32)
    saved = 1e-6 * SMALL.parameters
    one, two, twelve = (cost.run_seconds(SMALL, epochs, 320, 100, 0) for epochs in (1, 2, 12))
    epoch = two - one - saved
    assert epoch == pytest.approx(0.42, rel=0.05)
    assert twelve - two == pytest.approx(10 * epoch * 1.02)


def test_a_penalty_makes_training_dearer_and_evaluating_not():
    space = load_space("cifar_shallow")
    free, penalized = (measure_work(space, space.complete({"l2": l2})) for l2 in (0.0, 1e-3))
    assert penalized.parameters == penalized.penalized == free.parameters
    assert free.penalized == 0
    assert train_units(penalized, 1_000, 100)[4] == pytest.approx(
        1.25 * train_units(free, 1_000, 100)[4]
    )
    assert (rest_units(penalized, 1_000) == rest_units(free, 1_000)).all()


def test_what_a_run_waits_for_between_its_epochs_is_told_apart(archives):
    space, data = load_space("cnn"), load_data(archives)
    setup = _make_setup(space, data, 10**6, "tensorflow", 250)
    # Handed out at 0. Two seconds to build; epochs of 5, 3 and 3, evaluated in 0.5, saved in 0.2
    # after the first and the last; then a second to predict.
    watch = _Watch(0.0, [7.7, 14.9, 14.9, 15.9], [7.5, 11.2, 14.7, 15.8], [5.0, 3.0, 3.0])
    found = _read(watch, SMALL, setup)
    assert (found.train, found.images, found.validation) == (3, 300, 250)
    assert found.rest == pytest.approx(0.5)
    assert found.save == pytest.approx(0.2)
    assert found.start == pytest.approx(4 + 0.5)


def test_seeds_that_train_together_are_built_once_and_take_what_was_measured(estimate):
    alone = estimate()
    together = estimate(together=5)
    assert together.confirm(3, 1) == alone.confirm(3, 1)
    assert together.confirm(3, 10) < alone.confirm(3, 10)
    together._cost = replace(together._cost, together=2.0)
    assert together.confirm(3, 10) > 1.5 * alone.confirm(3, 10)


def test_on_tensorflow_no_seeds_train_together():
    space = load_space("cnn")
    assert count_together(space, ThisMachine(2), "tensorflow") == 1
    assert count_together(space, ThisMachine(2), "jax") >= 1


def test_the_proposals_that_are_timed_learn_from_scores(monkeypatch):
    asked = []
    monkeypatch.setattr(halving, "choose_by_forest", lambda *given: asked.append(given))
    space = load_space("cnn_open")
    settings = {"tuner": "halving", "max_epochs": 4, "factor": 3, "max_trials": 100, "seed": 0}
    assert time_proposal(space, settings) > 0
    assert asked


def test_where_all_fits_it_is_said_once(estimate, capsys):
    made = estimate(tuner="halving")
    whole = made.confirm(3, 10) * 10
    print_plan(made.space, describe_plan(made, None, whole, 3, 10))
    assert "all of this fits" in (printed := capsys.readouterr().out)
    assert "what fits" not in printed
    assert "2 workers, timed with tensorflow" in printed
    print_plan(made.space, describe_plan(made, None, whole / 30, 3, 10))
    printed = capsys.readouterr().out
    assert "does NOT fit" in printed
    assert printed.count("what fits: search") > 1


@pytest.mark.parametrize(("workers", "expected"), [(1, 10), (2, 7), (9, 4)])
def test_the_first_free_worker_takes_the_next_run(workers, expected):
    assert schedule([3, 2, 1, 4], workers) == expected


def test_the_simulated_search_is_the_search_that_runs(small_space, archives, tmp_path):
    settings = {"tuner": "hyperband", "max_epochs": 4, "factor": 2, "train_images": 64}
    done = search(small_space, archives, project=tmp_path / "p", workers=1, **settings)
    wanted = complete_settings(done.space, load_data(archives), settings)
    simulated = simulate_search(done.space, wanted, 1, lambda _: 1.0)
    status = svhn_tune.status(done)
    assert simulated.trials == status["trials"]["completed"]
    assert simulated.epochs == status["epochs_trained"]
    assert simulated.seconds == simulated.trials
    fresh = [p.values for p in done.proposals() if p.parent is None]
    assert simulated.models[0] == fresh[0]
    assert len(simulated.models) == len(fresh)


@pytest.mark.parametrize("tuner", ["random", "bayesian", "tpe"])
def test_two_workers_halve_a_search_of_equal_runs(tuner):
    space = load_space("cnn")
    settings = {"tuner": tuner, "max_epochs": 3, "factor": 3, "max_trials": 20, "seed": 0}
    one, two = (simulate_search(space, settings, n, lambda _: 1.0) for n in (1, 2))
    assert (one.trials, one.epochs, one.seconds) == (20, 60, 20)
    assert two.seconds == 10


def test_the_document_has_its_keys_and_adds_up(estimate):
    made = estimate()
    document = describe_plan(made, None, None, top=3, runs=10)
    seconds = document["seconds_per_epoch"]
    assert seconds["smallest"] <= seconds["baseline"] < seconds["largest"]
    assert document["confirm"]["runs"] == 40
    assert document["confirm"]["epochs"] == 480
    assert document["budget_seconds"] is None
    assert document["fits"] is True
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert made.confirm(3, 10) > 2 * made.confirm(1, 5)


def test_a_budget_says_what_fits_the_largest_confirm_first(estimate):
    made = estimate()
    whole = made.search().seconds + made.confirm(3, 10)
    assert describe_plan(made, None, whole + 1, 3, 10)["fits"] is True
    document = describe_plan(made, None, whole / 2, 3, 10)
    assert document["fits"] is False
    advice = document["advice"]
    assert advice
    sizes = [(choice["top"], choice["runs"]) for choice in advice]
    assert sizes == sorted(sizes, reverse=True)
    for choice in advice:
        assert choice["seconds"] <= whole / 2
        assert choice["max_epochs"] >= made.space.protocol.min_epochs


def test_halving_searches_what_confirm_leaves_of_the_budget(estimate):
    made = estimate(tuner="halving")
    budget = 3 * made.confirm(3, 10)
    document = describe_plan(made, None, budget, 3, 10)
    assert document["search"]["ends_by_time"]
    assert document["search"]["seconds"] == pytest.approx(budget * 2 / 3)
    assert document["fits"] is True
    longer = describe_plan(made, None, 2 * budget, 3, 10)
    assert longer["search"]["trials"] > document["search"]["trials"]
    shorter = describe_plan(made, None, budget / 3, 3, 10)
    assert shorter["fits"] is False
    assert (shorter["advice"][0]["top"], shorter["advice"][0]["runs"]) == (3, 5)


def test_a_budget_too_small_for_anything_fits_nothing(estimate):
    document = describe_plan(estimate(), None, 1.0, 3, 10)
    assert document["fits"] is False
    assert document["advice"] == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["plan", "--budget", "5"], "the duration '5' must read"),
        (["search", "--budget", "5"], "the duration '5' must read"),
        (["plan", "--space", "cnnn"], "no space 'cnnn'"),
        (["plan", "--tuner", "magic"], "no tuner 'magic'"),
        (["plan", "--top", "0"], "top=0 must be at least 1"),
        (["plan", "--tuner", "hyperband", "--max-trials", "5"], "does not apply to hyperband"),
    ],
)
def test_a_slip_is_one_line(arguments, told, archives, monkeypatch, capfd, tmp_path):
    monkeypatch.chdir(tmp_path)
    data = [] if "--budget" in arguments else ["--data", str(archives)]
    monkeypatch.setattr(sys, "argv", ["svhn_tune", *arguments, *data])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capfd.readouterr()
    assert ended.value.code == 2
    assert printed.err.startswith("error: ")
    assert told in printed.err
    assert len(printed.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    "engine", ["softmax_engine", pytest.param(TENSORFLOW, marks=pytest.mark.soak)]
)
def test_a_plan_of_this_machine_is_timed_and_writes_nothing(
    engine, small_space, archives, monkeypatch, capfd, tmp_path
):
    # Three models, of which the dearest trains on two batches: each is compiled, for a second.
    few = partial(choose_probes, count=3)
    monkeypatch.setattr("svhn_tune.cost.timing.choose_probes", few)
    monkeypatch.setattr("svhn_tune.cost.timing.OPERATIONS", 0)
    monkeypatch.chdir(tmp_path)
    arguments = ["plan", "--space", small_space, "--data", archives]
    arguments += ["--workers", "1", "--max-epochs", "4"]
    monkeypatch.setattr(
        sys, "argv", ["svhn_tune", *map(str, arguments), "--budget", "1s", "--json"]
    )
    with train_by(engine, FORKED), pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    document = json.loads(capfd.readouterr().out)
    keys = {"workers", "seconds_per_epoch", "search", "confirm", "budget_seconds", "fits"}
    assert keys <= set(document)
    assert document["budget_seconds"] == 1
    assert document["fits"] is False
    assert all(np.isfinite(list(document["seconds_per_epoch"].values())))
    assert 0 < document["search"]["seconds"] < document["confirm"]["seconds"]
    assert list(tmp_path.iterdir()) == []


def session(began, seconds):
    return SessionRecord(stage="search", began=began, workers=2, seconds=seconds)


def test_where_no_worker_lives_to_train_it_is_one_line(
    small_space, archives, tmp_path, monkeypatch
):
    (tmp_path / "dying_engine.py").write_text("import os\n\nos._exit(9)\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    said = "no model trains here, so none can be timed: its worker died 3 times"
    with train_by("dying_engine", FORKED), pytest.raises(InputError, match=said):
        search(small_space, archives, time_limit=60)


def test_what_is_spent_is_the_last_word_of_every_call(tmp_path, make_project):
    project = make_project(tmp_path / "cnn", [{}], budget=3600.0)
    for began, seconds in ((1.0, 60.0), (1.0, 120.0), (9.0, 30.0)):
        project.record(session(began, seconds))
    status = svhn_tune.status(open_project(project.folder))
    assert status["seconds_spent"] == 150
    assert status["budget_seconds"] == 3600


def make_budget(project, stage, data):
    """The budget of a call with two workers that plans to train nothing."""
    return Budget(project, stage, 2, data, Forecast(project, stage, data, lambda: Planned({})))


def test_search_leaves_what_confirm_needs_up_to_its_share(tmp_path, make_project, archives):
    seconds = {"metrics": {"seconds": [30.0, 20.0, 20.0, 20.0]}}
    trials = [seconds | {"score": 0.5 + n / 10} for n in range(4)]
    data = load_data(archives)
    long = make_project(tmp_path / "long", trials, budget=1e9)
    budget = make_budget(long, "search", data)
    # 40 runs of 100 epochs of 20 s by two workers, and what compiling takes.
    assert budget.reserve() == pytest.approx(40 * 100 * 20 / 2, rel=0.3)
    assert not budget.is_spent
    assert budget.share_left == pytest.approx(1, abs=1e-3)
    short = make_project(tmp_path / "short", trials, budget=1000.0)
    assert make_budget(short, "search", data).reserve() == pytest.approx(1000 * 2 / 3)
    short.record(session(1.0, 250.0))
    # Of the third that search has.
    assert make_budget(short, "search", data).share_left == pytest.approx(1 / 4, abs=1e-3)
    assert make_budget(short, "confirm", data).share_left == pytest.approx(3 / 4, abs=1e-3)
    short.record(session(2.0, 84.0))
    assert make_budget(short, "search", data).is_spent
    assert not make_budget(short, "confirm", data).is_spent


def test_nothing_is_known_of_confirm_before_a_run_has_ended(tmp_path, make_project, archives):
    project = make_project(tmp_path / "cnn", [{"status": "running"}], budget=1000.0)
    assert make_budget(project, "search", load_data(archives)).reserve() == 0


def test_a_search_stops_at_its_budget_and_confirm_has_the_rest(small_space, archives, tmp_path):
    settings = {"tuner": "random", "max_trials": 5_000, "max_epochs": 2, "train_images": 64}
    folder = tmp_path / "cnn"
    # It imports Keras, which would take all that the search has of four seconds.
    import_module("svhn_tune.stages.search_loop")
    stopped = search(small_space, archives, project=folder, workers=2, budget=4.0, **settings)
    status = svhn_tune.status(stopped)
    assert status["trials"]["completed"] < 5_000
    assert status["seconds_spent"] > 0
    before = stopped.journal_path.read_bytes()
    again = search(small_space, archives, project=folder, workers=2, **settings)
    assert again.journal_path.read_bytes() == before
    many = {"top": 1, "runs": 1_000, "epochs": 20, "baseline": False}
    confirm(folder, archives, workers=2, **many)
    assert len(open_project(folder).ended("confirm")) < 1_000
    assert svhn_tune.status(open_project(folder))["seconds_spent"] > status["seconds_spent"]
    with pytest.raises(InputError, match="nothing is left of the budget"):
        confirm(folder, archives, **many)


def test_plan_is_there_in_a_notebook():
    assert callable(plan)


@pytest.mark.timeout(60)
def test_a_confirm_of_any_length_is_counted(estimate):
    made = estimate()
    long = made.confirm(10_000, 10_000)
    assert long == pytest.approx(made.confirm(1_000, 10_000) * 10, rel=0.01)
    assert long == pytest.approx(made.confirm(90, 100) * 10_000 * 10_000 / (90 * 100), rel=0.05)
