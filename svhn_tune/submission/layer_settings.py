"""What a loaded model's layers are set to, and how they are connected, beyond what spaces vary."""

from collections.abc import Iterator
from typing import Any

import keras
from keras import layers

from .configuration import find_objects
from .verdict import Check

# By the layer: what its constructor asks for. With `VARIED`, what a model of any space may set.
REQUIRED = {
    layers.Conv2D: ("filters", "kernel_size", "padding"),
    layers.Dense: ("units",),
    layers.SpatialDropout2D: ("rate",),
    layers.Dropout: ("rate",),
    layers.MaxPooling2D: ("pool_size",),
    layers.Activation: ("activation",),
    layers.Flatten: (),
    layers.Rescaling: ("scale",),
    layers.BatchNormalization: (),
}
VARIED = {
    "name",
    "activation",
    "bias_initializer",
    "kernel_initializer",
    "kernel_regularizer",
    "seed",
}


def check_settings(model: keras.Model, flat: list[layers.Layer]) -> Check:
    """The rule that every layer is as Keras makes it, but for what the spaces vary, in one chain.

    Args:
        model: the model.
        flat: its layers and those of models inside it.
    """
    found = [f"{layer.name} has {change}" for layer in flat for change in _find_changes(layer)]
    for each in _find_models(model):
        found += [f"{name} is not one step of a chain" for name in _find_branches(each)]
        found += [f"{each.name} reads {kind}" for kind in _find_inputs(each)]
    return Check("layer settings", not found, ", ".join(found) or "none beside the spaces'")


def _find_changes(layer: layers.Layer) -> Iterator[str]:
    """The settings of a layer that no space varies, and that are not Keras's own."""
    if type(layer) not in REQUIRED:
        return
    given, required = layer.get_config(), REQUIRED[type(layer)]
    default = type(layer)(**{key: given[key] for key in required}).get_config()
    for key, value in given.items():
        if key not in VARIED and value != default.get(key):
            yield f"{key}={_name_dtype(value)!r}"


def _name_dtype(value: Any) -> Any:
    """A setting in short, where it is a serialised dtype policy."""
    config = value.get("config") if isinstance(value, dict) else None
    return config.get("name", value) if isinstance(config, dict) else value


def _find_models(model: keras.Model) -> Iterator[keras.Model]:
    """The model, and those inside it."""
    yield model
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _find_models(layer)


def _find_branches(model: keras.Model) -> Iterator[str]:
    """The layers that are used twice, or on more than what one other layer gives."""
    if isinstance(model, keras.Sequential):
        return
    for layer in model.get_config()["layers"]:
        found = [each["class_name"] for each in find_objects(layer["inbound_nodes"])]
        if found.count("__keras_tensor__") > 1:
            yield layer["name"]


def _find_inputs(model: keras.Model) -> Iterator[str]:
    """The inputs that a model would not read as plain numbers."""
    for tensor in getattr(model, "inputs", None) or []:
        if tensor.dtype != "float32":
            yield tensor.dtype
        if getattr(tensor, "sparse", False) or getattr(tensor, "ragged", False):
            yield "sparse or ragged images"
