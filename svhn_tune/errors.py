"""What a person did wrong, said in one line. Nothing here prints: cli.py does."""

from collections.abc import Iterable
from difflib import get_close_matches
from reprlib import Repr
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class InputError(ValueError):
    """Bad input: the message names the thing, the value and the fix, in one line."""


def cannot_write(path: object, reason: object) -> InputError:
    """The error of a full disk, or a folder that turned read-only: nothing written is lost."""
    return InputError(
        f"cannot write {path}: {reason}. What was written before is whole: make room, or the "
        f"folder writable, and the same command goes on"
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` for the nearest known name, or nothing where none is near."""
    matches = get_close_matches(name, list(known), n=1)
    return f" Did you mean '{matches[0]}'?" if matches else ""


def say_invalid(error: "ValidationError") -> str:
    """The first of pydantic's complaints: the field, what is wrong with it, and its value."""
    found = error.errors(include_url=False)[0]
    where = ".".join(map(str, found["loc"]))
    if found["type"] == "missing":
        return f"{where} is missing"
    if found["type"] == "extra_forbidden":
        return f"{where} is an unknown field"
    message = found["msg"].removeprefix("Value error, ")
    if not where or found["type"] == "value_error":
        return f"{where}: {message}" if where else message
    return f"{where}={shorten(found['input'])}: {message[:1].lower()}{message[1:]}"


def shorten(value: object) -> str:
    """A value for an error: of a long one, the ends."""
    short = Repr()
    short.maxstring = short.maxother = 60
    return short.repr(value)
