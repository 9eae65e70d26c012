"""Worker processes: they are replaced when they die or grow, and end with their parent."""

import sys
import threading
import time
from dataclasses import replace

import psutil
import pytest
import softmax_engine
from conftest import train_by, train_by_tensorflow
from forked import start_command
from pools import make_setup

from svhn_tune import search
from svhn_tune.engines import engine
from svhn_tune.training import execution
from svhn_tune.training import workers as workers_module
from svhn_tune.training.runs import Run
from svhn_tune.training.workers import WorkerError, Workers


@pytest.fixture
def setup(archives):
    return make_setup(archives)


def make_run(space, folder, number, epochs=1):
    return Run(
        stage="search",
        trial=number,
        root=number,
        run=0,
        seed=number,
        values=space.baseline,
        epochs=epochs,
        checkpoint=folder / f"{number}.npz",
    )


def train(workers, runs):
    waiting, seen = list(runs), []
    while waiting or workers.running:
        while waiting and workers.free:
            workers.submit(waiting.pop(0))
        seen += workers.events()
    return seen


def test_every_epoch_is_told_after_it_is_on_the_disk(setup, tmp_path):
    with Workers(1, setup) as workers:
        workers.submit(make_run(setup.space, tmp_path, 0, epochs=2))
        kinds = []
        while workers.running:
            for event in workers.events():
                kinds.append((event.kind, event.epochs))
                assert (tmp_path / "0.npz").exists()
    assert kinds == [("epoch", 1), ("epoch", 2), ("done", 0)]


@pytest.mark.parametrize(
    ("trains", "epochs"),
    [(train_by("softmax_engine"), 400), (train_by_tensorflow(), 4)],
    ids=["softmax", "tensorflow"],
)
def test_a_killed_worker_is_replaced_and_its_run_ends_as_it_would_have(
    trains, epochs, setup, tmp_path
):
    run = make_run(setup.space, tmp_path, 0, epochs)
    calm = replace(run, trial=1, root=1, checkpoint=tmp_path / "calm.npz")
    with trains, Workers(1, replace(setup, engine=engine.DEFAULT)) as workers:
        workers.submit(run)
        while not run.checkpoint.exists():
            list(workers.events())
        psutil.Process(workers._workers[0].process.pid).kill()
        killed = train(workers, [])[-1]
        assert killed.kind == "done"
        assert len(killed.outcome.history) == epochs
        expected = train(workers, [calm])[-1].outcome
    assert killed.outcome.weights_sha256 == expected.weights_sha256


def test_a_worker_imports_keras_and_tensorflow_only_where_its_engine_does(
    setup, tmp_path, monkeypatch, spawned
):
    """softmax_engine starts no run in a spawned process that has imported one of them."""
    with Workers(1, setup) as workers:
        assert train(workers, [make_run(setup.space, tmp_path, 0)])[-1].kind == "done"
    monkeypatch.setattr(softmax_engine, "IS_SPAWNED", True)
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(AssertionError, match="has imported"):
        softmax_engine.start(setup.space, setup.space.baseline, 0, None)


def test_what_an_engine_raises_reaches_the_parent_with_its_traceback(setup, tmp_path):
    run = replace(make_run(setup.space, tmp_path, 0), values={"dropout": "much"})
    with (
        Workers(1, setup) as workers,
        pytest.raises(WorkerError, match=r"trial 0 raised\nTraceback"),
    ):
        train(workers, [run])


@pytest.mark.parametrize("instant", ["before", "after"])
def test_a_worker_killed_at_pause_leaves_its_run_paused_where_it_was(setup, tmp_path, instant):
    run = make_run(setup.space, tmp_path, 0, epochs=500)
    with Workers(1, setup) as workers:
        workers.submit(run)
        while not run.checkpoint.exists():
            list(workers.events())
        process = psutil.Process(workers._workers[0].process.pid)
        if instant == "after":
            process.suspend()
            workers.pause()
        process.kill()
        process.wait()
        if instant == "before":
            workers.pause()
        events = train(workers, [])
        assert [event.kind for event in events if event.kind != "epoch"] == ["paused"]
        # It may be submitted again, and goes on.
        told = [event.epochs for event in events if event.kind == "epoch"]
        continued = make_run(setup.space, tmp_path, 0, epochs=max(told, default=1) + 1)
        assert train(workers, [continued])[-1].kind == "done"


def test_a_worker_that_does_not_answer_a_pause_is_killed_and_its_run_paused(
    setup, tmp_path, monkeypatch
):
    run = make_run(setup.space, tmp_path, 0, epochs=5000)
    with Workers(1, setup) as workers:
        workers.submit(run)
        while not run.checkpoint.exists():
            list(workers.events())
        process = psutil.Process(workers._workers[0].process.pid)
        process.suspend()
        monkeypatch.setattr(workers_module, "PATIENCE", 0.1)
        workers.pause()
        events = []
        while workers.running:
            events += workers.events(timeout=0.05)
        assert events[-1].kind == "paused"
        assert run.checkpoint.exists()


@pytest.mark.usefixtures("spawned")
def test_a_worker_has_its_time_to_get_on_with_its_first_run(setup, tmp_path, monkeypatch):
    monkeypatch.setattr(workers_module, "PATIENCE", 0.0)
    run = make_run(setup.space, tmp_path, 0, epochs=5000)
    with Workers(1, setup) as workers:
        workers.submit(run)
        # Before its process has imported anything.
        workers.pause()
        events = []
        while workers.running:
            events += workers.events(timeout=0.05)
    assert events[-1].kind == "paused"
    assert run.checkpoint.exists()


def test_two_workers_train_side_by_side_and_a_continued_run_returns_to_its_worker(setup, tmp_path):
    first, second = (make_run(setup.space, tmp_path, number) for number in (0, 1))
    with Workers(2, setup) as workers:
        workers.submit(first)
        workers.submit(second)
        assert workers.running == [first, second]
        assert workers.free == 0
        train(workers, [])
        workers.submit(make_run(setup.space, tmp_path, 1, epochs=2))
        assert workers._workers[1].runs
        train(workers, [])


def test_a_worker_has_the_threads_of_its_first_run_and_is_replaced_for_others(setup, tmp_path):
    two, one = (make_run(setup.space, tmp_path, number) for number in (0, 1))
    with Workers(1, setup, threads=2) as workers:
        started = workers._workers[0].process.pid
        train(workers, [replace(two, threads=2)])
        assert workers._workers[0].process.pid == started
        train(workers, [one])
        assert workers._workers[0].process.pid != started


def test_a_worker_that_grew_is_replaced(setup, tmp_path, monkeypatch):
    runs = [make_run(setup.space, tmp_path, number) for number in range(2)]
    with Workers(1, setup) as workers:
        train(workers, runs[:1])
        before = workers._workers[0].process.pid
        # The second run of a worker is the first that can be found to have grown.
        executor = execution.Executor.__new__(execution.Executor)
        executor._first_resident = 1
        monkeypatch.setattr(execution, "GROWTH", 0)
        assert executor.has_grown()
        workers._restart(workers._workers[0])
        assert workers._workers[0].process.pid != before
        assert train(workers, runs[1:])[-1].kind == "done"


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("spawned")
def test_three_deaths_of_a_run_fail_its_trial_and_the_search_goes_on(
    small_space, archives, tmp_path
):
    victims, ended = [], threading.Event()

    def kill_first_three():
        while len(victims) < 3 and not ended.is_set():
            for child in psutil.Process().children():
                if child.pid not in victims and "spawn_main" in " ".join(child.cmdline()):
                    child.kill()
                    victims.append(child.pid)
            time.sleep(0.05)

    killer = threading.Thread(target=kill_first_three)
    killer.start()
    settings = {"tuner": "random", "max_trials": 2, "max_epochs": 1, "train_images": 64}
    project = search(small_space, archives, project=tmp_path / "cnn", **settings)
    ended.set()
    killer.join()
    failed, completed = project.ended("search")
    assert failed.status == "failed"
    assert failed.score is None
    assert "its worker died 3 times, last with exit code -9" in failed.reason
    assert completed.status == "completed"
    assert [record.trial for record in project.ranking()] == [completed.trial]


def test_no_worker_outlives_its_parent(archives, tmp_path):
    arguments = ["search", "--data", str(archives), "--project", str(tmp_path / "cnn")]
    process = start_command(arguments, start_workers="spawn")
    while not (workers := [c for c in process.children() if "spawn_main" in " ".join(c.cmdline())]):
        time.sleep(0.05)
    time.sleep(1)
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert alive == []
