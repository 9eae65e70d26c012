"""Kill a search again and again, at random instants, and compare it with one never killed.

    python benchmarks/survival.py [--kills 200] [--seed 0] [--tuner hyperband ...]

One worker, SIGKILL to the parent, to the worker or to both, on built-in digits. Prints the kills
survived, the completed epochs lost, the longest time that a kill cost, and whether trials, scores,
learning curves and final weights are equal bit for bit. Exit status 1 if they are not, or where a
kill cost a minute. `time_limit.py` kills runs within long epochs.
"""

import argparse
import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from svhn_tune.journal.lines import Line
from svhn_tune.models.spaces import load_space
from svhn_tune.project.checkpoints import read_checkpoint
from svhn_tune.project.results import open_project
from svhn_tune.project.wanted import TUNERS
from svhn_tune.summary.status import status

SEARCH = ("--train-images", "60", "--workers", "1")
# Hyperband promotes within 12 epochs; the others draw their first 12 trials at random.
LENGTHS = {
    "halving": ("--max-epochs", "12", "--max-trials", "18"),
    "hyperband": ("--max-epochs", "12"),
    "bayesian": ("--max-epochs", "2", "--max-trials", "18"),
    "tpe": ("--max-epochs", "2", "--max-trials", "18"),
    "random": ("--max-epochs", "12", "--max-trials", "8"),
}
LIMIT = "2 MiB"
START_UP = 6.0


def command(folder: Path, data: str, tuner: str) -> list[str]:
    """The search whose survival is tested: the space cnn, but small models only."""
    space = folder.parent / "small.toml"
    space.write_text(load_space("cnn").text.replace("238.4 MiB", LIMIT))
    return [
        *(sys.executable, "-m", "svhn_tune", "search", "--space", str(space), "--data", data),
        *("--tuner", tuner),
        *("--project", str(folder), *SEARCH, *LENGTHS[tuner]),
    ]


def read_result(folder: Path) -> list[Line]:
    """The journal without what a clock says; the final weights are in it as their hash."""
    records = [record.as_json() for record in open_project(folder).records]
    for record in records:
        record.pop("seconds", None)
        record.get("metrics", {}).pop("seconds", None)
    return [record for record in records if record["event"] not in ("begin", "session")]


def completed_epochs(folder: Path) -> int:
    """Epochs whose end is on the disk: in the journal, or in a checkpoint that is still needed."""
    if not (folder / "journal.jsonl").exists():
        return 0
    project = open_project(folder)
    ended = {record.trial for record in project.ended("search")}
    epochs = int(status(project)["epochs_trained"])
    for proposal in project.proposals():
        if proposal.trial not in ended:
            root = project.root(proposal.trial)
            history = read_checkpoint(project, "search", root, 0, proposal.epochs)
            epochs += max(len(history) - proposal.initial_epoch, 0)
    return epochs


def start(folder: Path, data: str, tuner: str) -> psutil.Popen:
    """The search in a process of its own."""
    arguments = command(folder, data, tuner)
    return psutil.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def kill_once(folder: Path, begin: Callable[[], Any], chance: random.Random) -> tuple[float, bool]:
    """Start the search, kill something at a random instant.

    Returns:
        The seconds since the project was written to, or else since the start, and whether all had
        ended.
    """
    started = time.time()
    process = begin()
    _wait_for_instant(process, folder, chance)
    try:
        workers = [
            c for c in process.children(recursive=True) if "spawn_main" in " ".join(c.cmdline())
        ]
    except psutil.Error:
        workers = []
    victim = chance.choice(["parent", "worker", "both"])
    seconds = _seconds_unsaved(folder, started)
    if victim != "worker":
        _kill(process.pid)
    if victim != "parent":
        for worker in workers:
            _kill(worker.pid)
    if victim == "worker":
        # The parent replaces it and goes on: let it, then end the parent at another instant.
        _wait_for_instant(process, folder, chance)
        finished = process.poll() == 0
        seconds = max(seconds, _seconds_unsaved(folder, started))
        _kill(process.pid)
    else:
        finished = process.poll() == 0
    process.wait()
    return 0.0 if finished else seconds, finished


def _seconds_unsaved(folder: Path, started: float) -> float:
    written = [time_ns / 1e9 for _, time_ns in _written(folder)]
    return time.time() - max([started, *written])


def _wait_for_instant(process: Any, folder: Path, chance: random.Random) -> None:
    """Until a moment after the next epoch or line of the journal, or one of the start-up."""
    if chance.random() < 0.2:
        time.sleep(chance.uniform(0, START_UP))
        return
    before, deadline = _written(folder), time.monotonic() + 60
    while _written(folder) == before and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(chance.choice([0, 0.001, 0.01, 0.1, 0.5]) * chance.random())


def _written(folder: Path) -> list[tuple[str, int]]:
    """What is written in the project, with the time of each file."""
    found = []
    for path in [folder / "journal.jsonl", *(folder / "checkpoints").glob("*")]:
        try:
            found.append((path.name, path.stat().st_mtime_ns))
        except FileNotFoundError:
            continue
    return found


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def survive(
    folder: Path, begin: Callable[[], Any], kills: int, chance: random.Random
) -> tuple[int, int, float]:
    """Kill the search `kills` times or until it is done, then let it end.

    Args:
        folder: its project.
        begin: starts it, or goes on with it, in a process of its own.
        kills: how often at most.
        chance: draws what is killed, and when.

    Returns:
        The kills, the completed epochs that they lost, and the most seconds that one cost, from
        starting up or what was last written to the kill.
    """
    done = lost = before = 0
    most = 0.0
    while done < kills:
        seconds, finished = kill_once(folder, begin, chance)
        most = max(most, seconds)
        after = completed_epochs(folder)
        lost, before = lost + max(0, before - after), after
        if finished:
            break
        done += 1
    if code := begin().wait():
        raise RuntimeError(f"the search of {folder} ended with status {code}")
    return done, lost, most


def main() -> None:
    """Kill until the number is reached; compare each project's end with the uninterrupted one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", default="builtin")
    parser.add_argument("--tuner", nargs="+", default=TUNERS)
    options = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, one worker")
    chance = random.Random(options.seed)
    total = total_lost = different = 0
    most = 0.0
    for tuner in options.tuner:
        wanted, rounds = options.kills // len(options.tuner), 0
        with tempfile.TemporaryDirectory() as place:
            calm = Path(place) / "calm"
            subprocess.run(
                command(calm, options.data, tuner), check=True, stderr=subprocess.DEVNULL
            )
            expected = read_result(calm)
            while wanted > 0:
                folder = Path(place) / f"killed-{rounds}"
                begin = partial(start, folder, options.data, tuner)
                kills, lost, seconds = survive(folder, begin, wanted, chance)
                same = read_result(folder) == expected
                print(f"{tuner}: {kills} kills, {'equal' if same else 'DIFFERENT'}", flush=True)
                wanted, rounds = wanted - kills, rounds + 1
                total, total_lost = total + kills, total_lost + lost
                most = max(most, seconds)
                different += not same
    print(
        f"{total} kills survived, {total_lost} completed epochs lost, {different} projects differ; "
        f"one cost {most:.1f} s at most, starting up included"
    )
    sys.exit(bool(different or total_lost or most > 60))


if __name__ == "__main__":
    main()
