"""The built-in digits: drawn once by digits/draw.py, then kept in the cache. They are not SVHN."""

import numpy as np

from .cache import cache_folder, open_arrays, require_room, store_arrays
from .dataset import Data, Split
from .digits.draw import VERSION, draw_digits

NAME = "built-in digits, not SVHN"
TRAIN_IMAGES = 50_000
TEST_IMAGES = 10_000
BYTES_PER_IMAGE = 32 * 32 * 3 + 4  # with its label


def load(seed: int = 0) -> Data:
    """50,000 digits to train and 10,000 to test, the same on every machine for a seed.

    Raises:
        InputError: the cache cannot be written, which is found out before they are drawn.
    """
    folder = cache_folder(f"digits-v{VERSION}-seed{seed}")
    try:
        train, test = open_arrays(folder)
    except (OSError, ValueError, EOFError):
        require_room(folder, (TRAIN_IMAGES + TEST_IMAGES) * BYTES_PER_IMAGE)
        store_arrays(folder, _draw("train", TRAIN_IMAGES, seed), _draw("test", TEST_IMAGES, seed))
        train, test = open_arrays(folder)
    return Data(NAME, train, test, classes=tuple(range(10)), synthetic=True, source="builtin")


def _draw(split: str, count: int, seed: int) -> Split:
    images, labels = draw_digits(split, count, seed)
    return Split(images, labels.astype(np.int32))
