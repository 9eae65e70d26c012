"""Nodes of a cluster that die by SIGKILL, that join, and that are refused.

They are processes of this machine. Ray takes its time to notice what became of them.
"""

import os
import socket
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import ray_nodes
from pools import ENDLESS, make_run, make_setup, pause, train, train_alone, wait_for_epoch

from svhn_tune.machines.choice import open_machines

pytestmark = [pytest.mark.soak, pytest.mark.timeout(60)]


@pytest.fixture
def setup(archives):
    return make_setup(archives, test_at_end=True)


def find_nodes(pool):
    """The ids of the nodes that have an actor."""
    return {actor.node.id for actor in pool._actors}


def test_the_run_of_a_node_that_is_killed_goes_on_elsewhere_and_ends_the_same(
    setup, tmp_path, capfd
):
    notes = []
    run = make_run(setup, tmp_path, 0, ENDLESS)
    with (
        ray_nodes.started(1, 1) as nodes,
        open_machines(None, nodes.address, note=notes.append) as machines,
    ):
        with machines.open(setup, 1) as pool:
            pool.submit(run)
            wait_for_epoch(pool)
            name = pool.nodes[run.key]
            (first,) = find_nodes(pool)
            nodes.lose(nodes.find(first))
            while find_nodes(pool) <= {first}:
                list(pool.events(timeout=1))
            wait_for_epoch(pool)
            assert pool.nodes[run.key] != name
            trained = pause(pool, setup, run)
        run = make_run(setup, tmp_path, 0, trained + 5)
        with machines.open(setup, 1) as pool:
            (*_, end) = train(pool, run)
    assert f"node {name} is gone" in notes
    assert [end.outcome.weights_sha256] == train_alone(setup, tmp_path, run)
    assert capfd.readouterr().out == ""


def test_a_node_that_joins_is_used_and_one_with_other_versions_is_refused_by_name(
    setup, tmp_path, monkeypatch
):
    notes = []
    # Workers look where their parent is and looks before they look in PYTHONPATH; among sources
    # that were built lies the package's metadata, and with it the version.
    monkeypatch.chdir(tmp_path)
    built = [each for each in sys.path if Path(each, "svhn_tune.egg-info").exists()]
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each not in built])
    # One of them was begun with two threads, on one machine.
    runs = [make_run(setup, tmp_path, number, 300, threads=1 + number // 2) for number in range(3)]
    other = tmp_path / "other" / "svhn_tune-9.9.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: svhn_tune\nVersion: 9.9\n")
    with (
        ray_nodes.started(1) as nodes,
        open_machines(None, nodes.address, note=notes.append) as machines,
        machines.open(setup) as pool,
    ):
        path = os.pathsep.join([str(other.parent), os.environ["PYTHONPATH"]])
        joined = nodes.add(1)
        refused = nodes.add(1, PYTHONPATH=path)
        while joined.node_id not in find_nodes(pool) or not notes:
            list(pool.events(timeout=1))
        assert pool.free == 2
        train(pool, *runs)
    assert all(run.model_file.exists() for run in runs)
    (note,) = notes
    assert note.startswith(
        f"node {socket.gethostname()} {refused.node_id[:6]} is not used: it has "
    )
    assert f"svhn_tune 9.9, this machine svhn_tune {version('svhn_tune')}" in note


def test_parts_of_a_gpu_are_as_many_runs_on_it_and_a_node_without_one_has_none(setup, tmp_path):
    runs = [make_run(setup, tmp_path, number, ENDLESS) for number in range(4)]
    with ray_nodes.started(2) as nodes:
        given = nodes.add(8, gpus=1)
        with (
            open_machines(None, nodes.address, 0.25) as machines,
            machines.open(setup) as pool,
        ):
            assert machines.count == pool.free == 4
            for run in runs:
                pool.submit(run)
            trained = set()
            while len(trained) < 4:
                trained |= {event.run.key for event in pool.events() if event.kind == "epoch"}
            assert find_nodes(pool) == {given.node_id}
            pool.pause()
