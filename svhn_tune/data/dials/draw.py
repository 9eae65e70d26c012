"""The built-in clocks: drawn by this package, for use where there are no published ones.

The bytes follow from side and seed alone: not from the machine, the number of threads or how many
images are asked for. Knows nothing about files, caches or Keras.
"""

import numpy as np

from ..blocks import draw_blocks, seed_generator
from .scenes import draw_scenes

VERSION = 1
"""Raised whenever the same side and seed give other bytes."""

BLOCK = 90
"""Images drawn from one random generator; 720 of them, eight blocks, have each time once."""

TIMES = 12 * 60


def draw_clocks(
    count: int, side: int, seed: int = 0, workers: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """`count` clocks, as many of each time, in a random order.

    Returns images (count, side, side) uint8 and times (count, 2) uint8: hour 0 to 11, minute 0 to
    59. A larger count begins with the same images, and another side shows the same clocks.
    `workers` threads draw, by default one per core.
    """

    def draw_block(block: int) -> tuple[np.ndarray, np.ndarray]:
        rng = seed_generator(seed, block)
        parts = TIMES // BLOCK
        minutes = rng.permutation(BLOCK) * parts + block % parts
        times = np.stack([minutes // 60, minutes % 60], axis=1)
        return draw_scenes(minutes, side, rng), times

    return draw_blocks(draw_block, count, BLOCK, (side, side), (2,), workers)
