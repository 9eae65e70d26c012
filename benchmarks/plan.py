"""The estimate of a whole search, and what the search then took.

    python benchmarks/plan.py [--spaces cnn cnn_open] [--max-epochs 8] [--factor 2] [--images 1500]
        [--limit "4 MiB"] [--max-trials 20]

Spaces with a smaller limit on the file, on the built-in images with one worker a core. The search
is timed as a whole process, its start included. Exit status 1 if an estimate is off by more than
30 %.
"""

import argparse
import json
import platform
import re
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from svhn_tune.commands.options import default_workers
from svhn_tune.models.spaces import load_space

ALLOWED = 0.30


def write_space(name: str, limit: str, folder: Path) -> Path:
    """The space file of this name with another limit on the file."""
    path = folder / f"{name}.toml"
    text = load_space(name).text
    path.write_text(re.sub(r'file_size = "[^"]*"', f'file_size = "{limit}"', text))
    return path


def run(*arguments: str) -> tuple[str, float]:
    """What a command printed on stdout, and its seconds as a whole process."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "svhn_tune", *arguments], check=True, stdout=subprocess.PIPE
    )
    return done.stdout.decode(), time.perf_counter() - start


def compare(name: str, options: argparse.Namespace, folder: Path) -> float:
    """Print estimate and truth of one space; returns the error as a share of the truth."""
    space = str(write_space(name, options.limit, folder))
    arguments = ["--space", space, "--data", "builtin"]
    arguments += ["--max-epochs", str(options.max_epochs), "--factor", str(options.factor)]
    arguments += ["--train-images", str(options.images)]
    if options.max_trials is not None:
        arguments += ["--max-trials", str(options.max_trials)]
    printed, taken = run("plan", *arguments, "--json")
    estimate = json.loads(printed)["search"]
    _, seconds = run("search", *arguments, "--project", str(folder / "results" / name))
    error = estimate["seconds"] / seconds - 1
    print(
        f"{name:11} {estimate['trials']} trials, {estimate['epochs']} epochs: estimated "
        f"{estimate['seconds']:.0f} s (in {taken:.0f} s), took {seconds:.0f} s: {error:+.1%}",
        flush=True,
    )
    return error


def main() -> None:
    """Print both, and fail where one is too far off."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spaces", nargs="+", default=["cnn", "cnn_open"])
    parser.add_argument("--max-epochs", type=int, default=8)
    parser.add_argument("--factor", type=int, default=2)
    parser.add_argument("--images", type=int, default=1_500)
    parser.add_argument("--limit", default="4 MiB")
    parser.add_argument("--max-trials", type=int)
    options = parser.parse_args()
    versions = ", ".join(f"{name} {version(name)}" for name in ("keras", "tensorflow"))
    print(f"{platform.machine()}, {default_workers()} workers, {versions}, n = 1", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        errors = [compare(name, options, Path(folder)) for name in options.spaces]
    sys.exit(max(map(abs, errors)) > ALLOWED)


if __name__ == "__main__":
    main()
