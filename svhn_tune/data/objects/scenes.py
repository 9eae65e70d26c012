"""A scene of one object each: where it lies, its texture and colours, what is behind and before it.

Only + - * / and square roots of floats are used, and sums of two, so that every machine gets the
same bytes.
"""

from collections.abc import Sequence

import numpy as np

SIDE = 32
HALF = SIDE // 2
NOISE = 26.0
Array = np.ndarray


def draw_scenes(kinds: Sequence[tuple[str, str, str]], rng: np.random.Generator) -> Array:
    """Images (N, 32, 32, 3) uint8 of objects of these shapes, textures and colours."""
    count = len(kinds)
    shapes, textures, colours = (np.array(each) for each in zip(*kinds, strict=True))
    dice = Dice(rng, count)
    scene = _draw_ground(dice)
    x, y = _lay_grid(dice.between(-0.25, 0.25), dice.between(-0.25, 0.25))
    for _ in range(2):
        place = _lay_grid(dice.between(-1, 1), dice.between(-1, 1))
        kind = dice.pick(("disc", "square", "triangle"))
        depth = _measure_depth(kind, *_turn(*place, dice), dice.between(0.12, 0.28))
        scene = _lay(scene, dice.colour(20, 235), np.clip(depth * HALF + 0.5, 0, 1))
    depth = _measure_depth(shapes, *_turn(x, y, dice), dice.between(0.48, 0.88))
    body = np.clip(depth * HALF + 0.5, 0, 1)
    ink = _choose_ink(colours, dice)
    scene = _lay(scene, _mark(ink, _texture(textures, *_turn(x, y, dice), dice), dice), body)
    # What hides a part of it.
    u, _ = _turn(*_lay_grid(dice.between(-0.9, 0.9), dice.between(-0.9, 0.9)), dice)
    bar = np.clip((dice.between(0.03, 0.12) - np.abs(u)) * HALF + 0.5, 0, 1)
    scene = _lay(scene, dice.colour(20, 235), np.where(dice.chance(0.4), bar, 0))
    return _photograph(scene, dice)


class Dice:
    """Random numbers of `count` images, each (count, 1, 1)."""

    def __init__(self, rng: np.random.Generator, count: int) -> None:
        self.rng = rng
        self.count = count

    def between(self, low: float, high: float) -> Array:
        """Any number from `low` to `high`."""
        drawn = self.rng.random((self.count, 1, 1), np.float32)
        return np.float32(low) + np.float32(high - low) * drawn

    def chance(self, share: float) -> Array:
        """True for so many."""
        return self.rng.random((self.count, 1, 1), np.float32) < share

    def pick(self, names: tuple[str, ...]) -> Array:
        """One of the names each, (count,)."""
        return np.array(names)[self.rng.integers(0, len(names), self.count)]

    def colour(self, low: float, high: float) -> Array:
        """Three numbers each, (count, 1, 1, 3)."""
        drawn = self.rng.random((self.count, 1, 1, 3), np.float32)
        return np.float32(low) + np.float32(high - low) * drawn


def _lay_grid(across: Array, down: Array) -> tuple[Array, Array]:
    """Right and down of a place in the scene, which goes from -1 to 1: (count, SIDE, SIDE) each."""
    axis = (np.arange(SIDE, dtype=np.float32) + np.float32(0.5)) / np.float32(HALF) - 1
    one = np.ones((1, SIDE, SIDE), np.float32)
    return one * axis[None, None, :] - across, one * axis[None, :, None] - down


def _turn(x: Array, y: Array, dice: Dice) -> tuple[Array, Array]:
    """The same, turned by any angle: its cosine and sine without either."""
    part = dice.between(-1, 1)
    cosine, sine = (1 - part * part) / (1 + part * part), 2 * part / (1 + part * part)
    sign = np.where(dice.chance(0.5), np.float32(1), np.float32(-1))
    return sign * (cosine * x + sine * y), sign * (cosine * y - sine * x)


def _measure_depth(shapes: Array, x: Array, y: Array, size: Array) -> Array:
    """How far inside of its shape each place is; negative outside."""
    disc = size - np.sqrt(x * x + y * y)
    square = np.float32(0.86) * size - np.maximum(np.abs(x), np.abs(y))
    sloped = np.float32(0.5) * y + np.float32(0.866) * np.abs(x)
    triangle = np.float32(0.62) * size - np.maximum(sloped, -y)
    shape = shapes[:, None, None]
    return np.where(shape == "disc", disc, np.where(shape == "square", square, triangle))


def _texture(textures: Array, x: Array, y: Array, dice: Dice) -> Array:
    """Where the second tone of each texture is, 0 or 1 and between at the edges."""
    period = dice.between(0.28, 0.5)
    u, v = x / period + dice.between(0, 1), y / period + dice.between(0, 1)
    u, v = np.abs(u - np.floor(u) - np.float32(0.5)), np.abs(v - np.floor(v) - np.float32(0.5))
    sharp = period * HALF
    stripes = np.clip((u - np.float32(0.25)) * sharp + 0.5, 0, 1)
    dots = np.clip((np.float32(0.3) - np.sqrt(u * u + v * v)) * sharp + 0.5, 0, 1)
    texture = textures[:, None, None]
    return np.where(texture == "striped", stripes, np.where(texture == "dotted", dots, 0))


def _choose_ink(colours: Array, dice: Dice) -> Array:
    """A colour each, (count, 1, 1, 3): more red than blue of the warm ones, else the reverse."""
    middle, spread = dice.between(80, 175), dice.between(10, 70)
    green = dice.between(-30, 30)
    sign = np.where(colours == "warm", np.float32(1), np.float32(-1))[:, None, None]
    return np.stack([middle + sign * spread, middle + green, middle - sign * spread], axis=-1)


def _mark(ink: Array, second: Array, dice: Dice) -> Array:
    """The ink with its second tone, lighter or darker, (count, SIDE, SIDE, 3)."""
    towards = np.where(dice.chance(0.5), np.float32(255), np.float32(0))[..., None]
    strength = dice.between(0.28, 0.72)[..., None]
    return ink + (towards - ink) * (strength * second[..., None])


def _draw_ground(dice: Dice) -> Array:
    """A colour that changes across the image; of half of them with a texture of its own."""
    x, y = _turn(*_lay_grid(dice.between(0, 0), dice.between(0, 0)), dice)
    first, last = dice.colour(25, 230), dice.colour(25, 230)
    share = np.clip(np.float32(0.5) + x * dice.between(0.1, 0.6), 0, 1)[..., None]
    ground = first + (last - first) * share
    pattern = _texture(dice.pick(("plain", "striped", "dotted")), x, y, dice)
    return _mark(ground, np.float32(0.5) * pattern, dice)


def _lay(scene: Array, colour: Array, share: Array) -> Array:
    """Blend `colour` over the scenes, by its `share` (count, SIDE, SIDE) of each pixel."""
    return scene + (colour - scene) * share[..., None]


def _photograph(scene: Array, dice: Dice) -> Array:
    """Light that changes across the image, and noise."""
    x, y = _lay_grid(dice.between(0, 0), dice.between(0, 0))
    light = 1 + dice.between(-0.3, 0.3) * x + dice.between(-0.3, 0.3) * y
    lit = scene * (light * dice.between(0.7, 1.15))[..., None]
    noise = dice.rng.random(lit.shape, np.float32) + dice.rng.random(lit.shape, np.float32) - 1
    strength = dice.between(0.2, 1)[..., None] * np.float32(2 * NOISE)
    return np.clip(lit + noise * strength, 0, 255).astype(np.uint8)
