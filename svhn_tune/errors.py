"""What a person did wrong, said in one line. Nothing here prints: cli.py does."""

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """Bad input: the message names the thing, the value and the fix, in one line."""


def one_line(text: str, longest: int = 500) -> str:
    """What a stranger wrote, so that a terminal can show it: escaped, and cut where it is long."""
    line = " ".join(text[: 2 * longest].split())
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
    return shown if len(shown) <= longest else f"{shown[:longest]}..."


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
