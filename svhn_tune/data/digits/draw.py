"""The built-in digits: house numbers drawn by this package, for use where there is no SVHN.

The bytes follow from split and seed alone: not from the machine, the number of threads or how
many images are asked for. Knows nothing about files, caches or Keras.
"""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from ...errors import InputError
from .camera import SIDE, photograph
from .glyphs import FONTS, load_faces
from .scenes import draw_scenes
from .textures import draw_textures

VERSION = 1
"""Raised whenever the same split and seed give other bytes."""

BLOCK = 250
"""Images drawn from one random generator."""

CLASS_COUNTS = (4948, 13861, 10585, 8497, 7458, 6882, 5727, 5595, 5045, 4659)
"""How often 0 to 9 occur among SVHN's 73,257 training digits (Netzer et al. 2011)."""


def draw_digits(
    split: str, count: int, seed: int = 0, workers: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """`count` built-in digits of the 'train' or 'test' fonts, in a random order of classes.

    Returns images (count, 32, 32, 3) uint8 and labels (count,) uint8, 0 to 9. A larger count begins
    with the same images. `workers` threads draw, by default one per core.
    """
    if split not in FONTS:
        raise InputError(f"split must be 'train' or 'test', got {split!r}.")
    if count < 0:
        raise InputError(f"count must be 0 or more, got {count}.")
    blocks = -(-count // BLOCK)
    images = np.empty((blocks * BLOCK, SIDE, SIDE, 3), np.uint8)
    labels = np.empty(blocks * BLOCK, np.uint8)
    faces = load_faces(split)
    textures = draw_textures(_seed_generator(split, seed, 0))

    def draw_block(block: int) -> None:
        rng = _seed_generator(split, seed, 1 + block)
        here = slice(block * BLOCK, (block + 1) * BLOCK)
        labels[here] = _draw_labels(rng)
        images[here] = photograph(draw_scenes(labels[here], faces, textures, rng), rng)

    # Threads, not processes: NumPy and Pillow release the interpreter lock, and a process pool
    # would run a caller's unguarded script again in every child.
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        for _ in pool.map(draw_block, range(blocks)):
            pass
    return images[:count], labels[:count]


def _seed_generator(split: str, seed: int, part: int) -> np.random.Generator:
    source = np.random.SeedSequence((seed, list(FONTS).index(split), part))
    return np.random.Generator(np.random.PCG64(source))


def _draw_labels(rng: np.random.Generator) -> np.ndarray:
    """BLOCK labels, uint8, with SVHN's class frequencies."""
    upto = np.cumsum(CLASS_COUNTS)
    drawn = np.searchsorted(upto, rng.integers(0, upto[-1], BLOCK), side="right")
    return drawn.astype(np.uint8)
