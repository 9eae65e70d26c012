"""Images and labels in memory, their fingerprint, and the splits that search and confirm use.

A source module makes a `Data`; nothing here knows where the arrays came from.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np

from ..errors import InputError

HOLDOUT_SEED = 20_11
SUBSET_SEED = 20_12
HOLDOUT_IMAGES = 5_000


@dataclass(frozen=True)
class Split:
    """Images (N, height, width, channels) uint8 and labels (N,) int32 from 0.

    Labels are classes, or minutes after 12:00.
    """

    images: np.ndarray
    labels: np.ndarray

    def take(self, index: np.ndarray) -> "Split":
        """The images and labels at these positions."""
        return Split(self.images[index], self.labels[index])

    def counts(self, classes: int) -> list[int]:
        """How many images each class has."""
        return np.bincount(self.labels, minlength=classes).tolist()


@dataclass(frozen=True)
class Data:
    """A data set as it was found.

    Args:
        name: what tables and reports call it.
        train, test: the two splits.
        classes: the label each class had in the file, in class order; none where labels are
            minutes.
        synthetic: True for the built-in digits, which are not SVHN.
        source: what `load_data` finds it by again: a folder, or "builtin".
    """

    name: str
    train: Split
    test: Split
    classes: tuple[Any, ...]
    synthetic: bool
    source: str

    @cached_property
    def fingerprint(self) -> str:
        """The sha256 of all four arrays, their shapes and types, in hexadecimal."""
        return compute_fingerprint(self.train, self.test)

    @property
    def image_shape(self) -> tuple[int, ...]:
        """(height, width, channels) of one image."""
        return tuple(self.train.images.shape[1:])

    def sort(self) -> tuple[tuple[Any, ...], Split, Split]:
        """What images are counted and shown by, with both splits labelled by its number.

        That is their classes; where labels are minutes, the twelve hours.
        """
        if self.classes:
            return self.classes, self.train, self.test
        hours = tuple(f"{hour or 12}:00 to {hour or 12}:59" for hour in range(12))
        train, test = (Split(split.images, split.labels // 60) for split in (self.train, self.test))
        return hours, train, test


def compute_fingerprint(train: Split, test: Split) -> str:
    """The sha256 of all four arrays, their shapes and types, in hexadecimal."""
    digest = hashlib.sha256()
    for split in (train, test):
        for array in (split.images, split.labels):
            digest.update(f"{array.shape}{array.dtype}".encode())
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def count_confirmed(images: int, share: float | None) -> int:
    """How many of so many training images confirm trains on: all, or all but a `share`."""
    return images - round((share or 0.0) * images)


def split_holdout(
    labels: np.ndarray, images: int | None = None, share: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Positions to train on and positions held out: stratified, and the same every time.

    Without a `share`, 5,000 are held out of the course's 50,000, and a tenth of a smaller set.

    Args:
        labels: (N,) of all training images.
        images: train on a stratified subset of this many; None for all that are not held out.
        share: of all images, to be held out.

    Raises:
        InputError: too few images of a class to have it on both sides.
    """
    # Imported late: workers are given their positions, and save the second that it takes.
    from sklearn.model_selection import train_test_split

    held = min(HOLDOUT_IMAGES, len(labels) // 10)
    if share is not None:
        held = len(labels) - count_confirmed(len(labels), share)
    counts = np.unique(labels, return_counts=True)[1]
    if held < len(counts) or counts.min() < 2:
        raise InputError(
            f"{len(labels)} training images of {len(counts)} classes, {counts.min()} of the rarest "
            f"one, are too few to hold out {'a tenth' if share is None else f'{share:.0%}'}: "
            f"{ceil(len(counts) / (share or 0.1))} are needed, 2 of each class"
        )
    train, holdout = train_test_split(
        np.arange(len(labels)), test_size=held, stratify=labels, random_state=HOLDOUT_SEED
    )
    if images is not None and len(train) - len(counts) < images < len(train):
        # scikit-learn does not stratify where fewer are left out than there are classes.
        train = np.random.default_rng(SUBSET_SEED).permutation(train)[:images]
    elif images is not None and images < len(train):
        train, _ = train_test_split(
            train, train_size=images, stratify=labels[train], random_state=SUBSET_SEED
        )
    if lost := set(labels.tolist()) - set(labels[train].tolist()):
        raise InputError(
            f"train_images={images} leaves no image of class {min(lost)}: take more images"
        )
    return np.sort(train), np.sort(holdout)
