"""What a person did wrong, said in one line. Nothing here prints: cli.py does."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

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
