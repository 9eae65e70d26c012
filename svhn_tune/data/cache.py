"""Arrays as .npy files that several processes can map into memory, in the user's cache folder."""

import errno
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path

from ..errors import InputError
from .dataset import Data, Split

NAMES = ("train_images", "train_labels", "test_images", "test_labels")


def cache_folder(name: str) -> Path:
    """The folder of this name in the cache; it may not exist yet."""
    return user_cache_path("svhn_tune") / name


def require_room(folder: Path, size: int) -> None:
    """Check that the cache can take `size` bytes, before they are computed.

    Raises:
        InputError: it cannot.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "it is a file")
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder.parent):
            pass
        if (free := shutil.disk_usage(folder.parent).free) < size:
            raise OSError(errno.ENOSPC, f"{free:,} bytes are free, {size:,} are needed")
    except OSError as error:
        raise _cannot_write(folder, error) from None


def store_arrays(folder: Path, train: Split, test: Split) -> None:
    """Write the four arrays so that `folder` has them all, or does not exist.

    Raises:
        InputError: the cache cannot be written.
    """
    size = sum(array.nbytes for split in (train, test) for array in (split.images, split.labels))
    require_room(folder, size)
    try:
        _store(folder, train, test)
    except OSError as error:
        raise _cannot_write(folder, error) from None


def _cannot_write(folder: Path, error: OSError) -> InputError:
    return InputError(
        f"cannot write the cache {folder}: {error.strerror}; set XDG_CACHE_HOME to a folder that "
        f"can be written and has room"
    )


def _store(folder: Path, train: Split, test: Split) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        arrays = (train.images, train.labels, test.images, test.labels)
        for name, array in zip(NAMES, arrays, strict=True):
            np.save(temporary / f"{name}.npy", array)
        _remove_arrays(folder)
        try:
            os.rename(temporary, folder)
        except OSError:
            # Otherwise another process was first, with the same arrays.
            if not all((folder / f"{name}.npy").is_file() for name in NAMES):
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _remove_arrays(folder: Path) -> None:
    """Delete the four arrays of a folder, and the folder if nothing else is in it."""
    if folder.is_symlink():
        return
    with suppress(OSError):
        for name in NAMES:
            (folder / f"{name}.npy").unlink(missing_ok=True)
        folder.rmdir()


def open_arrays(folder: Path) -> tuple[Split, Split]:
    """Train and test of a folder, mapped into memory: processes share one copy.

    Raises:
        OSError, ValueError, EOFError: a file is missing or damaged.
    """
    arrays = [np.load(folder / f"{name}.npy", mmap_mode="r") for name in NAMES]
    return Split(arrays[0], arrays[1]), Split(arrays[2], arrays[3])


def share_arrays(data: Data) -> Path:
    """A folder with the arrays of `data` for `open_arrays`; written unless it is there."""
    mapped = data.train.images
    if isinstance(mapped, np.memmap) and mapped.filename:
        return Path(mapped.filename).parent
    folder = cache_folder(f"arrays-{data.fingerprint[:32]}")
    if not folder.exists():
        store_arrays(folder, data.train, data.test)
    return folder
