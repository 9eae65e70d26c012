"""Stanford's SVHN files, train_32x32.mat and test_32x32.mat: X (32, 32, 3, N), y with 10 for 0."""

from pathlib import Path

import numpy as np

from ..errors import InputError, one_line
from ..zips import explain
from .course import MOST_IMAGES, check_arrays, check_layouts
from .dataset import Data, Split
from .matlab import inflate

FILES = ("train_32x32.mat", "test_32x32.mat")
LARGEST = MOST_IMAGES * 32 * 32 * 3 + 2**24


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
    from scipy.io import loadmat, whosmat

    try:
        file = inflate(path, ("X", "y"), LARGEST)
        variables = whosmat(file)
        layouts = {name: (shape, _find_dtype(kind)) for name, shape, kind in variables}
        if missing := {"X", "y"} - set(layouts):
            raise InputError(f"{path} lacks {' and '.join(sorted(missing))}; it needs X and y")
        if len(layouts) < len(variables):
            raise ValueError("it has two variables of one name")
        check_layouts(path, layouts["X"], layouts["y"])
        file.seek(0)
        arrays = loadmat(file, variable_names=["X", "y"])
    except InputError:
        raise
    except Exception as error:
        # scipy raises some ten different types for a file that is cut short.
        raise InputError(f"cannot read {path}: {explain(error, '; download it again')}") from None
    images, labels = check_arrays(path, arrays["X"], arrays["y"])
    found = np.unique(labels)
    if not np.array_equal(found, np.arange(1, 11)):
        shown = one_line(str(found[:20].tolist()))
        raise InputError(f"{path}: labels are {shown}; they must be 1 to 10")
    return Split(images, (labels % 10).astype(np.int32))


def _find_dtype(kind: str) -> np.dtype:
    """The type of an array by MATLAB's name for it; cells and texts have none that fits."""
    try:
        return np.dtype(kind)
    except TypeError:
        return np.dtype([(kind, np.uint8)])
