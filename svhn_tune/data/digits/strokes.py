"""Pen-drawn house-number styles: each digit is a few strokes, each style a set of proportions.

A style has no name and no file; it follows from a random generator, so that training and test
styles come from different seeds. Knows nothing about pixels, colours or scenes.
"""

from dataclasses import dataclass
from itertools import pairwise
from math import cos, hypot, pi, sin

import numpy as np

Point = tuple[float, float]
Stroke = list[Point]
Polygon = list[Point]


@dataclass(frozen=True)
class PenStyle:
    """Proportions of one style. Lengths are in digit heights, y grows downwards from 0 to 1.

    `opening` is how far the ends of 2, 3, 5, 6 and 9 stay from closing, from -0.5 to 1; `bow` how
    bent the flag of the 1 is, from 0 to 1.
    """

    width: float
    weight: float
    contrast: float
    squareness: float
    waist: float
    opening: float
    round_ends: bool
    ball: float
    serif: float
    wave: float
    flag: float
    drop: float
    bow: float
    foot: float
    open_four: bool
    barred_seven: bool
    bent_seven: bool
    straight_tail: bool
    flat_three: bool


def invent_style(rng: np.random.Generator) -> PenStyle:
    """A random style: from condensed to extended, thin to heavy, round to square, plain to slab."""

    def between(low: float, high: float) -> float:
        return low + (high - low) * float(rng.random())

    def chance(probability: float) -> bool:
        return float(rng.random()) < probability

    serifed, width = chance(0.4), between(0.36, 0.78)
    weight = between(0.12 if serifed else 0.06, min(0.24, 0.34 * width))
    return PenStyle(
        width=width,
        weight=weight,
        contrast=between(0.25, 0.7) if serifed else between(0.75, 1.0),
        squareness=between(2.6, 5.0) if chance(0.3) else between(1.9, 2.5),
        waist=between(0.41, 0.53),
        opening=between(-0.5 if weight < 0.13 else 0.0, 1.0),
        round_ends=chance(0.35),
        ball=between(0.55, 0.85) if serifed and chance(0.7) else 0.0,
        serif=between(0.06, 0.2) if serifed else 0.0,
        wave=between(0.04, 0.12) if serifed and chance(0.4) else 0.0,
        flag=between(0.1, 0.45) if chance(0.85) else 0.0,
        drop=between(0.04, 0.42),
        bow=between(0.0, 1.0),
        foot=between(0.12, 0.35) if chance(0.75 if serifed else 0.12) else 0.0,
        open_four=chance(0.17),
        barred_seven=chance(0.1),
        bent_seven=chance(0.5),
        straight_tail=chance(0.25),
        flat_three=chance(0.12),
    )


def outline_digit(digit: int, style: PenStyle) -> list[Polygon]:
    """The polygons whose union is `digit`, in digit heights; x runs from 0 to about style.width."""
    polygons: list[Polygon] = []
    for stroke in _DIGITS[digit](style):
        fitted = [_fit(point, style) for point in stroke]
        polygons += _thicken(fitted, style)
        if style.round_ends:
            polygons += [_disc(end, style.weight / 2) for end in (fitted[0], fitted[-1])]
    if style.ball and digit in _BALL_ENDS:
        for stroke_index, end in _BALL_ENDS[digit]:
            tip = _DIGITS[digit](style)[stroke_index][end]
            polygons.append(_disc(_fit(tip, style), style.ball * style.weight))
    return polygons


def draw_curve(start: Point, control: Point, stop: Point, chords: int = 8) -> Stroke:
    """A quadratic Bezier curve as `chords` chords."""
    path = []
    for step in range(chords + 1):
        t = step / chords
        a, b, c = (1 - t) * (1 - t), 2 * t * (1 - t), t * t
        x = a * start[0] + b * control[0] + c * stop[0]
        y = a * start[1] + b * control[1] + c * stop[1]
        path.append((x, y))
    return path


def _fit(point: Point, style: PenStyle) -> Point:
    """From the unit square to the middle of the pen's path, so that the ink ends at 0 and 1."""
    side, top = style.weight / 2, style.weight * style.contrast / 2
    return side + point[0] * (style.width - 2 * side), top + point[1] * (1 - 2 * top)


def _thicken(path: Stroke, style: PenStyle) -> list[Polygon]:
    """Quads along `path`, `contrast` times thinner where it runs level; discs over the joints."""
    polygons: list[Polygon] = []
    for index, (start, stop) in enumerate(pairwise(path)):
        length = hypot(stop[0] - start[0], stop[1] - start[1]) or 1.0
        along = ((stop[0] - start[0]) / length, (stop[1] - start[1]) / length)
        half = style.weight / 2 * hypot(along[1], style.contrast * along[0])
        across = (-along[1] * half, along[0] * half)
        polygons.append(
            [
                (start[0] + across[0], start[1] + across[1]),
                (stop[0] + across[0], stop[1] + across[1]),
                (stop[0] - across[0], stop[1] - across[1]),
                (start[0] - across[0], start[1] - across[1]),
            ]
        )
        if index:
            polygons.append(_disc(start, half))
    return polygons


def _disc(centre: Point, radius: float) -> Polygon:
    """Twelve corners, in the same sense as the quads, so that overlaps do not cancel."""
    turns = [-2 * pi * step / 12 for step in range(12)]
    return [(centre[0] + radius * cos(turn), centre[1] + radius * sin(turn)) for turn in turns]


def _arc(centre: Point, radii: Point, start: float, stop: float, squareness: float = 2.0) -> Stroke:
    """A superellipse's arc between two angles in degrees, clockwise from the right."""
    steps = max(4, int(abs(stop - start) / 12))
    path = []
    for step in range(steps + 1):
        angle = (start + (stop - start) * step / steps) * pi / 180
        x, y = cos(angle), sin(angle)
        bend = 2 / squareness
        path.append(
            (
                centre[0] + radii[0] * (abs(x) ** bend if x > 0 else -(abs(x) ** bend)),
                centre[1] + radii[1] * (abs(y) ** bend if y > 0 else -(abs(y) ** bend)),
            )
        )
    return path


def _zero(style: PenStyle) -> list[Stroke]:
    return [_arc((0.5, 0.5), (0.5, 0.5), 0, 360, style.squareness)]


def _one(style: PenStyle) -> list[Stroke]:
    middle = 0.5 if style.foot else 0.6
    strokes = [[(middle, 0.0), (middle, 1.0)]]
    if style.flag:
        reach, bow = style.flag / style.width, style.bow
        control = (middle - reach * (1 - bow) / 2, style.drop * (0.5 + 0.4 * bow))
        strokes.append(draw_curve((middle, 0.0), control, (middle - reach, style.drop)))
    if style.foot:
        reach = style.foot / style.width
        strokes.append([(middle - reach, 1.0), (middle + reach, 1.0)])
    return strokes


def _two(style: PenStyle) -> list[Stroke]:
    hook = _arc((0.5, 0.28), (0.48, 0.28), 195 - 45 * style.opening, 375, style.squareness)
    neck = draw_curve(hook[-1], (0.86, 0.56), (0.02, 1.0 - style.wave))
    base = draw_curve((0.02, 1.0 - style.wave), (0.5, 1.0 - style.wave), (0.7, 1.0))
    strokes = [hook + neck[1:], [*base, (1.0, 1.0 - style.wave)]]
    if style.serif:
        strokes.append([(1.0, 1.0 - style.wave), (1.0, 1.0 - style.wave - style.serif)])
    return strokes


def _three(style: PenStyle) -> list[Stroke]:
    waist, square = style.waist, style.squareness
    low = _arc(
        (0.48, (1 + waist) / 2),
        (0.52, (1 - waist) / 2),
        -90,
        170 - 50 * style.opening,
        square,
    )
    if style.flat_three:
        return [[(0.05, 0.0), (0.95, 0.0), (0.42, waist)], low]
    high = _arc((0.48, waist / 2), (0.45, waist / 2), 190 + 50 * style.opening, 450, square)
    return [high, [(0.3, waist), (0.5, waist)], low]


def _four(style: PenStyle) -> list[Stroke]:
    bar = 0.66 + 0.08 * style.opening
    if style.open_four:
        return [[(0.12, 0.0), (0.0, bar), (1.0, bar)], [(0.78, 0.1), (0.78, 1.0)]]
    strokes = [[(0.74, 0.0), (0.0, bar), (1.0, bar)], [(0.74, 0.0), (0.74, 1.0)]]
    if style.foot:
        strokes.append([(0.5, 1.0), (0.98, 1.0)])
    return strokes


def _five(style: PenStyle) -> list[Stroke]:
    bowl = _arc((0.46, 0.67), (0.54, 0.33), 218, 360 + 170 - 50 * style.opening, style.squareness)
    return [[(0.92, 0.0), (0.14, 0.0), (0.06, bowl[0][1] + 0.02), bowl[0]], bowl]


def _six(style: PenStyle) -> list[Stroke]:
    bowl = _arc((0.5, 0.68), (0.5, 0.32), 0, 360, style.squareness)
    if style.straight_tail:
        return [bowl, draw_curve((0.0, 0.68), (0.08, 0.42), (0.72, 0.0))]
    tail = _arc((0.52, 0.6), (0.52, 0.6), 180, 315 - 30 * style.opening, style.squareness)
    return [bowl, [(0.0, 0.68), *tail]]


def _seven(style: PenStyle) -> list[Stroke]:
    foot = (0.3, 1.0)
    leg = draw_curve((1.0, 0.0), (0.4, 0.5), foot) if style.bent_seven else [(1.0, 0.0), foot]
    bar = draw_curve((0.0, style.wave), (0.25, -style.wave), (0.6, style.wave))
    strokes = [[*bar, (1.0, 0.0)], leg]
    if style.serif:
        strokes.append([(0.0, 0.0), (0.0, style.serif)])
    if style.barred_seven:
        strokes.append([(0.3, 0.52), (0.86, 0.52)])
    return strokes


def _eight(style: PenStyle) -> list[Stroke]:
    waist, square = style.waist, style.squareness
    return [
        _arc((0.5, waist / 2), (0.44, waist / 2), 0, 360, square),
        _arc((0.5, (1 + waist) / 2), (0.5, (1 - waist) / 2), 0, 360, square),
    ]


def _nine(style: PenStyle) -> list[Stroke]:
    return [[(1 - x, 1 - y) for x, y in stroke] for stroke in _six(style)]


_DIGITS = (_zero, _one, _two, _three, _four, _five, _six, _seven, _eight, _nine)
_BALL_ENDS = {2: ((0, 0),), 3: ((0, 0), (-1, -1)), 5: ((1, -1),), 6: ((1, -1),), 9: ((1, -1),)}
