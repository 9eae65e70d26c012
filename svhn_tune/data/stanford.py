"""Stanford's SVHN files, train_32x32.mat and test_32x32.mat: X (32, 32, 3, N), y with 10 for 0."""

from pathlib import Path

import numpy as np

from ..errors import InputError
from .course import check_arrays
from .dataset import Data, Split

FILES = ("train_32x32.mat", "test_32x32.mat")


def load(folder: Path) -> Data:
    """The data set in `folder`, the digit 0 as class 0.

    Raises:
        InputError: a file that is damaged, lacks X or y, or has other shapes, types or labels.
    """
    train, test = (_read(folder / name) for name in FILES)
    return Data(
        name="SVHN (Stanford)",
        train=train,
        test=test,
        classes=tuple(range(10)),
        synthetic=False,
        source=str(folder.resolve()),
    )


def _read(path: Path) -> Split:
    from scipy.io import loadmat

    try:
        arrays = loadmat(path, variable_names=["X", "y"])
    except Exception as error:
        # scipy raises some ten different types for a file that is cut short.
        raise InputError(
            f"cannot read {path}: it is damaged or cut short; download it again ({error})"
        ) from None
    if missing := {"X", "y"} - set(arrays):
        raise InputError(f"{path} lacks {' and '.join(sorted(missing))}; it needs X and y")
    images, labels = check_arrays(path, arrays["X"], arrays["y"])
    found = np.unique(labels)
    if not np.array_equal(found, np.arange(1, 11)):
        raise InputError(f"{path}: labels are {found.tolist()}; they must be 1 to 10")
    return Split(images, (labels % 10).astype(np.int32))
