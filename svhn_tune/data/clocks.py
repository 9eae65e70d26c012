"""The clocks of "Tell the time": images.npy (N, 75, 75) or (N, 150, 150), labels.npy (N, 2).

They come sorted by time and in one piece: they are shuffled, and a tenth of them becomes the test
set, the same every time.
"""

import os
from pathlib import Path

import numpy as np

from ..errors import InputError, one_line
from ..zips import explain
from .dataset import Data, Split
from .npz import Layout

IMAGES, LABELS = "images.npy", "labels.npy"
WANTED = f"{IMAGES} and {LABELS}"
SIDES = {"clocks": 75, "clocks_150": 150}
SPLIT_SEED = 20_24
TEST_SHARE = 10  # one of so many
FEWEST, MOST_IMAGES = 20, 100_000  # 18,000 are published
CHUNK = 500  # images judged and rounded at a time, where they are floats
AGAIN = "; download it again"


def holds(folder: Path) -> bool:
    """Whether a folder has one of the two files, or both."""
    return any(os.path.isfile(folder / name) for name in (IMAGES, LABELS))


def load(folder: Path, source: str) -> Data:
    """The clocks in `folder`; labels are minutes after 12:00, 0 to 719.

    Args:
        folder: with images.npy, uint8 or floats from 0 to 1, and labels.npy, hour and minute.
        source: "clocks" for 75x75 pixels, "clocks_150" for 150x150.

    Raises:
        InputError: a file that is missing, damaged, of another shape or type, times that are on no
            dial, or files that do not belong together.
    """
    for name in (IMAGES, LABELS):
        if not os.path.isfile(folder / name):
            other = LABELS if name == IMAGES else IMAGES
            raise InputError(f"{folder} has {other} but lacks {name}")
    images = _open(folder / IMAGES)
    _check_images(folder / IMAGES, (images.shape, images.dtype), source)
    labels = _open(folder / LABELS)
    minutes = _read_minutes(folder / LABELS, labels, len(images))
    train, test = split_clocks(_as_bytes(folder / IMAGES, images), minutes)
    name = f"clocks of {SIDES[source]}x{SIDES[source]} pixels"
    return Data(name, train, test, (), synthetic=False, source=str(folder.resolve()))


def split_clocks(images: np.ndarray, minutes: np.ndarray) -> tuple[Split, Split]:
    """Nine tenths to train and one to test, shuffled, the same for as many images every time.

    Args:
        images: (N, side, side) uint8.
        minutes: (N,) after 12:00.
    """
    order = np.random.default_rng(SPLIT_SEED).permutation(len(images))
    held = round(len(images) / TEST_SHARE)
    train, test = (
        Split(images[part][..., None], minutes[part].astype(np.int32))
        for part in (order[held:], order[:held])
    )
    return train, test


def _open(path: Path) -> np.ndarray:
    """The array of a .npy file, mapped into memory: nothing of it is read, or run.

    Raises:
        InputError: it is no .npy file, holds objects, or is shorter than it says of itself.
    """
    try:
        with path.open("rb") as file:
            # Later versions say how many gigabytes their header has, and NumPy reads so many.
            if (version := np.lib.format.read_magic(file)) != (1, 0):
                raise ValueError(f"it is a .npy file of version {version}")
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:
        # numpy raises some five types for a damaged header.
        raise InputError(f"cannot read {path}: {explain(error, AGAIN)}") from None


def _check_images(path: Path, layout: Layout, source: str) -> None:
    shape, dtype = layout
    side = SIDES[source]
    if len(shape) != 3 or shape[1:] != (side, side):
        fitting = [name for name, each in SIDES.items() if shape[1:] == (each, each)]
        advice = f"; a space with data = '{fitting[0]}' takes them" if fitting else ""
        raise InputError(
            f"{path}: images have shape {shape}; for '{source}' it must be (N, {side}, {side})"
            f"{advice}"
        )
    if dtype != np.uint8 and dtype.kind != "f":
        raise InputError(
            f"{path}: images are {one_line(str(dtype))}; they must be uint8, or floats from 0 to 1"
        )
    if not FEWEST <= shape[0] <= MOST_IMAGES:
        raise InputError(f"{path} has {shape[0]:,} images; {FEWEST} to {MOST_IMAGES:,} can be read")


def _read_minutes(path: Path, labels: np.ndarray, count: int) -> np.ndarray:
    """Minutes after 12:00, (count,), of hours and minutes (count, 2)."""
    if labels.ndim != 2 or labels.shape[1] != 2 or labels.dtype.kind not in "iu":
        raise InputError(
            f"{path}: labels are {one_line(str(labels.dtype))} of shape {labels.shape}; they must "
            f"be whole numbers of shape ({count}, 2), hour and minute"
        )
    if len(labels) != count:
        raise InputError(
            f"{path} has {len(labels):,} labels, {IMAGES} beside it {count:,} images: they do not "
            f"belong together"
        )
    hours, minutes = np.array(labels).T
    wrong = np.flatnonzero((hours < 0) | (hours > 11) | (minutes < 0) | (minutes > 59))
    if len(wrong):
        place = wrong[0]
        raise InputError(
            f"{path}: label {place:,} is {hours[place]}:{minutes[place]:02}, which is on no dial; "
            f"hours are 0 to 11, minutes 0 to 59"
        )
    return hours.astype(np.int32) * 60 + minutes.astype(np.int32)


def _as_bytes(path: Path, images: np.ndarray) -> np.ndarray:
    """The images as uint8: those that are, as they are; floats from 0 to 1 in 255 steps."""
    if images.dtype == np.uint8:
        return images
    found = np.empty(images.shape, np.uint8)
    for start in range(0, len(images), CHUNK):
        chunk = np.array(images[start : start + CHUNK])
        # Not a number is neither below nor above.
        bad = ~((chunk >= 0) & (chunk <= 1))
        if bad.any():
            place = int(np.flatnonzero(bad.any(axis=(1, 2)))[0])
            value = chunk[place][bad[place]][0]
            raise InputError(
                f"{path}: image {start + place:,} has the pixel {value:g}; floats must be from 0 "
                f"to 1, or save the images as uint8"
            )
        found[start : start + CHUNK] = np.rint(chunk * 255)
    return found
