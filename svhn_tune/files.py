"""Files that are whole or not there (written to a temporary name, fsynced, renamed), and JSON."""

import io
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from zipfile import BadZipFile

if TYPE_CHECKING:
    import numpy as np


def write_atomically(path: Path, content: str | bytes | memoryview) -> None:
    """Write `content` so that `path` holds all of it, or what it held before.

    Raises:
        OSError: it could not be written; it names `path`, which a full disk's own error does not.
    """
    with opened_atomically(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def opened_atomically(path: Path, *, lasts: bool = True) -> Iterator[BinaryIO]:
    """A file to write to; at the end `path` holds all of it, or after an error what it held before.

    One that need not last is not waited for: a machine that goes down may take it with it.

    Raises:
        OSError: it could not be written; it names `path`, which a full disk's own error does not.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            if lasts:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise


def write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays by name as a compressed .npz, whole or not at all."""
    # Imported late: `status` of a project at rest does not pay for NumPy.
    import numpy as np

    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_atomically(path, buffer.getbuffer())


def read_arrays(path: Path) -> "dict[str, np.ndarray]":
    """The arrays by name of what `write_arrays` wrote; none where it is missing or damaged."""
    import numpy as np

    try:
        with np.load(path) as stored:
            return dict(stored)
    except (OSError, ValueError, EOFError, BadZipFile):
        return {}


def parse_json(content: bytes) -> Any:
    """What JSON says, if all of its text can be written again.

    Raises:
        ValueError: it is no JSON, is nested too deep, or has half of a character.
    """
    try:
        value = json.loads(content)
        if b"\\u" in content:
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    return value


def count_bytes(folder: Path) -> int:
    """Bytes of all files below `folder`, which may come and go meanwhile; no link is followed."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_size
    return total
