"""Fashion-MNIST as Zalando publishes it and as Keras keeps it on the disk: four idx files, zipped.

An idx file has a magic number, the sizes of its dimensions, and then one byte for each number.
"""

import gzip
import os
import struct
from pathlib import Path

import numpy as np

from ..errors import InputError
from ..zips import explain
from .dataset import Data, Split

NAME = "Fashion-MNIST"
FOLDER = "fashion-mnist"
IMAGES, LABELS = "{}-images-idx3-ubyte.gz", "{}-labels-idx1-ubyte.gz"
PARTS = ("train", "t10k")
FILES = tuple(name.format(part) for part in PARTS for name in (IMAGES, LABELS))
WANTED = (
    f"{', '.join(FILES[:-1])} and {FILES[-1]} (https://github.com/zalandoresearch/fashion-mnist), "
    f"as keras.datasets.fashion_mnist.load_data() leaves them in ~/.keras/datasets/{FOLDER}"
)
AGAIN = "; download it again"
CLASSES = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)
SIDE = 28
MOST_IMAGES = 100_000  # of a split; there are 70,000 in all


def find_cached() -> Path | None:
    """The folder where keras.datasets left them, if it has."""
    home = os.environ.get("KERAS_HOME") or os.path.join("~", ".keras")
    folder = Path(os.path.expanduser(home)) / "datasets" / FOLDER
    return folder if all(os.path.isfile(folder / name) for name in FILES) else None


def holds(folder: Path) -> bool:
    """Whether a folder has files of Fashion-MNIST, complete or not."""
    return any(os.path.isfile(folder / name) for name in FILES)


def load(folder: Path) -> Data:
    """The data set in `folder`.

    Raises:
        InputError: a file that is missing, damaged, or does not fit the others.
    """
    for name in FILES:
        if not os.path.isfile(folder / name):
            raise InputError(f"{folder} lacks {name}: Fashion-MNIST is {WANTED}")
    train, test = (_read_split(folder, part) for part in PARTS)
    return Data(NAME, train, test, CLASSES, synthetic=False, source=str(folder.resolve()))


def _read_split(folder: Path, part: str) -> Split:
    path, path_of_labels = (folder / name.format(part) for name in (IMAGES, LABELS))
    images, labels = _read_idx(path, (SIDE, SIDE)), _read_idx(path_of_labels, ())
    if len(images) != len(labels):
        raise InputError(
            f"{path} has {len(images):,} images, but {path_of_labels.name} {len(labels):,} labels: "
            f"they do not belong together; download both again"
        )
    if labels.max() >= len(CLASSES):
        raise InputError(f"{path_of_labels}: labels must be 0 to 9, not {labels.max()}{AGAIN}")
    lacking = np.flatnonzero(np.bincount(labels, minlength=len(CLASSES)) == 0)
    if len(lacking):
        raise InputError(f"{path_of_labels} has no image of {CLASSES[lacking[0]]}")
    return Split(images[..., None], labels.astype(np.int32))


def _read_idx(path: Path, sides: tuple[int, ...]) -> np.ndarray:
    """Bytes (N, *sides); nothing is unpacked beyond what the header may say."""
    magic, rank = 0x0800 + 1 + len(sides), 1 + len(sides)
    try:
        with gzip.open(path) as file:
            header = file.read(4 * (1 + rank))
            found, *shape = struct.unpack(f">{1 + rank}I", header)
            _check_header(path, found, magic, tuple(shape), sides)
            size = int(np.prod(shape))
            content = file.read(size)
            # Down to the checksum.
            has_more = bool(file.read(1))
    except InputError:
        raise
    except Exception as error:
        # gzip and zlib raise some five types for a file that is damaged.
        raise InputError(f"cannot read {path}: {explain(error, AGAIN)}") from None
    if len(content) != size or has_more:
        count = "more" if has_more else f"{len(content):,}"
        raise InputError(
            f"{path} has {count} bytes where its header says {shape[0]:,} "
            f"{'images' if sides else 'labels'}, {size:,} bytes{AGAIN}"
        )
    return np.frombuffer(content, np.uint8).reshape(shape).copy()


def _check_header(
    path: Path, found: int, magic: int, shape: tuple[int, ...], sides: tuple[int, ...]
) -> None:
    if found != magic:
        raise InputError(
            f"{path} is no idx file of {'images' if sides else 'labels'}: its magic number is "
            f"{found:#010x}, not {magic:#010x}{AGAIN}"
        )
    if shape[1:] != sides:
        raise InputError(
            f"{path} has images of {'x'.join(map(str, shape[1:]))} pixels; Fashion-MNIST's have "
            f"{SIDE}x{SIDE}{AGAIN}"
        )
    if not 1 <= shape[0] <= MOST_IMAGES:
        raise InputError(f"{path} says it has {shape[0]:,} entries; 1 to {MOST_IMAGES:,} are read")
