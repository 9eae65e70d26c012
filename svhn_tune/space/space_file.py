"""A space file -> the tables in it; what is no file, too large or not TOML gets one clear line.

Nothing here knows which tables a space has.
"""

import stat
import tomllib
from pathlib import Path
from typing import Any

from ..errors import InputError

# Characters. tomllib takes a time that is quadratic in the parts of one dotted key.
MAX_LENGTH, MAX_LINE = 65_536, 4_000
# A value in a list of a table of the table of hyperparameters has 4.
MAX_DEPTH = 6
# TOML's own.
LOWEST, HIGHEST = -(2**63), 2**63 - 1


def read_space_file(path: Path, shown: str) -> str:
    """The text of a space file, or its beginning if it is too long; `shown` is its name in errors.

    Raises:
        InputError: it cannot be read, or is no regular file: a pipe may never end.
    """
    try:
        if stat.S_ISREG(path.stat().st_mode):
            with path.open(encoding="utf-8-sig") as file:
                return file.read(MAX_LENGTH + 1)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read the space file {shown}: {error}") from None
    raise InputError(f"cannot read the space file {shown}: it is no regular file")


def parse_tables(text: str, shown: str) -> dict[str, Any]:
    """The tables of the TOML `text`; `shown` is what errors call the file.

    Raises:
        InputError: it is too long, no TOML, nested too deeply, or has a number beyond 64 bits.
    """
    if len(text) > MAX_LENGTH:
        raise InputError(f"{shown} is no space file: it has more than {MAX_LENGTH:,} characters")
    for number, line in enumerate(text.split("\n"), start=1):
        if len(line) > MAX_LINE:
            raise InputError(f"{shown} line {number} has more than {MAX_LINE:,} characters")
    try:
        tables = tomllib.loads(text)
    except ValueError as error:
        raise InputError(f"{shown} is not TOML: {error}") from None
    except RecursionError:
        raise InputError(f"{shown} is nested too deeply") from None
    _check_values(tables, shown)
    return tables


def _check_values(tables: dict[str, Any], shown: str) -> None:
    """Refuse what could not be shown in a message, or kept in a journal."""
    # Not by recursion: a dotted key nests as deeply as it has parts.
    waiting: list[tuple[list[str], Any]] = [([], tables)]
    while waiting:
        place, value = waiting.pop()
        table = f"[{'.'.join(place[:-1])}] " if len(place) > 1 else ""
        where = f"{shown} {table}{''.join(place[-1:])}"
        if len(place) > MAX_DEPTH:
            raise InputError(f"{where} is nested too deeply")
        if isinstance(value, dict):
            waiting += [([*place, key], each) for key, each in value.items()]
        elif isinstance(value, list):
            waiting += [([*place, str(index)], each) for index, each in enumerate(value)]
        elif isinstance(value, int) and not LOWEST <= value <= HIGHEST:
            raise InputError(f"{where} is beyond 64 bits")
