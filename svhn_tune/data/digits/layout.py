"""Where the digits of a house number fall: perspective, spacing and neighbours in a block.

Only + - * / of floats are used, so that every machine gets the same bytes. Knows
nothing about colours: the result is how deep each pixel lies inside the ink.
"""

from dataclasses import dataclass

import numpy as np

from .glyphs import DEPTH_STEP, HEIGHT, TILE, Faces

CANVAS = 44
"""Side of a scene in pixels."""

CROP = 36
"""Side of the square around the digit that becomes the image; the rest is margin."""

_SLOTS = 5
_MIDDLE = 2
_LENGTH_BELOW = np.array([0.1, 0.52, 0.88])

Array = np.ndarray


class Dice:
    """Per-image random numbers of one block, shaped to broadcast over a scene's pixels."""

    def __init__(self, rng: np.random.Generator, count: int) -> None:
        self.rng, self.count = rng, count

    def between(self, low: float | Array, high: float | Array) -> Array:
        """Uniform in [low, high), (count, 1, 1) float32."""
        return low + (high - low) * self.rng.random((self.count, 1, 1), np.float32)

    def around(self, centre: float, spread: float) -> Array:
        """Triangular in centre +- spread, (count, 1, 1) float32."""
        return centre + spread * (self.between(0, 1) - self.between(0, 1))

    def chance(self, probability: float) -> Array:
        """True with `probability`, (count, 1, 1) bool."""
        return self.rng.random((self.count, 1, 1), np.float32) < probability

    def colour(self, low: float, high: float) -> Array:
        """Uniform per channel, (count, 3, 1, 1) float32."""
        return low + (high - low) * self.rng.random((self.count, 3, 1, 1), np.float32)


@dataclass(frozen=True)
class Plane:
    """Where each pixel falls on the wall, in field pixels from the target digit's centre.

    `along` runs in the direction of reading, `across` at right angles to it; `x` is level and `y`
    upright. All (count, CANVAS, CANVAS); `grain` (count, 1, 1) is field pixels per scene pixel;
    `stacked` (count, 1, 1) says that the number is read downwards.
    """

    x: Array
    y: Array
    along: Array
    across: Array
    grain: Array
    stacked: Array


@dataclass(frozen=True)
class Number:
    """A written house number, lengths in field pixels.

    `depth` (count, CANVAS, CANVAS) is positive inside the ink; `cell` is the distance to the
    nearest gap between two digits; `start` and `end` along the plane and `stroke`, half
    a stroke, are (count, 1, 1).
    """

    depth: Array
    cell: Array
    start: Array
    end: Array
    stroke: Array


def project(dice: Dice) -> Plane:
    """Distance, slant, turn and perspective of the wall."""
    axis = np.arange(CANVAS, dtype=np.float32) - np.float32((CANVAS - 1) / 2)
    x, y = axis[None, None, :], axis[None, :, None]
    grain = HEIGHT / (CROP * dice.between(dice.between(0.48, 0.74), 0.92))
    half_turn = dice.around(0, 0.09)
    norm = 1 + half_turn * half_turn
    cosine, sine = (1 - half_turn * half_turn) / norm, 2 * half_turn / norm
    depth = 1 + dice.around(0, 0.006) * x + dice.around(0, 0.006) * y
    u = grain * (cosine * x + sine * y) / depth
    v = grain * (cosine * y - sine * x) / depth
    slant = np.where(dice.chance(0.5), dice.around(0, 0.35), 0)
    climb = np.where(dice.chance(0.3), dice.around(0, 0.15), 0)
    u = (u + slant * v) / dice.around(0.92, 0.42)
    v = v + climb * u
    stacked = dice.chance(0.02)
    return Plane(u, v, np.where(stacked, v, u), np.where(stacked, u, v), grain, stacked)


def write_number(labels: Array, faces: Faces, plane: Plane, dice: Dice) -> Number:
    """Numbers of one to four digits, one of which, `labels` (count,), is at the centre."""
    face = _choose_faces(faces, dice)
    written = _choose_length(dice)
    digits = _choose_digits(labels, dice)
    glyphs = np.where(written, 10 * face[:, None] + digits, 10 * len(faces.strokes))
    extent = np.where(plane.stacked[:, 0], np.float32(HEIGHT), faces.widths[glyphs])
    centres = _space_out(extent, dice)
    ends = np.where(written, centres, 0)

    glyph = np.broadcast_to(glyphs[:, :1, None], plane.x.shape)
    centre = np.broadcast_to(centres[:, :1, None], plane.x.shape)
    cell = np.full(plane.x.shape, HEIGHT, np.float32)
    rights, lefts = centres + extent / 2, centres - extent / 2
    for slot in range(1, _SLOTS):
        border = ((rights[:, slot - 1] + lefts[:, slot]) / 2)[:, None, None]
        passed = plane.along > border
        glyph = np.where(passed, glyphs[:, slot, None, None], glyph)
        centre = np.where(passed, centres[:, slot, None, None], centre)
        cell = np.minimum(cell, np.abs(plane.along - border))
    x = plane.x - np.where(plane.stacked, 0, centre)
    y = plane.y - np.where(plane.stacked, centre, 0)
    return Number(
        depth=_look_up(faces.fields, glyph, x, y),
        cell=cell,
        start=ends.min(axis=1)[:, None, None],
        end=ends.max(axis=1)[:, None, None],
        stroke=faces.strokes[face][:, None, None],
    )


def _choose_faces(faces: Faces, dice: Dice) -> Array:
    count, rng = dice.count, dice.rng
    font = rng.integers(0, faces.fonts, count)
    pen = rng.integers(faces.fonts, len(faces.strokes), count)
    return np.where(rng.random(count) < 0.35, font, pen)


def _choose_length(dice: Dice) -> Array:
    """Which slots hold a digit, (count, _SLOTS) bool; the middle one always does."""
    length = 1 + (dice.rng.random((dice.count, 1)) > _LENGTH_BELOW).sum(axis=1)
    before = (dice.rng.random(dice.count) * length).astype(np.int64)
    slot = np.arange(_SLOTS) - _MIDDLE
    return (slot >= -before[:, None]) & (slot < (length - before)[:, None])


def _choose_digits(labels: Array, dice: Dice) -> Array:
    """Digits for every slot, (count, _SLOTS); small ones are more frequent, as in house numbers."""
    shape = (dice.count, _SLOTS)
    any_digit, small = dice.rng.integers(0, 10, shape), dice.rng.integers(0, 5, shape)
    digits = np.where(dice.rng.random(shape) < 0.4, small, any_digit)
    digits[:, _MIDDLE] = labels
    return digits


def _space_out(extent: Array, dice: Dice) -> Array:
    """Centres of the slots, (count, _SLOTS) float32, the middle one at 0."""
    wide = np.where(dice.chance(0.25), dice.between(0, 0.35), 0)
    gap = HEIGHT * (dice.between(0.03, 0.16) + wide)[:, 0]
    steps = (extent[:, 1:] + extent[:, :-1]) / 2 + gap
    centres = np.zeros(extent.shape, np.float32)
    for slot in range(_MIDDLE, _SLOTS - 1):
        centres[:, slot + 1] = centres[:, slot] + steps[:, slot]
    for slot in range(_MIDDLE, 0, -1):
        centres[:, slot - 1] = centres[:, slot] - steps[:, slot - 1]
    return centres


def _look_up(fields: Array, glyph: Array, x: Array, y: Array) -> Array:
    """Bilinear look-up; beyond a field's edge the depth falls by one field pixel per pixel."""
    column = x + np.float32((TILE - 1) / 2)
    row = y + np.float32((TILE - 1) / 2)
    inside_column = np.clip(column, 0, np.float32(TILE - 1.001))
    inside_row = np.clip(row, 0, np.float32(TILE - 1.001))
    beyond = np.abs(column - inside_column) + np.abs(row - inside_row)
    left, top = inside_column.astype(np.int64), inside_row.astype(np.int64)
    right_part, low_part = inside_column - left, inside_row - top
    flat = fields.reshape(-1)
    at = (glyph * TILE + top) * TILE + left
    upper = flat[at] * (1 - right_part) + flat[at + 1] * right_part
    lower = flat[at + TILE] * (1 - right_part) + flat[at + TILE + 1] * right_part
    depth: Array = (upper * (1 - low_part) + lower * low_part) * np.float32(DEPTH_STEP) - beyond
    return depth.astype(np.float32)
