"""stdout and stderr as the command line needs them: on any terminal, a full disk, a closed pipe.

Whoever has replaced `sys.stdout` or `sys.stderr` (a notebook, a test) keeps what it put there.
"""

import codecs
import io
import os
import sys

from ..errors import InputError

# What the tables print beyond ASCII, for a terminal that knows no more.
PLAIN = {"±": "+-", "…": "..."}


class _Raw(io.FileIO):
    """A standard stream's bytes. After its first error it takes all and writes nothing.

    So that what was printed before is not tried again at the end. stderr has no errors: progress
    that nobody can read ends no training.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number, "w", closefd=False)
        self._number = number
        self._is_lost = False

    def write(self, data: object) -> int:
        """Write, or say once that it cannot be written to."""
        if not self._is_lost:
            try:
                return super().write(data)  # type: ignore[arg-type]
            except OSError as error:
                self._is_lost = True
                if self._number == 1:
                    if isinstance(error, BrokenPipeError):
                        raise
                    raise InputError(f"cannot write to standard output: {error.strerror}") from None
        return memoryview(data).nbytes  # type: ignore[arg-type]


def guard_streams() -> None:
    """Replace stdout and stderr by streams whose errors name them, and which take any character."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # Closed: else the next file that is opened would be printed into.
            os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)
    codecs.register_error("svhn_tune.plain", _write_plainly)
    if sys.stdout is sys.__stdout__:
        sys.stdout = _open(1, sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _open(2, sys.stderr)


def _open(number: int, given: object) -> io.TextIOWrapper:
    raw = _Raw(number)
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(given, "encoding", None),
        errors="svhn_tune.plain",
        line_buffering=number == 2 or raw.isatty(),
        write_through=getattr(given, "write_through", False),
    )


def _write_plainly(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that the terminal does not know."""
    assert isinstance(error, UnicodeEncodeError)
    text = ""
    for each in error.object[error.start : error.end]:
        text += PLAIN.get(each) or each.encode("ascii", "backslashreplace").decode()
    return text, error.end
