"""Arrays of .npz archives from strangers: each is judged by its header before it is read.

Nothing in an archive is run: `np.load` without pickle.
"""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..errors import InputError, one_line
from ..zips import OddZipError, explain, open_member, open_zip

# The shape and the type of an array, as its file says before it is read.
Layout = tuple[tuple[int, ...], np.dtype]


def read_npz(
    path: Path, names: tuple[str, ...], check: Callable[[dict[str, Layout]], None]
) -> dict[str, np.ndarray]:
    """The arrays of these names.

    Args:
        path: an .npz archive.
        names: of the arrays wanted; others are not read.
        check: is given the layouts of all of them, and raises an InputError.

    Raises:
        InputError: it is damaged, lacks one, or `check` refuses it.
    """
    try:
        with open_zip(path) as archive:
            keys = [name.removesuffix(".npy") for name in archive.namelist()]
            if set(names) - set(keys):
                raise InputError(
                    f"{path} has the keys {one_line(', '.join(keys)) or 'none'}; it needs "
                    f"{', '.join(names[:-1])} and {names[-1]}"
                )
            layouts = {name: _read_layout(archive, name) for name in names}
            if any(dtype.hasobject for _, dtype in layouts.values()):
                raise InputError(
                    f"cannot read {path}: it holds pickled objects, which are never loaded; "
                    f"download it again"
                )
            check(layouts)
            return {name: _read_array(archive, name) for name in names}
    except InputError:
        raise
    except Exception as error:
        # numpy, zipfile and zlib raise some ten different types for a damaged archive.
        raise InputError(f"cannot read {path}: {_explain(path, error)}") from None


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
