"""The clothes-like greyscale shapes: drawn by this package, where there is no Fashion-MNIST.

The bytes follow from split and seed alone: not from the machine, the number of threads or how many
images are asked for. Knows nothing about files, caches or Keras.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

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
    blocks = -(-count // BLOCK)
    images = np.empty((blocks * BLOCK, SIDE, SIDE, 1), np.uint8)
    labels = np.empty(blocks * BLOCK, np.uint8)

    def draw_block(block: int) -> None:
        source = np.random.SeedSequence((seed, SPLITS.index(split), block))
        rng = np.random.Generator(np.random.PCG64(source))
        here = slice(block * BLOCK, (block + 1) * BLOCK)
        labels[here] = rng.permutation(np.arange(BLOCK) % len(CLASSES))
        for label, name in enumerate(CLASSES):
            where = block * BLOCK + np.flatnonzero(labels[here] == label)
            images[where, :, :, 0] = draw_garments(name, len(where), rng)

    # Threads, as for the objects.
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for _ in pool.map(draw_block, range(blocks)):
            pass
    return images[:count], labels[:count]
