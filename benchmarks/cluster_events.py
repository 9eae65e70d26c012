"""How many actors one parent can lead: a search whose runs train nothing, on a real Ray cluster.

    python benchmarks/cluster_events.py [--actors 1000] [--trials 400] [--tuner halving]

All of the parent is real: it asks the oracle, hands out runs, waits for all its actors at once,
writes the checkpoint of each epoch (1.2 MB, the baseline's) and the journal, and tells. What stands
for the actors are threads of four, each of which answers at once for its share. It prints what the
parent does in a second, and to how many actors that is enough, by what a run of theirs takes.
"""

import argparse
import os
import platform
import queue
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import ray

from svhn_tune import search
from svhn_tune.journal.record_types import RunRecord
from svhn_tune.machines.nodes import Node
from svhn_tune.machines.remote import Actor
from svhn_tune.machines.trainer import Parcel
from svhn_tune.progress.progress import Progress
from svhn_tune.project.project import Project
from svhn_tune.training.runs import Event, Outcome, Run

PROCESSES = 4
CHECKPOINT = 1_200_000
EPOCH = {"loss": 1.0, "categorical_accuracy": 0.5, "val_loss": 1.0, "seconds": 1.0}


class Answers:
    """Stands for many trainers: every epoch of a run is told as soon as it is asked for."""

    def __init__(self, count: int) -> None:
        self._parcels: list[queue.SimpleQueue[list[Parcel]]] = []
        self._parcels = [queue.SimpleQueue() for _ in range(count)]
        self._trained: dict[Any, int] = {}
        self._checkpoint = np.zeros(CHECKPOINT, np.uint8)

    def train(self, number: int, _: int, runs: list[Run], __: object) -> None:
        """Queue what training would tell, an epoch and its checkpoint at a time."""
        (run,) = runs
        score = np.random.default_rng(run.seed).random()
        epoch = EPOCH | {"val_categorical_accuracy": float(score)}
        for done in range(self._trained.get(run.key, 0), run.epochs):
            told = Event("epoch", run, metrics=epoch, epochs=done + 1)
            parcels = [Parcel("checkpoint", self._checkpoint, run.key), Parcel("event", told)]
            self._parcels[number].put(parcels)
        self._trained[run.key] = run.epochs
        predicted = np.arange(100, dtype=np.uint8) % 10
        outcome = Outcome([epoch] * run.epochs, False, 411_336, predicted, {}, "CPU", "0" * 64)
        self._parcels[number].put([Parcel("event", Event("done", run, outcome=outcome))])

    def collect(self, number: int) -> list[Parcel]:
        """What is next."""
        return self._parcels[number].get()

    def nothing(self, number: int, *_: object) -> None:
        """It is there; it pauses; it leaves."""


class Counter(Progress):
    """Counts what happens, from when the first run is handed out to the last end."""

    def __init__(self) -> None:
        self.epochs = self.runs = 0
        self.begun = self.ended = self.worked = 0.0
        self._before = 0.0

    def begin_run(self, run: Run) -> None:
        """The clock starts."""
        if not self.begun:
            self.begun, self._before = time.perf_counter(), time.process_time()

    def end_epoch(self, run: Run, epochs: int, metrics: dict[str, float]) -> None:
        """One more."""
        self.epochs += 1

    def end_run(self, project: Project, record: RunRecord) -> None:
        """One more."""
        self.runs += 1
        self.ended, self.worked = time.perf_counter(), time.process_time() - self._before


def stand_in(actors: int) -> None:
    """From here on a cluster has so many actors."""
    share = -(-actors // PROCESSES)
    made: list[Any] = []

    def start(node: Node, *_: object) -> Actor:
        number = len(made)
        if number % share == 0:
            options = {"num_cpus": 0, "max_concurrency": share + 50}
            served = ray.remote(Answers).options(**options).remote(share)
        else:
            served = made[-1]
        made.append(served)

        def call(name: str) -> Any:
            method = getattr(served, name)
            return SimpleNamespace(remote=lambda *given: method.remote(number % share, *given))

        handle = SimpleNamespace(train=call("train"), collect=call("collect"))
        handle.pause = handle.leave = handle.is_ready = call("nothing")
        return Actor(handle, node, handle.is_ready.remote(), handle.collect.remote())

    actors.start = start  # type: ignore[attr-defined]
    # The end of the cluster is theirs.
    Actor.kill = lambda actor: None  # type: ignore[assignment, method-assign]


def main() -> None:
    """Search, and print the rates."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--actors", type=int, default=1000)
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--tuner", default="halving")
    options = parser.parse_args()
    stand_in(options.actors)
    counter = Counter()
    with tempfile.TemporaryDirectory() as folder:
        search(
            "cnn",
            "builtin",
            project=Path(folder) / "cnn",
            cluster="auto",
            workers=options.actors,
            tuner=options.tuner,
            max_trials=options.trials,
            progress=counter,
        )
    seconds, busy = counter.ended - counter.begun, counter.worked
    runs, epochs = counter.runs / seconds, counter.epochs / seconds
    print(f"{platform.machine()}, {os.cpu_count()} cores, ray {version('ray')}, {options.tuner}")
    print(
        f"{options.actors:,} actors: {counter.runs:,} runs and {counter.epochs:,} epochs in "
        f"{seconds:.1f} s, of which the parent computed {busy:.1f} s: {runs:.1f} runs a second "
        f"asked for, written down and told, with {epochs:.1f} epochs and their checkpoints"
    )
    for length in (60, 600):
        print(f"runs of {length} s: up to {runs * length:,.0f} actors")


if __name__ == "__main__":
    main()
