"""Kills at any instant: the continued project is the one that was never killed.

`benchmarks/survival.py` does the same 200 times, with TensorFlow.
"""

import json
import os
import random
import resource
import signal
import subprocess
import time
import zipfile

import psutil
import pytest
import softmax_engine
from conftest import train_by_tensorflow
from forked import start_command, start_search, start_server

from benchmarks import survival
from benchmarks.survival import command, read_result, survive
from svhn_tune import search
from svhn_tune.engines.checkpoints import ABOUT
from svhn_tune.project.results import open_project

# Halving and Hyperband promote within 12 epochs; those that learn draw their first 12 at random.
SETTINGS = {
    "halving": {"max_epochs": 12, "max_trials": 18},
    "hyperband": {"max_epochs": 12},
    "bayesian": {"max_epochs": 2, "max_trials": 18},
    "tpe": {"max_epochs": 2, "max_trials": 18},
    "random": {"max_epochs": 12, "max_trials": 8},
}


def arguments(folder, space, data, tuner):
    """Of `search`, for a project in this folder."""
    given = {"space": space, "data": data, "project": folder, "tuner": tuner}
    return given | SETTINGS[tuner] | {"train_images": 60}


def kill_and_compare(begin, tmp_path, expected, wanted, chance):
    """Kill searches until it was done often enough; each ends as expected, and lost nothing."""
    kills = rounds = 0
    while kills < wanted:
        folder = tmp_path / f"killed-{rounds}"
        done, lost, _ = survive(folder, lambda f=folder: begin(f), wanted - kills, chance)
        kills, rounds = kills + done, rounds + 1
        assert lost == 0
        assert read_result(folder) == expected


@pytest.mark.parametrize(
    ("tuner", "wanted"),
    [
        *(("hyperband", 1), ("tpe", 1)),
        pytest.param("halving", 1, marks=pytest.mark.slow),
        # It proposes by what is in the journal, as the one before does.
        pytest.param("bayesian", 1, marks=pytest.mark.soak),
        *(
            pytest.param(tuner, 20, marks=pytest.mark.soak)
            for tuner in ("halving", "hyperband", "bayesian", "tpe")
        ),
    ],
)
def test_a_search_killed_again_and_again_ends_as_one_never_killed(
    tuner, wanted, small_space, archives, tmp_path, monkeypatch
):
    monkeypatch.setattr(survival, "START_UP", 1.0)
    search(**arguments(tmp_path / "calm", small_space, archives, tuner))

    def begin(folder):
        return start_search(**arguments(folder, small_space, archives, tuner))

    expected = read_result(tmp_path / "calm")
    kill_and_compare(begin, tmp_path, expected, wanted, random.Random(11))


@pytest.mark.usefixtures("tensorflow")
def test_a_search_by_tensorflow_killed_in_a_run_ends_as_one_never_killed(
    small_space, archives, tmp_path, monkeypatch
):
    monkeypatch.setitem(SETTINGS, "random", {"max_epochs": 3, "max_trials": 2})
    given = arguments(tmp_path / "killed", small_space, archives, "random")
    process = start_search(**given)
    while not list((tmp_path / "killed" / "checkpoints").glob("*.npz")):
        assert process.poll() is None
        time.sleep(0.001)
    for each in [process, *process.children()]:
        each.kill()
    process.wait()
    with train_by_tensorflow():
        search(**given)
        search(**given | {"project": tmp_path / "calm"})
    assert read_result(tmp_path / "killed") == read_result(tmp_path / "calm")


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("tuner", "wanted"), [("hyperband", 10), ("bayesian", 6), ("tpe", 6)])
def test_the_very_command_survives_kills(tuner, wanted, archives, tmp_path):
    """With its imports, its workers by TensorFlow and its report."""
    calm = tmp_path / "calm"
    subprocess.run(command(calm, str(archives), tuner), check=True, capture_output=True)

    def begin(folder):
        return survival.start(folder, str(archives), tuner)

    kill_and_compare(begin, tmp_path, read_result(calm), wanted, random.Random(11))


@pytest.fixture
def options(small_space, archives):
    """The command line of a search in a folder: 8 trials of 12 epochs, at random."""

    def make(folder):
        given = {"--space": small_space, "--data": archives, "--project": folder}
        given |= {"--tuner": "random", "--max-epochs": 12, "--max-trials": 8}
        given |= {"--train-images": 60, "--workers": 1}
        return ["search", *(part for pair in given.items() for part in pair)]

    return make


@pytest.fixture
def finish(small_space, archives):
    """A function that goes on with such a search to its end."""

    def run(folder):
        return search(**arguments(folder, small_space, archives, "random"))

    return run


def interrupt(arguments, folder, number):
    """Start the command and send the signal once an epoch is trained; what it printed."""
    told = folder.with_suffix(".txt")
    process = start_command(arguments, stderr=told)
    while not list((folder / "checkpoints").glob("*.npz")):
        assert process.poll() is None
        time.sleep(0.001)
    process.send_signal(number)
    assert process.wait(60) == 130
    assert "Traceback" not in told.read_text()
    return told.read_text()


def read_places(folder):
    """Epochs and batches of each checkpoint."""
    places = []
    for path in (folder / "checkpoints").glob("[!.]*.npz"):
        with zipfile.ZipFile(path) as archive:
            about = json.loads(archive.read(ABOUT).partition(b"\n")[2])
        places.append((len(about["history"]), about["within"].get("batches", 0)))
    return places


@pytest.mark.usefixtures("spawned")
def test_within_an_epoch_a_time_limit_a_kill_and_ctrl_c_leave_what_goes_on_alike(
    small_space, archives, tmp_path, monkeypatch
):
    """The first epoch, of 17 batches, takes 5 s; it is stopped at the eighth or so."""
    folder, calm = tmp_path / "killed", tmp_path / "calm"
    given = {"space": small_space, "data": archives, "tuner": "random"}
    given |= {"max_trials": 1, "max_epochs": 2}
    start_server()
    monkeypatch.setenv(softmax_engine.SLOWNESS, "0.3")
    search(**given, project=folder, time_limit=0.01)
    ((epochs, batches),) = read_places(folder)
    assert epochs == 0
    assert batches > 0
    process = start_search(**given, project=folder)
    time.sleep(1.2)
    for each in [process, *process.children()]:
        each.kill()
    process.wait()
    assert read_places(folder) == [(0, batches)]
    process = start_search(**given, project=folder)
    while not (workers := process.children()):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.wait(60)
    # One that had only just begun sees a little later that its parent is gone.
    assert psutil.wait_procs(workers, timeout=20)[1] == []
    assert read_places(folder) >= [(0, batches)]
    monkeypatch.delenv(softmax_engine.SLOWNESS)
    search(**given, project=folder)
    search(**given, project=calm)
    assert read_result(folder) == read_result(calm)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_saves_what_is_whole_and_the_same_command_goes_on(
    number, options, finish, tmp_path
):
    folder = tmp_path / "cnn"
    assert "the same command goes on" in interrupt(options(folder), folder, number)
    trials = len(open_project(folder).proposals())
    finished = finish(folder)
    assert len(finished.proposals()) >= trials
    assert set(finished.trials["status"]) == {"completed"}


def test_a_checkpoint_that_was_cut_short_costs_its_epochs_only(options, finish, tmp_path):
    interrupt(options(tmp_path / "cut"), tmp_path / "cut", signal.SIGINT)
    for path in (tmp_path / "cut" / "checkpoints").glob("*.npz"):
        os.truncate(path, path.stat().st_size // 2)
    for name in ("cut", "calm"):
        finish(tmp_path / name)
    assert read_result(tmp_path / "cut") == read_result(tmp_path / "calm")


@pytest.mark.parametrize("room", [2_000, 50_000])
def test_a_full_disk_is_one_error_and_the_search_goes_on_once_there_is_room(
    room, options, finish, tmp_path
):
    """A limit on the size of files: 2 kB stops the settings or the journal, 50 kB checkpoints."""
    folder, told = tmp_path / "cnn", tmp_path / "told.txt"
    process = start_command(options(folder), stderr=told)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (room, room))
    assert process.wait(60) == 2
    assert told.read_text().splitlines()[-1].startswith("error: cannot write ")
    assert "Traceback" not in told.read_text()
    assert set(finish(folder).trials["status"]) == {"completed"}
