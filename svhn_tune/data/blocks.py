"""What every stand-in is drawn by: blocks of images, each from a random generator of its own.

So the bytes follow from the seed alone: not from the machine, the number of threads or how many
images are asked for.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np


def seed_generator(*seed: int) -> np.random.Generator:
    """The same random numbers on every machine."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed)))


def draw_blocks(
    draw: Callable[[int], tuple[np.ndarray, np.ndarray]],
    count: int,
    size: int,
    image_shape: tuple[int, ...],
    label_shape: tuple[int, ...] = (),
    workers: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The first `count` images (count, *image_shape) and labels (count, *label_shape), uint8.

    Args:
        draw: the images and labels of a block, by its number.
        count: how many are wanted; the last block is drawn whole.
        size: of a block.
        image_shape, label_shape: of one.
        workers: threads that draw, by default one per core.
    """
    blocks = -(-count // size)
    images = np.empty((blocks * size, *image_shape), np.uint8)
    labels = np.empty((blocks * size, *label_shape), np.uint8)

    def fill(block: int) -> None:
        here = slice(block * size, (block + 1) * size)
        images[here], labels[here] = draw(block)

    # Threads, not processes: NumPy and Pillow release the interpreter lock, and a process pool
    # would run a caller's unguarded script again in every child.
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for _ in pool.map(fill, range(blocks)):
            pass
    return images[:count], labels[:count]
