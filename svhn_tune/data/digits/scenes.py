"""Painted house numbers: colours, texture, plates, relief and light of a block of images.

Only + - * / of floats are used, so that every machine gets the same bytes. Knows nothing about
cameras: a scene is sharp, free of noise, and larger than the crop taken from it.
"""

import numpy as np

from .glyphs import HEIGHT, Faces
from .layout import CANVAS, Array, Dice, Number, Plane, project, write_number
from .textures import SIDE as TEXTURE_SIDE

_WHITE, _BLACK = (225, 225, 228), (30, 30, 32)
_PAINTS = (
    (0.13, (35, 60, 130), _WHITE),
    (0.06, _WHITE, (40, 50, 120)),
    (0.08, _WHITE, _BLACK),
    (0.05, (150, 110, 75), _BLACK),
    (0.04, (145, 85, 60), _WHITE),
    (0.06, (30, 28, 28), _WHITE),
    (0.03, _BLACK, (200, 165, 80)),
    (0.02, (180, 40, 50), _WHITE),
    (0.01, (45, 90, 70), _WHITE),
    (0.02, (210, 175, 60), _BLACK),
)
"""Frequent paints of house numbers: share of all numbers, ground, ink."""

_WARMTH = np.array([1, 0.2, -1], np.float32).reshape(3, 1, 1)
"""From blue to orange, the direction in which daylight and white balance differ."""


def draw_scenes(labels: Array, faces: Faces, textures: Array, rng: np.random.Generator) -> Array:
    """Scenes (count, 3, CANVAS, CANVAS) float32, 0 to 255, around the digits `labels` (count,)."""
    dice = Dice(rng, len(labels))
    plane = project(dice)
    number = write_number(labels, faces, plane, dice)
    ground, ink = _choose_colours(dice)
    scene = _paint_wall(ground, ink, plane, number, textures, dice)
    scene = _paint_digits(scene, ground, ink, plane, number, dice)
    return _light(scene, dice)


def _choose_colours(dice: Dice) -> tuple[Array, Array]:
    """Ground and ink, (count, 3, 1, 1) float32 each, 0 to 255: mostly greys, some known paints."""
    grey = dice.between(25, 235)[..., None]
    contrast = 78 + 100 * (dice.between(0, 1) * dice.between(0.2, 1))[..., None]
    darker = contrast + dice.between(0, 1)[..., None] * (255 - 2 * contrast) < grey
    tint = dice.around(0, 22)[..., None] * _WARMTH + dice.colour(-5, 5)
    ground = grey + tint
    ink = np.where(darker, grey - contrast, grey + contrast) + tint + dice.colour(-10, 10)
    pick = dice.between(0, 1)[..., None]
    jitters = dice.colour(-18, 18), dice.colour(-18, 18)
    above = 0.0
    for share, back, front in _PAINTS:
        chosen = (pick >= above) & (pick < above + share)
        above += share
        ground = np.where(chosen, _as_colour(back) + jitters[0], ground)
        ink = np.where(chosen, _as_colour(front) + jitters[1], ink)
    wild = dice.chance(0.02)[..., None]
    ground = np.where(wild, dice.colour(0, 160), ground)
    ink = np.where(wild, _as_colour(_WHITE), ink)
    return ground.astype(np.float32), ink.astype(np.float32)


def _as_colour(shade: tuple[int, int, int]) -> Array:
    return np.array(shade, np.float32).reshape(1, 3, 1, 1)


def _paint_wall(
    ground: Array, ink: Array, plane: Plane, number: Number, textures: Array, dice: Dice
) -> Array:
    """Ground and texture; for half of them a plate, with rim, screws and what lies beyond it."""
    margin = HEIGHT * dice.between(0.3, 1.0)
    half_height = HEIGHT * (0.55 + dice.between(0.02, 0.6))
    overhang = np.maximum(number.start - margin - plane.along, plane.along - number.end - margin)
    outside = np.maximum(overhang, np.abs(plane.across + dice.around(0, 2)) - half_height)
    plated = dice.chance(0.5)
    other = np.where(dice.chance(0.7)[..., None], dice.between(20, 220)[..., None], 255 - ground)
    other = other + dice.colour(-20, 20)
    rim_colour = np.where(dice.chance(0.6)[..., None], ink, other)
    texture = _look_up_texture(plane, textures, dice)

    scene = ground + texture * np.where(plated, 0.35, 1)[..., None]
    scene = _lay(scene, other + texture, np.where(plated, cover(outside / plane.grain), 0))
    framed = plated & dice.chance(0.2)
    farther = cover((outside - dice.between(2, 9)) / plane.grain)
    scene = _lay(scene, dice.colour(20, 230), np.where(framed, farther, 0))
    rim_half = dice.between(0.8, 3.0)
    rim = cover((rim_half - np.abs(outside + dice.between(0, 4))) / plane.grain)
    scene = _lay(scene, rim_colour, np.where(plated & dice.chance(0.35), rim, 0))
    tiled = dice.chance(0.06)
    joint = cover((dice.between(0.5, 1.5) - number.cell) / plane.grain)
    scene = _lay(scene, rim_colour, np.where(tiled, joint, 0))
    high = half_height - dice.between(2, 5)
    distance = np.abs(np.abs(plane.across) - high) + np.abs(plane.along - dice.around(0, 12))
    screw = cover((dice.between(1.0, 2.2) - distance) / plane.grain)
    screwed = plated & dice.chance(0.2)
    return _lay(scene, dice.between(40, 220)[..., None], np.where(screwed, screw, 0))


def _look_up_texture(plane: Plane, textures: Array, dice: Dice) -> Array:
    """One texture per image, from faint to coarse, (count, 1, CANVAS, CANVAS) around 0."""
    rough = np.where(dice.chance(0.65), dice.between(0, 12), dice.between(8, 30))
    kind = dice.rng.integers(0, len(textures), (dice.count, 1, 1))
    step, start = dice.between(0.8, 2.2), dice.between(300, 400)
    column = (plane.x * step + start).astype(np.int64) % TEXTURE_SIDE
    row = (plane.y * step + start).astype(np.int64) % TEXTURE_SIDE
    texture: Array = (textures[kind, row, column] * rough)[:, None]
    return texture


def _paint_digits(
    scene: Array, ground: Array, ink: Array, plane: Plane, number: Number, dice: Dice
) -> Array:
    """Shadow, outline and the ink itself: full or hollow, fresh or worn, flat or raised."""
    stroke, grain = number.stroke, plane.grain
    depth = number.depth + stroke * np.where(dice.chance(0.5), dice.around(0, 0.25), 0)
    right, down = dice.rng.integers(-3, 4, dice.count), dice.rng.integers(0, 4, dice.count)
    shadow = cover(shift(depth, right, down) / (grain * dice.between(1, 4)))
    strength = np.where(dice.chance(0.3), dice.between(0.2, 0.7), 0)
    scene = scene * (1 - strength * shadow)[:, None]

    ring = cover((depth + dice.between(1.0, 3.5)) / grain)
    dark = _is_brighter(ink, ground)
    ring_colour = np.where(dark, ground * 0.35, 255 - (255 - ground) * 0.35)
    scene = _lay(scene, ring_colour, np.where(dice.chance(0.15), ring, 0))

    body = cover(depth / grain)
    core = cover((depth - np.maximum(stroke * 0.6, 1.2)) / grain)
    body = np.where(dice.chance(0.04), body - core, body)
    worn = np.where(dice.chance(0.15), dice.between(0.6, 0.95), 1)
    scene = _lay(scene, ink, body * worn)
    raised = np.where(dice.chance(0.25), dice.around(0, 70), 0)
    one = np.ones(dice.count, np.int64)
    relit: Array = scene + (raised * (body - shift(body, one, one)))[:, None]
    return relit


def _is_brighter(colour: Array, other: Array) -> Array:
    """Whether `colour` is the brighter one, (count, 1, 1, 1) bool."""
    step = colour - other
    brighter: Array = step[:, :1] + step[:, 1:2] + step[:, 2:] > 0
    return brighter


def _light(scene: Array, dice: Dice) -> Array:
    """Uneven light, a cast shadow's edge, haze and the colour of the light."""
    axis = np.arange(CANVAS, dtype=np.float32) / np.float32(CANVAS / 2) - 1
    x, y = axis[None, None, :], axis[None, :, None]
    light = dice.around(1, 0.25) + dice.around(0, 0.2) * x + dice.around(0, 0.2) * y
    edge = dice.around(0, 1.2) + dice.around(0, 1.0) * x + dice.around(0, 1.0) * y
    shade = np.where(dice.chance(0.15), dice.between(0.15, 0.6), 0)
    light = light * (1 - shade * np.clip(edge * dice.between(2, 12) + 0.5, 0, 1))
    clear = np.where(dice.chance(0.7), dice.between(0.5, 0.8), dice.between(0.75, 1.0))
    haze = dice.between(40, 190)[..., None] + dice.around(0, 14)[..., None] * _WARMTH
    cast = 1 + dice.around(0, 0.08)[..., None] * _WARMTH + dice.colour(-0.02, 0.02)
    lit: Array = (haze + (scene * light[:, None] - haze) * clear[..., None]) * cast
    return lit


def _lay(scene: Array, colour: Array, share: Array) -> Array:
    """Blend `colour` over the scenes, by its `share` (count, CANVAS, CANVAS) of each pixel."""
    laid: Array = scene + (colour - scene) * share[:, None]
    return laid


def cover(pixels: Array) -> Array:
    """Share of a pixel that is covered, from the distance of its centre to the edge in pixels."""
    return np.clip(pixels + np.float32(0.5), 0, 1)


def shift(image: Array, right: Array, down: Array) -> Array:
    """Each image moved by its own whole number of pixels; the border repeats."""
    axis = np.arange(CANVAS)
    rows = np.clip(axis - down[:, None], 0, CANVAS - 1)[:, :, None]
    columns = np.clip(axis - right[:, None], 0, CANVAS - 1)[:, None, :]
    shifted: Array = image[np.arange(len(image))[:, None, None], rows, columns]
    return shifted
