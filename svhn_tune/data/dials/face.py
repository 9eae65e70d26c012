"""The dials: ticks, numerals, a mark that tells where 12 is, and two hands of many kinds.

All lengths are in radii of the dial.
"""

import math

import numpy as np

from ..digits.glyphs import DEPTH_STEP, HEIGHT, TILE, load_fonts
from ..objects.scenes import Array, Dice

TIMES = 12 * 60
# Sines and cosines of the times' angles, clockwise from 12; rounded to 32 bits they are the same
# on every machine.
_ANGLES = [2 * math.pi * time / TIMES for time in range(TIMES)]
SINES = np.array([math.sin(angle) for angle in _ANGLES], np.float32)
COSINES = np.array([math.cos(angle) for angle in _ANGLES], np.float32)

HANDS = ("bar", "taper", "lozenge", "ring", "arrow")
MARKS = ("numerals", "numerals", "quarters", "twelve", "wedge", "double")
TICKS = ("lines", "bars", "dots")


def blend(under: Array, over: Array | np.float32, share: Array | np.float32) -> Array:
    """`over` laid upon `under`, by its `share` of each pixel."""
    return under + (over - under) * share


def draw_face(x: Array, y: Array, minutes: Array, pixels: Array, dice: Dice) -> Array:
    """Greys (N, side, side) of the dials at places right and up of their middles.

    Args:
        x, y: (N, side, side).
        minutes: (N,) after 12:00, 0 to 719.
        pixels: (N, 1, 1) of a radius.
        dice: of the N images.
    """
    light = dice.chance(0.85)
    paper = np.where(light, dice.between(165, 250), dice.between(15, 70))
    ink = np.where(light, dice.between(0, 70), dice.between(180, 255))
    marks = dice.pick(MARKS)[:, None, None]
    depth = np.maximum(_place_ticks(x, y, marks, dice), _place_numerals(x, y, marks, dice))
    face = blend(paper, ink, np.clip(depth * pixels + 0.5, 0, 1) * dice.between(0.7, 1))
    # Hands in another tone than the ticks, still far from the paper's.
    ink = np.where(dice.chance(0.5), ink, blend(ink, paper, np.float32(0.25)))
    shadow_x, shadow_y = dice.between(-0.05, 0.05), dice.between(-0.05, 0.05)
    shade = np.where(light, dice.between(0, 0.4), 0)
    kinds = dice.pick(HANDS)[:, None, None]
    knob = dice.between(0.04, 0.09)
    for turns, long, wide in (
        (minutes, dice.between(0.44, 0.56), dice.between(0.05, 0.09)),
        (minutes % 60 * 12, dice.between(0.78, 0.92), dice.between(0.03, 0.055)),
    ):
        sine, cosine = SINES[turns][:, None, None], COSINES[turns][:, None, None]
        tail = dice.between(0.05, 0.2)

        def cover(
            x: Array,
            y: Array,
            s: Array = sine,
            c: Array = cosine,
            shape: tuple[Array, ...] = (long, wide, tail),
        ) -> Array:
            depth = _measure_hand(kinds, x * s + y * c, np.abs(x * c - y * s), *shape)
            depth = np.maximum(depth, knob - np.sqrt(x * x + y * y))
            return np.clip(depth * pixels + 0.5, 0, 1)

        face = face * (1 - shade * cover(x - shadow_x, y - shadow_y))
        face = blend(face, ink, cover(x, y))
    return face


def _measure_hand(
    kinds: Array, along: Array, aside: Array, long: Array, wide: Array, tail: Array
) -> Array:
    """How far inside a hand each place is, negative outside; `wide` is half of its width."""
    part = np.clip(along / long, 0, 1)
    third = np.float32(0.35)
    rhombus = np.minimum(part / third, (1 - part) / (1 - third))
    width = np.select(
        [kinds == "taper", kinds == "lozenge", kinds == "arrow"],
        [
            wide * (np.float32(1.3) - part),
            wide * (np.float32(0.25) + np.float32(1.2) * rhombus),
            np.where(
                part > np.float32(0.72), wide * np.float32(6) * (1 - part), wide * np.float32(0.6)
            ),
        ],
        np.where(kinds == "ring", wide * np.float32(0.6), wide),
    )
    depth = np.minimum(width - aside, np.minimum(along + tail, long - along))
    away = along - long * np.float32(0.7)
    ring = wide * np.float32(0.5) - np.abs(
        np.sqrt(away * away + aside * aside) - wide * np.float32(1.5)
    )
    return np.where(kinds == "ring", np.maximum(depth, ring), depth)


def _find_sectors(x: Array, y: Array, count: int) -> tuple[Array, Array, Array]:
    """The nearest of `count` rays from the middle, clockwise from 12; along and aside of it."""
    # Between two rays, where rounding might decide, nothing is drawn.
    turns = np.arctan2(x, y) * np.float32(count / (2 * math.pi))
    sectors = np.rint(turns).astype(np.int32) % count
    step = TIMES // count
    sine, cosine = SINES[sectors * step], COSINES[sectors * step]
    return sectors, x * sine + y * cosine, x * cosine - y * sine


def _place_ticks(x: Array, y: Array, marks: Array, dice: Dice) -> Array:
    """How far inside a tick, or the mark at 12, each place is; negative outside."""
    hours, along, aside = _find_sectors(x, y, 12)
    end = dice.between(0.9, 0.97)
    long, wide = dice.between(0.08, 0.2), dice.between(0.012, 0.022)
    kinds = dice.pick(TICKS)[:, None, None]
    long = np.where(marks == "numerals", np.float32(0.07), long)
    # On some dials those of 3, 6 and 9 are longer.
    quarter = dice.chance(0.4) & (hours % 3 == 0) & (marks != "numerals")
    long = np.where(quarter, long * np.float32(1.4), long)
    wide = np.where(kinds == "bars", np.float32(2), np.float32(1)) * wide
    line = np.minimum(wide - np.abs(aside), np.minimum(end - along, along - end + long))
    off = along - np.float32(0.88)
    dot = wide * np.float32(2.2) - np.sqrt(off * off + aside * aside)
    depth = np.where((kinds == "dots") & (marks != "numerals"), dot, line)
    _, minute_along, minute_aside = _find_sectors(x, y, 60)
    fine = np.minimum(
        np.float32(0.008) - np.abs(minute_aside),
        np.minimum(end - minute_along, minute_along - end + np.float32(0.05)),
    )
    depth = np.maximum(depth, np.where(dice.chance(0.5), fine, -1))
    numeral = (marks == "quarters") & (hours % 3 == 0) | (marks == "twelve") & (hours == 0)
    depth = np.where(numeral & (along > np.float32(0.4)), -1, depth)
    # A wedge that points to the middle, or two bars, at 12.
    wedge = np.minimum(
        end - along, (along - end + np.float32(0.3)) * np.float32(0.45) - np.abs(aside)
    )
    bars = np.minimum(
        np.float32(0.03) - np.abs(np.abs(aside) - np.float32(0.065)),
        np.minimum(end - along, along - end + np.float32(0.26)),
    )
    depth = np.where((marks == "wedge") & (hours == 0), wedge, depth)
    return np.where((marks == "double") & (hours == 0), bars, depth)


def _place_numerals(x: Array, y: Array, marks: Array, dice: Dice) -> Array:
    """How far inside a numeral each place is, those upright on the dial; negative outside."""
    faces = load_fonts("train")
    hours, _, _ = _find_sectors(x, y, 12)
    high = np.where(marks == "numerals", dice.between(0.2, 0.26), dice.between(0.24, 0.34))
    away = np.where(marks == "numerals", np.float32(0.72), np.float32(0.8))
    scale = np.float32(HEIGHT) / high
    right = (x - away * SINES[hours * 60]) * scale
    below = (away * COSINES[hours * 60] - y) * scale
    shown = (marks == "numerals") | (marks == "quarters") & (hours % 3 == 0)
    shown = shown | (marks == "twelve") & (hours == 0)
    font = dice.rng.integers(0, faces.fonts, (dice.count, 1, 1)) * 10
    number = np.where(hours == 0, 12, hours)
    tens, ones = font + number // 10, font + number % 10
    # A number of one digit has a first one of no width.
    first = np.where(number > 9, faces.widths[tens] + np.float32(3), 0)
    right = right + (first + faces.widths[ones]) / 2
    is_first = (number > 9) & (right < first - np.float32(1.5))
    digit = np.where(is_first, tens, ones)
    middle = np.where(is_first, (first - 3) / 2, first + faces.widths[ones] / 2)
    column = np.rint(right - middle).astype(np.int32) + TILE // 2
    row = np.rint(below).astype(np.int32) + TILE // 2
    inside = (column >= 0) & (column < TILE) & (row >= 0) & (row < TILE) & shown
    field = faces.fields[digit, np.clip(row, 0, TILE - 1), np.clip(column, 0, TILE - 1)]
    return np.where(inside, field * np.float32(DEPTH_STEP) / scale, -1)
