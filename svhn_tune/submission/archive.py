"""The .keras archive as a file: its parts, its configuration, and whether that brings code along.

Nothing here imports Keras, so that a wrong file is refused at once, or loads what the file names.
"""

import builtins
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError

PARTS = ("config.json", "metadata.json", "model.weights.h5")
# Where Keras itself says that an object comes from; anything else is a class of the file's author.
MODULES = {
    "keras",
    *(
        f"keras.{part}"
        for part in (
            "activations",
            "constraints",
            "dtype_policies",
            "initializers",
            "layers",
            "losses",
            "metrics",
            "models",
            "optimizers",
            "optimizers.schedules",
            "regularizers",
            "src.models.functional",
            "src.models.sequential",
        )
    ),
}
# Keras's own layers that run what a file holds.
RUNS_CODE = {"Lambda", "__lambda__", "FlaxLayer", "JaxLayer", "TFSMLayer", "TorchModuleWrapper"}


@dataclass(frozen=True)
class Archive:
    """What a .keras file says of itself: the model's configuration, and the Keras that wrote it."""

    config: dict[str, Any]
    keras_version: str


def read_archive(path: Path) -> Archive:
    """The configuration in a .keras file.

    Raises:
        InputError: there is no such file, or it is no .keras archive.
    """
    if not path.is_file():
        raise InputError(f"no file {path}")
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            contents = {name: archive.read(name) for name in PARTS[:2] if name in names}
    except (zipfile.BadZipFile, OSError, RuntimeError, EOFError):
        names, contents = set(), {}
    if missing := sorted(set(PARTS) - names):
        raise InputError(f"{path} is no .keras archive: it lacks {', '.join(missing)}")
    config, metadata = (_read_object(path, name, contents[name]) for name in PARTS[:2])
    return Archive(config, str(metadata.get("keras_version", "unknown")))


def _read_object(path: Path, name: str, content: bytes) -> dict[str, Any]:
    try:
        read = json.loads(content)
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise InputError(f"{path} is no .keras archive: its {name} is no JSON object")
    return read


def find_objects(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of a configuration: layers, initializers, dtype policies, functions, ..."""
    if isinstance(node, dict):
        if isinstance(node.get("class_name"), str):
            yield node
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from find_objects(child)


def find_code(config: dict[str, Any]) -> list[str]:
    """The classes and functions of a configuration that Keras would run, or import, to load it.

    Safe mode alone is not enough: Keras 3.10 lets a file switch it off (CVE-2025-9906), and some of
    its layers run what they hold.
    """
    return sorted({found["class_name"] for found in find_objects(config) if _brings_code(found)})


def _brings_code(found: dict[str, Any]) -> bool:
    name, module = found["class_name"], found.get("module")
    if name in RUNS_CODE:
        return True
    if name.startswith("__"):  # tensors, arrays, tuples, slices: plain values
        return False
    if name == "function" and module == "builtins":  # so Keras calls its own metrics
        return hasattr(builtins, str(found.get("config")))
    return module not in MODULES
