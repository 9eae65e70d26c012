"""Searches on a Ray cluster, as people call them: parents, heads and nodes that die, and Ctrl-C."""

import os
import re
import signal
import time
from pathlib import Path

import psutil
import pytest
import ray_nodes
from forked import start_command

from benchmarks.survival import read_result
from svhn_tune import open_project, search
from svhn_tune.errors import InputError
from svhn_tune.machines.choice import open_machines
from svhn_tune.summary.status import status

SETTINGS = {"tuner": "random", "max_epochs": 12, "max_trials": 8, "train_images": 60}
pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def given(small_space, archives, monkeypatch):
    """A function: the arguments of a search in a folder, as the command line has them."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.getcwd(), ray_nodes.TESTS]))

    def make(folder, **more):
        options = {"space": small_space, "data": archives, "project": folder} | SETTINGS | more
        pairs = ((f"--{name.replace('_', '-')}", value) for name, value in options.items())
        return ["search", *(part for pair in pairs for part in pair)]

    return make


@pytest.fixture
def calm(small_space, archives, tmp_path):
    """A function: what such a search brings where nothing disturbs it."""

    def find():
        search(small_space, archives, project=tmp_path / "calm", **SETTINGS)
        return read_result(tmp_path / "calm")

    return find


def wait_for_epoch(process, folder):
    """Until a checkpoint of a run has come back."""
    while not list((folder / "checkpoints").glob("*.npz")):
        assert process.poll() is None
        time.sleep(0.01)


@pytest.fixture
def start():
    """A function that starts a command; none outlives its test, nor does its cluster."""
    started = []

    def begin(arguments, told):
        started.append(start_command(arguments, stderr=told))
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


def finish(process, told):
    """Wait for a command's end; what it printed."""
    assert process.wait(200) == 0, told.read_text()
    return told.read_text()


def listening(process):
    """The addresses at which a process and its children listen."""
    for each in [process, *process.children(recursive=True)]:
        yield from (c.laddr.ip for c in each.net_connections() if c.status == psutil.CONN_LISTEN)


def find_folder(processes):
    """Where a cluster that was started here has its files, as its processes name it."""
    (head,) = (each for each in processes if "gcs_server" in each.name())
    return Path(re.search(r"/\S*/svhn_tune-\w+", " ".join(head.cmdline()))[0])


@pytest.mark.soak
def test_a_cluster_started_here_listens_on_loopback_alone_and_ctrl_c_leaves_nothing_of_it(
    given, start, calm, tmp_path, monkeypatch
):
    monkeypatch.setenv("SOFTMAX_SECONDS", "0.3")
    folder, told = tmp_path / "cnn", tmp_path / "told.txt"
    process = start(given(folder, cluster="auto", workers=1), told)
    wait_for_epoch(process, folder)
    runs = status(open_project(folder))["progress"]["runs"]
    assert {run["node"] for run in runs} == {os.uname().nodename}
    assert {ip.removeprefix("::ffff:") for ip in listening(process)} == {"127.0.0.1"}
    everything = process.children(recursive=True)
    started = find_folder(everything)
    assert started.exists()
    process.send_signal(signal.SIGINT)
    assert process.wait(100) == 130
    assert "the same command goes on" in told.read_text()
    assert "Traceback" not in told.read_text()
    assert psutil.wait_procs(everything, timeout=20)[1] == []
    assert not started.exists()
    monkeypatch.delenv("SOFTMAX_SECONDS")
    finish(start(given(folder, cluster="auto", workers=1), told), told)
    assert read_result(folder) == calm()


@pytest.mark.soak
def test_a_parent_that_is_killed_leaves_nothing_of_a_cluster_that_it_started(
    given, start, tmp_path, monkeypatch
):
    monkeypatch.setenv("SOFTMAX_SECONDS", "0.3")
    folder, told = tmp_path / "cnn", tmp_path / "told.txt"
    process = start(given(folder, cluster="auto", workers=1), told)
    wait_for_epoch(process, folder)
    everything = process.children(recursive=True)
    assert any("raylet" in each.name() for each in everything)
    started = find_folder(everything)
    assert list(started.glob("svhn_tune-run-*"))
    process.kill()
    process.wait()
    assert psutil.wait_procs(everything, timeout=20)[1] == []
    assert not started.exists()


@pytest.mark.soak
def test_a_parent_that_is_killed_leaves_no_trainer_and_a_head_that_is_killed_one_error(
    given, start, calm, tmp_path, monkeypatch
):
    monkeypatch.setenv("SOFTMAX_SECONDS", "0.1")
    folder, told = tmp_path / "cnn", tmp_path / "told.txt"
    with ray_nodes.started(1) as nodes:
        process = start(given(folder, cluster=nodes.address), told)
        wait_for_epoch(process, folder)
        process.kill()
        process.wait()
        (node,) = nodes.cluster.worker_nodes
        end = time.monotonic() + 60
        while any("ray::Trainer" in name for name in ray_nodes.names(node)):
            assert time.monotonic() < end
            time.sleep(0.2)
        before = len(open_project(folder).ended())
        process = start(given(folder, cluster=nodes.address), told)
        while len(open_project(folder).ended()) == before:
            assert process.poll() is None
            time.sleep(0.1)
        address = nodes.address
        ray_nodes.kill(nodes.cluster.head_node)
        assert process.wait(120) == 2
    error = told.read_text().splitlines()[-1]
    assert error.startswith(f"error: the head of the cluster {address} is gone")
    assert "Traceback" not in told.read_text()
    monkeypatch.delenv("SOFTMAX_SECONDS")
    finish(start(given(folder, workers=1), told), told)
    assert read_result(folder) == calm()


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        ("head", "--cluster head must read auto, HOST:PORT or ray://HOST:PORT"),
        ("127.0.0.1:9", "no Ray cluster answers at 127.0.0.1:9"),
        ("ray://127.0.0.1:9", "no Ray cluster answers at ray://127.0.0.1:9"),
    ],
)
def test_a_cluster_that_is_not_there_is_one_line(cluster, said):
    pytest.importorskip("ray", reason="Ray is not installed")
    with pytest.raises(InputError, match=said), open_machines(None, cluster):
        pass


@pytest.mark.parametrize("gpus", [0.0, -1.0, 0.25])
def test_parts_of_gpus_are_of_a_cluster(gpus):
    with pytest.raises(InputError, match="gpus-per-run"), open_machines(1, None, gpus):
        pass
