"""The built-in digits: drawn once by digits/draw.py, then kept in the cache. They are not SVHN."""

import numpy as np

from .cache import cache_folder, open_arrays, store_arrays
from .dataset import Data, Split
from .digits.draw import VERSION, draw_digits

NAME = "built-in digits, not SVHN"
TRAIN_IMAGES = 50_000
TEST_IMAGES = 10_000


def load(seed: int = 0) -> Data:
    """50,000 digits to train and 10,000 to test, the same on every machine for a seed."""
    folder = cache_folder(f"digits-v{VERSION}-seed{seed}")
    try:
        train, test = open_arrays(folder)
    except (OSError, ValueError, EOFError):
        store_arrays(folder, _draw("train", TRAIN_IMAGES, seed), _draw("test", TEST_IMAGES, seed))
        train, test = open_arrays(folder)
    return Data(NAME, train, test, classes=tuple(range(10)), synthetic=True, source="builtin")


def _draw(split: str, count: int, seed: int) -> Split:
    images, labels = draw_digits(split, count, seed)
    return Split(images, labels.astype(np.int32))
