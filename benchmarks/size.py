"""The computed size of models against the files really saved: how far is the bound above them?

    python benchmarks/size.py [--values 200]

Draws random feasible values of every space, saves each model as it would be handed in, and prints
the least and greatest excess of the bound, and the time of one computation. Exit status 1 if a
bound is below its file, or more than 1 % + 64 KiB above.
"""

import argparse
import itertools
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import keras_tuner as kt

from svhn_tune.models.hypermodel import CNNHyperModel, declare, draw_values
from svhn_tune.models.size import measure_size
from svhn_tune.models.spaces import load_space, space_names
from svhn_tune.space.space import Space
from svhn_tune.submission.save import save_submission

DRAWS = 3_000


def draw_feasible(space: Space, seed: int) -> Iterator[dict[str, Any]]:
    """Different random feasible values of `space`, until `DRAWS` draws bring no more."""
    hp = kt.HyperParameters()
    declare(space, hp)
    found: list[dict[str, Any]] = []
    for number in range(DRAWS):
        values = draw_values(hp, (seed << 32) + (number << 8))
        if measure_size(space, values).feasible and values not in found:
            found.append(values)
            yield values


def save_bytes(space: Space, values: dict[str, Any], folder: Path) -> int:
    """Bytes of the real file."""
    keras.utils.clear_session()
    path = folder / "model.keras"
    save_submission(space, values, CNNHyperModel(space).build_values(values), path)
    return path.stat().st_size


def main() -> None:
    """Print one line per space."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--values", type=int, default=200)
    count = parser.parse_args().values
    print(f"Keras {version('keras')}, h5py {version('h5py')}, {platform.machine()}")
    sound = True
    for name in space_names():
        space = load_space(name)
        excess, share, seconds = [], [], 0.0
        with tempfile.TemporaryDirectory() as folder:
            for values in itertools.islice(draw_feasible(space, seed=1), count):
                real = save_bytes(space, values, Path(folder))
                start = time.perf_counter()
                bound = measure_size(space, values).file_bytes
                seconds += time.perf_counter() - start
                excess.append(bound - real)
                share.append((bound - real) / (0.01 * real + 65_536))
        sound &= min(excess) >= 0 and max(share) <= 1
        print(
            f"{name}: {len(excess)} values, the bound is {min(excess):,} to {max(excess):,} bytes "
            f"above the file, at most {max(share):.0%} of what is allowed; "
            f"{seconds / len(excess) * 1e6:.0f} us"
        )
    sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()
