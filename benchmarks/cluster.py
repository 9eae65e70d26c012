"""What a cluster survives, and what it costs.

    python benchmarks/cluster.py losses [--losses 20] [--seed 0]
    python benchmarks/cluster.py overhead [--epochs 2] [--repeats 3]

`losses` kills nodes of a Ray cluster on this machine at random instants, each by SIGKILL of all its
processes, while searches train on it by softmax regression (tests/softmax_engine.py); another node
takes the place of each. It prints the longest training that a loss cost, and whether every record's
run, trained again alone on this machine, ends with the same weights. Exit status 1 if not, if a run
failed, or where a minute was lost.

`overhead` trains the same runs by TensorFlow in two local workers and in two actors, in turn.
cluster_events.py says how many nodes one parent can lead.
"""

import argparse
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from throughput import make_runs, make_setup, train_in_workers

from svhn_tune import load_data, search
from svhn_tune.engines import engine
from svhn_tune.journal.record_types import RunRecord
from svhn_tune.machines.choice import ThisMachine, open_machines
from svhn_tune.progress.progress import Progress
from svhn_tune.project.project import Project
from svhn_tune.stages.search import _make_setup
from svhn_tune.training.pool import Machines
from svhn_tune.training.runs import Key, Run, Setup

TESTS = Path(__file__).parents[1] / "tests"
NODES = 3
SEARCH: dict[str, Any] = {
    "tuner": "halving",
    "max_trials": 40,
    "max_epochs": 27,
}


class Killer(Progress):
    """Kills the node of a run that is in training, again and again, and starts another one.

    Args:
        nodes: the cluster's.
        losses: how many nodes it kills.
        chance: draws which and when.
    """

    def __init__(self, nodes: Any, losses: int, chance: random.Random) -> None:
        self.left, self.cost, self.failed = losses, 0.0, 0
        self._nodes, self._chance = nodes, chance
        self._places: Mapping[Key, str] = {}
        self._next = time.monotonic() + 5
        self._saved: dict[Key, float] = {}

    def begin_run(self, run: Run) -> None:
        """From here on it has something to lose."""
        self._saved[run.key] = time.monotonic()

    def place_runs(self, nodes: Mapping[Key, str]) -> None:
        """Remember who trains where."""
        self._places = dict(nodes)

    def end_epoch(self, run: Run, epochs: int, metrics: dict[str, float]) -> None:
        """What is told is on the parent's disk; now and then a node dies."""
        now = self._saved[run.key] = time.monotonic()
        if self.left and now > self._next and self._places:
            self._kill()
            self._next = time.monotonic() + self._chance.uniform(1, 6)

    def end_run(self, project: Project, record: RunRecord) -> None:
        """A failed run would be one that a node's loss was blamed on."""
        self.failed += record.status == "failed"

    def _kill(self) -> None:
        victim = self._chance.choice(sorted(self._nodes.cluster.worker_nodes, key=id))
        time.sleep(self._chance.uniform(0, 0.5))
        others = {node.node_id[:6] for node in self._nodes.cluster.worker_nodes - {victim}}
        # The first node of a machine goes by the machine's name alone.
        lost = [key for key, name in self._places.items() if name[-6:] not in others]
        now = time.monotonic()
        self._nodes.lose(victim)
        self.cost = max([self.cost, *(now - self._saved[key] for key in lost)])
        self.left -= 1
        self._nodes.add(1)


def lose_nodes(losses: int, seed: int) -> bool:
    """Lose so many nodes in searches; whether nothing was lost with them."""
    ray_nodes = import_module("ray_nodes")
    chance, done, number, most, is_same = random.Random(seed), 0, 0, 0.0, True
    with (
        tempfile.TemporaryDirectory() as folder,
        ray_nodes.started(*[1] * NODES) as nodes,
    ):
        while done < losses:
            killer = Killer(nodes, losses - done, chance)
            place = Path(folder) / f"lost-{number}"
            project = search(
                "cnn",
                "builtin",
                project=place,
                cluster=nodes.address,
                progress=killer,
                seed=number,
                train_images=400,
                **SEARCH,
            )
            done, number, most = losses - killer.left, number + 1, max(most, killer.cost)
            is_same = is_same and not killer.failed and repeats(project)
            print(
                f"{done} nodes lost, {len(project.ended())} runs, equal alone: {is_same}",
                flush=True,
            )
    minutes = int(most // 60)
    print(f"longest training that a loss cost: {most:.1f} s; completed minutes lost: {minutes}")
    return is_same and most < 60


def repeats(project: Project) -> bool:
    """Whether every run, trained again alone on this machine, brings its record's weights."""
    setup = _make_setup(project, load_data("builtin", project.space.data))
    ended = project.ended("search")
    with tempfile.TemporaryDirectory() as folder, ThisMachine(1).open(setup) as pool:
        for record in ended:
            pool.submit(
                Run(
                    "search",
                    record.trial,
                    record.root,
                    0,
                    record.seed,
                    record.values,
                    record.epochs,
                    Path(folder) / f"{record.trial}.npz",
                )
            )
            while pool.running:
                for event in pool.events():
                    if event.outcome and event.outcome.weights_sha256 != record.weights_sha256:
                        return False
    return True


def compare(epochs: int, repeats: int) -> None:
    """Print what two actors train in the time of two local workers."""
    setup = make_setup(8_000)
    shares = []
    with open_machines(2, "auto") as cluster:
        for _ in range(repeats):
            local = time_pool(ThisMachine(2), setup, epochs)
            remote = time_pool(cluster, setup, epochs)
            shares.append(local / remote)
            print(f"local {local:.1f} s, actors {remote:.1f} s: {local / remote:.1%}", flush=True)
    print(
        f"two actors train {statistics.median(shares):.1%} of what two local workers do "
        f"({min(shares):.1%} to {max(shares):.1%}, n = {repeats})"
    )


def time_pool(machines: Machines, setup: Setup, epochs: int) -> float:
    """Seconds of a list of runs, in processes that have imported Keras and traced one model."""
    with tempfile.TemporaryDirectory() as folder, machines.open(setup, 2) as pool:
        warm = [
            replace(run, root=-1 - run.root) for run in make_runs(setup.space, 1, Path(folder), 2)
        ]
        train_in_workers(pool, warm)
        start = time.perf_counter()
        train_in_workers(pool, make_runs(setup.space, epochs, Path(folder)))
        return time.perf_counter() - start


def main() -> None:
    """Lose nodes, or compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["losses", "overhead"])
    parser.add_argument("--losses", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    machine = platform.processor() or platform.machine()
    print(f"{machine}, {os.cpu_count()} cores, ray {version('ray')}")
    if options.what == "overhead":
        compare(options.epochs, options.repeats)
        return
    # Both engine and nodes are the tests'; processes of the nodes import the engine, too.
    sys.path.append(str(TESTS))
    engine.DEFAULT = "softmax_engine"
    if not lose_nodes(options.losses, options.seed):
        sys.exit(1)


if __name__ == "__main__":
    main()
