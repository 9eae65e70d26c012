"""The built-in clocks: drawn by this package, for use where there are no published ones.

The bytes follow from side and seed alone: not from the machine, the number of threads or how many
images are asked for. Knows nothing about files, caches or Keras.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

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
    blocks = -(-count // BLOCK)
    images = np.empty((blocks * BLOCK, side, side), np.uint8)
    times = np.empty((blocks * BLOCK, 2), np.uint8)

    def draw_block(block: int) -> None:
        source = np.random.SeedSequence((seed, block))
        rng = np.random.Generator(np.random.PCG64(source))
        parts = TIMES // BLOCK
        minutes = rng.permutation(BLOCK) * parts + block % parts
        here = slice(block * BLOCK, (block + 1) * BLOCK)
        times[here] = np.stack([minutes // 60, minutes % 60], axis=1)
        images[here] = draw_scenes(minutes, side, rng)

    # Threads, not processes: NumPy releases the interpreter lock, and a process pool would run a
    # caller's unguarded script again in every child.
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for _ in pool.map(draw_block, range(blocks)):
            pass
    return images[:count], times[:count]
