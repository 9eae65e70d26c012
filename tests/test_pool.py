"""What search and confirm may ask of a pool holds for this machine's processes and for a cluster's.

The cluster has one node, a process of this machine; those that come and go are in test_nodes.py.
"""

from contextlib import suppress
from dataclasses import replace

import psutil
import pytest
import ray_nodes
from pools import ENDLESS, make_run, make_setup, pause, train, train_alone, wait_for_epoch

from svhn_tune.machines.choice import ThisMachine, open_machines
from svhn_tune.training.workers import WorkerError, Workers

# Of tests with Ray; those without may have to wait for the imports of the workers' server.
MINUTE = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def of_cluster():
    """A node of two CPUs."""
    with ray_nodes.started(head=2) as nodes, open_machines(None, nodes.address) as machines:
        yield machines


@pytest.fixture(params=["this machine", pytest.param("cluster", marks=MINUTE)])
def machines(request):
    """Two places to train: processes of this machine, or actors on a node."""
    if request.param == "cluster":
        return request.getfixturevalue("of_cluster")
    return ThisMachine(2)


@pytest.fixture
def setup(archives):
    return make_setup(archives, test_at_end=True)


def find_trainers(pool):
    """The processes that train."""
    if isinstance(pool, Workers):
        return {psutil.Process(worker.process.pid) for worker in pool._workers}
    found = set()
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if "ray::Trainer" in " ".join(process.cmdline()):
                found.add(process)
    return found


def test_what_is_told_is_on_the_disk_and_runs_are_side_by_side(machines, setup, tmp_path):
    runs = [make_run(setup, tmp_path, number, epochs=40) for number in (0, 1)]
    told, ends = {run.key: [] for run in runs}, {}
    with machines.open(setup) as pool:
        assert pool.free == machines.count == 2
        for run in runs:
            pool.submit(run)
        assert sorted(run.key for run in pool.running) == [run.key for run in runs]
        assert pool.free == 0
        while pool.running:
            for event in pool.events(timeout=1):
                assert event.run in runs
                assert event.run.checkpoint.exists()
                if event.kind == "epoch":
                    told[event.run.key].append(event.epochs)
                else:
                    assert event.run.model_file.exists()
                    ends[event.run.key] = event.outcome.weights_sha256
    assert list(told.values()) == [list(range(1, 41))] * 2
    assert [ends[run.key] for run in runs] == train_alone(setup, tmp_path, *runs)


def test_what_an_engine_raises_reaches_the_parent_with_its_traceback(machines, setup, tmp_path):
    run = make_run(setup, tmp_path, 0, 1, values={"dropout": "much"})
    with (
        machines.open(setup, 1) as pool,
        pytest.raises(WorkerError, match=r"trial 0 .*raised\nTraceback"),
    ):
        train(pool, run)


def test_a_run_whose_worker_is_killed_and_that_pauses_goes_on_anywhere_and_ends_the_same(
    machines, of_cluster, setup, tmp_path
):
    run = make_run(setup, tmp_path, 0, ENDLESS)
    with machines.open(setup, 1) as pool:
        pool.submit(run)
        wait_for_epoch(pool)
        (killed,) = find_trainers(pool)
        killed.kill()
        while not find_trainers(pool) - {killed}:
            list(pool.events(timeout=1))
        wait_for_epoch(pool)
        trained = pause(pool, setup, run)
    for each in (ThisMachine(1), of_cluster):
        run = replace(run, epochs=trained + 5)
        with each.open(setup, 1) as pool:
            told = train(pool, run)
        epochs = [event.epochs for event in told if event.kind == "epoch"]
        assert epochs == list(range(trained + 1, trained + 6))
        trained += 5
    assert [told[-1].outcome.weights_sha256] == train_alone(setup, tmp_path, run)


@pytest.mark.parametrize(
    "machines",
    ["this machine", pytest.param("cluster", marks=[MINUTE, pytest.mark.soak])],
    indirect=True,
)
def test_a_run_that_brings_its_worker_down_three_times_fails(machines, setup, tmp_path):
    run = make_run(setup, tmp_path, 0, ENDLESS)
    killed = set()
    with machines.open(setup, 1) as pool:
        pool.submit(run)
        told = []
        while pool.running:
            told = list(pool.events(timeout=1))
            # What has told an epoch has the run: one that only begins is not brought down by it.
            if any(event.kind == "epoch" for event in told):
                for process in find_trainers(pool) - killed:
                    process.kill()
                    killed.add(process)
    assert told[-1].kind == "failed"
    assert "its worker died 3 times" in told[-1].reason
    assert len(killed) == 3
