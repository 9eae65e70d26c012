"""The built-in digits: house numbers drawn by this package, for use where there is no SVHN.

The bytes follow from split and seed alone: not from the machine, the number of threads or how
many images are asked for. Knows nothing about files, caches or Keras.
"""

import numpy as np

from ...errors import InputError
from ..blocks import draw_blocks, seed_generator
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
    source = list(FONTS).index(split)
    faces = load_faces(split)
    textures = draw_textures(seed_generator(seed, source, 0))

    def draw_block(block: int) -> tuple[np.ndarray, np.ndarray]:
        rng = seed_generator(seed, source, 1 + block)
        labels = _draw_labels(rng)
        return photograph(draw_scenes(labels, faces, textures, rng), rng), labels

    return draw_blocks(draw_block, count, BLOCK, (SIDE, SIDE, 3), workers=workers)


def _draw_labels(rng: np.random.Generator) -> np.ndarray:
    """BLOCK labels, uint8, with SVHN's class frequencies."""
    upto = np.cumsum(CLASS_COUNTS)
    drawn = np.searchsorted(upto, rng.integers(0, upto[-1], BLOCK), side="right")
    return drawn.astype(np.uint8)
