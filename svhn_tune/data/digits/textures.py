"""Wall textures: plaster, brick, boards and wood, as periodic grey tiles around zero.

Knows nothing about what is put on the wall.
"""

import numpy as np

SIDE = 64
"""Side of a tile in pixels."""


def draw_textures(rng: np.random.Generator) -> np.ndarray:
    """Tiles (40, SIDE, SIDE) float32, between about -1 and 1."""
    makers = (_plaster, _plaster, _brick, _boards, _wood)
    return np.stack([maker(rng) for _ in range(8) for maker in makers]).astype(np.float32)


def _plaster(rng: np.random.Generator) -> np.ndarray:
    smooth = _clouds(rng, 4, 4) + _clouds(rng, 8, 8) + 0.6 * _clouds(rng, 32, 32)
    return smooth / 2


def _brick(rng: np.random.Generator) -> np.ndarray:
    rows, columns = np.indices((SIDE, SIDE))
    course = int(rng.choice([8, 16]))
    shifted = columns + course * (rows // course % 2)
    joint = (rows % course < 2) | (shifted % (2 * course) < 2)
    tone = rng.random((SIDE // course, SIDE // course + 1)) - 0.5
    brick = tone[rows // course, shifted // (2 * course) % (SIDE // course)]
    return np.where(joint, rng.random() * 2 - 1, brick) + 0.3 * _clouds(rng, 32, 32)


def _boards(rng: np.random.Generator) -> np.ndarray:
    rows, _ = np.indices((SIDE, SIDE))
    board = int(rng.choice([16, 32]))
    place = rows % board / board
    lines = np.where(place < 0.12, -1.0, 0.5 * place)
    lines = lines + 0.2 * _clouds(rng, 16, 4)
    return lines if rng.random() < 0.6 else lines.T


def _wood(rng: np.random.Generator) -> np.ndarray:
    grain = _clouds(rng, 32, 2) + 0.7 * _clouds(rng, 16, 4)
    return grain if rng.random() < 0.6 else grain.T


def _clouds(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Random values on a periodic grid of rows x columns, joined linearly; within -1 and 1."""
    grid = rng.random((rows, columns)) * 2 - 1
    tall = _stretch(grid)
    stretched: np.ndarray = _stretch(tall.T).T
    return stretched


def _stretch(grid: np.ndarray) -> np.ndarray:
    """Linear interpolation of the rows, periodic, to SIDE of them."""
    place = np.arange(SIDE) * len(grid) / SIDE
    low = place.astype(int)
    part = (place - low)[:, None]
    return grid[low] * (1 - part) + grid[(low + 1) % len(grid)] * part
