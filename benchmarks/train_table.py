"""A table of real trainings, on which search_quality.py replays tuners.

    python benchmarks/train_table.py [--hours 3] [--workers 2]

Models are drawn at random from the feasible ones of `cnn_open` and of `cnn`: in parts of 16, of
which one costs 10 to 30 times the baseline's epoch and the others at most 10 times; six of a part
and the baseline are then trained from a second seed. What one would try without a search comes
first (table/defaults.py), from six seeds: the best are among it, and how far seeds spread there
decides how much luck a replay has. Then what stands near these, with one to three of their values
drawn anew, from two seeds: without it what one would try were the landscape's peaks for want of
anything beside them. A part is an ordinary project of `svhn_tune.search`, whose file lists its
models: the command can be stopped at any time, and goes on where it was.

2,500 of the built-in digits, validated on 1,500 others, 27 epochs. At the rate of 1e-5 that A4.3
asks for, 2,100 steps show nothing: `cnn` is trained at 1e-4 here, a stated proxy.

What has ended is written to table/table.json.gz: per run its space, values, seed, cost and what
every epoch brought. Parts that it has whole are not trained again, with or without their projects.
"""

import argparse
import gzip
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from table.parts import list_models, list_parts
from table.protocol import (
    EPOCHS,
    HELD_OUT,
    IMAGES,
    RATES,
    epoch_seconds,
    load_digits,
    measure_costs,
)
from table.runs import TABLE

import svhn_tune
from svhn_tune.cost.cost_model import CostModel
from svhn_tune.data import Data

PROJECTS = Path("results/table")
METRICS = ("loss", "categorical_accuracy", "val_loss", "val_categorical_accuracy", "seconds")


def train(data: Data, costs: dict[str, CostModel], seconds: float, workers: int) -> None:
    """Train part after part until time is up."""
    end = time.monotonic() + seconds
    kept = Counter(run["part"] for run in read_kept())
    for part in list_parts(costs):
        if kept[part.name] == 1 + len(part.models):
            continue
        svhn_tune.search(
            list_models(part.space, part.models),
            data,
            tuner="random",
            max_epochs=EPOCHS,
            max_trials=1 + len(part.models),
            train_images=IMAGES,
            seed=part.seed,
            workers=workers,
            time_limit=max(end - time.monotonic(), 1),
            project=PROJECTS / part.name,
        )
        print(f"{part.name}: {write_table(costs)} runs in all", flush=True)
        if time.monotonic() > end:
            return


def read_runs(costs: dict[str, CostModel]) -> Iterator[dict[str, Any]]:
    """Every run that has ended, in order."""
    for folder in sorted(PROJECTS.glob("cnn*")):
        project = svhn_tune.open_project(folder)
        space, cost = project.space, costs[project.space.name]
        for record in project.ended("search"):
            yield {
                "space": space.name,
                "part": folder.name,
                "values": record.values,
                "seed": record.seed,
                "baseline": record.values == space.baseline,
                "epoch_seconds": round(epoch_seconds(space, cost, record.values), 4),
                "parameters": record.parameters,
                "file_bytes": record.file_bytes,
                "collapsed": record.collapsed,
                "metrics": {
                    name: [None if x is None else float(f"{x:.5g}") for x in record.metrics[name]]
                    for name in METRICS
                },
            }


def read_kept() -> list[dict[str, Any]]:
    """The table's runs of parts whose projects are not here."""
    if not TABLE.exists():
        return []
    runs = json.loads(gzip.decompress(TABLE.read_bytes()))["runs"]
    return [run for run in runs if not (PROJECTS / run["part"]).exists()]


def write_table(costs: dict[str, CostModel]) -> int:
    """Write the table; returns how many runs it has."""
    runs = sorted([*read_kept(), *read_runs(costs)], key=lambda run: run["part"])
    about = {
        "images": IMAGES,
        "held_out": HELD_OUT,
        "epochs": EPOCHS,
        "rates": RATES,
        "data": "built-in digits, not SVHN",
    }
    text = json.dumps({"about": about, "runs": runs}, separators=(",", ":"))
    TABLE.write_bytes(gzip.compress(text.encode(), mtime=0))
    return len(runs)


def main() -> None:
    """Train, and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--hours", type=float, default=3.0, help="train this long, default 3")
    parser.add_argument("--workers", type=int, default=2, help="side by side, default 2")
    options = parser.parse_args()
    data = load_digits()
    costs = measure_costs(data, options.workers)
    train(data, costs, options.hours * 3600, options.workers)
    print(f"{write_table(costs)} runs in {TABLE}")


if __name__ == "__main__":
    main()
