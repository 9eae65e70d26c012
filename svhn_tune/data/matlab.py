"""MATLAB files from strangers: the variables wanted are unpacked, up to a largest size.

scipy would unpack as many bytes as a variable says that it has.
"""

import io
import struct
import zlib
from math import prod
from pathlib import Path
from typing import IO

from ..errors import InputError

HEADER = 128  # bytes, the byte order in the last two
MATRIX, COMPRESSED = 14, 15  # types of a variable
CHUNK = 2**20
SPARE = 2**16  # bytes of a variable beside its numbers
LARGEST_NUMBER = 16  # bytes: a complex one


def inflate(path: Path, wanted: tuple[str, ...], largest: int) -> io.BytesIO:
    """The file with the `wanted` ones of its compressed variables unpacked, the others left out.

    Args:
        path: a .mat file.
        wanted: names of at most four letters.
        largest: bytes that the file, and each variable unpacked, may have.

    Raises:
        InputError: it is larger, or of version 7.3.
        Exception: it is damaged; zlib and struct raise three types.
    """
    if path.stat().st_size > largest:
        raise InputError(f"{path} has more than {largest:,} bytes")
    inflated = io.BytesIO()
    with path.open("rb") as file:
        header = file.read(HEADER)
        inflated.write(header)
        order = {b"IM": "<", b"MI": ">"}.get(header[126:])
        if order is None:  # MATLAB 4, which compresses nothing
            inflated.write(file.read())
        elif header[125 if order == "<" else 124] == 2:
            raise InputError(
                f"{path} is a MATLAB file of version 7.3 (HDF5); save it with -v7, or download it "
                f"again"
            )
        else:
            while tag := file.read(8):
                kind, size = struct.unpack(f"{order}II", tag)
                if size > path.stat().st_size - file.tell():
                    raise EOFError("it ends early")
                if kind != COMPRESSED:
                    inflated.write(tag + file.read(size))
                    continue
                end = file.tell() + size
                inflated.write(_unpack(file, size, order, wanted, largest))
                file.seek(end)
    inflated.seek(0)
    return inflated


def _unpack(
    file: IO[bytes], size: int, order: str, wanted: tuple[str, ...], largest: int
) -> bytearray:
    """A variable from the next `size` bytes; nothing if it is not wanted."""
    unpacker, content, most = zlib.decompressobj(), bytearray(), largest
    while size and not unpacker.eof:
        packed = file.read(min(size, CHUNK))
        size -= len(packed)
        while packed:
            first = not content
            content += unpacker.decompress(packed, CHUNK)
            if first and content:
                name, numbers = _read_head(content, order)
                if name not in wanted:
                    return bytearray()
                most = min(most, LARGEST_NUMBER * numbers + SPARE)
            if len(content) > most:
                raise ValueError(f"unpacked, {name} has more than {most:,} bytes")
            packed = unpacker.unconsumed_tail
    return content + unpacker.flush()


def _read_head(content: bytearray, order: str) -> tuple[str, int]:
    """The name of a variable, if it is short, and how many numbers it has."""
    kind, *_, bytes_of_shape = struct.unpack_from(f"{order}8I", content)
    if kind != MATRIX:
        raise ValueError(f"a variable of type {kind}")
    shape = struct.unpack_from(f"{order}{bytes_of_shape // 4}i", content, 32)
    after = 32 + -(-bytes_of_shape // 8) * 8
    (tag,) = struct.unpack_from(f"{order}I", content, after)
    letters = tag >> 16  # of a name of at most four; else 0
    return content[after + 4 : after + 4 + letters].decode("latin-1"), abs(prod(shape))
