"""The .keras file that is handed in, written so that every Keras from 3.10 on opens it quietly.

The file has no optimizer state (Adam's is two thirds of it, and Keras stores it whatever
`include_optimizer` says) and is still compiled. check.py says whether a file may be handed in.
"""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import keras

from ..files import write_atomically
from ..models.hypermodel import HyperModel
from ..space.space import Space
from .portable import strip_config


def save_submission(
    space: Space, values: Mapping[str, Any], model: keras.Model, path: Path
) -> None:
    """Write a trained `model` of these `values` as a file that can be handed in.

    Raises:
        InputError: the model has what Keras 3.10 does not know; nothing is written.
    """
    fresh = HyperModel(space).build_values(values)
    fresh.set_weights(model.get_weights())
    _write_portable(fresh, path)


def _write_portable(model: keras.Model, path: Path) -> None:
    """Write a compiled `model` whose optimizer is not built yet."""
    written = path.with_name(f".{path.stem}.{os.getpid()}.keras")
    try:
        model.save(written)
        with zipfile.ZipFile(written) as archive:
            contents: dict[str, bytes | memoryview] = {
                name: archive.read(name) for name in archive.namelist()
            }
    finally:
        written.unlink(missing_ok=True)
    config = strip_config(json.loads(bytes(contents["config.json"])))
    model.optimizer.build(model.trainable_variables)
    shapes = [variable.shape for variable in model.optimizer.variables]
    contents["config.json"] = json.dumps(config).encode()
    contents["model.weights.h5"] = _add_empty_moments(contents["model.weights.h5"], shapes)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as copy:
        for name, content in contents.items():
            copy.writestr(name, content)
    write_atomically(path, packed.getbuffer())


def _add_empty_moments(
    weights: bytes | memoryview, shapes: Iterable[tuple[int, ...]]
) -> memoryview:
    """The weights with the optimizer's variables as they are before the first step: zero.

    Keras (3.10 to 3.15) builds the optimizer of a compiled model when it loads it, and warns
    "Skipping variable loading for optimizer" where the file holds another number of variables.
    An HDF5 dataset that was never written takes no space and reads as zeros; those of one shape
    are one dataset under several names.
    """
    buffer = io.BytesIO(weights)
    with h5py.File(buffer, "r+") as file:
        group = file["optimizer/vars"]
        empty: dict[tuple[int, ...], h5py.Dataset] = {}
        for number, shape in enumerate(shapes):
            name = str(number)
            if name in group:  # the step and the learning rate
                continue
            if shape in empty:
                group[name] = empty[shape]
            else:
                empty[shape] = group.create_dataset(name, shape, "float32")
    return buffer.getbuffer()


def hash_weights(model: keras.Model) -> str:
    """The sha256 of a model's weights in order, in hexadecimal; the journal has a run's."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(weight.tobytes())
    return digest.hexdigest()
