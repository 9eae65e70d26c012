"""One module per source of images; `load_data` finds the one that is there."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType

from ..errors import InputError
from . import cifar10, clocks, course, fashion_mnist, stanford
from .dataset import Data, Split

__all__ = ["Data", "Split", "load_data"]

Load = Callable[[Path], Data]
# What reads the files of a source in a folder, if it has any.
Find = Callable[[Path], Load | None]

DIGITS = (course, stanford)
DEFAULT_FOLDER = Path("data")


def load_data(where: str | Path | None = None, source: str = "svhn") -> Data:
    """The images of a source in a folder, or the built-in ones that stand in for them.

    Args:
        where: a folder with the files of the source, or "builtin"; by default ./data if such files
            are there, else where keras.datasets keeps them (CIFAR-10, Fashion-MNIST), else the
            built-in drawings (`.synthetic` says so). "cifar10" or "cifar10:DIR" names the source,
            too.
        source: a name in `SOURCES`, such as "svhn", the course's archives or Stanford's files.

    Raises:
        InputError: no such source, another one than `source` named, no such files in the folder, or
            damaged ones.
    """
    if source not in SOURCES:
        raise InputError(f"no source '{source}' (there are {', '.join(SOURCES)})")
    named, where = split_where(where)
    if named not in (None, source):
        raise InputError(
            f"--data {named} names images of {named}, where those of {source} are wanted: only "
            f"confirm trains on another source's"
        )
    known = SOURCES[source]
    if where is None and known.find(DEFAULT_FOLDER):
        where = DEFAULT_FOLDER
    if where is None:
        where = known.find_cached()
    if where is None or str(where) == "builtin":
        from . import builtin

        return builtin.STAND_INS[source]()
    folder = Path(where)
    if os.path.isfile(folder):
        raise InputError(f"{folder} is a file; pass the folder that it is in")
    if load := known.find(folder):
        return load(folder)
    raise InputError(
        f"no {known.name} files in {folder} (looked for {known.wanted}), and it is not 'builtin'"
    )


def split_where(where: str | Path | None) -> tuple[str | None, str | Path | None]:
    """The source that `--data` names, None where it names none; and the folder, if there is one.

    "cifar10" is CIFAR-10 wherever it is, "cifar10:DIR" that in a folder, and all else a folder.
    """
    name, _, folder = str(where).partition(":")
    if isinstance(where, str) and name in SOURCES:
        return name, folder or None
    return None, where


def _find_digits(folder: Path) -> Load | None:
    for source in DIGITS:
        # Unlike Path.is_file, it answers for a folder that cannot be read, or be the name of one.
        if present := [name for name in source.FILES if os.path.isfile(folder / name)]:
            if missing := [name for name in source.FILES if name not in present]:
                raise InputError(f"{folder} has {present[0]} but lacks {missing[0]}")
            return source.load
    return None


def _find_objects(folder: Path) -> Load | None:
    return cifar10.load if cifar10.holds(folder) else None


def _find_clothes(folder: Path) -> Load | None:
    return fashion_mnist.load if fashion_mnist.holds(folder) else None


def _find_clocks(source: str, folder: Path) -> Load | None:
    return partial(clocks.load, source=source) if clocks.holds(folder) else None


@dataclass(frozen=True)
class Source:
    """How a source's files are found, and what is said where there are none.

    Args:
        name: what its images are called.
        find: what reads those in a folder, if it has any.
        find_cached: the folder where keras.datasets left them, if it has.
        wanted: which files are looked for.
        missing: why the built-in drawings stand in, and what to do about it.
    """

    name: str
    find: Find
    find_cached: Callable[[], Path | None]
    wanted: str
    missing: str


def _kept_by_keras(module: ModuleType, find: Find) -> Source:
    missing = (
        f"none of {module.NAME} in ./data or where keras.datasets keeps it; --data DIR for yours: "
        f"{module.WANTED}"
    )
    return Source(module.NAME, find, module.find_cached, module.WANTED, missing)


def _of_clocks(source: str) -> Source:
    missing = f"no {clocks.WANTED} in ./data; --data DIR for yours"
    return Source("clock", partial(_find_clocks, source), lambda: None, clocks.WANTED, missing)


SOURCES = {
    "svhn": Source(
        "SVHN",
        _find_digits,
        lambda: None,
        " or ".join(f"{each.FILES[0]} and {each.FILES[1]}" for each in DIGITS),
        "no archives in ./data; --data DIR for yours",
    ),
    "cifar10": _kept_by_keras(cifar10, _find_objects),
    "fashion_mnist": _kept_by_keras(fashion_mnist, _find_clothes),
    **{name: _of_clocks(name) for name in clocks.SIDES},
}
