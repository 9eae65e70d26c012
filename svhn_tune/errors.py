"""What a person did wrong, said in one line. Nothing here prints: cli.py does."""

from collections.abc import Iterable
from difflib import get_close_matches


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
