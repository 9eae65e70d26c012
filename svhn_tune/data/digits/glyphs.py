"""Digit shapes as distance fields: fonts that ship with matplotlib, and pen-drawn styles.

A distance field holds, for each point, how deep it lies inside the ink; one field gives the shape
at any size and weight, its outline and its shadow. Outlines are filled here, not by a font engine,
so the fields are the same on every machine. Knows nothing about colours or scenes.
"""

import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont
from scipy.ndimage import distance_transform_edt

from .strokes import Point, Polygon, draw_curve, invent_style, outline_digit

TILE = 48
"""Side of a field, in its own pixels."""

HEIGHT = 30
"""Height of a digit in a field; the rest is margin for outlines and shadows."""

DEPTH_STEP = 0.125
"""Field pixels per unit of the stored depths."""

# The cm fonts carry a creation date of zero, which fontTools would warn about.
logging.getLogger("fontTools.ttLib.tables._h_e_a_d").setLevel(logging.ERROR)

_FINE = 2
_ASCII, _BOLD, _SANS, _SANS_BOLD, _MONO = 0x30, 0x1D7CE, 0x1D7E2, 0x1D7EC, 0x1D7F6

FONTS = {
    "train": (
        ("DejaVuSans.ttf", _ASCII),
        ("DejaVuSans-Bold.ttf", _ASCII),
        ("DejaVuSansMono-Bold.ttf", _ASCII),
        ("DejaVuSerif.ttf", _ASCII),
        ("DejaVuSerif-Bold.ttf", _ASCII),
        ("STIXGeneral.ttf", _ASCII),
        ("STIXGeneral.ttf", _BOLD),
        ("STIXGeneral.ttf", _SANS),
        ("STIXGeneral.ttf", _SANS_BOLD),
        ("STIXGeneral.ttf", _MONO),
        ("STIXGeneralBolIta.ttf", _ASCII),
        ("cmr10.ttf", _ASCII),
        ("cmss10.ttf", _ASCII),
        ("cmtt10.ttf", _ASCII),
    ),
    "test": (
        ("DejaVuSans-Oblique.ttf", _ASCII),
        ("DejaVuSans-BoldOblique.ttf", _ASCII),
        ("DejaVuSansMono.ttf", _ASCII),
        ("DejaVuSerif-Italic.ttf", _ASCII),
        ("STIXGeneralItalic.ttf", _ASCII),
        ("cmb10.ttf", _ASCII),
    ),
}
"""Each split's fonts: file in matplotlib's font folder, code point of its 0."""

PEN_STYLES = {"train": 200, "test": 40}
"""How many pen-drawn styles each split has."""

_PEN_SEEDS = {"train": 1001, "test": 2002}


@dataclass(frozen=True)
class Faces:
    """The shapes of one split.

    `fields` is (10 * faces + 1, TILE, TILE) int8, depth in DEPTH_STEPs, positive inside the ink;
    face f's digit d is number 10 * f + d and the last one is blank. `widths` (10 * faces + 1,) and
    `strokes` (faces,), half a typical stroke, are in field pixels. The first `fonts` faces are
    fonts, the others pen-drawn.
    """

    fields: np.ndarray
    widths: np.ndarray
    strokes: np.ndarray
    fonts: int


@cache
def load_faces(split: str) -> Faces:
    """Draw every face of 'train' or 'test'; takes a second or two, then it is remembered."""
    rng = np.random.Generator(np.random.PCG64(_PEN_SEEDS[split]))
    faces = [_read_font(file, zero) for file, zero in FONTS[split]]
    for _ in range(PEN_STYLES[split]):
        style = invent_style(rng)
        faces.append([_fill(_scale(outline_digit(d, style))) for d in range(10)])
    return _measure_faces(faces, len(FONTS[split]))


@cache
def load_fonts(split: str) -> Faces:
    """Those of `load_faces` that are fonts, without the time that the others take."""
    return _measure_faces(
        [_read_font(file, zero) for file, zero in FONTS[split]], len(FONTS[split])
    )


def _measure_faces(faces: list[list[np.ndarray]], fonts: int) -> Faces:
    inks = [ink for face in faces for ink in face]
    fields = np.stack([_measure_depth(ink) for ink in inks] + [_blank()])
    widths = np.array([_ink_width(ink) for ink in inks] + [HEIGHT * 0.5], np.float32)
    deepest = fields[:-1].reshape(len(faces), 10, -1).max(axis=2)
    strokes = np.median(deepest, axis=1).astype(np.float32) * np.float32(DEPTH_STEP)
    return Faces(fields, widths, strokes, fonts)


def _read_font(file: str, zero: int) -> list[np.ndarray]:
    """The ten digits of a font, scaled together so that the tallest is HEIGHT high."""
    font = TTFont(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / file)
    names, glyphs = font.getBestCmap(), font.getGlyphSet()
    outlines = []
    for digit in range(10):
        pen = _FlatteningPen(glyphs)
        glyphs[names[zero + digit]].draw(pen)
        outlines.append(pen.contours)
    top = max(y for outline in outlines for contour in outline for _, y in contour)
    bottom = min(y for outline in outlines for contour in outline for _, y in contour)
    inks = []
    for outline in outlines:
        upright = [[(x, top - y) for x, y in contour] for contour in outline]
        unit = [[(x / (top - bottom), y / (top - bottom)) for x, y in c] for c in upright]
        inks.append(_fill(_scale(unit)))
    return inks


class _FlatteningPen(BasePen):
    """Collects a glyph's contours as polygons; each quadratic curve becomes six chords."""

    def __init__(self, glyphs: Any) -> None:
        super().__init__(glyphs)
        self.contours: list[Polygon] = []

    def _moveTo(self, pt: Point) -> None:  # noqa: N802
        self.contours.append([pt])

    def _lineTo(self, pt: Point) -> None:  # noqa: N802
        self.contours[-1].append(pt)

    def _qCurveToOne(self, pt1: Point, pt2: Point) -> None:  # noqa: N802
        self.contours[-1] += draw_curve(self.contours[-1][-1], pt1, pt2, 6)[1:]


def _scale(polygons: list[Polygon]) -> list[Polygon]:
    """From digit heights to the fine canvas, centred.

    Sixteenths of a pixel, so that a sine's last bit cannot tell machines apart.
    """
    middle = (max(x for p in polygons for x, _ in p) + min(x for p in polygons for x, _ in p)) / 2
    centre, unit = TILE * _FINE / 2, HEIGHT * _FINE
    return [
        [(_round(centre + (x - middle) * unit), _round(centre + (y - 0.5) * unit)) for x, y in p]
        for p in polygons
    ]


def _round(length: float) -> float:
    return round(length * 16) / 16


def _fill(polygons: list[Polygon]) -> np.ndarray:
    """Pixels of the fine canvas whose centre is inside: winding number not zero."""
    side = TILE * _FINE
    starts = np.array([point for polygon in polygons for point in polygon])
    stops = np.array([point for polygon in polygons for point in (*polygon[1:], polygon[0])])
    low, high = np.minimum(starts[:, 1], stops[:, 1]), np.maximum(starts[:, 1], stops[:, 1])
    centres = np.arange(side) + 0.5
    edge, row = np.nonzero((low[:, None] <= centres) & (centres < high[:, None]))
    step = (stops - starts)[edge]
    crossing = starts[edge, 0] + (centres[row] - starts[edge, 1]) * step[:, 0] / step[:, 1]
    column = np.clip(np.ceil(crossing - 0.5), 0, side).astype(np.int64)
    turns = np.zeros((side, side + 1), np.int64)
    np.add.at(turns, (row, column), np.where(step[:, 1] > 0, 1, -1))
    inside: np.ndarray = np.cumsum(turns, axis=1)[:, :-1] != 0
    return inside


def _measure_depth(ink: np.ndarray) -> np.ndarray:
    """Signed distance to the ink's edge, (TILE, TILE) int8."""
    depth = distance_transform_edt(ink) - distance_transform_edt(~ink)
    coarse = depth[::2, ::2] + depth[::2, 1::2] + depth[1::2, ::2] + depth[1::2, 1::2]
    steps = np.rint(coarse / (4 * _FINE * DEPTH_STEP))
    clipped: np.ndarray = np.clip(steps, -127, 127).astype(np.int8)
    return clipped


def _blank() -> np.ndarray:
    return np.full((TILE, TILE), -127, np.int8)


def _ink_width(ink: np.ndarray) -> float:
    columns = np.flatnonzero(ink.any(axis=0))
    return float(columns[-1] - columns[0] + 1) / _FINE
