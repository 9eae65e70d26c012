"""One process at a time on a project: a lock that the system frees when its holder dies."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ..errors import InputError
from ..files import write_atomically

# `find_holder` itself holds the lock for less than a millisecond.
PATIENCE = 0.2


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold the folder, and write down this process's pid in it.

    Raises:
        InputError: another process holds it; the message has its pid. Or the folder cannot be
            written.
    """
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=PATIENCE, poll_interval=0.02)
        write_atomically(folder / ".pid", str(os.getpid()))
    except Timeout:
        raise InputError(
            f"{folder} is in use by the process {_read_pid(folder) or 'unknown'}: wait for it, or "
            f"end it first"
        ) from None
    except OSError as error:
        lock.release()
        raise InputError(f"cannot write the project {folder}: {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()


def find_holder(folder: Path) -> int | None:
    """The pid of the process that holds the folder, 0 if it wrote none down; None if none does."""
    path = folder / ".lock"
    if not path.exists():
        return None
    try:
        with FileLock(path).acquire(timeout=0):
            return None
    except Timeout:
        return _read_pid(folder)
    except OSError:
        # A folder that cannot be written, such as a copy: none could hold it.
        return None


def _read_pid(folder: Path) -> int:
    try:
        return int((folder / ".pid").read_text())
    except (OSError, ValueError):
        return 0
