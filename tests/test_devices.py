"""The GPUs of a machine, without one: a faked nvidia-smi, and workers that say what they see."""

import psutil
import pytest
from pools import make_setup

from svhn_tune.engines.devices import GIB, read_memory
from svhn_tune.training.runs import Run
from svhn_tune.training.workers import Workers


@pytest.fixture
def smi(tmp_path, monkeypatch):
    """A function that makes an `nvidia-smi` of a shell's line, of a machine with GPUs 0 and 2."""

    def make(line):
        program = tmp_path / "nvidia-smi"
        program.write_text(f"#!/bin/sh\n{line}\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2")
    return make


def test_memory_is_that_of_the_smallest_gpu_in_use(smi):
    smi('case "$*" in *--id=0,2*) echo 15360; echo 40960;; *) echo 1024;; esac')
    assert read_memory() == 15 * GIB


@pytest.mark.parametrize("line", ["echo '[N/A]'", "exit 9"])
def test_a_gpu_that_does_not_tell_counts_as_a_small_one(line, smi):
    smi(line)
    assert read_memory() == 8 * GIB


def test_without_a_gpu_memory_is_what_the_machine_has_free(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert 0 < read_memory() <= psutil.virtual_memory().total


@pytest.fixture
def setup(archives):
    return make_setup(archives, "linear", engine="cramped_engine")


def train(count, setup, runs):
    """The last event of each run, of so many workers."""
    ended = {}
    with Workers(count, setup) as workers:
        waiting = list(runs)
        while waiting or workers.running:
            while waiting and workers.free:
                workers.submit(waiting.pop(0))
            ended |= {event.run.seed: event for event in workers.events()}
    return ended


def make_run(setup, folder, seed):
    values = setup.space.baseline
    return Run("search", seed, seed, 0, seed, values, 1, folder / f"{seed}.npz")


def test_each_worker_sees_its_own_gpu(setup, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,2")
    ended = train(2, setup, [make_run(setup, tmp_path, seed) for seed in (0, 2)])
    assert {event.outcome.engines for event in ended.values()} == {("GPU 0",), ("GPU 2",)}


def test_a_run_without_room_in_three_processes_fails_and_the_others_end(setup, tmp_path):
    """A process never gives back what it took of a GPU: each time a fresh one tries."""
    odd, even = (make_run(setup, tmp_path, seed) for seed in (1, 2))
    ended = train(2, setup, [odd, even])
    assert ended[1].kind == "failed"
    said = "the device has no room for it beside 1 other worker: fewer --workers have more"
    assert ended[1].reason == said
    assert ended[2].kind == "done"
