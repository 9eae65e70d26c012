"""What search and confirm may ask of a pool holds for this machine's processes and for a cluster's.

Nodes of the cluster are processes of this machine, and die by SIGKILL.
"""

import os
import socket
from contextlib import suppress
from dataclasses import replace
from importlib.metadata import version

import numpy as np
import psutil
import pytest
import ray_nodes

from svhn_tune import load_data
from svhn_tune.data.cache import share_arrays
from svhn_tune.models.spaces import load_space
from svhn_tune.training import checkpoints
from svhn_tune.training.machines import ThisMachine, open_machines
from svhn_tune.training.runs import Run, Setup
from svhn_tune.training.workers import WorkerError, Workers

EPOCHS = 300


@pytest.fixture(scope="module")
def cluster():
    """Two nodes of one CPU each, beside the head."""
    with ray_nodes.started(1, 1) as nodes:
        yield nodes


@pytest.fixture(scope="module")
def notes():
    """What a person was told of the cluster."""
    return []


@pytest.fixture(scope="module")
def of_cluster(cluster, notes):
    with open_machines(None, cluster.address, note=notes.append) as machines:
        yield machines


@pytest.fixture(params=["this machine", "cluster"])
def machines(request):
    """Two places to train: processes of this machine, or actors on two nodes."""
    if request.param == "cluster":
        return request.getfixturevalue("of_cluster")
    return ThisMachine(2)


@pytest.fixture
def setup(archives):
    data = load_data(archives)
    index = np.arange(64)
    return Setup(
        space=load_space("cnn"),
        arrays=share_arrays(data),
        fingerprint=data.fingerprint,
        train_index=index,
        validate_on=index,
        test_at_end=True,
    )


def make_run(setup, folder, number, epochs=EPOCHS, **changes):
    run = Run(
        stage="confirm",
        trial=number,
        root=number,
        run=0,
        seed=number,
        values=setup.space.baseline,
        epochs=epochs,
        checkpoint=folder / "checkpoints" / f"{number}.npz",
        model_file=folder / f"{number}.keras",
    )
    return replace(run, **changes)


def train(pool, *runs):
    """All events until these runs, and those in training, have ended."""
    waiting, seen = list(runs), []
    while waiting or pool.running:
        while waiting and pool.free:
            pool.submit(waiting.pop(0))
        seen += pool.events(timeout=1)
    return seen


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


def wait_for(pool, *files):
    """Until the checkpoints of runs are on the disk."""
    while not all(file.exists() for file in files):
        assert all(event.kind == "epoch" for event in pool.events(timeout=1))


@pytest.fixture
def calm(setup, tmp_path):
    """A function: the hash of the weights of a run that nothing disturbs, on this machine."""

    def find(*runs):
        with ThisMachine(1).open(setup) as pool:
            alone = [replace(run, checkpoint=tmp_path / "calm.npz") for run in runs]
            return [event.outcome.weights_sha256 for event in train(pool, *alone) if event.outcome]

    return find


def test_what_is_told_is_on_the_disk_and_runs_are_side_by_side(machines, setup, tmp_path, calm):
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
    assert [ends[run.key] for run in runs] == calm(*runs)


def test_what_an_engine_raises_reaches_the_parent_with_its_traceback(machines, setup, tmp_path):
    run = make_run(setup, tmp_path, 0, values={"dropout": "much"})
    with (
        machines.open(setup) as pool,
        pytest.raises(WorkerError, match=r"trial 0 .*raised\nTraceback"),
    ):
        train(pool, run)


def test_a_run_that_pauses_goes_on_anywhere_and_ends_the_same(
    machines, of_cluster, setup, tmp_path, calm
):
    run = make_run(setup, tmp_path, 0, epochs=2000)
    with machines.open(setup) as pool:
        pool.submit(run)
        wait_for(pool, run.checkpoint)
        pool.pause()
        assert train(pool)[-1].kind == "paused"
    owner = run.owner | setup.owner
    trained = len(checkpoints.read_history(run.checkpoint, owner, run.epochs))
    assert 0 < trained < run.epochs
    for each in (ThisMachine(1), of_cluster):
        run = replace(run, epochs=trained + 5)
        with each.open(setup, 1) as pool:
            told = train(pool, run)
        epochs = [event.epochs for event in told if event.kind == "epoch"]
        assert epochs == list(range(trained + 1, trained + 6))
        trained += 5
    assert [told[-1].outcome.weights_sha256] == calm(run)


def train_on(pool, run):
    """Until the run has brought another checkpoint from where it is; the node."""
    before = run.checkpoint.stat().st_mtime_ns if run.checkpoint.exists() else 0
    where = None
    while not where or run.checkpoint.stat().st_mtime_ns == before:
        where = pool._actors[0].node if pool._actors and run.checkpoint.exists() else None
        assert all(event.kind == "epoch" for event in pool.events(timeout=1))
    return where


def test_the_run_of_a_node_that_is_killed_goes_on_elsewhere_and_ends_the_same(
    cluster, of_cluster, notes, setup, tmp_path, calm, capfd
):
    run = make_run(setup, tmp_path, 0, epochs=1500)
    with of_cluster.open(setup, 1) as pool:
        pool.submit(run)
        first = train_on(pool, run)
        cluster.lose(cluster.find(first.id))
        (*_, end) = train(pool)
    assert end.kind == "done"
    assert f"node {first.name} is gone" in notes
    assert [end.outcome.weights_sha256] == calm(run)
    assert capfd.readouterr().out == ""


def test_a_node_that_joins_is_used_and_one_with_other_versions_is_refused_by_name(
    cluster, of_cluster, notes, setup, tmp_path
):
    # One of them was begun with two threads, on one machine.
    runs = [make_run(setup, tmp_path, number, threads=1 + number // 2) for number in range(3)]
    other = tmp_path / "other" / "svhn_tune-9.9.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: svhn_tune\nVersion: 9.9\n")
    path = os.pathsep.join([str(other.parent), os.environ["PYTHONPATH"]])
    with of_cluster.open(setup) as pool:
        before = pool.free
        cluster.add(1)
        refused = cluster.add(1, PYTHONPATH=path)
        while pool.free == before or not any("9.9" in note for note in notes):
            list(pool.events(timeout=1))
        assert pool.free == before + 1
        train(pool, *runs)
    assert all(run.model_file.exists() for run in runs)
    (note,) = (note for note in notes if "9.9" in note)
    assert note.startswith(
        f"node {socket.gethostname()} {refused.node_id[:6]} is not used: it has "
    )
    assert f"svhn_tune 9.9, this machine svhn_tune {version('svhn_tune')}" in note


def test_a_run_that_brings_its_worker_down_three_times_fails(machines, setup, tmp_path):
    run = make_run(setup, tmp_path, 0, epochs=20_000)
    killed = set()
    with machines.open(setup, 1) as pool:
        pool.submit(run)
        events = []
        while pool.running:
            events += pool.events(timeout=0.2)
            for process in find_trainers(pool) - killed:
                if run.checkpoint.exists():
                    process.kill()
                    killed.add(process)
    assert events[-1].kind == "failed"
    assert "its worker died 3 times" in events[-1].reason
    assert len(killed) >= 3
