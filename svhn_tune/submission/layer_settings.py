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
    layers.AveragePooling2D: ("pool_size",),
    layers.Add: (),
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


def check_settings(model: keras.Model, flat: list[layers.Layer], adds: bool) -> Check:
    """The rule that every layer is as Keras makes it, but for what the spaces vary, in one chain.

    Args:
        model: the model.
        flat: its layers and those of models inside it.
        adds: whether a layer of the chain may be an Add, of the one before and an earlier one.
    """
    found = [f"{layer.name} has {change}" for layer in flat for change in _find_changes(layer)]
    for each in _find_models(model):
        found += [f"{name} is not one step of a chain" for name in _find_branches(each, adds)]
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


def _find_branches(model: keras.Model, adds: bool) -> Iterator[str]:
    """The layers that are used twice, on more than what one other layer gives, or beside a head.

    Where there may be `adds`, an Add may read two: one layer, and one that this one depends on.
    """
    if isinstance(model, keras.Sequential):
        return
    before: dict[str, set[str]] = {}  # layer -> all that it depends on, itself included
    reads: dict[str, list[str]] = {}
    for layer in model.get_config()["layers"]:
        name, nodes = layer["name"], layer["inbound_nodes"]
        read = [
            each["config"]["keras_history"][0]
            for each in find_objects(nodes)
            if each["class_name"] == "__keras_tensor__"
        ]
        reads[name] = read
        known = [before.get(each, set()) for each in read]
        before[name] = {name}.union(*known)
        is_residual = (
            adds
            and layer["class_name"] == "Add"
            and (len(nodes), len(read)) == (1, 2)
            and (read[0] in known[1]) != (read[1] in known[0])
        )
        if len(read) > 1 and not is_residual:
            yield name
    # Heads share all layers before them.
    ends = [name for name in reads if not any(name in read for read in reads.values())]
    yield from (name for name in ends[1:] if reads[name] != reads[ends[0]])


def _find_inputs(model: keras.Model) -> Iterator[str]:
    """The inputs that a model would not read as plain numbers."""
    for tensor in getattr(model, "inputs", None) or []:
        if tensor.dtype != "float32":
            yield tensor.dtype
        if getattr(tensor, "sparse", False) or getattr(tensor, "ragged", False):
            yield "sparse or ragged images"
