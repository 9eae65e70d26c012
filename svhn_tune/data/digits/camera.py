"""From a sharp scene to a 32 x 32 image: few pixels, defocus, noise, JPEG, crop, enlargement.

Resampling and JPEG are Pillow's, which work on whole numbers. Knows nothing about digits.
"""

from io import BytesIO

import numpy as np
from PIL import Image, ImageFilter

from .layout import CANVAS, CROP

SIDE = 32


def photograph(scenes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Images (count, SIDE, SIDE, 3) uint8 of scenes (count, 3, CANVAS, CANVAS) in 0..255."""
    count = len(scenes)
    shaken = _fringe(_shake(np.clip(scenes, 0, 255), rng), rng)
    sharp = np.ascontiguousarray(shaken.astype(np.uint8).transpose(0, 2, 3, 1))
    noise = _draw_noise(count, rng)
    crop_pixels = 9.5 + 23 * (rng.random(count) * rng.random(count) + rng.random(count)) / 2
    sides = np.rint(crop_pixels * CANVAS / CROP).astype(int)
    defocus = np.where(rng.random(count) < 0.5, rng.random(count) * 0.9, 0)
    sharpening = np.where(rng.random(count) < 0.25, rng.integers(30, 120, count), 0)
    quality = rng.integers(35, 96, count)
    slack = (CANVAS - CROP) / 2
    corners = slack + (rng.random((count, 2)) - rng.random((count, 2))) * slack
    images = np.empty((count, SIDE, SIDE, 3), np.uint8)
    for index in range(count):
        side = int(sides[index])
        seen = Image.fromarray(sharp[index]).resize((side, side), Image.Resampling.BOX)
        if defocus[index]:
            seen = seen.filter(ImageFilter.GaussianBlur(float(defocus[index])))
        seen = _compress(np.asarray(seen) + noise[index, :side, :side], int(quality[index]))
        if sharpening[index]:
            seen = seen.filter(ImageFilter.UnsharpMask(1, int(sharpening[index]), 0))
        left, top = corners[index] * side / CANVAS
        box = (left, top, left + CROP * side / CANVAS, top + CROP * side / CANVAS)
        cropped = seen.resize((SIDE, SIDE), Image.Resampling.BICUBIC, box)
        images[index] = np.asarray(cropped)
    return images


def _shake(scenes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A few of the scenes seen twice or thrice, a few pixels apart, as by a moving camera."""
    moved = np.flatnonzero(rng.random(len(scenes)) < 0.08)
    steps = rng.integers(-2, 3, (len(moved), 2))
    for index, (right, down) in zip(moved.tolist(), steps.tolist(), strict=True):
        scene = scenes[index]
        once = np.roll(scene, (down, right), (1, 2))
        twice = np.roll(scene, (2 * down, 2 * right), (1, 2))
        scenes[index] = (scene + once + twice) / 3
    return scenes


def _fringe(scenes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A third of the scenes with red and blue a pixel apart, as from a cheap lens."""
    fringed = np.flatnonzero(rng.random(len(scenes)) < 0.33)
    sides = rng.integers(0, 2, len(fringed)) * 2 - 1
    for index, side in zip(fringed.tolist(), sides.tolist(), strict=True):
        scenes[index, 0] = np.roll(scenes[index, 0], side, 1)
        scenes[index, 2] = np.roll(scenes[index, 2], -side, 1)
    return scenes


def _draw_noise(count: int, rng: np.random.Generator) -> np.ndarray:
    """Nearly normal noise, int16, of the three channels; its strength differs between images."""
    shape = (count, CANVAS, CANVAS, 3)
    dots = np.zeros(shape, np.int16)
    for _ in range(3):
        dots += rng.integers(0, 256, shape, np.uint8)
    dots -= 382
    grey = dots[:, ::-1, ::-1, 1:2]
    spread = rng.random((count, 1, 1, 1), np.float32)
    strength = 6 * spread * spread / 128
    mixed: np.ndarray = ((0.6 * dots + 0.8 * grey) * strength).astype(np.int16)
    return mixed


def _compress(pixels: np.ndarray, quality: int) -> Image.Image:
    file = BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=quality)
    return Image.open(file)
