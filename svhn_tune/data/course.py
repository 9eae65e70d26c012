"""The course's archives, as assignment A4.3 loads them: p4_2026_svhn_train.npz and _test.npz.

Keys `images` (32, 32, 3, N) uint8 and `labels` (N, 1), strings or integers.
"""

from pathlib import Path

import numpy as np

from ..errors import InputError, one_line
from .dataset import Data, Split
from .npz import Layout, read_npz

FILES = ("p4_2026_svhn_train.npz", "p4_2026_svhn_test.npz")
MOST_IMAGES = 650_000  # all of SVHN, its extra images included, has 630,420
LONGEST_LABEL = 64  # bytes
MOST_CLASSES = 10


def load(folder: Path) -> Data:
    """The data set in `folder`; labels sorted, then numbered from 0, as the assignment has it.

    Raises:
        InputError: an archive that is damaged, of other keys, shapes or types, or whose
            labels do not match.
    """
    (train_images, train_labels), (test_images, test_labels) = (
        _read(folder / name) for name in FILES
    )
    classes = sorted(set(train_labels.tolist()))
    if classes != sorted(set(test_labels.tolist())):
        raise InputError(
            f"{folder}: train and test have different labels: {_show(train_labels)} and "
            f"{_show(test_labels)}"
        )
    if not 2 <= len(classes) <= MOST_CLASSES:
        raise InputError(
            f"{folder}: classes found: {len(classes)} ({_show(train_labels)}); SVHN has "
            f"{MOST_CLASSES}"
        )
    return Data(
        name="SVHN (course archives)",
        train=Split(train_images, np.searchsorted(classes, train_labels).astype(np.int32)),
        test=Split(test_images, np.searchsorted(classes, test_labels).astype(np.int32)),
        classes=tuple(classes),
        synthetic=False,
        source=str(folder.resolve()),
    )


def _show(labels: np.ndarray) -> str:
    found = sorted(set(labels.tolist()))
    return ", ".join(map(repr, found[:20])) + (", ..." if len(found) > 20 else "")


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    def check(layouts: dict[str, Layout]) -> None:
        check_layouts(path, layouts["images"], layouts["labels"])

    arrays = read_npz(path, ("images", "labels"), check)
    return check_arrays(path, arrays["images"], arrays["labels"])


def check_layouts(path: Path, images: Layout, labels: Layout) -> None:
    """Check that arrays of these shapes and types are images and their labels.

    Raises:
        InputError: other shapes or types, too many images, or not as many labels as images.
    """
    (shape, dtype), (labels_shape, labels_dtype) = images, labels
    if dtype != np.uint8:
        raise InputError(f"{path}: images are {one_line(str(dtype))}; they must be uint8")
    if len(shape) != 4 or shape[:3] != (32, 32, 3):
        raise InputError(f"{path}: images have shape {shape}; it must be (32, 32, 3, N)")
    if labels_dtype.kind not in "iuUS":
        raise InputError(
            f"{path}: labels are {one_line(str(labels_dtype))}; they must be strings or integers"
        )
    if labels_dtype.itemsize > (4 if labels_dtype.kind == "U" else 1) * LONGEST_LABEL:
        raise InputError(f"{path}: labels are {labels_dtype}; {LONGEST_LABEL} letters are enough")
    count = shape[3]
    if not 0 <= count <= MOST_IMAGES:
        raise InputError(f"{path} has {count:,} images; {MOST_IMAGES:,} are the most")
    if labels_shape not in ((count, 1), (1, count), (count,)):
        raise InputError(
            f"{path}: labels have shape {labels_shape}; {count} images need ({count}, 1)"
        )
    if count == 0:
        raise InputError(f"{path} has no images")


def check_arrays(
    path: Path, images: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Images as (N, 32, 32, 3) and labels as (N,), from the layout both archives share.

    Raises:
        InputError: other shapes or types, not as many labels as images, or labels that are no text.
    """
    check_layouts(path, (images.shape, images.dtype), (labels.shape, labels.dtype))
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "latin-1")
    labels = labels.reshape(images.shape[3])
    if labels.dtype.kind == "U" and not _is_text(labels):
        raise InputError(f"{path}: labels are no text that can be shown; download it again")
    return np.ascontiguousarray(images.transpose(3, 0, 1, 2)), labels


def _is_text(labels: np.ndarray) -> bool:
    """Whether all are text: numpy stores any number as a character, which Python may refuse."""
    try:
        return all(label.isprintable() for label in set(labels.tolist()))
    except (ValueError, SystemError):
        return False
