import numpy as np
import pytest

from svhn_tune.cost import forecast as forecast_module
from svhn_tune.cost.forecast import Forecast, Planned
from svhn_tune.data import Data
from svhn_tune.data.dataset import Split
from svhn_tune.journal.record_types import RunRecord
from svhn_tune.models.work import measure_work
from svhn_tune.training.runs import Run

IMAGES = 1_000
BLANK = Split(np.zeros((IMAGES, 32, 32, 3), np.uint8), np.arange(IMAGES) % 10)
DATA = Data("blank", BLANK, BLANK, tuple(range(10)), True, "blank")


class Clock:
    """A clock that a test moves on."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(forecast_module.time, "monotonic", clock)
    return clock


def true_seconds(space, values):
    """Of an epoch on an imagined machine: so many operations a second, and something a layer."""
    work = measure_work(space, values)
    return IMAGES * work.operations / 1e10 + IMAGES / 32 * work.layers * 1e-4


def make_run(project, trial, values, epochs):
    return Run("search", trial, trial, 0, 0, values, epochs, project.folder / "none")


def train(project, forecast, clock, run):
    """Train a run on the imagined machine: each epoch takes 20 % more than its training."""
    seconds = true_seconds(project.space, run.values)
    forecast.begin_run(run)
    for epoch in range(run.epochs):
        clock.now += 1.2 * seconds
        forecast.end_epoch(run, epoch + 1)
    project.record(
        RunRecord(
            stage="search",
            trial=run.trial,
            root=run.root,
            run=0,
            seed=0,
            values=run.values,
            initial_epoch=0,
            epochs=run.epochs,
            planned_epochs=run.epochs,
            status="completed",
            score=0.5,
            collapsed=False,
            metrics={"seconds": [seconds] * run.epochs},
            seconds=seconds * run.epochs,
            parameters=1,
            file_bytes=1,
            reason="",
            train_images=IMAGES,
            versions={},
            device=None,
        )
    )
    forecast.end_run(run)


def make_plan(space, epochs):
    models = [{}, {"units": 2048}, {"blocks": 1}, {"kernel_size_2": 7}, {"blocks": 5}] * 4
    return {(n, 0): (space.complete(values), epochs) for n, values in enumerate(models)}


def test_nothing_is_said_before_a_run_has_ended(make_project, tmp_path, clock):
    project = make_project(tmp_path / "p")
    plan = make_plan(project.space, 3)
    forecast = Forecast(project, "search", DATA, lambda: Planned(plan))
    run = make_run(project, 0, plan[0, 0][0], 3)
    forecast.begin_run(run)
    forecast.end_epoch(run, 1)
    clock.now += 10
    assert forecast.seconds_left() is None


def test_the_time_left_follows_the_work_that_is_left(make_project, tmp_path, clock):
    project = make_project(tmp_path / "p")
    plan = make_plan(project.space, 3)
    forecast = Forecast(project, "search", DATA, lambda: Planned(plan))
    errors = []
    for trial in range(len(plan) - 1):
        train(project, forecast, clock, make_run(project, trial, *plan[trial, 0]))
        later = list(plan.values())[trial + 1 :]
        truth = sum(1.2 * 3 * true_seconds(project.space, values) for values, _ in later)
        errors.append(abs(forecast.seconds_left() / truth - 1))
    assert max(errors[5:]) < 0.1
    assert np.mean(errors[10:]) < np.mean(errors[:5])


def test_a_run_that_ends_early_leaves_nothing(make_project, tmp_path, clock):
    project = make_project(tmp_path / "p")
    plan = make_plan(project.space, 3)
    last = make_run(project, len(plan) - 1, *plan[len(plan) - 1, 0])
    forecast = Forecast(project, "search", DATA, lambda: Planned(plan))
    for trial in range(len(plan) - 1):
        train(project, forecast, clock, make_run(project, trial, *plan[trial, 0]))
    forecast.begin_run(last)
    before = forecast.seconds_left()
    forecast.end_epoch(last, 1)
    forecast.end_run(last)
    assert before > 0
    assert forecast.seconds_left() == pytest.approx(0)


def test_the_values_of_a_run_that_has_begun_replace_the_planned_ones(make_project, tmp_path, clock):
    project = make_project(tmp_path / "p")
    plan = make_plan(project.space, 3)
    forecast = Forecast(project, "search", DATA, lambda: Planned(plan))
    for trial in range(len(plan) - 1):
        train(project, forecast, clock, make_run(project, trial, *plan[trial, 0]))
    planned = forecast.seconds_left()
    small = project.space.complete({"blocks": 1, "pool_size_1": 3})
    forecast.begin_run(make_run(project, len(plan) - 1, small, 3))
    assert forecast.seconds_left() < planned / 2


def test_runs_whose_values_are_not_known_take_the_mean_of_models(make_project, tmp_path, clock):
    project = make_project(tmp_path / "p")
    plan = make_plan(project.space, 3)
    models = [values for values, _ in plan.values()]
    planned = Planned({}, others=10**6, epochs=3 * 10**6, models=models)
    forecast = Forecast(project, "search", DATA, lambda: planned)
    for trial in range(len(plan)):
        train(project, forecast, clock, make_run(project, trial, *plan[trial, 0]))
    truth = 3 * 10**6 * np.mean([1.2 * true_seconds(project.space, values) for values in models])
    assert forecast.seconds_left() == pytest.approx(truth, rel=0.1)


def test_the_worker_has_the_last_word_of_where_a_run_goes_on(make_project, tmp_path, clock):
    """Its checkpoint said three epochs of four, but had damaged weights: it begins again."""
    project = make_project(tmp_path / "p")
    (values, _) = make_plan(project.space, 4)[0, 0]
    run = make_run(project, 0, values, 4)
    forecast = Forecast(project, "search", DATA, lambda: Planned({(0, 0): (values, 4)}))
    other = make_run(project, 1, values, 4)
    train(project, forecast, clock, other)
    forecast.begin_run(run)
    forecast._begun[0, 0] = (values, 1)
    lefts = []
    for epoch in range(4):
        clock.now += 1.2 * true_seconds(project.space, values)
        forecast.end_epoch(run, epoch + 1)
        lefts.append(forecast.seconds_left())
    assert lefts == sorted(lefts, reverse=True)
    assert lefts[-1] == pytest.approx(0)
    assert lefts[0] > 0
