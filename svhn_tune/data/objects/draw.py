"""The coloured objects: drawn by this package, for use where there is no CIFAR-10.

Ten classes of a shape, a texture and a colour, of which each pair shares at least one, so that a
network needs all three. The bytes follow from split and seed alone: not from the machine, the
number of threads or how many images are asked for. Knows nothing about files, caches or Keras.
"""

import numpy as np

from ..blocks import draw_blocks, seed_generator
from .scenes import draw_scenes

VERSION = 1
"""Raised whenever the same split and seed give other bytes."""

BLOCK = 250
"""Images drawn from one random generator, as many of each class."""

SPLITS = ("train", "test")
KINDS = (
    ("disc", "plain", "warm"),
    ("disc", "plain", "cold"),
    ("disc", "striped", "warm"),
    ("disc", "dotted", "cold"),
    ("square", "plain", "warm"),
    ("square", "striped", "cold"),
    ("square", "dotted", "cold"),
    ("triangle", "striped", "cold"),
    ("triangle", "striped", "warm"),
    ("triangle", "dotted", "warm"),
)
CLASSES = tuple(f"{colour} {texture} {shape}" for shape, texture, colour in KINDS)


def draw_objects(
    split: str, count: int, seed: int = 0, workers: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """`count` objects of the 'train' or 'test' split, as many of each class in a random order.

    Returns images (count, 32, 32, 3) uint8 and labels (count,) uint8, 0 to 9. A larger count begins
    with the same images. `workers` threads draw, by default one per core.
    """

    def draw_block(block: int) -> tuple[np.ndarray, np.ndarray]:
        rng = seed_generator(seed, SPLITS.index(split), block)
        labels = rng.permutation(np.arange(BLOCK) % len(KINDS))
        return draw_scenes([KINDS[label] for label in labels], rng), labels

    return draw_blocks(draw_block, count, BLOCK, (32, 32, 3), workers=workers)
