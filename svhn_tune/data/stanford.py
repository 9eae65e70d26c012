"""Stanford's SVHN files, train_32x32.mat and test_32x32.mat: X (32, 32, 3, N), y with 10 for 0."""

import io
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from ..errors import InputError, one_line
from .course import MOST_IMAGES, check_arrays, check_layouts
from .dataset import Data, Split

FILES = ("train_32x32.mat", "test_32x32.mat")
HEADER = 128  # bytes, the byte order in the last two
COMPRESSED = 15  # the type of a variable that is
CHUNK = 2**20
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
        file = _inflate(path)
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
        raise InputError(f"cannot read {path}: {_explain(error)}") from None
    images, labels = check_arrays(path, arrays["X"], arrays["y"])
    found = np.unique(labels)
    if not np.array_equal(found, np.arange(1, 11)):
        shown = one_line(str(found[:20].tolist()))
        raise InputError(f"{path}: labels are {shown}; they must be 1 to 10")
    return Split(images, (labels % 10).astype(np.int32))


def _find_dtype(kind: str) -> np.dtype:
    """The type of an array by MATLAB's word for it; of cells and texts, none of ours."""
    try:
        return np.dtype(kind)
    except TypeError:
        return np.dtype([(kind, np.uint8)])


def _explain(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, MemoryError):
        return "there is not enough memory for it"
    return f"it is damaged or cut short; download it again ({one_line(str(error) or repr(error))})"


def _inflate(path: Path) -> io.BytesIO:
    """The file with its variables unpacked: scipy would unpack whatever a variable says it has."""
    if path.stat().st_size > LARGEST:
        raise InputError(f"{path} is larger than {MOST_IMAGES:,} images are")
    inflated = io.BytesIO()
    with path.open("rb") as file:
        header = file.read(HEADER)
        inflated.write(header)
        order = {b"IM": "<", b"MI": ">"}.get(header[126:])
        if order is None:  # MATLAB 4, which compresses nothing
            inflated.write(file.read())
        elif header[125 if order == "<" else 124] == 2:
            raise InputError(
                f"{path} is a MATLAB file of version 7.3 (HDF5); save it with -v7, or download it "
                f"again"
            )
        else:
            while tag := file.read(8):
                kind, size = struct.unpack(f"{order}II", tag)
                if size > path.stat().st_size - file.tell():
                    raise EOFError("it ends early")
                if kind == COMPRESSED:
                    _unpack(file, size, inflated)
                else:
                    inflated.write(tag + file.read(size))
    inflated.seek(0)
    return inflated


def _unpack(file: IO[bytes], size: int, inflated: io.BytesIO) -> None:
    """Unpack the next `size` bytes."""
    unpacker = zlib.decompressobj()
    while size:
        packed = file.read(min(size, CHUNK))
        size -= len(packed)
        while packed:
            inflated.write(unpacker.decompress(packed, CHUNK))
            if inflated.tell() > LARGEST:
                raise ValueError(f"unpacked, it has more than {LARGEST:,} bytes")
            packed = unpacker.unconsumed_tail
    inflated.write(unpacker.flush())
