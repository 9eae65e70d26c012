"""Silhouettes of clothes, shoes and bags: parts laid together, textured and lit.

A part is given by its depth: how far inside of it each place is, negative outside. Only + - * / and
square roots of floats are used, so that every machine gets the same bytes.
"""

from collections.abc import Callable

import numpy as np

from ..objects.scenes import Dice

SIDE = 28
HALF = SIDE // 2
NOISE = 10.0
Array = np.ndarray
# The depth of the whole, and how much darker or lighter the marks on it make each place, -1 to 1.
Garment = tuple[Array, Array]


def draw_garments(name: str, count: int, rng: np.random.Generator) -> Array:
    """Images (count, SIDE, SIDE) uint8 of garments of this name, on black."""
    dice = Dice(rng, count)
    axis = (np.arange(SIDE, dtype=np.float32) + np.float32(0.5)) / np.float32(HALF) - 1
    one = np.ones((count, SIDE, SIDE), np.float32)
    x, y = one * axis[None, None, :], one * axis[None, :, None]
    # A little moved, sheared and scaled.
    x, y = x - dice.between(-0.08, 0.08), y - dice.between(-0.08, 0.08)
    lean, turn = dice.between(-0.08, 0.08), dice.between(-0.08, 0.08)
    x, y = (x + lean * y) / dice.between(0.85, 1.1), (y + turn * x) / dice.between(0.9, 1.05)
    depth, marks = GARMENTS[name](dice, x, y)
    tone = dice.between(70, 230)
    texture = _texture(dice, x, y) * dice.between(0, 0.6) + marks * dice.between(0.25, 0.8)
    # Folds, as light that changes across.
    fold = 1 + dice.between(-0.25, 0.25) * x + dice.between(-0.25, 0.25) * y
    noise = dice.rng.random(x.shape, np.float32) + dice.rng.random(x.shape, np.float32) - 1
    lit = tone * fold * (1 - texture) + noise * np.float32(NOISE) * dice.between(0.5, 3)
    body = np.clip(depth * HALF + np.float32(0.5), 0, 1)
    return np.clip(np.clip(lit, 20, 255) * body, 0, 255).astype(np.uint8)


def _trapezoid(x: Array, y: Array, top: Array, end: Array, wide: Array, foot: Array) -> Array:
    """From `top` to `end`, half as wide as `wide` above and as `foot` below."""
    share = np.clip((y - top) / (end - top), 0, 1)
    return np.minimum(wide + (foot - wide) * share - np.abs(x), np.minimum(y - top, end - y))


def _bar(x: Array, y: Array, start: tuple, end: tuple, thick: Array) -> Array:
    """All within `thick` of the line from `start` to `end`."""
    across, down = end[0] - start[0], end[1] - start[1]
    along = ((x - start[0]) * across + (y - start[1]) * down) / (across * across + down * down)
    along = np.clip(along, 0, 1)
    away, below = x - start[0] - along * across, y - start[1] - along * down
    return thick - np.sqrt(away * away + below * below)


def _ellipse(x: Array, y: Array, wide: Array, high: Array) -> Array:
    u, v = x / wide, y / high
    return (1 - np.sqrt(u * u + v * v)) * np.minimum(wide, high)


def _cut(depth: Array, hole: Array) -> Array:
    return np.minimum(depth, -hole)


def _texture(dice: Dice, x: Array, y: Array) -> Array:
    """Stripes along or across, or both, of a third; the others are plain."""
    period = dice.between(0.22, 0.6)
    u, v = x / period + dice.between(0, 1), y / period + dice.between(0, 1)
    u, v = np.abs(u - np.floor(u) - np.float32(0.5)), np.abs(v - np.floor(v) - np.float32(0.5))
    along = np.where(dice.chance(0.4), np.clip((np.float32(0.25) - u) * 6 + 0.5, 0, 1), 0)
    across = np.where(dice.chance(0.6), np.clip((np.float32(0.25) - v) * 6 + 0.5, 0, 1), 0)
    return np.where(dice.chance(0.34), np.maximum(along, across), 0)


def _upper(
    dice: Dice,
    x: Array,
    y: Array,
    wide: tuple[float, float],
    end: tuple[float, float],
    sleeve: tuple[float, float],
) -> Array:
    """A garment with two sleeves: half its width, where it ends, where its sleeves do."""
    top, shoulder = dice.between(-0.92, -0.78), dice.between(*wide)
    hem = shoulder * dice.between(0.85, 1.12)
    body = _trapezoid(x, y, top, dice.between(*end), shoulder, hem)
    thick, reach = dice.between(0.1, 0.17), dice.between(*sleeve)
    joint = (shoulder - thick * np.float32(0.6), top + thick)
    # Short sleeves spread, long ones hang.
    length = reach - top
    end_of_it = (joint[0] + dice.between(0.16, 0.34), joint[1] + np.maximum(length - thick, 0.1))
    sleeves = _bar(np.abs(x), y, joint, end_of_it, thick)
    neck = _ellipse(x, y - top, dice.between(0.1, 0.24), dice.between(0.05, 0.22))
    return _cut(np.maximum(body, sleeves), neck)


def _opening(dice: Dice, x: Array, y: Array, share: float) -> Array:
    """A line down the middle with its buttons, of a `share` of them."""
    x = x - dice.between(-0.06, 0.06)
    line = np.clip((np.float32(0.05) - np.abs(x)) * HALF + 0.5, 0, 1)
    period = dice.between(0.25, 0.4)
    v = y / period + dice.between(0, 1)
    v = np.abs(v - np.floor(v) - np.float32(0.5))
    dots = np.where(dice.chance(0.5), np.clip((np.float32(0.3) - v) * 5 + 0.5, 0, 1), 1)
    return np.where(dice.chance(share), line * dots, 0)


def _print_on(dice: Dice, x: Array, y: Array, share: float) -> Array:
    """Something printed on the chest, of a `share` of them."""
    spot = _ellipse(x, y - dice.between(-0.5, 0), dice.between(0.1, 0.3), dice.between(0.08, 0.25))
    return np.where(dice.chance(share), np.clip(spot * HALF + 0.5, 0, 1), 0)


def _t_shirt(dice: Dice, x: Array, y: Array) -> Garment:
    depth = _upper(dice, x, y, (0.36, 0.52), (0.7, 0.95), (-0.55, -0.15))
    return depth, _print_on(dice, x, y, 0.45)


def _pullover(dice: Dice, x: Array, y: Array) -> Garment:
    depth = _upper(dice, x, y, (0.36, 0.54), (0.6, 0.92), (0.35, 0.85))
    return depth, _print_on(dice, x, y, 0.25)


def _coat(dice: Dice, x: Array, y: Array) -> Garment:
    depth = _upper(dice, x, y, (0.38, 0.56), (0.78, 0.98), (0.4, 0.88))
    return depth, _opening(dice, x, y, 0.85)


def _shirt(dice: Dice, x: Array, y: Array) -> Garment:
    """With sleeves of any length, as the others of the upper half may have theirs."""
    depth = _upper(dice, x, y, (0.34, 0.52), (0.66, 0.97), (-0.55, 0.85))
    top = dice.between(-0.85, -0.6)
    collar = np.float32(0.06) - np.abs(np.abs(x) - (y - top) * np.float32(0.6))
    collar = np.where((y > top) & (y < top + np.float32(0.4)), collar, -1)
    marks = np.clip(collar * HALF + 0.5, 0, 1)
    marks = np.where(dice.chance(0.6), marks, 0)
    return depth, np.maximum(marks, _opening(dice, x, y, 0.45))


def _dress(dice: Dice, x: Array, y: Array) -> Garment:
    top, waist = dice.between(-0.95, -0.85), dice.between(-0.4, 0.05)
    bust, narrow = dice.between(0.2, 0.36), dice.between(0.16, 0.34)
    upper = _trapezoid(x, y, top, waist + np.float32(0.02), bust, narrow)
    lower = _trapezoid(x, y, waist, dice.between(0.8, 0.98), narrow, dice.between(0.24, 0.6))
    start, thick = (bust - np.float32(0.08), top + np.float32(0.12)), dice.between(0.05, 0.12)
    sleeve = _bar(np.abs(x), y, start, (bust + np.float32(0.2), dice.between(-0.7, 0.4)), thick)
    depth = np.maximum(np.maximum(upper, lower), np.where(dice.chance(0.4), sleeve, -1))
    depth = _cut(depth, _ellipse(x, y - top, dice.between(0.08, 0.2), dice.between(0.08, 0.3)))
    return depth, _print_on(dice, x, y, 0.15)


def _trousers(dice: Dice, x: Array, y: Array) -> Garment:
    top, fork = dice.between(-0.97, -0.85), dice.between(-0.6, -0.2)
    waist, foot = dice.between(0.22, 0.4), dice.between(0.1, 0.2)
    hips = _trapezoid(x, y, top, fork + np.float32(0.1), waist, waist * np.float32(1.1))
    middle, apart = waist * np.float32(0.55), dice.between(0.16, 0.36)
    end = dice.between(0.8, 0.98)
    share = np.clip((y - fork) / (end - fork), 0, 1)
    across = np.abs(x) - (middle + (apart - middle) * share)
    legs = _trapezoid(across, y, fork, end, middle, foot)
    return np.maximum(hips, legs), _opening(dice, x, y, 0.2)


def _sole(dice: Dice, x: Array, y: Array, heel: Array) -> tuple[Array, Array]:
    """The sole, higher at the heel, and how far above it each place is."""
    ground, thick = dice.between(0.35, 0.55), dice.between(0.05, 0.1)
    rise = heel * np.clip(x * np.float32(1.2) + np.float32(0.2), 0, 1)
    above = ground - rise - y
    sole = np.minimum(thick - np.abs(above), np.float32(0.92) - np.abs(x))
    post = _trapezoid(x - np.float32(0.78), y, ground - rise, ground + thick, thick * 2, thick)
    return np.maximum(sole, np.where(heel > np.float32(0.15), post, -1)), above


def _upper_of_shoe(x: Array, above: Array, toe: Array, back: Array, where: Array) -> Array:
    """Below a line that rises from the toe, on the left, to the back of the shoe."""
    share = np.clip((x + np.float32(0.9)) / (where + np.float32(0.9)), 0, 1)
    height = toe + (back - toe) * share * share
    return np.minimum(np.minimum(height - above, above), np.float32(0.9) - np.abs(x))


def _sandal(dice: Dice, x: Array, y: Array) -> Garment:
    sole, above = _sole(dice, x, y, dice.between(-0.3, 0.7))
    depth = sole
    for start, reach in ((-0.75, 0.25), (-0.35, 0.3), (0.1, 0.4), (0.55, 0.3)):
        foot, lean = np.float32(start) + dice.between(-0.1, 0.1), dice.between(-0.3, 0.3)
        end = (foot + lean, np.float32(reach) + dice.between(-0.1, 0.3))
        strap = _bar(x, above, (foot, np.float32(0)), end, dice.between(0.03, 0.08))
        depth = np.maximum(depth, np.where(dice.chance(0.7), strap, -1))
    back = _upper_of_shoe(
        x, above, dice.between(0.05, 0.2), dice.between(0.3, 0.5), dice.between(0.5, 0.7)
    )
    hollow = _ellipse(x - dice.between(-0.3, 0.1), above - dice.between(0.1, 0.3), *_sizes(dice))
    return np.maximum(depth, np.where(dice.chance(0.3), _cut(back, hollow), -1)), 0 * x


def _sizes(dice: Dice) -> tuple[Array, Array]:
    return dice.between(0.15, 0.4), dice.between(0.1, 0.25)


def _sneaker(dice: Dice, x: Array, y: Array) -> Garment:
    sole, above = _sole(dice, x, y, dice.between(0, 0.12))
    toe, back = dice.between(0.1, 0.25), dice.between(0.4, 0.72)
    shoe = _upper_of_shoe(x, above, toe, back, dice.between(0.2, 0.8))
    mouth = _ellipse(x - dice.between(0.4, 0.6), above - back, *_sizes(dice))
    line = dice.between(0.05, 0.2)
    marks = np.clip((np.float32(0.05) - np.abs(above - line)) * HALF + 0.5, 0, 1)
    stripe = np.abs(x - dice.between(-0.3, 0.4) - (above - line) * dice.between(-1, 1))
    stripe = np.clip((dice.between(0.04, 0.12) - stripe) * HALF + 0.5, 0, 1)
    marks = np.maximum(np.where(dice.chance(0.6), marks, 0), np.where(dice.chance(0.5), stripe, 0))
    return np.maximum(sole, _cut(shoe, mouth)), marks


def _boot(dice: Dice, x: Array, y: Array) -> Garment:
    sole, above = _sole(dice, x, y, dice.between(0, 0.45))
    shoe = _upper_of_shoe(
        x, above, dice.between(0.1, 0.25), dice.between(0.4, 0.6), dice.between(0.4, 0.6)
    )
    front, lean = dice.between(-0.2, 0.3), dice.between(-0.2, 0.2)
    back = np.float32(0.88) - np.maximum(lean, 0) * above
    shaft = np.minimum(np.minimum(x - front - lean * above, back - x), above)
    shaft = np.minimum(shaft, dice.between(0.62, 1.3) - above)
    return np.maximum(np.maximum(sole, shoe), shaft), 0 * x


def _bag(dice: Dice, x: Array, y: Array) -> Garment:
    top, wide = dice.between(-0.5, 0.1), dice.between(0.5, 0.92)
    body = _trapezoid(x, y, top, dice.between(0.5, 0.9), wide * dice.between(0.7, 1), wide)
    width, height, thick = wide * dice.between(0.4, 0.9), dice.between(0.3, 0.9), dice.between(1, 2)
    ring = _ellipse(x, y - top, width, height)
    handle = np.minimum(thick * np.float32(0.06) - np.abs(ring), top + np.float32(0.05) - y)
    flap = np.abs(y - top - dice.between(0.1, 0.5))
    marks = np.clip((np.float32(0.05) - flap) * HALF + 0.5, 0, 1)
    depth = np.maximum(body, np.where(dice.chance(0.85), handle, -1))
    return depth, np.where(dice.chance(0.5), marks, 0)


GARMENTS: dict[str, Callable[[Dice, Array, Array], Garment]] = {
    "T-shirt-like": _t_shirt,
    "trousers-like": _trousers,
    "pullover-like": _pullover,
    "dress-like": _dress,
    "coat-like": _coat,
    "sandal-like": _sandal,
    "shirt-like": _shirt,
    "sneaker-like": _sneaker,
    "bag-like": _bag,
    "boot-like": _boot,
}
