"""Trials an hour: KerasTuner as it comes, svhn_tune with one and two workers, and the limit.

    python benchmarks/throughput.py [--repeats 3] [--images 8000] [--epochs 2]

The same list of trials (values, seeds and epochs fixed) is trained four ways in turn, `repeats`
times, each in a fresh process that has imported what it needs before the clock starts:
KerasTuner's Tuner with `fit`; svhn_tune's workers, one and two; and, as the limit, one bare
compiled loop per core, with nothing saved or told. Medians, and ratios within each repeat. Then:
asking and telling at 1,000 trials, start-up, and a worker's memory after 5 and 50 trials.
"""

import argparse
import multiprocessing as mp
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from svhn_tune.data.builtin import load
from svhn_tune.data.cache import share_arrays
from svhn_tune.models.spaces import load_space
from svhn_tune.space.space import Space
from svhn_tune.training.pool import Pool
from svhn_tune.training.runs import Run, Setup
from svhn_tune.training.workers import Workers

CHOSEN: list[dict[str, Any]] = [
    {},
    {"units": 256, "kernel_size_1": 5},
    {"padding": "valid", "units": 512},
    {"blocks": 2, "kernel_initializer": "he_normal", "l2_1": 1e-3},
    {"blocks": 4, "dropout": 0.2, "pool_size_4": 1},
    {"kernel_size_2": 5, "spatial_dropout_2": 0.2, "class_weight": 0.5},
    {"pool_size_1": 3, "units": 128},
    {"blocks": 2, "pool_size_1": 3, "units": 1024},
]
VALIDATION = 1_000


def make_setup(images: int) -> Setup:
    """Built-in digits, the first `images` to train on and the next 1,000 to validate on."""
    data = load()
    return Setup(
        space=load_space("cnn"),
        arrays=share_arrays(data),
        fingerprint=data.fingerprint,
        train_index=np.arange(images),
        validate_on=np.arange(images, images + VALIDATION),
        test_at_end=False,
    )


def make_runs(space: Space, epochs: int, folder: Path, count: int = len(CHOSEN)) -> list[Run]:
    """The list of trials, repeated with other seeds where `count` is longer."""
    return [
        Run(
            stage="search",
            trial=number,
            root=number,
            run=0,
            seed=number,
            values=space.complete(CHOSEN[number % len(CHOSEN)]),
            epochs=epochs,
            checkpoint=folder / f"{number}.npz",
        )
        for number in range(count)
    ]


def train_in_workers(workers: Pool, runs: list[Run]) -> None:
    """Train the runs, as search does."""
    waiting = list(runs)
    while waiting or workers.running:
        while waiting and workers.free:
            workers.submit(waiting.pop(0))
        for _ in workers.events():
            pass


def time_workers(count: int, setup: Setup, epochs: int) -> float:
    """Seconds of the list with `count` workers that have imported Keras and traced one model."""
    with tempfile.TemporaryDirectory() as folder, Workers(count, setup) as workers:
        warm = make_runs(setup.space, 1, Path(folder) / "warm", count)
        (Path(folder) / "warm").mkdir()
        train_in_workers(workers, [replace(run, root=-1 - run.root) for run in warm])
        start = time.perf_counter()
        train_in_workers(workers, make_runs(setup.space, epochs, Path(folder)))
        return time.perf_counter() - start


def time_kerastuner(setup: Setup, epochs: int) -> float:
    """Seconds of `search` of a stock Tuner over the list, defaults throughout."""
    import keras
    import keras_tuner as kt

    from svhn_tune.data.cache import open_arrays
    from svhn_tune.models.hypermodel import CNNHyperModel, declare

    train, _ = open_arrays(setup.arrays)
    index, held = setup.train_index, setup.validate_on
    images, labels = train.images[index], keras.utils.to_categorical(train.labels[index], 10)
    validation = train.images[held], keras.utils.to_categorical(train.labels[held], 10)

    class ListOracle(kt.Oracle):
        """Proposes the list."""

        def populate_space(self, trial_id: str) -> dict[str, Any]:
            """The values of this number."""
            if int(trial_id) >= len(CHOSEN):
                return {"status": "STOPPED"}
            return {
                "status": "RUNNING",
                "values": setup.space.complete(CHOSEN[int(trial_id)]),
            }

    def search(count: int, folder: str) -> None:
        space = kt.HyperParameters()
        declare(setup.space, space)
        objective = kt.Objective("val_categorical_accuracy", "max")
        oracle = ListOracle(objective=objective, max_trials=count, hyperparameters=space)
        tuner = kt.Tuner(oracle, CNNHyperModel(), directory=folder, project_name="p")
        tuner.search(
            images, labels, validation_data=validation, epochs=epochs if count > 1 else 1, verbose=0
        )

    with tempfile.TemporaryDirectory() as folder:
        search(1, f"{folder}/warm")
        start = time.perf_counter()
        search(len(CHOSEN), f"{folder}/timed")
        return time.perf_counter() - start


def train_bare(
    core: int, setup: Setup, epochs: int, numbers: "mp.Queue[int]", ready: Any, go: Any
) -> None:
    """One process of the limit: nothing but the compiled loops of its share of the list."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    os.sched_setaffinity(0, {core})
    import keras
    import tensorflow as tf

    from svhn_tune.data.cache import open_arrays
    from svhn_tune.engines.chunks import build_variables
    from svhn_tune.engines.engine_tensorflow import use_threads
    from svhn_tune.models.hypermodel import CNNHyperModel, class_weights

    use_threads(1)
    tf.get_logger().setLevel("ERROR")
    train, _ = open_arrays(setup.arrays)
    index, held = setup.train_index, setup.validate_on
    images, labels = tf.constant(train.images[index]), tf.constant(train.labels[index])
    held_images, held_labels = tf.constant(train.images[held]), tf.constant(train.labels[held])

    def train_one(values: dict[str, Any], epochs: int) -> None:
        keras.utils.clear_session(free_memory=False)
        model = CNNHyperModel(setup.space).build_values(values)
        build_variables(model, setup.space.task)
        gamma = values["class_weight"]
        weights = tf.constant(class_weights(labels.numpy(), gamma), tf.float32)

        @tf.function
        def train_epoch(order: tf.Tensor) -> None:
            for start in tf.range(0, len(order), 32):
                batch = order[start : start + 32]
                label = tf.gather(labels, batch)
                data = (tf.gather(images, batch), tf.one_hot(label, 10), tf.gather(weights, label))
                model.train_step(data if gamma else data[:2])

        @tf.function
        def evaluate() -> None:
            for start in tf.range(0, VALIDATION, 250):
                batch = slice(start, start + 250)
                model.test_step((held_images[batch], tf.one_hot(held_labels[batch], 10)))

        for _ in range(epochs):
            train_epoch(tf.constant(np.random.permutation(len(labels)), tf.int32))
            evaluate()

    train_one(setup.space.baseline, 1)
    ready.release()
    go.wait()
    while (number := numbers.get()) >= 0:
        train_one(setup.space.complete(CHOSEN[number]), epochs)
    ready.release()


def time_limit(count: int, setup: Setup, epochs: int) -> float:
    """Seconds of the list by one bare loop per core."""
    context = mp.get_context("spawn")
    numbers, ready, go = context.Queue(), context.Semaphore(0), context.Event()
    for number in [*range(len(CHOSEN)), *[-1] * count]:
        numbers.put(number)
    arguments = (setup, epochs, numbers, ready, go)
    cores = sorted(os.sched_getaffinity(0))[:count]
    processes = [context.Process(target=train_bare, args=(core, *arguments)) for core in cores]
    for process in processes:
        process.start()
    for _ in processes:
        ready.acquire()
    start = time.perf_counter()
    go.set()
    for _ in processes:
        ready.acquire()
    seconds = time.perf_counter() - start
    for process in processes:
        process.join()
    return seconds


def in_fresh_process(function: Callable[..., float], *arguments: Any) -> float:
    """What `function` returns in a process of its own."""
    context = mp.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_send_result, args=(theirs, function, arguments))
    process.start()
    seconds = ours.recv()
    process.join()
    return float(seconds)


def _send_result(connection: Any, function: Callable[..., float], arguments: Any) -> None:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    connection.send(function(*arguments))


def compare(setup: Setup, epochs: int, repeats: int) -> None:
    """Print the table of trials an hour, and the ratios within each repeat."""
    cores = len(os.sched_getaffinity(0))
    ways: dict[str, Callable[[], float]] = {
        "KerasTuner": lambda: in_fresh_process(time_kerastuner, setup, epochs),
        "svhn_tune, 1 worker": lambda: time_workers(1, setup, epochs),
        f"svhn_tune, {cores} workers": lambda: time_workers(cores, setup, epochs),
        f"limit, {cores} bare loops": lambda: time_limit(cores, setup, epochs),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            seconds[name].append(way())
            print(f"  {name}: {seconds[name][-1]:.1f} s", flush=True)
    for name, taken in seconds.items():
        hourly = [3600 * len(CHOSEN) / each for each in taken]
        ratios = [base / each for base, each in zip(seconds["KerasTuner"], taken, strict=True)]
        print(
            f"{name:22} {statistics.median(hourly):6.0f} trials/h "
            f"({min(hourly):.0f} to {max(hourly):.0f}), {statistics.median(ratios):.2f} x "
            f"KerasTuner ({min(ratios):.2f} to {max(ratios):.2f})"
        )
    ours, limit = list(seconds.values())[2:]
    share = [bound / each for bound, each in zip(limit, ours, strict=True)]
    low, high = min(share), max(share)
    print(f"share of the limit: {statistics.median(share):.0%} ({low:.0%} to {high:.0%})")


def time_oracles() -> float:
    """Print the seconds of one ask and tell at 1,000 trials; at 200 of those that learn."""
    from svhn_tune.oracles.ask_tell import Proposal, ask, make_oracle, tell

    space, rng = load_space("cnn"), np.random.default_rng(0)
    settings: dict[str, dict[str, Any]] = {
        "random": {"max_trials": 2_000},
        "hyperband": {"max_epochs": 1_000, "min_epochs": 1},
        "tpe": {"max_trials": 220},
        "bayesian": {"max_trials": 220},
    }
    for name, arguments in settings.items():
        oracle = make_oracle(space, name, **arguments)
        taken, trials = [], 200 if name in ("tpe", "bayesian") else 1_000
        for _ in range(trials + 20):
            start = time.perf_counter()
            proposal = ask(oracle, 100)
            assert isinstance(proposal, Proposal)
            tell(oracle, proposal.trial, float(rng.random()))
            taken.append(time.perf_counter() - start)
        median = statistics.median(taken[trials:])
        print(f"ask and tell, {name}, {trials:,} trials: {median * 1e3:.1f} ms")
    return 0.0


def time_start_up(repeats: int = 5) -> None:
    """Print the seconds of `--help`, and of `status` of a project, as whole processes."""
    with tempfile.TemporaryDirectory() as folder:
        search = ["search", "--data", "builtin", "--tuner", "random", "--max-trials", "1"]
        small = ["--max-epochs", "1", "--train-images", "100", "--project", f"{folder}/p"]
        for arguments in (
            [*search, *small],
            ["--help"],
            ["status", "--project", f"{folder}/p"],
        ):
            taken = []
            for _ in range(1 if arguments[0] == "search" else repeats):
                start = time.perf_counter()
                subprocess.run(
                    [sys.executable, "-m", "svhn_tune", *arguments], check=True, capture_output=True
                )
                taken.append(time.perf_counter() - start)
            if arguments[0] != "search":
                print(f"start-up of {arguments[0]}: {statistics.median(taken):.2f} s")


def measure_memory(setup: Setup) -> None:
    """Print a worker's resident memory after 5 and after 50 trials."""
    with tempfile.TemporaryDirectory() as folder, Workers(1, setup) as workers:
        runs = make_runs(setup.space, 1, Path(folder), 50)
        for group, name in ((runs[:5], 5), (runs[5:], 50)):
            train_in_workers(workers, group)
            resident = psutil.Process(workers._workers[0].process.pid).memory_info().rss
            print(f"memory of a worker after {name} trials: {resident / 2**20:.0f} MiB")


def main() -> None:
    """Print it all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--images", type=int, default=8_000)
    parser.add_argument("--epochs", type=int, default=2)
    options = parser.parse_args()
    versions = ", ".join(f"{name} {version(name)}" for name in ("keras", "tensorflow"))
    print(f"{platform.machine()}, {os.cpu_count()} cores, {versions}, n = {options.repeats}")
    setup = make_setup(options.images)
    print(
        f"{len(CHOSEN)} trials of {options.epochs} epochs of {options.images:,} images, "
        f"{VALIDATION:,} to validate on"
    )
    compare(setup, options.epochs, options.repeats)
    in_fresh_process(time_oracles)
    time_start_up()
    measure_memory(make_setup(500))


if __name__ == "__main__":
    main()
