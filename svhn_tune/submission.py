"""The .keras file that is handed in, and the check whether it may be.

The file has no optimizer state (Adam's is two thirds of it, and Keras stores it whatever
`include_optimizer` says), is still compiled, and leaves out of its configuration what only newer
versions of Keras know and what says nothing.
"""

import json
import os
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras

from .data.dataset import Data
from .errors import InputError
from .files import write_atomically
from .models.cnn import CNNHyperModel
from .space import Space

# Keras 3.10 refuses them; where they are null they say nothing (Keras 3.13 and 3.15 write them).
NEWER_KEYS = ("input_axes", "output_axes", "quantization_config")


def save_submission(
    space: Space, values: Mapping[str, Any], model: keras.Model, path: Path
) -> None:
    """Write a trained `model` of these `values` as a file that can be handed in."""
    fresh = CNNHyperModel(space, model.input_shape[1:], model.output_shape[-1]).build_values(values)
    fresh.set_weights(model.get_weights())
    written = path.with_name(f".{path.stem}.{os.getpid()}.keras")
    try:
        fresh.save(written)
        write_atomically(path, _strip_newer_keys(written))
    finally:
        written.unlink(missing_ok=True)


def _strip_newer_keys(path: Path) -> bytes:
    """The archive's bytes with the null keys of newer versions of Keras left out."""
    stripped = path.with_suffix(".stripped")
    try:
        with zipfile.ZipFile(path) as archive, zipfile.ZipFile(stripped, "w") as copy:
            for entry in archive.infolist():
                content = archive.read(entry)
                if entry.filename == "config.json":
                    content = json.dumps(_without_newer(json.loads(content))).encode()
                copy.writestr(entry.filename, content)
        return stripped.read_bytes()
    finally:
        stripped.unlink(missing_ok=True)


def _without_newer(config: Any) -> Any:
    if isinstance(config, dict):
        return {
            key: _without_newer(value)
            for key, value in config.items()
            if value is not None or key not in NEWER_KEYS
        }
    return [_without_newer(value) for value in config] if isinstance(config, list) else config


@dataclass(frozen=True)
class Check:
    """One rule: whether the file keeps it, and what was seen."""

    name: str
    ok: bool
    detail: str


def check_submission(path: str | Path, space: Space, data: Data | None = None) -> dict[str, Any]:
    """May this file be handed in under the rules of `space`?

    Args:
        path: a .keras file.
        space: gives the limit and the protocol.
        data: its test set is classified, if given.

    Returns:
        {"ok", "file_bytes", "limit_bytes", "checks": [{"name", "ok", "detail"}]}.

    Raises:
        InputError: there is no such file, or it is no .keras archive.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"no file {path}")
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError):
        names = set()
    if missing := {"config.json", "metadata.json", "model.weights.h5"} - names:
        raise InputError(f"{path} is no .keras archive: it lacks {', '.join(sorted(missing))}")
    size, limit = path.stat().st_size, int(space.limits.file_size)
    checks = [Check("file size", size <= limit, f"{size:,} bytes, the limit is {limit:,}")]
    try:
        with warnings.catch_warnings():
            # An optimizer without state is what a submission has, and Keras warns of it.
            warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
            # Safe mode refuses code that a file brings along.
            model = keras.models.load_model(path, safe_mode=True)
        checks.append(Check("loads", True, f"in Keras {keras.__version__}"))
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        checks.append(Check("loads", False, f"Keras {keras.__version__}: {reason}"))
    else:
        checks += _check_model(model, space)
        if data is not None:
            checks.append(_check_accuracy(model, data))
    return {
        "ok": all(check.ok for check in checks),
        "file_bytes": size,
        "limit_bytes": limit,
        "checks": [asdict(check) for check in checks],
    }


def _check_model(model: keras.Model, space: Space) -> list[Check]:
    layers = model.layers
    dense = [layer for layer in layers if isinstance(layer, keras.layers.Dense)]
    activations = {
        layer.name: layer.activation.__name__
        for layer in layers
        if getattr(layer, "activation", None) is not None
    }
    *hidden, last = activations.items() if activations else [("none", "none")]
    wrong = [f"{name} is {activation}" for name, activation in hidden if activation != "relu"]
    # A convolution may be linear where batch normalisation and a ReLU layer follow it.
    if any(isinstance(layer, keras.layers.Activation) for layer in layers):
        wrong = [text for text in wrong if not text.endswith("is linear")]
    allowed = (
        keras.layers.InputLayer,
        keras.layers.Conv2D,
        keras.layers.MaxPooling2D,
        keras.layers.Dense,
        keras.layers.Flatten,
        keras.layers.Dropout,
        keras.layers.SpatialDropout2D,
        keras.layers.BatchNormalization,
        keras.layers.Activation,
    )
    others = [type(layer).__name__ for layer in layers if not isinstance(layer, allowed)]
    protocol = space.protocol
    optimizer = getattr(model, "optimizer", None)
    rate = None if optimizer is None else float(optimizer.learning_rate)
    compiled = f"{type(optimizer).__name__}, rate {rate}, loss {getattr(model, 'loss', None)}"
    as_asked = (
        optimizer is not None
        and type(optimizer).__name__.lower() == protocol.optimizer
        and getattr(model, "loss", None) == protocol.loss
        and ("learning_rate" in space.hyperparameters or _close(rate, protocol.learning_rate))
    )
    return [
        Check("input", model.input_shape == (None, 32, 32, 3), f"{model.input_shape}"),
        Check("output", model.output_shape == (None, 10), f"{model.output_shape}"),
        Check("output activation", last[1] == "softmax", f"{last[1]}"),
        Check("hidden activations", not wrong, ", ".join(wrong) or "all ReLU"),
        Check("one hidden dense layer", len(dense) == 2, f"{max(len(dense) - 1, 0)} hidden"),
        Check("no other layers", not others, ", ".join(others) or "none, no pre-processing"),
        Check("compiled as asked", as_asked, compiled),
    ]


def _close(rate: float | None, asked: float) -> bool:
    # Keras keeps the rate in float32.
    return rate is not None and abs(rate - asked) <= 1e-6 * asked


def _check_accuracy(model: keras.Model, data: Data) -> Check:
    predicted = model.predict(data.test.images, batch_size=250, verbose=0).argmax(axis=-1)
    accuracy = float((predicted == data.test.labels).mean())
    return Check(
        "test accuracy", True, f"{accuracy:.4f} on {len(predicted):,} images ({data.name})"
    )
