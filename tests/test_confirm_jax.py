"""Runs that a worker trains together on JAX: told, stopped, taken apart, gone on with."""

from dataclasses import replace

import numpy as np
import pytest
from jax_tasks import FAST, execute, make_case, needs_jax, start_jax

from svhn_tune import confirm, load_data, search
from svhn_tune.cost.timing import _time_together
from svhn_tune.data.cache import share_arrays
from svhn_tune.engines import checkpoints, engine
from svhn_tune.machines.choice import ThisMachine
from svhn_tune.progress.progress import Progress
from svhn_tune.stages.together import find_engine
from svhn_tune.submission.check import check_submission
from svhn_tune.summary.confirmed import summarize_confirmed
from svhn_tune.training.runs import Run, Setup
from svhn_tune.training.workers import Workers

# Its workers must not have imported TensorFlow.
pytestmark = [needs_jax, pytest.mark.usefixtures("spawned")]

# It compiles in no time.
CASE = ("linear", {})
EPOCHS = 2


@pytest.fixture(scope="module")
def in_jax():
    with start_jax() as call:
        yield call


@pytest.fixture(scope="module")
def setup(archives):
    data = load_data(archives)
    space, _, _ = make_case(*CASE)
    return Setup(
        space=space,
        arrays=share_arrays(data),
        fingerprint=data.fingerprint,
        train_index=np.arange(96),
        validate_on=None,
        test_at_end=True,
        engine=engine.JAX,
    )


def make_runs(folder, epochs=EPOCHS):
    _, values, _ = make_case(*CASE)
    return [
        Run("confirm", 1, 1, number, 5 + number, values, epochs, folder / f"{number}.npz")
        for number in range(3)
    ]


@pytest.fixture(scope="module")
def calm(in_jax, setup, tmp_path_factory):
    """What is told of three runs that nobody stops, and their outcomes."""
    return in_jax(execute, setup, make_runs(tmp_path_factory.mktemp("calm")))


def assert_alike(outcome, expected):
    for ours, theirs in zip(outcome.history, expected.history, strict=True):
        for name in ("loss", "categorical_accuracy"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-4)
    assert outcome.test["loss"] == pytest.approx(expected.test["loss"], rel=1e-3)
    assert (outcome.predicted == expected.predicted).mean() > 0.97


def read(setup, run):
    return checkpoints.read(run.checkpoint, run.owner | setup.owner, run.epochs)


def test_each_epoch_and_each_end_names_its_run(calm):
    events, outcomes = calm
    epochs = [("epoch", run, epoch) for epoch in (1, 2) for run in range(3)]
    assert events == [*epochs, *(("done", run, 0) for run in range(3))]
    for outcome in outcomes.values():
        assert outcome.engines[0].endswith(", 3 seeds")
        assert outcome.device in ("CPU", "GPU")
    assert len({outcome.weights_sha256 for outcome in outcomes.values()}) == 3


def test_stopped_runs_go_on_apart_and_in_other_cohorts(calm, in_jax, setup, tmp_path):
    runs = make_runs(tmp_path)
    events, _ = in_jax(execute, setup, runs, 1)
    assert [(kind, run) for kind, run, _ in events] == [("paused", run) for run in range(3)]
    assert {read(setup, run).within["batches"] for run in runs} == {2}
    # The first goes on alone, to its epoch's end; then all go on, from where each is.
    events, _ = in_jax(execute, setup, runs[:1], 2)
    assert len(read(setup, runs[0]).history) == 1
    _, outcomes = in_jax(execute, setup, [runs[2], runs[0], runs[1]])
    for number, outcome in outcomes.items():
        assert_alike(outcome, calm[1][number])
    names = [[each.rpartition(", ")[2] for each in outcomes[n].engines] for n in range(3)]
    assert names == [["3 seeds", "1 seed", "3 seeds"], ["3 seeds"], ["3 seeds"]]


def test_where_there_is_no_room_for_all_half_of_them_train_and_then_the_others(
    calm, in_jax, setup, tmp_path
):
    events, outcomes = in_jax(execute, setup, make_runs(tmp_path), 1000, 2)
    assert [run for kind, run, _ in events if kind == "done"] == [0, 1, 2]
    for number, outcome in outcomes.items():
        assert_alike(outcome, calm[1][number])
    assert [outcomes[n].engines[-1].rpartition(", ")[2] for n in range(3)] == [
        *("2 seeds", "2 seeds"),
        "1 seed",
    ]


def test_a_run_that_diverges_is_done_while_the_others_go_on(calm, in_jax, setup, tmp_path):
    runs = make_runs(tmp_path, epochs=3)
    in_jax(execute, setup, [replace(run, epochs=1) for run in runs])
    state = read(setup, runs[1])
    rate = next(n for n, each in enumerate(state.arrays) if each.shape == () and 0 < each < 1)
    state.arrays[rate] = np.float32(1e37)
    checkpoints.write(runs[1].checkpoint, state, runs[1].owner | setup.owner)
    events, outcomes = in_jax(execute, setup, runs)
    ended = events.index(("done", 1, 0))
    assert ended < events.index(("epoch", 0, 3)) < events.index(("done", 0, 0))
    assert not any(event[1] == 1 for event in events[ended + 1 :])
    assert outcomes[1].diverged
    assert len(outcomes[1].history) == 2
    assert len(outcomes[0].history) == len(outcomes[2].history) == 3
    for number in (0, 2):
        expected = calm[1][number].history[1]["loss"]
        assert outcomes[number].history[1]["loss"] == pytest.approx(expected, rel=1e-4)


class Notes(Progress):
    def __init__(self):
        self.told = []

    def note(self, text):
        self.told.append(text)


class Counted(Workers):
    """Kills its worker once, after the first epoch that it tells."""

    killed = False

    def events(self, timeout=None):
        for event in super().events(timeout):
            if event.kind == "epoch" and not self.killed:
                self.killed = True
                self._workers[0].process.kill()
            yield event


@pytest.mark.soak
def test_a_killed_workers_runs_all_go_on_and_the_death_counts_for_each(
    calm, setup, tmp_path, monkeypatch
):
    monkeypatch.setenv("XLA_FLAGS", FAST)
    outcomes = {}
    with Counted(1, setup) as workers:
        workers.submit(*make_runs(tmp_path))
        assert len(workers.running) == 3
        assert workers.free == 0
        while workers.running:
            for event in workers.events():
                if event.outcome is not None:
                    outcomes[event.run.run] = event.outcome
        assert workers.killed
        assert [*workers._deaths.values()] == [1, 1, 1]
        assert workers.free == 1
    for number, outcome in outcomes.items():
        assert_alike(outcome, calm[1][number])
    assert len(outcomes) == 3


@pytest.fixture(scope="module")
def searched(archives, tmp_path_factory):
    folder = tmp_path_factory.mktemp("searched") / "cnn"
    settings = {"tuner": "random", "max_trials": 1, "max_epochs": 1, "train_images": 64}
    return search("linear", archives, project=folder, **settings)


def test_confirm_trains_the_seeds_of_a_configuration_together(searched, archives, monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", FAST)
    done = confirm(searched, archives, top=1, runs=2, epochs=1, engine="jax")
    records = done.ended("confirm")
    assert [record.run for record in records] == [0, 1]
    for record in records:
        assert record.versions["jax"] in record.trained_by[0]
        assert record.trained_by[0].endswith(", 2 seeds")
        assert "tensorflow" not in record.versions
    (entry,) = summarize_confirmed(done)
    assert entry.summary.n == 2
    assert check_submission(done.submission_path, done.space)["ok"]
    # Another engine is never taken silently: here one that stands for TensorFlow.
    notes = Notes()
    more = confirm(searched, archives, top=1, runs=3, epochs=1, engine="tensorflow", progress=notes)
    assert "the runs so far were trained by jax, the next ones by tensorflow" in notes.told
    assert more.ended("confirm")[-1].trained_by == ["softmax"]
    assert find_engine(more) == "tensorflow"


@pytest.mark.soak
def test_a_plan_times_seeds_as_they_train_together(archives):
    space, _, _ = make_case(*CASE)
    assert 0 < _time_together(space, load_data(archives), 2, "jax", ThisMachine(1)) != 1
