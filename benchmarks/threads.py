"""What several threads make of one run, and of runs that are fewer than the cores.

    python benchmarks/threads.py [--cores 4] [--measured]

How many times as fast two and four threads train models of `cnn`, from the baseline to one that
costs a hundred times as much, and whether they end with other bits (`--measured`: a minute on an
idle machine). Then, by the cost model of the table and one thread's share of a run that no thread
can take over (`stages/threads.py`): how much longer ten random trials and confirm take than shared
perfectly, with one thread each in the order of their numbers, longest first, and as they are begun.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from table.protocol import read_cost

from svhn_tune import load_data
from svhn_tune.data.dataset import Split
from svhn_tune.engines.engine import load_engine, never
from svhn_tune.models.spaces import load_space
from svhn_tune.models.work import measure_work
from svhn_tune.oracles.ask_tell import make_oracle
from svhn_tune.stages.threads import Load, choose_threads, end_runs, measure_load

# A model's place among a hundred by cost, and images for an epoch of a second.
PLACES = (0.0, 0.75, 0.97)
OPERATIONS = 25e9
EPOCHS = 5
DRAWS = 200


def draw(space_name: str, count: int, seed: int = 0) -> list[dict]:
    """Feasible models at random."""
    return make_oracle(load_space(space_name), "random", seed=seed).sample(count)[0]


def train(place: float, within: int, between: int) -> None:
    """In a process of its own: print the best epoch's seconds and the hash of the weights."""
    engine = load_engine("svhn_tune.engines.engine_tensorflow")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(within)
    tf.config.threading.set_inter_op_parallelism_threads(between)
    tf.config.experimental.enable_op_determinism()
    space = load_space("cnn")
    models = sorted(draw("cnn", 100), key=lambda each: measure_work(space, each).rough_cost)
    values = models[int(place * len(models))] if place else space.baseline
    cost = measure_work(space, values).rough_cost
    images = int(np.clip(OPERATIONS / cost, 64, 3_200)) // 32 * 32
    data = load_data(None, space.data)
    split = Split(space.task.arrange(data.train.images[:images]), data.train.labels[:images])
    cohort = engine.start(space, values, [1], split)
    seconds = []
    for _ in range(EPOCHS):
        start = time.perf_counter()
        cohort.train_epoch([0], None, never)
        seconds.append(time.perf_counter() - start)
    times = cost / measure_work(space, space.baseline).rough_cost
    print(json.dumps([times, min(seconds[1:]), cohort.members[0].weights_sha256]))


def measured_lines(cores: int) -> list[str]:
    """Speed by threads, of each model."""
    lines = [
        "  cost   threads within and between operations: times as fast, other bits or the same"
    ]
    counts = [count for count in (1, 2, 4) if count <= cores]
    pairs = [(1, 1), *((1, n) for n in counts[1:]), *((n, n) for n in counts[1:])]
    for place in PLACES:
        found = {}
        for pair in pairs:
            command = [sys.executable, __file__, "--train", *map(str, (place, *pair))]
            told = subprocess.run(command, capture_output=True, text=True, check=True)
            found[pair] = json.loads(told.stdout.splitlines()[-1])
        times, alone, bits = found[1, 1]
        parts = [
            f"{within},{between}: {alone / found[within, between][1]:.2f} "
            f"{'same' if found[within, between][2] == bits else 'other'}"
            for within, between in pairs[1:]
        ]
        lines.append(f"  x{times:5.1f} {'   '.join(parts)}   ({alone:.2f} s on one)")
    return lines


def stretch(draws: Callable[[int], list[Load]], cores: int) -> str:
    """How many times as long as shared perfectly, on average and in nine of ten at most."""
    ratios = []
    for seed in range(DRAWS):
        loads = draws(seed)
        # Confirm trains a run of each, then a second one of each.
        ordered = sorted(loads, reverse=True) if len(loads) == 10 else loads
        perfect = sum(load.seconds for load in loads) / cores
        ones = [1] * len(loads)
        orders = ((loads, ones), (ordered, ones), (ordered, choose_threads(ordered, cores)))
        ratios.append([max(end_runs(each, n, cores)) / perfect for each, n in orders])
    mean, most = np.mean(ratios, 0), np.quantile(ratios, 0.9, 0)
    return "   ".join(f"{a:.2f} ({b:.2f})" for a, b in zip(mean, most, strict=True))


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--measured", action="store_true")
    parser.add_argument("--train", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train:
        train(float(options.train[0]), *map(int, options.train[1:]))
        return
    if options.measured:
        print("\n".join(measured_lines(options.cores)), flush=True)
    space, cost = load_space("cnn"), read_cost("cnn")
    models = draw("cnn", 400)

    def load(number: int, epochs: int) -> Load:
        epoch = cost.epoch_seconds(measure_work(space, models[number]), 9_000, 1_000)
        return measure_load(space, models[number], 1)._replace(seconds=epochs * epoch)

    def ten(seed: int) -> list[Load]:
        return [load(each, 27) for each in np.random.default_rng(seed).choice(400, 10)]

    def confirm(seed: int) -> list[Load]:
        chosen = [load(each, 100) for each in np.random.default_rng(seed).choice(400, 4)]
        return sorted(chosen, reverse=True) * 10

    print(
        "  times the perfectly shared time, mean (9 of 10 below): in order, longest, with threads"
    )
    for cores in (2, 4, 8, 16):
        print(f"  ten random trials, {cores:2} cores: {stretch(ten, cores)}")
    for cores in (2, 4, 8, 16):
        print(f"  confirm of 4 x 10, {cores:2} cores: {stretch(confirm, cores)}")


if __name__ == "__main__":
    main()
