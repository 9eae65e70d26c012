"""The course's archives, as assignment A4.3 loads them: p4_2026_svhn_train.npz and _test.npz.

Keys `images` (32, 32, 3, N) uint8 and `labels` (N, 1), strings or integers. Nothing in them is run:
`np.load` without pickle.
"""

import zipfile
from pathlib import Path

import numpy as np

from ..errors import InputError, one_line
from ..zips import OddZipError, explain, open_member, open_zip
from .dataset import Data, Split

FILES = ("p4_2026_svhn_train.npz", "p4_2026_svhn_test.npz")
MOST_IMAGES = 650_000  # all of SVHN, its extra images included, has 630,420
LONGEST_LABEL = 64  # bytes
MOST_CLASSES = 10
# The shape and the type of an array, as its file says before it is read.
Layout = tuple[tuple[int, ...], np.dtype]


def load(folder: Path) -> Data:
    """The data set in `folder`; labels sorted, then numbered from 0, as the assignment has it.

    Raises:
        InputError: an archive that is damaged, pickled, of other keys, shapes or types, or whose
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
    try:
        with open_zip(path) as archive:
            keys = [name.removesuffix(".npy") for name in archive.namelist()]
            if {"images", "labels"} - set(keys):
                raise InputError(
                    f"{path} has the keys {one_line(', '.join(keys)) or 'none'}; it needs images "
                    f"and labels"
                )
            check_layouts(path, _read_layout(archive, "images"), _read_layout(archive, "labels"))
            images, labels = _read_array(archive, "images"), _read_array(archive, "labels")
    except InputError:
        raise
    except Exception as error:
        # numpy, zipfile and zlib raise some ten different types for a damaged archive.
        raise InputError(f"cannot read {path}: {_explain(path, error)}") from None
    return check_arrays(path, images, labels)


def _read_layout(archive: zipfile.ZipFile, name: str) -> Layout:
    with open_member(archive, f"{name}.npy") as file:
        # Later versions are for headers above 64 kB.
        if (version := np.lib.format.read_magic(file)) != (1, 0):
            raise OddZipError(f"its {name} are a .npy file of version {version}")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    return shape, dtype


def _read_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with open_member(archive, f"{name}.npy") as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _explain(path: Path, error: Exception) -> str:
    if isinstance(error, OddZipError | OSError | MemoryError):
        return explain(error)
    if not zipfile.is_zipfile(path):
        return "it is no .npz archive, or cut short; download it again"
    return f"it is damaged; download it again ({one_line(str(error) or repr(error))})"


def check_layouts(path: Path, images: Layout, labels: Layout) -> None:
    """Check that arrays of these shapes and types are images and their labels.

    Raises:
        InputError: other shapes or types, too many images, or not as many labels as images.
    """
    (shape, dtype), (labels_shape, labels_dtype) = images, labels
    if dtype.hasobject or labels_dtype.hasobject:
        raise InputError(
            f"cannot read {path}: it holds pickled objects, which are never loaded; download it "
            f"again"
        )
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
