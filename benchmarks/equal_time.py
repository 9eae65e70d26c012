"""Equal time for all: what each tuner chooses in eight minutes on two cores, on the test set.

    taskset -c 0,1 python benchmarks/equal_time.py [--minutes 8] [--seeds 3] [--only Optuna ...]
        [--data FOLDER|FILE.npz]

`cnn_open` with 8 MiB, 9,000 of the built-in digits, at most 27 epochs a trial. The contestants, in
equal_time_contestants.py: `svhn_tune search` as it comes, KerasTuner's Hyperband as it comes,
Optuna's TPE with its HyperbandPruner, and a plain guess, which searches nothing. What each chose is
retrained twice from fresh seeds by the same code, on all 9,000 for 27 epochs, and tested on 10,000
others; what that takes more than 30 minutes for is given up, and stands as untested.

KerasTuner and Optuna train by `fit` with TensorFlow's threads on both cores, svhn_tune in two
workers; what is chosen is retrained by svhn_tune's, two runs side by side.

`--data` takes what `load_data` takes, or a FILE.npz with `images` (n, 32, 32, 3) uint8 and `labels`
(n,) from 0 to 9, of which the first 9,000 train and the others test. What has ended is kept in
results/equal_time/, a file per contestant and seed: the same command goes on where it was stopped,
and measures again what is deleted there.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from equal_time_contestants import CONTESTANTS, EPOCHS, WORKERS, Choice

from svhn_tune.data import Data, Split, load_data
from svhn_tune.data.cache import share_arrays
from svhn_tune.files import write_atomically
from svhn_tune.models.size import measure_size
from svhn_tune.models.spaces import load_space, parse_space
from svhn_tune.space.space import Space
from svhn_tune.training.runs import Run, Setup
from svhn_tune.training.workers import Workers

IMAGES, TEST_IMAGES, RETRAINED = 9_000, 10_000, 2
# What takes longer to retrain, side by side, is given up and stands as untested.
RETRAIN_SECONDS = 30 * 60.0
LIMIT = "8 MiB"
GUESS = {
    "blocks": 3,
    "filters": 32,
    "batch_normalization": True,
    "units": 128,
    "dropout": 0.3,
    "learning_rate": 1e-3,
}
RESULTS = Path("results/equal_time")
Record = dict[str, Any]


def read_space() -> Space:
    """`cnn_open` with the smaller limit."""
    return parse_space(load_space("cnn_open").text.replace("238.4 MiB", LIMIT), "cnn_open", "it")


def load_images(where: str) -> Data:
    """So many images of a source to train on, drawn at random, and to test on."""
    data = _load_npz(where) if where.endswith(".npz") else load_data(where)
    count = len(data.train.labels)
    drawn = np.sort(np.random.default_rng(0).permutation(count)[:IMAGES])
    test = np.arange(min(TEST_IMAGES, len(data.test.labels)))
    return replace(data, train=data.train.take(drawn), test=data.test.take(test))


def _load_npz(path: str) -> Data:
    with np.load(path) as file:
        images, labels = file["images"], file["labels"].astype(np.int32)
    cut = min(IMAGES, len(labels) // 2)
    train, test = Split(images[:cut], labels[:cut]), Split(images[cut:], labels[cut:])
    return Data(Path(path).name, train, test, tuple(range(10)), synthetic=False, source=path)


def search(name: str, space: Space, data: Data, seconds: float, seed: int, folder: Path) -> Choice:
    """What a contestant chooses, in a process of its own."""
    if name == "guess":
        return Choice(space.complete(GUESS), None, 0, 0, 0, 0.0)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(CONTESTANTS[name], space, data, seconds, seed, folder).result()


def retrain(
    space: Space, data: Data, values: dict[str, Any], seed: int, folder: Path
) -> list[float] | None:
    """Test accuracies of the values, trained on all images from fresh seeds, side by side.

    None where it takes too long.
    """
    setup = Setup(
        space=space,
        arrays=share_arrays(data),
        fingerprint=data.fingerprint,
        train_index=None,
        validate_on=None,
        test_at_end=True,
    )
    runs = [
        Run(
            stage="confirm",
            trial=0,
            root=0,
            run=number,
            seed=10_000 + RETRAINED * seed + number,
            values=values,
            epochs=EPOCHS,
            checkpoint=folder.with_name(f"{folder.name}-{number}.npz"),
        )
        for number in range(RETRAINED)
    ]
    found: dict[int, float] = {}
    with Workers(WORKERS, setup) as workers:
        for run in runs:
            workers.submit(run)
        end = time.monotonic() + RETRAIN_SECONDS
        while workers.running and time.monotonic() < end:
            for event in workers.events(1.0):
                if event.outcome is not None:
                    found[event.run.run] = event.outcome.test["categorical_accuracy"]
                elif event.kind == "failed":
                    raise SystemExit(f"error: retraining {values} failed: {event.reason}")
    for run in runs:
        run.checkpoint.unlink(missing_ok=True)
    return [found[run.run] for run in runs] if len(found) == RETRAINED else None


def count_operations(space: Space, values: dict[str, Any]) -> int:
    """Multiply-adds of the model for one image."""
    return sum(layer.operations for layer in measure_size(space, values).layers)


def keep(path: Path, record: Record) -> None:
    """Write a record whole."""
    text = json.dumps(record, indent=1, default=lambda number: number.item())
    write_atomically(path, text.encode())


def describe(space: Space, name: str, seed: int, record: Record) -> str:
    """What a contestant chose with one seed, and how."""
    line = f"{name}, seed {seed}: {space.changes(record['values'])}"
    if name == "guess":
        return line
    score = "no score" if record["score"] is None else f"{record['score']:.4f}"
    return (
        f"{line}\n  chosen by {score} after {record['length']} epochs; {record['trials']} trials, "
        f"{record['epochs']} epochs in {record['seconds']:.0f} s"
    )


def print_table(records: dict[tuple[int, str], Record]) -> None:
    """Mean, spread and range of each, and how far svhn_tune is ahead with the same seed."""
    tested = {key: record["test"] for key, record in records.items() if record.get("test")}
    print("\ntest accuracy    mean      SD     min     max   n")
    for name in dict.fromkeys(name for _, name in tested):
        all_runs = [each for key, runs in tested.items() if key[1] == name for each in runs]
        figures = (statistics.mean, statistics.stdev, min, max)
        shown = "  ".join(f"{figure(all_runs):.4f}" for figure in figures)
        print(f"{name:14} {shown}  {len(all_runs):2}")
    for seed, name in tested:
        if name != "svhn_tune" and (seed, "svhn_tune") in tested:
            ahead = statistics.mean(tested[seed, "svhn_tune"]) - statistics.mean(tested[seed, name])
            print(f"seed {seed}: svhn_tune's mean less that of {name}: {ahead:+.4f}")


def parse_options() -> argparse.Namespace:
    """What the command line says."""
    names = [*CONTESTANTS, "guess"]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=8.0, help="of each search, default 8")
    parser.add_argument("--seeds", type=int, default=3, help="searches of each, default 3")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    parser.add_argument("--data", default="builtin", help="default builtin")
    return parser.parse_args()


def main() -> None:
    """Measure what is missing, and print it all."""
    options = parse_options()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) != WORKERS:
        sys.exit(f"error: {len(cores)} cores may be used; start it with taskset -c 0,1")
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    space, data = read_space(), load_images(options.data)
    versions = [f"{each} {version(each)}" for each in ("tensorflow", "keras-tuner", "optuna")]
    print(f"{platform.machine()}, cores {cores}, {', '.join(versions)}")
    print(
        f"{data.name}: {len(data.train.labels):,} images to train on, {len(data.test.labels):,} to "
        f"test on; {EPOCHS} epochs, models of {space.limits.file_size:,} bytes, searches of "
        f"{options.minutes:g} minutes"
    )
    source = "builtin" if data.synthetic else Path(options.data).stem
    folder = RESULTS / f"{source}-{options.minutes:g}m"
    folder.mkdir(parents=True, exist_ok=True)
    records: dict[tuple[int, str], Record] = {}
    for seed in range(options.seeds):
        for name in options.only:
            path = folder / f"{name}-{seed}.json"
            if not path.exists():
                project = path.with_suffix("")
                choice = search(name, space, data, options.minutes * 60, seed, project)
                keep(path, asdict(choice))
            records[seed, name] = json.loads(path.read_text())
            print(describe(space, name, seed, records[seed, name]), flush=True)
    try:
        # The dearest come last: Ctrl-C leaves them for another time.
        for (seed, name), record in sorted(
            records.items(), key=lambda item: count_operations(space, item[1]["values"])
        ):
            path = folder / f"{name}-{seed}.json"
            if "test" not in record:
                record["test"] = retrain(space, data, record["values"], seed, path.with_suffix(""))
                keep(path, record)
            shown = "not within 30 minutes"
            if record["test"]:
                shown = ", ".join(f"{accuracy:.4f}" for accuracy in record["test"])
            print(f"{name}, seed {seed}, retrained: test accuracy {shown}", flush=True)
    except KeyboardInterrupt:
        print("stopped; the same command goes on")
    print_table(records)


if __name__ == "__main__":
    main()
