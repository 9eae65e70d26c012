"""Seconds beyond a time limit, lost by a kill, and spent on checkpoints: three models of `cnn`.

    python benchmarks/time_limit.py [--limit 75] [--kills 2] [--model smallest baseline largest]

Built-in digits, 45,000 images an epoch, two workers. The command `search` is given a time limit,
again with one that is over before a worker has started, and is killed with its workers at random
instants of the third minute; it ends with its report. Then one worker trains for two minutes, its
savings timed. Exit status 1 where a limit is passed by 15 s or a kill costs a minute.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from zipfile import ZipFile

import psutil

from svhn_tune.data.builtin import load
from svhn_tune.data.cache import share_arrays
from svhn_tune.data.dataset import split_holdout
from svhn_tune.engines.checkpoints import ABOUT
from svhn_tune.models.size import measure_size
from svhn_tune.models.spaces import load_space, parse_space
from svhn_tune.space.space import Space
from svhn_tune.training.execution import Executor
from svhn_tune.training.runs import Run, Setup

# Blocks, kernel size, pool size, and units of the two trials.
MODELS = {
    "smallest": (1, 3, 3, (32, 34)),
    "baseline": (3, 3, 2, (64, 66)),
    "largest": (5, 7, 1, (222, 224)),
}
TRAINING = 120.0


def make_space(name: str) -> Space:
    """Of two models, alike but for two units."""
    *fixed, units = MODELS[name]
    text = load_space("cnn").text
    text = text[: text.index("[hyperparameters")]
    for parameter, value in zip(("blocks", "kernel_size", "pool_size"), fixed, strict=True):
        each = "" if parameter == "blocks" else 'per = "block"\n'
        text += _declare(parameter, [value], each)
    text += _declare("units", list(units))
    return parse_space(text, name, f"{name}.toml")


def _declare(parameter: str, values: list[int], more: str = "") -> str:
    head = f'[hyperparameters.{parameter}]\n{more}type = "Choice"\n'
    return f"{head}values = {values}\ndefault = {values[0]}\n"


def start(space: Space, folder: Path, *more: str) -> psutil.Popen:
    """The search of both models, for 100 epochs each."""
    path = folder.parent / f"{space.name}.toml"
    path.write_text(space.text)
    arguments = ["search", "--space", str(path), "--data", "builtin", "--project", str(folder)]
    arguments += ["--tuner", "random", "--max-trials", "2", "--max-epochs", "100"]
    arguments += ["--workers", "2", "--quiet", *more]
    return psutil.Popen([sys.executable, "-m", "svhn_tune", *arguments], stdout=subprocess.DEVNULL)


def time_limited(space: Space, folder: Path, limit: float) -> float:
    """Seconds that the command takes beyond its limit, imports and report included."""
    begin = time.monotonic()
    if code := start(space, folder, "--time-limit", f"{limit}s").wait():
        raise RuntimeError(f"the search ended with status {code}")
    return time.monotonic() - begin - limit


def trained(folder: Path) -> str:
    """How far the two runs are, as the disk has it."""
    told = []
    for path in sorted((folder / "checkpoints").glob("[!.]*.npz")):
        with ZipFile(path) as archive:
            about = json.loads(archive.read(ABOUT).partition(b"\n")[2])
        told.append(f"{len(about['history'])} epochs {about['within'].get('batches', 0)} batches")
    return ", ".join(told) or "nothing saved"


def lose(space: Space, folder: Path, chance: random.Random) -> float:
    """Seconds since a run was saved, the longer of the two, when all is killed."""
    process = start(space, folder)
    time.sleep(chance.uniform(120, 180))
    workers = process.children(recursive=True)
    now = time.time()
    for each in [process, *workers]:
        each.kill()
    process.wait()
    files = list((folder / "checkpoints").glob("[!.]*.npz"))
    return max(now - file.stat().st_mtime for file in files)


def share_saving(space: Space, folder: Path) -> tuple[float, int, float]:
    """The share of its time that a run spends on checkpoints, how many, and seconds of the last."""
    data = load()
    train, holdout = split_holdout(data.train.labels)
    setup = Setup(space, share_arrays(data), data.fingerprint, train, holdout, False)
    run = Run("search", 0, 0, 0, 0, space.baseline, 1000, folder / "run.npz")
    executor, took = Executor(setup), []
    save = executor._save

    def timed(*arguments: object) -> None:
        begin = time.perf_counter()
        save(*arguments)  # type: ignore[arg-type]
        took.append(time.perf_counter() - begin)

    executor._save = timed  # type: ignore[method-assign, assignment]
    begin = time.perf_counter()
    executor.execute([run], lambda _: None, lambda: time.perf_counter() - begin > TRAINING)
    return sum(took) / (time.perf_counter() - begin), len(took), took[-1]


def main() -> None:
    """Measure each model; print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=float, default=75)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", nargs="+", default=list(MODELS))
    options = parser.parse_args()
    chance = random.Random(options.seed)
    is_kept = True
    for name in options.model:
        space = make_space(name)
        print(f"{name}: {measure_size(space, space.baseline).parameters:,} parameters", flush=True)
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "project"
            for limit in (options.limit, 1):
                beyond = time_limited(space, folder, limit)
                is_kept &= beyond <= 15 or limit == 1
                told = trained(folder)
                print(f"  --time-limit {limit:g}s: {beyond:.1f} s beyond; {told}", flush=True)
            for _ in range(options.kills):
                lost = lose(space, folder, chance)
                is_kept &= lost <= 60
                print(f"  killed: {lost:.1f} s after a save; {trained(folder)}", flush=True)
            share, count, last = share_saving(space, Path(place))
            print(
                f"  saved {count} times in {TRAINING:.0f} s: {share:.2%} of the time, "
                f"{last:.2f} s the last time",
                flush=True,
            )
    sys.exit(not is_kept)


if __name__ == "__main__":
    main()
