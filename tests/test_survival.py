"""Kills at any instant: the continued project is the one that was never killed.

`benchmarks/survival.py` does the same 200 times.
"""

import os
import random
import resource
import signal
import subprocess
import time

import pytest

from benchmarks.survival import command, read_result, survive
from svhn_tune.project.results import open_project


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("tuner", "wanted"), [("hyperband", 10), ("bayesian", 6), ("tpe", 6)])
def test_a_search_killed_again_and_again_ends_as_one_never_killed(
    tuner, wanted, archives, tmp_path
):
    calm = tmp_path / "calm"
    subprocess.run(command(calm, str(archives), tuner), check=True, capture_output=True)
    expected = read_result(calm)
    chance = random.Random(11)
    kills = rounds = 0
    while kills < wanted:
        folder = tmp_path / f"killed-{rounds}"
        done, lost = survive(folder, str(archives), tuner, wanted - kills, chance)
        kills, rounds = kills + done, rounds + 1
        assert lost == 0
        assert read_result(folder) == expected


def interrupt(arguments, folder, number):
    """Start the command and send the signal once an epoch is trained; what it printed."""
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
    while not list((folder / "checkpoints").glob("*.npz")):
        time.sleep(0.01)
    process.send_signal(number)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in told
    return told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_saves_what_is_whole_and_the_same_command_goes_on(number, archives, tmp_path):
    folder = tmp_path / "cnn"
    arguments = command(folder, str(archives), "random")
    assert "the same command goes on" in interrupt(arguments, folder, number)
    trials = len(open_project(folder).proposals())
    subprocess.run(arguments, check=True, capture_output=True)
    finished = open_project(folder)
    assert len(finished.proposals()) >= trials
    assert set(finished.trials["status"]) == {"completed"}


def test_a_checkpoint_that_was_cut_short_costs_its_epochs_only(archives, tmp_path):
    arguments = command(tmp_path / "cut", str(archives), "random")
    interrupt(arguments, tmp_path / "cut", signal.SIGINT)
    for path in (tmp_path / "cut" / "checkpoints").glob("*.npz"):
        os.truncate(path, path.stat().st_size // 2)
    calm = command(tmp_path / "calm", str(archives), "random")
    for each in (arguments, calm):
        subprocess.run(each, check=True, capture_output=True)
    assert read_result(tmp_path / "cut") == read_result(tmp_path / "calm")


@pytest.mark.parametrize("room", [2_000, 100_000])
def test_a_full_disk_is_one_error_and_the_search_goes_on_once_there_is_room(
    room, archives, tmp_path
):
    """A limit on the size of files: 2 kB stops the settings or the journal, 100 kB checkpoints."""
    folder = tmp_path / "cnn"
    arguments = command(folder, str(archives), "random")
    full = subprocess.run(
        arguments,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )
    assert full.returncode == 2
    assert full.stderr.splitlines()[-1].startswith("error: cannot write ")
    assert "Traceback" not in full.stderr
    subprocess.run(arguments, check=True, capture_output=True)
    assert set(open_project(folder).trials["status"]) == {"completed"}
