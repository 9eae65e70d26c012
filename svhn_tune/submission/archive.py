"""The .keras archive as a file: its parts, read only as far as they are needed.

Nothing here imports Keras, so that a wrong file is refused at once.
"""

import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..zips import explain, open_zip, read_chunks
from .configuration import strip_compiled, walk

WEIGHTS = "model.weights.h5"
PARTS = ("config.json", "metadata.json", WEIGHTS)
LARGEST_TEXT = {"config.json": 2**20, "metadata.json": 2**16}  # a model of 100 layers: 150 kB
DEEPEST = 100


@dataclass(frozen=True)
class Archive:
    """What a .keras file says of itself.

    Args:
        config: of the model.
        keras_version: of the Keras that wrote it.
        weights_bytes: of model.weights.h5 when unpacked.
        others: the members that Keras does not write.
    """

    config: dict[str, Any]
    keras_version: str
    weights_bytes: int
    others: tuple[str, ...]


def require_file(path: Path) -> None:
    """Check that `path` is a file that can be read from its start to its end.

    Raises:
        InputError: there is none, or it is a folder, a pipe or a device.
    """
    if os.path.isdir(path):
        raise InputError(f"{path} is a folder; expected a .keras file")
    if not os.path.isfile(path):
        what = "is a pipe or a device" if os.path.exists(path) else ""
        raise InputError(f"{path} {what}; expected a .keras file" if what else f"no file {path}")


def read_archive(path: Path) -> Archive:
    """The configuration in a .keras file, and nothing else of it.

    Raises:
        InputError: there is no such file, or it is no .keras archive.
    """
    require_file(path)
    try:
        with open_zip(path) as archive:
            names = archive.namelist()
            if missing := sorted(set(PARTS) - set(names)):
                raise InputError(f"{path} is no .keras archive: it lacks {', '.join(missing)}")
            config, metadata = (_read_object(path, archive, name) for name in PARTS[:2])
            weights_bytes = archive.getinfo(WEIGHTS).file_size
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{path} is no .keras archive: {explain(error)}") from None
    others = tuple(name for name in names if name not in PARTS)
    return Archive(config, str(metadata.get("keras_version", "unknown")), weights_bytes, others)


def _read_object(path: Path, archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    size, limit = archive.getinfo(name).file_size, LARGEST_TEXT[name]
    if size > limit:
        raise InputError(
            f"{path} is no .keras archive: its {name} has {size:,} bytes; {limit:,} are enough"
        )
    content = b"".join(read_chunks(archive, name))
    try:
        read = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise InputError(f"{path} is no .keras archive: its {name} is no JSON object")
    if any(depth > DEEPEST for depth, _ in walk(read)):
        raise InputError(f"{path} is no .keras archive: its {name} is nested too deeply")
    return read


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def unpack(path: Path, archive: Archive, folder: Path, compiled: bool) -> None:
    """Write the model into an empty folder, from which Keras loads it as from the file.

    Left out are the compile settings of models inside the model, which Keras would follow unasked,
    and those of the model itself unless it is to be `compiled`.

    Raises:
        InputError: the file is damaged, or the folder cannot be written.
    """
    config = strip_compiled(archive.config)
    if compiled:
        config["compile_config"] = archive.config["compile_config"]
    (folder / PARTS[0]).write_text(json.dumps(config))
    (folder / PARTS[1]).write_text(json.dumps({"keras_version": archive.keras_version}))
    try:
        with open_zip(path) as opened, (folder / WEIGHTS).open("wb") as file:
            for chunk in read_chunks(opened, WEIGHTS):
                file.write(chunk)
    except Exception as error:
        raise InputError(f"cannot read {path}: {explain(error)}") from None
