"""The rules that a loaded model is held to: shapes, layers, activations, and how it is compiled.

It knows nothing of files. What is asked comes from the space, and from the data where there are.
"""

import re
from collections.abc import Iterator
from typing import Any

import keras
from keras import layers

from ..data.dataset import Data
from ..models.hypermodel import CNNHyperModel
from ..space.space import Space
from .check import Check

WEIGHTED = (layers.Conv2D, layers.Dense)
ACTIVATIONS = (
    layers.Activation,
    layers.ReLU,
    layers.Softmax,
    layers.LeakyReLU,
    layers.PReLU,
    layers.ELU,
)
# Of each family: what its models consist of, beside activations and batch normalisation.
LAYERS = {
    "cnn": (
        layers.InputLayer,
        layers.Conv2D,
        layers.SpatialDropout2D,
        layers.MaxPooling2D,
        layers.Flatten,
        layers.Dense,
        layers.Dropout,
    )
}
PREPROCESSING = re.compile("Rescaling|Normalization|Resizing|CenterCrop|Random.*")


def check_model(model: keras.Model, space: Space, data: Data | None = None) -> list[Check]:
    """Every rule about a loaded model; the accuracy on the test set where `data` are given."""
    asked = CNNHyperModel(space)
    shape = asked.input_shape if data is None else data.test.images.shape[1:]
    classes = asked.classes if data is None else len(data.classes)
    flat = list(_flatten(model))
    checks = [
        _check_shape("input", model.input_shape, (None, *shape)),
        _check_shape("output", model.output_shape, (None, classes)),
        *_check_activations(flat),
        _check_hidden_dense(flat),
        _check_preprocessing(flat),
        _check_layers(flat, space),
        *_check_compiled(model, space),
    ]
    if data is not None:
        checks.append(_check_accuracy(model, data, fits=checks[0].ok and checks[1].ok))
    return checks


def _flatten(model: keras.Model) -> Iterator[layers.Layer]:
    """The layers in order, those of models inside the model included."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _flatten(layer)
        else:
            yield layer


def _check_shape(name: str, shape: Any, asked: tuple[int | None, ...]) -> Check:
    seen = f"{shape}" if shape == asked else f"{shape}, {asked} is asked"
    return Check(name, shape == asked, seen)


def _check_activations(flat: list[layers.Layer]) -> list[Check]:
    """Each convolution and dense layer with the activations up to the next one."""
    groups: list[tuple[str, list[str]]] = [("the input", [])]
    for layer in flat:
        if isinstance(layer, WEIGHTED):
            groups.append((layer.name, []))
        if (activation := _name_activation(layer)) != "linear":
            groups[-1][1].append(activation)
    (_, before), *hidden, (_, output) = groups if len(groups) > 1 else [*groups, ("", [])]
    wrong = [
        f"{name} is {' and '.join(found) or 'linear'}"
        for name, found in hidden
        if set(found) != {"relu"}
    ]
    wrong += [f"{found} comes before the first layer" for found in before if found != "relu"]
    last = " and ".join(output) or "linear"
    return [
        Check("hidden activations", not wrong, ", ".join(wrong) or "all ReLU"),
        Check("output activation", last == "softmax", last),
    ]


def _name_activation(layer: layers.Layer) -> str:
    """Its function's name; "linear" of a layer without one; "relu" only of the plain one."""
    if isinstance(layer, layers.Softmax):
        return "softmax"
    if isinstance(layer, layers.ReLU):
        plain = layer.max_value is None and not layer.negative_slope and not layer.threshold
        return "relu" if plain else "a ReLU with a bend of its own"
    if isinstance(layer, ACTIVATIONS) and not isinstance(layer, layers.Activation):
        return type(layer).__name__
    function = getattr(layer, "activation", None)
    if isinstance(function, layers.Layer):
        return _name_activation(function)
    return "linear" if function is None else getattr(function, "__name__", str(function))


def _check_hidden_dense(flat: list[layers.Layer]) -> Check:
    weighted = [layer for layer in flat if isinstance(layer, WEIGHTED)]
    hidden = sum(isinstance(layer, layers.Dense) for layer in weighted[:-1])
    return Check("one hidden dense layer", hidden == 1, f"{hidden} hidden")


def _check_preprocessing(flat: list[layers.Layer]) -> Check:
    found = [type(layer).__name__ for layer in flat if _is_preprocessing(layer)]
    first = next((i for i, layer in enumerate(flat) if isinstance(layer, WEIGHTED)), len(flat))
    if any(isinstance(layer, layers.BatchNormalization) for layer in flat[:first]):
        found.append("BatchNormalization of the images")
    return Check("no pre-processing", not found, ", ".join(found) or "none")


def _is_preprocessing(layer: layers.Layer) -> bool:
    return PREPROCESSING.fullmatch(type(layer).__name__) is not None


def _check_layers(flat: list[layers.Layer], space: Space) -> Check:
    allowed: tuple[type[layers.Layer], ...] = LAYERS[space.model] + ACTIVATIONS
    if "batch_normalization" in space.hyperparameters:
        allowed += (layers.BatchNormalization,)
    others = [
        f"{layer.name} is {type(layer).__name__}"
        for layer in flat
        if type(layer) not in allowed and not _is_preprocessing(layer)
    ]
    return Check("no other layers", not others, ", ".join(others) or f"as '{space.name}' has them")


def _check_compiled(model: keras.Model, space: Space) -> list[Check]:
    if not model.compiled:
        return [Check(name, False, "not compiled") for name in ("loss", "metric", "optimizer")]
    asked, compiled = space.protocol, model.get_compile_config()
    loss = _name(compiled["loss"])
    metrics = [_name(metric) for metric in _as_list(compiled["metrics"])]
    metric = asked.objective.removeprefix("val_")
    has_metric = metric == "loss" or metric in metrics
    return [
        Check("loss", loss == asked.loss, _beside(loss, asked.loss)),
        Check("metric", has_metric, _beside(", ".join(metrics) or "none", metric)),
        _check_optimizer(model.optimizer, space),
    ]


def _check_optimizer(optimizer: keras.optimizers.Optimizer, space: Space) -> Check:
    asked, name = space.protocol, type(optimizer).__name__.lower()
    free = "learning_rate" in space.hyperparameters
    rate = float(optimizer.learning_rate)
    # Keras keeps the rate in float32.
    close = abs(rate - asked.learning_rate) <= 1e-6 * asked.learning_rate
    wanted = asked.optimizer + ("" if free else f" with the rate {asked.learning_rate:g}")
    seen = f"{name} with the rate {rate:g}"
    ok = name == asked.optimizer and (free or close)
    return Check("optimizer", ok, seen if ok else f"{seen}, {wanted} is asked")


def _beside(seen: str, asked: str) -> str:
    return seen if asked in seen.split(", ") else f"{seen}, {asked} is asked"


def _as_list(metrics: Any) -> list[Any]:
    """The metrics that `compile` was given: none, one, a list, or lists and dicts by output."""
    if isinstance(metrics, dict) and "class_name" not in metrics:
        metrics = list(metrics.values())
    if isinstance(metrics, list):
        return [each for metric in metrics for each in _as_list(metric)]
    return [] if metrics is None else [metrics]


def _name(given: Any) -> str:
    """A loss or metric as Keras names its function, from a serialised `compile` argument."""
    if isinstance(given, str):
        # Keras takes "accuracy" for the categorical one where the loss is.
        return "categorical_accuracy" if given in ("accuracy", "acc") else given
    if not isinstance(given, dict):
        return str(given)
    if given["class_name"] == "function":
        return str(given["config"])
    name = re.sub("(?<!^)(?=[A-Z])", "_", given["class_name"]).lower()
    changed = [key for key in ("from_logits", "label_smoothing") if given["config"].get(key)]
    return f"{name} with {' and '.join(changed)}" if changed else name


def _check_accuracy(model: keras.Model, data: Data, fits: bool) -> Check:
    if not fits:
        return Check("test accuracy", False, f"it cannot classify the images ({data.name})")
    predicted = model.predict(data.test.images, batch_size=250, verbose=0).argmax(axis=-1)
    accuracy = float((predicted == data.test.labels).mean())
    return Check(
        "test accuracy", True, f"{accuracy:.4f} on {len(predicted):,} images ({data.name})"
    )
