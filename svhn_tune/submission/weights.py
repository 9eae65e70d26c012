"""The weights in a .keras file, checked before Keras reads them: an HDF5 file from a stranger.

It can take data from other files, claim to have more than it has, and contain itself.
"""

from collections.abc import Iterator
from math import prod
from pathlib import Path

import h5py

MOST_LINKS = 10_000


class OddError(ValueError):
    """What in the file is not as Keras writes it, in words."""


def count_weight_bytes(path: Path, limit: int) -> int:
    """Bytes that reading every array of the file takes; those under two names count twice.

    Raises:
        OddError: it is no HDF5 file, holds other things than groups and arrays of numbers, takes
            them from other files, or has more than `limit` bytes of them.
    """
    try:
        with h5py.File(path, "r") as file:
            total = 0
            for name, dataset in _find_datasets(file):
                total += _count_bytes(name, dataset)
                if total > limit:
                    raise OddError(f"it has more than {limit:,} bytes of numbers")
            return total
    except OddError:
        raise
    except Exception as error:
        # h5py raises some six different types for a damaged file.
        raise OddError(f"it is no HDF5 file, or damaged ({str(error) or repr(error)})") from None


def _find_datasets(file: h5py.File) -> Iterator[tuple[str, h5py.Dataset]]:
    """Every dataset with its path, by hard links alone, and no group twice."""
    groups, seen, links = [file["/"]], set(), 0
    while groups:
        group = groups.pop()
        address = h5py.h5o.get_info(group.id).addr
        if address in seen:
            raise OddError(f"{group.name} is there twice")
        seen.add(address)
        for name in group:
            links += 1
            if links > MOST_LINKS:
                raise OddError(f"it has more than {MOST_LINKS:,} arrays and groups")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise OddError(f"{group.name}/{name} is a link to somewhere else")
            found = group[name]
            if isinstance(found, h5py.Group):
                groups.append(found)
            elif isinstance(found, h5py.Dataset):
                yield found.name, found
            else:
                raise OddError(f"{found.name} is no array")


def _count_bytes(name: str, dataset: h5py.Dataset) -> int:
    if dataset.is_virtual or dataset.external:
        raise OddError(f"{name} is taken from another file")
    if dataset.dtype.kind not in "biuf" or dataset.shape is None:
        raise OddError(f"{name} is no array of numbers")
    # A chunk is read whole, and may be larger than what is in it.
    items = max(dataset.size, prod(dataset.chunks or (1,)))
    return int(items) * dataset.dtype.itemsize
