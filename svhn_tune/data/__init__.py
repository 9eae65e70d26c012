"""One module per source of images; `load_data` finds the one that is there."""

import os
from pathlib import Path

from ..errors import InputError
from . import course, stanford
from .dataset import Data, Split

__all__ = ["Data", "Split", "load_data"]

SOURCES = (course, stanford)
DEFAULT_FOLDER = Path("data")


def load_data(where: str | Path | None = None) -> Data:
    """The digits in a folder, or the built-in ones.

    Args:
        where: a folder with the course's or Stanford's files, or "builtin"; by default ./data if
            such files are there, else the built-in digits (`.synthetic` says so).

    Raises:
        InputError: no such files in the folder, or damaged ones.
    """
    if where is None and any(_present(source, DEFAULT_FOLDER) for source in SOURCES):
        where = DEFAULT_FOLDER
    if where is None or str(where) == "builtin":
        from . import builtin

        return builtin.load()
    folder = Path(where)
    if os.path.isfile(folder):
        raise InputError(f"{folder} is a file; pass the folder that it is in")
    for source in SOURCES:
        if present := _present(source, folder):
            if missing := [name for name in source.FILES if name not in present]:
                raise InputError(f"{folder} has {present[0]} but lacks {missing[0]}")
            return source.load(folder)
    expected = " or ".join(f"{source.FILES[0]} and {source.FILES[1]}" for source in SOURCES)
    raise InputError(f"no SVHN files in {folder} (looked for {expected}), and it is not 'builtin'")


def _present(source: object, folder: Path) -> list[str]:
    # Unlike Path.is_file, it answers for a folder that cannot be read, or be the name of one.
    return [name for name in source.FILES if os.path.isfile(folder / name)]  # type: ignore[attr-defined]
