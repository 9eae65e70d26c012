"""The rules that a loaded model is held to: shapes, layers, their settings, activations.

It knows nothing of files, or of how the model is compiled. What is expected comes from the
space, and from the data where some are given.
"""

import math
import re
from collections.abc import Iterator
from math import prod
from typing import Any

import keras
import numpy as np
from keras import layers

from ..data.dataset import Data
from ..models.families import list_types
from ..space.dial import measure_minutes
from ..space.space import Space
from ..space.task import Task
from .layer_settings import check_settings
from .verdict import Check

BATCH = 250
LARGEST_OUTPUT = 2**27  # numbers that a layer gives for a batch: half a GiB
WEIGHTED = (layers.Conv2D, layers.Dense)
ACTIVATIONS = (
    layers.Activation,
    layers.ReLU,
    layers.Softmax,
    layers.LeakyReLU,
    layers.PReLU,
    layers.ELU,
)
# What changes the images where it comes before the first convolution.
OF_IMAGES = (
    layers.BatchNormalization,
    layers.SpatialDropout2D,
    layers.Dropout,
    layers.MaxPooling2D,
    layers.AveragePooling2D,
)
PREPROCESSING = re.compile("Rescaling|Normalization|Resizing|CenterCrop|Random.*")


def check_model(model: keras.Model, space: Space, data: Data | None = None) -> list[Check]:
    """Every rule about a loaded model; what it is worth on the test set where `data` are given."""
    task = space.task
    flat = list(_flatten(model))
    checks = [
        _check_shape("input", _find_shape(model, "input"), (None, *task.image_shape)),
        _check_shape("output", _find_shape(model, "output"), _expect_shape(task)),
        _check_weights(model),
        *_check_activations(model, flat, space),
        *_check_hidden_dense(flat, space),
        _check_preprocessing(flat, space),
        _check_layers(flat, space),
        check_settings(model, flat, adds="Add" in list_types(space)),
    ]
    if data is not None:
        checks.append(_check_accuracy(model, space, data, fits=checks[0].ok and checks[1].ok))
    return checks


def _flatten(model: keras.Model) -> Iterator[layers.Layer]:
    """The layers in order, those of models inside the model included."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _flatten(layer)
        else:
            yield layer


def _find_shape(model: keras.Model, name: str) -> Any:
    try:
        shape = getattr(model, f"{name}_shape")
    except (AttributeError, ValueError):  # it was saved before it was built
        return "none"
    by_name = isinstance(getattr(model, name, None), dict)
    return f"a dictionary of {shape}" if by_name else shape


def _check_weights(model: keras.Model) -> Check:
    odd = [weight.path for weight in model.weights if not _is_finite(weight)]
    name = "weights"
    return Check(name, not odd, f"not finite in {', '.join(odd)}" if odd else "all finite")


def _is_finite(weight: keras.Variable) -> bool:
    return bool(np.isfinite(keras.ops.convert_to_numpy(weight)).all())


def _expect_shape(task: Task) -> Any:
    """That of the one output, or of each in a list."""
    shapes = [(None, head.units) for head in task.heads]
    return shapes if len(shapes) > 1 else shapes[0]


def _check_shape(name: str, shape: Any, asked: Any) -> Check:
    seen = f"{shape}" if shape == asked else f"{shape}; expected {asked}"
    return Check(name, shape == asked, seen)


def _check_activations(model: keras.Model, flat: list[layers.Layer], space: Space) -> list[Check]:
    """Each convolution and dense layer with the activations up to the next one."""
    allowed = space.rules.hidden_activations
    groups: list[tuple[str, list[str]]] = [("the input", [])]
    several = _find_heads(model) if len(space.task.heads) > 1 else []
    flat = [layer for layer in flat if layer not in several]
    for layer in flat:
        if isinstance(layer, WEIGHTED):
            groups.append((layer.name, []))
        if (activation := _name_activation(layer)) != "linear":
            groups[-1][1].append(activation)
    if several or len(groups) == 1:
        groups.append(("", []))
    (_, before), *hidden, (_, output) = groups
    wrong = [
        f"{name} is {' and '.join(found) or 'linear'}"
        for name, found in hidden
        if allowed is not None and (len(set(found)) != 1 or found[0] not in allowed)
    ]
    wrong += [f"{found} comes before the first layer" for found in before if found != "relu"]
    used = dict.fromkeys(activation for _, found in hidden for activation in found)
    asked = ", ".join(head.activation for head in space.task.heads)
    if several:
        last = ", ".join(
            _name_activation(layer) if type(layer) is layers.Dense else type(layer).__name__
            for layer in several
        )
        return [
            Check("hidden activations", not wrong, ", ".join(wrong or used) or "none hidden"),
            Check("output activation", last == asked, last),
        ]
    last = " and ".join(output) or "linear"
    final = max((i for i, layer in enumerate(flat) if isinstance(layer, WEIGHTED)), default=-1)
    if after := [layer for layer in flat[final + 1 :] if not isinstance(layer, ACTIVATIONS)]:
        last += f", and {type(after[0]).__name__} after the output"
    return [
        Check("hidden activations", not wrong, ", ".join(wrong or used) or "none hidden"),
        Check("output activation", last == asked, last),
    ]


def _find_heads(model: keras.Model) -> list[layers.Layer]:
    """The layers that give the outputs, in their order."""
    outputs = getattr(model, "outputs", None) or []
    return [tensor._keras_history.operation for tensor in outputs]


def _name_activation(layer: layers.Layer) -> str:
    """Its function's name; "linear" of a layer without one; "relu" only of the plain one."""
    if isinstance(layer, layers.Softmax):
        return "softmax" if layer.axis in (-1, 1) else f"softmax over the axis {layer.axis}"
    if isinstance(layer, layers.ReLU):
        plain = layer.max_value is None and not layer.negative_slope and not layer.threshold
        return "relu" if plain else "a ReLU with other settings than Keras's"
    if isinstance(layer, ACTIVATIONS) and not isinstance(layer, layers.Activation):
        return type(layer).__name__
    function = getattr(layer, "activation", None)
    if isinstance(function, layers.Layer):
        plain = type(function) in ACTIVATIONS
        return _name_activation(function) if plain else f"a layer {type(function).__name__}"
    return "linear" if function is None else getattr(function, "__name__", str(function))


def _check_hidden_dense(flat: list[layers.Layer], space: Space) -> list[Check]:
    """How many hidden dense layers there are, where the space says how many there may be."""
    allowed, heads = space.rules.hidden_dense, len(space.task.heads)
    if allowed is None:
        return []
    weighted = [layer for layer in flat if isinstance(layer, WEIGHTED)]
    hidden = sum(isinstance(layer, layers.Dense) for layer in weighted[:-heads])
    kinds = [type(layer) for layer in flat if isinstance(layer, layers.Dense | layers.Flatten)]
    flattened = kinds[:1] != [layers.Dense]
    seen = f"{hidden} hidden" + ("" if flattened else ", of which one works on every pixel")
    if hidden not in allowed:
        seen += f"; expected {' or '.join(map(str, allowed))}"
    return [Check("hidden dense layers", hidden in allowed and flattened, seen)]


def _check_preprocessing(flat: list[layers.Layer], space: Space) -> Check:
    """Nothing but what divides the images by the space's `scale`, where it has one."""
    name, scale = "no pre-processing", space.input.scale
    if scale != 1:
        name = f"pre-processing by 1/{scale:g} alone"
        first = next((layer for layer in flat if not isinstance(layer, layers.InputLayer)), None)
        if not isinstance(first, layers.Rescaling) or not math.isclose(first.scale, 1 / scale):
            return Check(name, False, "the first layer is no Rescaling by it")
        flat = [layer for layer in flat if layer is not first]
    found = [type(layer).__name__ for layer in flat if _is_preprocessing(layer)]
    first = next((i for i, layer in enumerate(flat) if isinstance(layer, WEIGHTED)), len(flat))
    found += [
        f"{type(layer).__name__} of the images"
        for layer in flat[:first]
        if isinstance(layer, OF_IMAGES)
    ]
    kept = "none" if scale == 1 else "as asked"
    return Check(name, not found, ", ".join(found) or kept)


def _is_preprocessing(layer: layers.Layer) -> bool:
    return PREPROCESSING.fullmatch(type(layer).__name__) is not None


def _check_layers(flat: list[layers.Layer], space: Space) -> Check:
    names = {"InputLayer", *list_types(space)}
    allowed = {*(getattr(layers, name) for name in names), *ACTIVATIONS}
    others = [
        f"{layer.name} is {type(layer).__name__}"
        for layer in flat
        if type(layer) not in allowed and not _is_preprocessing(layer)
    ]
    return Check("no other layers", not others, ", ".join(others) or f"as '{space.name}' has them")


def _check_accuracy(model: keras.Model, space: Space, data: Data, fits: bool) -> Check:
    name = "test error" if space.task.on_dial else "test accuracy"
    if not fits:
        return Check(name, False, f"it cannot classify the images ({data.name})")
    predicted = _predict(model, space, data)
    if isinstance(predicted, str):
        return Check(name, False, f"{predicted} ({data.name})")
    if space.task.on_dial:
        minutes = measure_minutes(data.test.labels, predicted)
        return Check(
            name, True, f"{minutes:.2f} minutes on {len(predicted):,} images ({data.name})"
        )
    accuracy = float((predicted == data.test.labels).mean())
    return Check(
        "test accuracy", True, f"{accuracy:.4f} on {len(predicted):,} images ({data.name})"
    )


def _predict(model: keras.Model, space: Space, data: Data) -> np.ndarray | str:
    """What the model predicts of each test image, or why it cannot be told."""
    try:
        numbers = max(prod(layer.output.shape[1:]) for layer in _flatten(model))
        if numbers > LARGEST_OUTPUT:
            return f"one of its layers gives {numbers:,} numbers per image, too many to try"
        batch = max(1, min(BATCH, LARGEST_OUTPUT // numbers))
        images = space.task.arrange(data.test.images)
        return space.task.decode(model.predict(images, batch_size=batch, verbose=0))
    except Exception as error:  # whatever Keras says of the model is the answer
        return f"it cannot classify the images: {str(error) or repr(error)}"
