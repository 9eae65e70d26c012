"""Files that are whole or not there: written to a temporary name, fsynced, then renamed."""

import os
from contextlib import suppress
from pathlib import Path


def write_atomically(path: Path, content: str | bytes | memoryview) -> None:
    """Write `content` so that `path` holds all of it, or what it held before.

    Raises:
        OSError: it could not be written; it names `path`, which a full disk's own error does not.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise


def count_bytes(folder: Path) -> int:
    """Bytes of all files below `folder`, which may come and go meanwhile; no link is followed."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_size
    return total
