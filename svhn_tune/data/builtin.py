"""The built-in images: drawn once by digits/, objects/ or clothes/, then kept in the cache.

They are not SVHN, not CIFAR-10 and not Fashion-MNIST.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .cache import cache_folder, open_arrays, require_room, store_arrays
from .clothes import draw as clothes
from .dataset import Data, Split
from .digits.draw import VERSION, draw_digits
from .objects import draw as objects

NAME = "built-in digits, not SVHN"
OBJECTS = "coloured objects, not CIFAR-10"
CLOTHES = "clothes-like greyscale shapes, not Fashion-MNIST"
TRAIN_IMAGES = 50_000
TEST_IMAGES = 10_000
BYTES_PER_IMAGE = 32 * 32 * 3 + 4  # with its label; the largest there are
Draw = Callable[[str, int, int], tuple[np.ndarray, np.ndarray]]


def load(seed: int = 0) -> Data:
    """50,000 digits to train and 10,000 to test, the same on every machine for a seed.

    Raises:
        InputError: the cache cannot be written, which is found out before they are drawn.
    """
    return _load(NAME, f"digits-v{VERSION}-seed{seed}", draw_digits, tuple(range(10)), seed)


def load_objects(seed: int = 0) -> Data:
    """As many coloured objects, by the same rules.

    Raises:
        InputError: as for the digits.
    """
    folder = f"objects-v{objects.VERSION}-seed{seed}"
    return _load(OBJECTS, folder, objects.draw_objects, objects.CLASSES, seed)


def load_clothes(seed: int = 0) -> Data:
    """As many clothes-like shapes, by the same rules.

    Raises:
        InputError: as for the digits.
    """
    folder = f"clothes-v{clothes.VERSION}-seed{seed}"
    return _load(CLOTHES, folder, clothes.draw_clothes, clothes.CLASSES, seed)


STAND_INS: dict[str, Callable[[], Data]] = {
    "svhn": load,
    "cifar10": load_objects,
    "fashion_mnist": load_clothes,
}


def _load(name: str, place: str, draw: Draw, classes: tuple[Any, ...], seed: int) -> Data:
    folder = cache_folder(place)
    try:
        train, test = open_arrays(folder)
    except (OSError, ValueError, EOFError):
        require_room(folder, (TRAIN_IMAGES + TEST_IMAGES) * BYTES_PER_IMAGE)
        train, test = (
            _as_split(*draw(split, count, seed))
            for split, count in (("train", TRAIN_IMAGES), ("test", TEST_IMAGES))
        )
        store_arrays(folder, train, test)
        train, test = open_arrays(folder)
    return Data(name, train, test, classes, synthetic=True, source="builtin")


def _as_split(images: np.ndarray, labels: np.ndarray) -> Split:
    return Split(images, labels.astype(np.int32))
