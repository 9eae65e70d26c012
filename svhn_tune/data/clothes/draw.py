"""The clothes-like greyscale shapes: drawn by this package, where there is no Fashion-MNIST.

The bytes follow from split and seed alone: not from the machine, the number of threads or how many
images are asked for. Knows nothing about files, caches or Keras.
"""

import numpy as np

from ..blocks import draw_blocks, seed_generator
from .garments import GARMENTS, SIDE, draw_garments

VERSION = 1
"""Raised whenever the same split and seed give other bytes."""

BLOCK = 250
"""Images drawn from one random generator, as many of each class."""

SPLITS = ("train", "test")
CLASSES = tuple(GARMENTS)


def draw_clothes(
    split: str, count: int, seed: int = 0, workers: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """`count` shapes of the 'train' or 'test' split, as many of each class in a random order.

    Returns images (count, 28, 28, 1) uint8 and labels (count,) uint8, 0 to 9. A larger count begins
    with the same images. `workers` threads draw, by default one per core.
    """

    def draw_block(block: int) -> tuple[np.ndarray, np.ndarray]:
        rng = seed_generator(seed, SPLITS.index(split), block)
        labels = rng.permutation(np.arange(BLOCK) % len(CLASSES))
        images = np.empty((BLOCK, SIDE, SIDE, 1), np.uint8)
        for label, name in enumerate(CLASSES):
            where = np.flatnonzero(labels == label)
            images[where, :, :, 0] = draw_garments(name, len(where), rng)
        return images, labels

    return draw_blocks(draw_block, count, BLOCK, (SIDE, SIDE, 1), workers=workers)
