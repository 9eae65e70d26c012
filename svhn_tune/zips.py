"""Zip archives from strangers: nothing is read, or unpacked, beyond what its reader asks for.

zipfile alone trusts the sizes that an archive states: it unpacks 2 GiB at a time of a stream that
is said to be short, and any amount with its less usual methods.
"""

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from .errors import one_line

LARGEST_DIRECTORY = 2**20  # bytes of the list of members: some ten thousand
CHUNK = 2**20
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class OddZipError(zipfile.BadZipFile):
    """What in an archive is not as any honest writer has it, in words."""


class _Bounded(io.BufferedReader):
    """A file of which nobody reads more than a megabyte at once, as zipfile would its directory."""

    def read(self, size: int | None = -1, /) -> bytes:
        bound = LARGEST_DIRECTORY + 1
        content = super().read(bound if size is None or size < 0 else min(size, bound))
        if len(content) == bound:
            raise OddZipError("its list of members is too long")
        return content


@contextmanager
def open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """A zip archive to `read_chunks` of.

    Raises:
        Exception: zipfile, zlib and struct raise some ten types for one that is damaged.
    """
    with _Bounded(io.FileIO(path)) as file, zipfile.ZipFile(file) as archive:
        names = archive.namelist()
        if len(set(names)) < len(names):
            raise OddZipError("it has two members of one name")
        yield archive


def explain(error: Exception, advice: str = "") -> str:
    """Why a file cannot be read, in words; `advice` is what follows where it is damaged."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, MemoryError):
        return "there is not enough memory for it"
    if isinstance(error, OddZipError):
        return str(error)
    return f"it is damaged or cut short{advice} ({one_line(str(error) or repr(error))})"


def read_chunks(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """What a member holds, a megabyte at a time, and never more than it says of itself.

    Raises:
        Exception: it is damaged, encrypted, or compressed in an unusual way.
    """
    with open_member(archive, name) as content:
        while chunk := content.read(CHUNK):
            yield chunk


def open_member(archive: zipfile.ZipFile, name: str) -> IO[bytes]:
    """A member as a file; it is safe to read it in pieces.

    Raises:
        OddZipError: it is encrypted, or compressed in an unusual way.
    """
    member = archive.getinfo(name)
    if member.flag_bits & 1:
        raise OddZipError(f"its {name} is encrypted")
    if member.compress_type not in METHODS:
        raise OddZipError(f"its {name} is compressed by method {member.compress_type}")
    return archive.open(member)
