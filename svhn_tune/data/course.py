"""The course's archives, as assignment A4.3 loads them: p4_2026_svhn_train.npz and _test.npz.

Keys `images` (32, 32, 3, N) uint8 and `labels` (N, 1), strings or integers. Nothing in them is run:
`np.load` without pickle.
"""

import zipfile
from pathlib import Path

import numpy as np

from ..errors import InputError
from .dataset import Data, Split

FILES = ("p4_2026_svhn_train.npz", "p4_2026_svhn_test.npz")


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
    return Data(
        name="SVHN (course archives)",
        train=Split(train_images, np.searchsorted(classes, train_labels).astype(np.int32)),
        test=Split(test_images, np.searchsorted(classes, test_labels).astype(np.int32)),
        classes=tuple(classes),
        synthetic=False,
        source=str(folder.resolve()),
    )


def _show(labels: np.ndarray) -> str:
    return ", ".join(repr(label) for label in sorted(set(labels.tolist()))[:20])


def _read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        # np.load leaves a file open that it has opened and cannot read.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in ("images", "labels") if name in archive}
            keys = list(archive)
    except Exception as error:
        # numpy, zipfile and zlib raise some ten different types for a damaged archive.
        raise InputError(f"cannot read {path}: {_explain(path, error)}") from None
    if len(arrays) < 2:
        raise InputError(
            f"{path} has the keys {', '.join(keys) or 'none'}; it needs images and labels"
        )
    return check_arrays(path, arrays["images"], arrays["labels"])


def _explain(path: Path, error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if not zipfile.is_zipfile(path):
        return "it is no .npz archive, or cut short; download it again"
    if "pickle" in str(error):
        return "it holds pickled objects, which are never loaded; download it again"
    return f"it is damaged; download it again ({error})"


def check_arrays(
    path: Path, images: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Images as (N, 32, 32, 3) and labels as (N,), from the layout both archives share.

    Raises:
        InputError: other shapes or types, or not as many labels as images.
    """
    if images.dtype != np.uint8:
        raise InputError(f"{path}: images are {images.dtype}; they must be uint8")
    if images.ndim != 4 or images.shape[:3] != (32, 32, 3):
        raise InputError(f"{path}: images have shape {images.shape}; it must be (32, 32, 3, N)")
    if labels.dtype.kind not in "iuUS":
        raise InputError(f"{path}: labels are {labels.dtype}; they must be strings or integers")
    count = images.shape[3]
    if labels.shape not in ((count, 1), (1, count), (count,)):
        raise InputError(
            f"{path}: labels have shape {labels.shape}; {count} images need ({count}, 1)"
        )
    if count == 0:
        raise InputError(f"{path} has no images")
    if labels.dtype.kind == "S":
        labels = np.char.decode(labels, "latin-1")
    return np.ascontiguousarray(images.transpose(3, 0, 1, 2)), labels.reshape(count)
