"""What a person did wrong, said in one line. Nothing here prints: cli.py does."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from reprlib import Repr
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

# What moves a cursor, begins a line, turns text around or cannot be encoded.
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class InputError(ValueError):
    """Bad input: the message names the thing, the value and the fix, in one line."""

    def __init__(self, message: str) -> None:
        super().__init__(one_line(message))


def one_line(text: str, longest: int = 800) -> str:
    """`text` on one line, control characters spelt out, and the middle of a long one left out."""
    # A library's message within ours may have several lines; a value may be as long as a file.
    line = CONTROLS.sub(_spell, " ".join(map(str.strip, text.splitlines())))
    if len(line) <= longest:
        return line
    return f"{line[: longest // 2]} ... {line[-longest // 2 :]}"


def _spell(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()


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
