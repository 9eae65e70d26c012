"""One module per source of images; `load_data` finds the one that is there."""

import os
from pathlib import Path
from types import ModuleType

from ..errors import InputError
from . import cifar10, course, stanford
from .dataset import Data, Split

__all__ = ["Data", "Split", "load_data"]

DIGITS = (course, stanford)
DEFAULT_FOLDER = Path("data")


def load_data(where: str | Path | None = None, source: str = "svhn") -> Data:
    """The images of a source in a folder, or the built-in ones that stand in for them.

    Args:
        where: a folder with the files of the source, or "builtin"; by default ./data if such files
            are there, else where keras.datasets keeps them (CIFAR-10), else the built-in drawings
            (`.synthetic` says so).
        source: "svhn", the course's archives or Stanford's files; or "cifar10".

    Raises:
        InputError: no such source, no such files in the folder, or damaged ones.
    """
    finders = {"svhn": _find_digits, "cifar10": _find_objects}
    if source not in finders:
        raise InputError(f"no source '{source}' (there are svhn and cifar10)")
    find = finders[source]
    if where is None and find(DEFAULT_FOLDER):
        where = DEFAULT_FOLDER
    if where is None and source == "cifar10":
        where = cifar10.find_cached()
    if where is None or str(where) == "builtin":
        from . import builtin

        return builtin.load() if source == "svhn" else builtin.load_objects()
    folder = Path(where)
    if os.path.isfile(folder):
        raise InputError(f"{folder} is a file; pass the folder that it is in")
    if module := find(folder):
        return module.load(folder)
    if source == "cifar10":
        raise InputError(
            f"no CIFAR-10 files in {folder} (looked for {cifar10.WANTED}), and it is not 'builtin'"
        )
    expected = " or ".join(f"{each.FILES[0]} and {each.FILES[1]}" for each in DIGITS)
    raise InputError(f"no SVHN files in {folder} (looked for {expected}), and it is not 'builtin'")


def _find_digits(folder: Path) -> ModuleType | None:
    """The module that reads the digits in a folder, if there are any."""
    for source in DIGITS:
        # Unlike Path.is_file, it answers for a folder that cannot be read, or be the name of one.
        if present := [name for name in source.FILES if os.path.isfile(folder / name)]:
            if missing := [name for name in source.FILES if name not in present]:
                raise InputError(f"{folder} has {present[0]} but lacks {missing[0]}")
            return source
    return None


def _find_objects(folder: Path) -> ModuleType | None:
    return cifar10 if cifar10.holds(folder) else None
