"""The built-in images: drawn once by digits/, objects/, clothes/ or dials/, then kept.

They are not SVHN, not CIFAR-10, not Fashion-MNIST and not the published clocks.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .cache import cache_folder, open_arrays, require_room, store_arrays
from .clocks import SIDES, split_clocks
from .clothes import draw as clothes
from .dataset import Data, Split
from .dials import draw as dials
from .digits.draw import VERSION, draw_digits
from .objects import draw as objects

NAME = "built-in digits, not SVHN"
OBJECTS = "coloured objects, not CIFAR-10"
CLOTHES = "clothes-like greyscale shapes, not Fashion-MNIST"
CLOCKS = "built-in clocks, not the published ones"
TRAIN_IMAGES = 50_000
TEST_IMAGES = 10_000
CLOCK_IMAGES = 18_000  # to train and to test, as many as are published
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


def load_clocks(side: int, seed: int = 0) -> Data:
    """18,000 clocks of side x side pixels, split as the published ones are.

    Raises:
        InputError: as for the digits.
    """

    def draw() -> tuple[Split, Split]:
        images, times = dials.draw_clocks(CLOCK_IMAGES, side, seed)
        return split_clocks(images, times[:, 0] * np.int32(60) + times[:, 1])

    place = f"clocks-{side}-v{dials.VERSION}-seed{seed}"
    train, test = _load_arrays(place, CLOCK_IMAGES * (side * side + 4), draw)
    return Data(CLOCKS, train, test, (), synthetic=True, source="builtin")


STAND_INS: dict[str, Callable[[], Data]] = {
    "svhn": load,
    "cifar10": load_objects,
    "fashion_mnist": load_clothes,
    **{name: partial(load_clocks, side) for name, side in SIDES.items()},
}


def _load(name: str, place: str, draw: Draw, classes: tuple[Any, ...], seed: int) -> Data:
    def draw_both() -> tuple[Split, Split]:
        counts = (("train", TRAIN_IMAGES), ("test", TEST_IMAGES))
        train, test = (_as_split(*draw(split, count, seed)) for split, count in counts)
        return train, test

    train, test = _load_arrays(place, (TRAIN_IMAGES + TEST_IMAGES) * BYTES_PER_IMAGE, draw_both)
    return Data(name, train, test, classes, synthetic=True, source="builtin")


def _load_arrays(
    place: str, size: int, draw: Callable[[], tuple[Split, Split]]
) -> tuple[Split, Split]:
    """What the cache has there, or what is drawn now, of `size` bytes."""
    folder = cache_folder(place)
    try:
        return open_arrays(folder)
    except (OSError, ValueError, EOFError):
        require_room(folder, size)
        store_arrays(folder, *draw())
        return open_arrays(folder)


def _as_split(images: np.ndarray, labels: np.ndarray) -> Split:
    return Split(images, labels.astype(np.int32))
