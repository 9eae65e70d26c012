"""CIFAR-10 as Krizhevsky publishes it, as Keras keeps it on the disk, and as one .npz of arrays.

Its batches are pickles, which pickles.py reads without running anything in them.
"""

import gzip
import os
import tarfile
from pathlib import Path
from typing import IO

import numpy as np

from ..errors import InputError, one_line
from ..zips import explain
from .dataset import Data, Split
from .npz import Layout, read_npz
from .pickles import Array, RefusedPickleError, load_pickle

NAME = "CIFAR-10"
FOLDER = "cifar-10-batches-py"
ARCHIVE = "cifar-10-python.tar.gz"
ARRAYS = "cifar10.npz"
TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = "test_batch"
WANTED = (
    f"{FOLDER}/ with data_batch_1 to 5 and test_batch, {ARCHIVE} "
    f"(https://www.cs.toronto.edu/~kriz/cifar.html), or {ARRAYS} with x_train, y_train, x_test and "
    f"y_test, as keras.datasets.cifar10.load_data() returns them"
)
AGAIN = "; download it again"
CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
MOST_IMAGES = 100_000  # of a split; there are 60,000 in all
LARGEST_BATCH = 2**26  # bytes; the real ones have 31 million
LARGEST_ARCHIVE = 2**30  # bytes, unpacked; the real one has 186 million


def find_cached() -> Path | None:
    """The folder where keras.datasets left them, if it has."""
    home = os.environ.get("KERAS_HOME") or os.path.join("~", ".keras")
    datasets = Path(os.path.expanduser(home)) / "datasets"
    # Since Keras 3.6 a folder of its own; before, beside the others.
    places = (datasets / "cifar-10-batches-py-target", datasets)
    return next((place for place in places if _is_whole(place / FOLDER)), None)


def holds(folder: Path) -> bool:
    """Whether a folder has files of CIFAR-10, complete or not."""
    return _find(folder) is not None


def load(folder: Path) -> Data:
    """The data set in `folder`: its batches, else the archive of them, else the .npz.

    Raises:
        InputError: files that are missing, damaged, or would build more than arrays.
    """
    found = _find(folder)
    assert found is not None
    if found.name == ARRAYS:
        train, test = _read_arrays(found)
    else:
        contents = _read_archive(found) if found.name == ARCHIVE else _read_folder(found)
        splits = {name: _read_batch(found / name, content) for name, content in contents.items()}
        parts = [splits[name] for name in TRAIN]
        train = Split(
            np.concatenate([part.images for part in parts]),
            np.concatenate([part.labels for part in parts]),
        )
        test = splits[TEST]
    for name, split in (("train", train), ("test", test)):
        if lacking := [CLASSES[each] for each, n in enumerate(split.counts(len(CLASSES))) if not n]:
            raise InputError(f"{found} has no image of {lacking[0]} to {name}")
    return Data(NAME, train, test, CLASSES, synthetic=False, source=str(folder.resolve()))


def _find(folder: Path) -> Path | None:
    """The batches' folder, the archive or the .npz."""
    for place in (folder / FOLDER, folder):
        if any(os.path.isfile(place / name) for name in (*TRAIN, TEST)):
            return place
    files = (folder / name for name in (ARCHIVE, ARRAYS))
    return next((file for file in files if os.path.isfile(file)), None)


def _is_whole(folder: Path) -> bool:
    return all(os.path.isfile(folder / name) for name in (*TRAIN, TEST))


def _read_folder(folder: Path) -> dict[str, bytes]:
    contents = {}
    for name in (*TRAIN, TEST):
        path = folder / name
        if not os.path.isfile(path):
            raise InputError(f"{folder} lacks {name}: CIFAR-10 is {WANTED}")
        try:
            with path.open("rb") as file:
                contents[name] = _read_bounded(file, path)
        except OSError as error:
            raise InputError(f"cannot read {path}: {error.strerror}") from None
    return contents


def _read_bounded(file: IO[bytes], path: Path) -> bytes:
    content = file.read(LARGEST_BATCH + 1)
    if len(content) > LARGEST_BATCH:
        raise InputError(f"{path} is no batch of CIFAR-10: it has over {LARGEST_BATCH:,} bytes")
    return content


class _Bounded:
    """A file to unpack, of which only so much is read; tarfile believes any size that it reads."""

    def __init__(self, file: gzip.GzipFile) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= 2 * LARGEST_BATCH or self._file.tell() + size > LARGEST_ARCHIVE:
            raise InputError("it has more in it than the batches of CIFAR-10")
        return self._file.read(size)

    def seek(self, place: int) -> int:
        if place > LARGEST_ARCHIVE:
            raise InputError("it has more in it than the batches of CIFAR-10")
        return self._file.seek(place)

    def tell(self) -> int:
        return self._file.tell()


def _read_archive(path: Path) -> dict[str, bytes]:
    contents = {}
    wanted = {f"{FOLDER}/{name}": name for name in (*TRAIN, TEST)}
    try:
        with gzip.open(path) as unpacked:
            bounded = _Bounded(unpacked)
            archive = tarfile.TarFile(fileobj=bounded)  # type: ignore[arg-type]
            for member in archive:
                if (name := wanted.get(member.name.removeprefix("./"))) and member.isreg():
                    file = archive.extractfile(member)
                    assert file is not None
                    contents[name] = _read_bounded(file, path / name)
            # Down to the checksum.
            while bounded.read(2**20):
                pass
    except InputError as error:
        raise InputError(f"cannot read {path}: {error}") from None
    except Exception as error:
        # tarfile, gzip and zlib raise some ten types for an archive that is damaged.
        raise InputError(f"cannot read {path}: {explain(error, AGAIN)}") from None
    if missing := [name for name in (*TRAIN, TEST) if name not in contents]:
        raise InputError(f"{path} lacks {FOLDER}/{missing[0]}; download it again")
    return contents


def _read_batch(path: Path, content: bytes) -> Split:
    """The images and labels of one batch: rows of 1,024 reds, as many greens and blues."""
    try:
        found = load_pickle(content)
    except RefusedPickleError as error:
        raise InputError(f"{path} is no batch of CIFAR-10: {error}; download it again") from None
    except Exception as error:
        raise InputError(f"cannot read {path}: {explain(error, AGAIN)}") from None
    named = found if isinstance(found, dict) else {}
    data, labels = (_look_up(named, name) for name in ("data", "labels"))
    rows = data.whole if isinstance(data, Array) else None
    if rows is None or rows.ndim != 2 or rows.shape[1] != 3 * 32 * 32:
        raise InputError(f"{path} has no array 'data' of shape (N, 3072); download it again")
    if not isinstance(labels, list) or len(labels) != len(rows):
        raise InputError(f"{path} has no list 'labels' of {len(rows):,} labels; download it again")
    if not all(type(label) is int and 0 <= label < len(CLASSES) for label in labels):
        raise InputError(f"{path}: labels must be whole numbers from 0 to 9; download it again")
    images = rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return Split(np.ascontiguousarray(images), np.array(labels, np.int32))


def _look_up(named: dict[object, object], name: str) -> object:
    return named.get(name.encode(), named.get(name))


def _read_arrays(path: Path) -> tuple[Split, Split]:
    def check(layouts: dict[str, Layout]) -> None:
        for part in ("train", "test"):
            _check_layouts(path, part, layouts[f"x_{part}"], layouts[f"y_{part}"])

    arrays = read_npz(path, ("x_train", "y_train", "x_test", "y_test"), check)
    splits = []
    for part in ("train", "test"):
        labels = arrays[f"y_{part}"].reshape(-1)
        if labels.min() < 0 or labels.max() >= len(CLASSES):
            raise InputError(f"{path}: y_{part} must be whole numbers from 0 to 9")
        images = np.ascontiguousarray(arrays[f"x_{part}"])
        splits.append(Split(images, labels.astype(np.int32)))
    return splits[0], splits[1]


def _check_layouts(path: Path, part: str, images: Layout, labels: Layout) -> None:
    (shape, dtype), (labels_shape, labels_dtype) = images, labels
    if dtype != np.uint8 or len(shape) != 4 or shape[1:] != (32, 32, 3):
        raise InputError(
            f"{path}: x_{part} is {one_line(str(dtype))} of shape {shape}; it must be uint8 of "
            f"shape (N, 32, 32, 3)"
        )
    count = shape[0]
    if not 1 <= count <= MOST_IMAGES:
        raise InputError(f"{path} has {count:,} images to {part}; 1 to {MOST_IMAGES:,} can be read")
    if labels_dtype.kind not in "iu" or labels_shape not in ((count, 1), (count,)):
        raise InputError(
            f"{path}: y_{part} is {one_line(str(labels_dtype))} of shape {labels_shape}; it must "
            f"be whole numbers of shape ({count}, 1)"
        )
