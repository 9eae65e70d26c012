"""Kills at any instant: the continued project is the one that was never killed.

`benchmarks/survival.py` does the same 200 times.
"""

import random
import signal
import subprocess
import time

import pytest

from benchmarks.survival import command, read_result, survive
from svhn_tune.project import open_project

KILLS = 10


@pytest.mark.timeout(600)
@pytest.mark.parametrize("tuner", ["hyperband", "bayesian"])
def test_a_search_killed_again_and_again_ends_as_one_never_killed(tuner, archives, tmp_path):
    calm = tmp_path / "calm"
    subprocess.run(command(calm, str(archives), tuner), check=True, capture_output=True)
    expected = read_result(calm)
    chance = random.Random(11)
    kills = rounds = 0
    while kills < KILLS:
        folder = tmp_path / f"killed-{rounds}"
        done, lost = survive(folder, str(archives), tuner, KILLS - kills, chance)
        kills, rounds = kills + done, rounds + 1
        assert lost == 0
        assert read_result(folder) == expected


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_saves_what_is_whole_and_the_same_command_goes_on(number, archives, tmp_path):
    folder = tmp_path / "cnn"
    arguments = command(folder, str(archives), "random")
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True)
    while not list((folder / "checkpoints").glob("*.npz")):
        time.sleep(0.01)
    process.send_signal(number)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "the same command goes on" in told
    assert "Traceback" not in told
    trials = len(open_project(folder).proposals())
    subprocess.run(arguments, check=True, capture_output=True)
    finished = open_project(folder)
    assert len(finished.proposals()) >= trials
    assert set(finished.trials["status"]) == {"completed"}
