"""A scene of one clock each: from where it is seen, the wall, the rim, the glass, light, noise.

As in objects/, only + - * / and square roots of floats decide what a pixel is.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..objects.scenes import Array, Dice
from .face import blend, draw_face

FOCUS = np.float32(2.2)  # in halves of the image: it shows 49 degrees
NOISE = 4.0
# The tangents of half the largest angles: 25 degrees about the axis, and up, down and sideways.
ROLL, TILT = 0.222, 0.222


def draw_scenes(minutes: Array, side: int, rng: np.random.Generator) -> Array:
    """Images (N, side, side) uint8 of clocks that show so many minutes after 12:00, (N,)."""
    dice = Dice(rng, len(minutes))
    across, down = _lay_grid(side, dice)
    x, y, size = _look(across, down, dice)
    pixels = size * np.float32(side / 2)  # of the dial's radius
    ground = dice.between(30, 225)
    scene = _draw_wall(across, down, ground, dice)
    light_x, light_y = dice.between(-1, 1), dice.between(-1, 1)
    rim = dice.between(1.03, 1.15)
    # The clock's shadow on the wall falls away from the light.
    distance = _measure(x + np.float32(0.14) * light_x, y + np.float32(0.14) * light_y)
    shade = np.clip((rim + np.float32(0.12) - distance) / np.float32(0.3), 0, 1)
    scene = scene * (1 - dice.between(0.1, 0.5) * shade)
    distance = _measure(x, y)
    # A rim of metal or wood shines towards the light.
    shine = (x * light_x + y * light_y) / (distance + np.float32(0.01))
    metal = dice.between(30, 215) + dice.between(10, 60) * shine
    scene = blend(scene, metal, np.clip((rim - distance) * pixels + 0.5, 0, 1))
    dial = draw_face(x, y, minutes, pixels, dice)
    dial = _reflect(dial, x, y, dice)
    scene = blend(scene, dial, np.clip((1 - distance) * pixels + 0.5, 0, 1))
    return _photograph(scene, across, down, dice)


def _lay_grid(side: int, dice: Dice) -> tuple[Array, Array]:
    """Right and down of each pixel in the image, which goes from -1 to 1: (N, side, side) each."""
    axis = (np.arange(side, dtype=np.float32) + np.float32(0.5)) / np.float32(side / 2) - 1
    one = np.ones((dice.count, side, side), np.float32)
    return one * axis[None, None, :], one * axis[None, :, None]


def _measure(x: Array, y: Array) -> Array:
    return np.sqrt(x * x + y * y)


def _turn(dice: Dice, most: float) -> tuple[Array, Array]:
    """Cosine and sine of an angle of which half has a tangent of up to `most`."""
    part = dice.between(-most, most)
    return (1 - part * part) / (1 + part * part), 2 * part / (1 + part * part)


def _look(across: Array, down: Array, dice: Dice) -> tuple[Array, Array, Array]:
    """Where on the plane of the dial each pixel looks, in radii, right and up of its middle.

    The dial is rolled about its axis, tilted up or down, and turned sideways. Returns x, y
    (N, side, side) and the radius in halves of the image, about, (N, 1, 1).
    """
    (cos_r, sin_r), (cos_t, sin_t), (cos_s, sin_s) = (
        _turn(dice, most) for most in (ROLL, TILT, TILT)
    )
    # The dial's right and up, and what stands on it, in the camera's right, up and ahead.
    right = (
        cos_s * cos_r - sin_s * sin_t * sin_r,
        cos_t * sin_r,
        sin_s * cos_r + cos_s * sin_t * sin_r,
    )
    up = (
        -cos_s * sin_r - sin_s * sin_t * cos_r,
        cos_t * cos_r,
        -sin_s * sin_r + cos_s * sin_t * cos_r,
    )
    normal = (sin_s * cos_t, sin_t, -cos_s * cos_t)
    size = dice.between(0.72, 0.86)
    away = FOCUS / size
    middle = (dice.between(-0.06, 0.06) / size, dice.between(-0.06, 0.06) / size, away)
    ray = (across, -down, FOCUS)
    reach = _dot(normal, middle) / _dot(normal, ray)
    place = [reach * each - there for each, there in zip(ray, middle, strict=True)]
    return _dot(place, right), _dot(place, up), size


def _dot(one: Sequence[Any], other: Sequence[Any]) -> Array:
    product: Array = one[0] * other[0] + one[1] * other[1] + one[2] * other[2]
    return product


def _draw_wall(across: Array, down: Array, ground: Array, dice: Dice) -> Array:
    """A grey that changes across the image, with stripes on a third of them."""
    cosine, sine = _turn(dice, 1)
    along = cosine * across + sine * down
    wall = ground + dice.between(-45, 45) * along
    place = along / dice.between(0.15, 0.6) + dice.between(0, 1)
    striped = np.where(place - np.floor(place) < np.float32(0.5), 1, 0)
    return wall + np.where(dice.chance(0.33), dice.between(-30, 30), 0) * striped


def _reflect(dial: Array, x: Array, y: Array, dice: Dice) -> Array:
    """The glass: a lamp's spot on half of them, a window's bright field on others, both on some."""
    dx, dy = x - dice.between(-0.8, 0.8), y - dice.between(-0.8, 0.8)
    cosine, sine = _turn(dice, 1)
    along, aside = cosine * dx + sine * dy, cosine * dy - sine * dx
    long, short = dice.between(0.2, 0.75), dice.between(0.12, 0.4)
    near = np.clip(1 - (along / long) ** 2 - (aside / short) ** 2, 0, 1)
    spot = np.where(dice.chance(0.5), dice.between(0.2, 0.8), 0) * near
    edge = np.minimum(
        dice.between(0.2, 0.6) - np.abs(aside), dice.between(0.3, 0.8) - np.abs(along)
    )
    # The bars of a window.
    edge = np.minimum(edge, np.maximum(np.abs(aside), np.abs(along)) * 9 - np.float32(0.2))
    window = np.where(dice.chance(0.35), dice.between(0.1, 0.45), 0) * np.clip(edge * 12, 0, 1)
    return blend(blend(dial, np.float32(255), spot), np.float32(250), window)


def _photograph(scene: Array, across: Array, down: Array, dice: Dice) -> Array:
    """Light that changes across the image, and noise."""
    light = 1 + dice.between(-0.25, 0.25) * across + dice.between(-0.25, 0.25) * down
    lit = scene * (light * dice.between(0.7, 1.12))
    strength = dice.between(0.1, 1) * np.float32(2 * NOISE)
    noise = dice.rng.random(lit.shape, np.float32) + dice.rng.random(lit.shape, np.float32) - 1
    return np.clip(lit + noise * strength, 0, 255).astype(np.uint8)
