"""How much longer ten random trials take on several cores than they would, shared perfectly.

    python benchmarks/ten_trials.py [--cores 4] [--repetitions 3]

Ten random trials of `cnn_open`, four epochs of 2,200 built-in digits, each search timed as a whole
process, its start and the report included: by a worker for each core, and by one worker on one
core, alternating. 25 minutes on four cores, which must have nothing else to do.
"""

import argparse
import os
import platform
import statistics
import tempfile
from importlib.metadata import version

from plan import run

SEARCH = (
    *("search", "--space", "cnn_open", "--data", "builtin", "--tuner", "random", "--quiet"),
    *("--max-trials", "10", "--max-epochs", "4", "--train-images", "2200"),
)


def search(cores: list[int]) -> float:
    """Seconds that the search takes with a worker for each of these cores."""
    os.sched_setaffinity(0, cores)
    with tempfile.TemporaryDirectory() as folder:
        return run(*SEARCH, "--workers", str(len(cores)), "--project", f"{folder}/ten")[1]


def main() -> None:
    """Print the seconds of each search, and their ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cores", type=int, default=4)
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))[: options.cores]
    print(f"{platform.machine()}, cores {cores}, tensorflow {version('tensorflow')}")
    ratios = []
    for _ in range(options.repetitions):
        shared, alone = search(cores), search(cores[:1])
        ratios.append(shared * len(cores) / alone)
        print(
            f"{shared:.1f} s, on one core {alone:.1f} s: {ratios[-1]:.2f} times shared perfectly",
            flush=True,
        )
    print(f"median {statistics.median(ratios):.2f}, n = {len(ratios)}")


if __name__ == "__main__":
    main()
