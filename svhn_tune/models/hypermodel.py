"""The models of a space as a `kt.HyperModel`, for our own runs and any stock KerasTuner tuner.

It builds and compiles one model from one assignment of values. It knows nothing of trials, of data
on disk or of how often it is called.
"""

import zlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from inspect import signature
from pathlib import Path
from typing import Any

import keras
import keras_tuner as kt
import numpy as np

from ..errors import InputError
from ..space.dial import measure_minutes
from ..space.hyperparameters import Declaration
from ..space.space import Space
from ..space.task import Task
from .families import list_layers
from .layer_types import Layer, name_inputs
from .size import measure_size
from .spaces import load_space

# How many draws, about a second, before a space is said to have no feasible model.
MAX_DRAWS = 10_000


def declare(space: Space, hp: kt.HyperParameters) -> dict[str, Any]:
    """Declare every hyperparameter of `space` on `hp`; returns the active values `hp` holds."""
    values: dict[str, Any] = {}
    for declaration in space.declarations:
        value = _declare_one(declaration, hp)
        if declaration.is_active(values):
            values[declaration.name] = value
    return values


def _declare_one(declaration: Declaration, hp: kt.HyperParameters) -> Any:
    given = declaration.hyperparameter
    arguments = given.model_dump(
        exclude_none=True, exclude={"type", "per", "parent_name", "parent_values", "defaults"}
    )
    with ExitStack() as scopes:
        for name, allowed in declaration.parents.items():
            scopes.enter_context(hp.conditional_scope(name, allowed))
        return getattr(hp, given.type)(declaration.name, **arguments)


def draw_values(hp: kt.HyperParameters, seed: int, keep: Mapping[str, Any] | None = None) -> Any:
    """One random assignment of the active hyperparameters, with the values to `keep` in it.

    It is what KerasTuner draws from consecutive seeds, without its copy of the space for each
    hyperparameter: 0.2 ms instead of 1.
    """
    values: dict[str, Any] = {}
    for number, parameter in enumerate(hp.space):
        if all(condition.is_active(values) for condition in parameter.conditions):
            if keep and parameter.name in keep:
                values[parameter.name] = keep[parameter.name]
            else:
                values[parameter.name] = clip(parameter, parameter.random_sample(seed + number))
    return values


def clip(parameter: Any, value: Any) -> Any:
    """The value in its range: KerasTuner's logarithmic steps end a rounding error beyond it."""
    if not hasattr(parameter, "min_value"):
        return value
    return min(max(value, parameter.min_value), parameter.max_value)


def class_weights(labels: np.ndarray, gamma: float) -> np.ndarray:
    """One weight per class, w_c = (n_c / mean n)^-gamma, scaled to a mean of 1.

    Args:
        labels: (N,) whole numbers from 0; every class up to the largest occurs.
        gamma: 0 weighs all classes alike, 1 undoes their frequencies.
    """
    counts = np.bincount(labels)
    weights = (counts / counts.mean()) ** -gamma
    return weights / weights.mean()


class HyperModel(kt.HyperModel):
    """The models that a space studies, for our own runs and any stock KerasTuner tuner.

    Args:
        space: a name in search_spaces/, a path to a .toml, or a loaded `Space`.
    """

    def __init__(self, space: str | Path | Space = "cnn") -> None:
        self.space = space if isinstance(space, Space) else load_space(space)
        super().__init__(name=self.space.model)

    def build(self, hp: kt.HyperParameters) -> keras.Model:
        """The compiled model of the values that `hp` holds; raw 0..255 pixels in.

        A stock tuner proposes models that cannot be built or are above the limit. Failing them
        would end its search after three in a row (KerasTuner 1.4.8), so they are redrawn until
        feasible, and `hp.values` says what was built. Our own oracles never propose them.
        """
        values = declare(self.space, hp)
        if not self._is_feasible(values):
            values = self._redraw(hp, values)
        return self.build_values(values)

    def _is_feasible(self, values: Mapping[str, Any]) -> bool:
        return measure_size(self.space, values).feasible

    def _redraw(self, hp: kt.HyperParameters, refused: Mapping[str, Any]) -> dict[str, Any]:
        seed = zlib.crc32(repr(sorted(refused.items())).encode())
        for draw in range(MAX_DRAWS):
            values = draw_values(hp, seed + draw * len(hp.space))
            if self._is_feasible(values):
                break
        else:
            raise InputError(
                f"none of {MAX_DRAWS:,} models drawn from the space '{self.space.name}' is feasible"
            )
        for name in refused:
            hp.values.pop(name, None)
        hp.values.update(values)
        return dict(values)

    def build_values(self, values: Mapping[str, Any]) -> keras.Model:
        """The compiled model of these `values`, the active ones of a trial."""
        model = build_model(list_layers(self.space, values), self.space.task, self.space.model)
        protocol = self.space.protocol.with_values(values)
        config = {"learning_rate": protocol.learning_rate}
        if protocol.momentum:
            config["momentum"] = protocol.momentum
        optimizer = keras.optimizers.get({"class_name": protocol.optimizer, "config": config})
        losses = [head.loss for head in self.space.task.heads]
        compile_heads(model, self.space.task, optimizer, losses, values)
        return model

    def fit(self, hp: kt.HyperParameters, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
        """`model.fit` with the protocol's batch size and the values' class weights.

        Args:
            hp: the trial's hyperparameters.
            model: what `build` returned.
            *args, **kwargs: as for `keras.Model.fit`; labels are what the outputs are trained on
                (one-hot, (N, classes)), or whole numbers (N,) as `load_data` has them, also those
                of `validation_data`. Of minutes on a dial there is "val_minutes" then, too.

        Raises:
            InputError: a label is no class of the model.
        """
        given = signature(model.fit).bind(*args, **kwargs).arguments
        if given.get("y") is not None:
            given["y"] = self._encode(given["y"])
            if gamma := hp.values.get("class_weight", 0.0):
                weights = class_weights(np.argmax(given["y"], axis=-1), gamma)
                given.setdefault("class_weight", dict(enumerate(weights.tolist())))
        validation = given.get("validation_data")
        if isinstance(validation, tuple | list) and len(validation) > 1:
            images, labels, *rest = validation
            given["validation_data"] = (images, self._encode(labels), *rest)
            if self.space.task.on_dial and _are_labels(labels):
                told = _TellMinutes(self.space.task, images, labels.reshape(-1))
                given["callbacks"] = [told, *(given.get("callbacks") or [])]
        given.setdefault("batch_size", self.space.protocol.batch_size)
        return model.fit(**given)

    def _encode(self, labels: Any) -> Any:
        """Labels (N,) or (N, 1) of whole numbers for the model's heads; any others as they are."""
        if not _are_labels(labels):
            return labels
        task = self.space.task
        if len(labels) and not 0 <= labels.min() <= labels.max() < task.labels:
            of = "a dial has minutes" if task.on_dial else f"the model has {task.labels} classes"
            raise InputError(
                f"labels are {labels.min()} to {labels.max()}; {of}, 0 to {task.labels - 1}"
            )
        encoded = task.target.encode(labels.reshape(-1))
        return encoded if len(encoded) > 1 else encoded[0]


def _are_labels(labels: Any) -> bool:
    """Whether they are whole numbers, (N,) or (N, 1)."""
    if not isinstance(labels, np.ndarray) or labels.dtype.kind not in "iu":
        return False
    return labels.ndim == 1 or labels.shape[1:] == (1,)


class _TellMinutes(keras.callbacks.Callback):
    """Adds "val_minutes" to the logs of each epoch, for the callbacks behind it."""

    def __init__(self, task: Task, images: Any, labels: np.ndarray) -> None:
        super().__init__()
        self._task, self._images, self._labels = task, images, labels

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        predicted = self._task.decode(self.model.predict(self._images, verbose=0))
        if logs is not None:
            logs["val_minutes"] = measure_minutes(self._labels, predicted)


CNNHyperModel = HyperModel  # the space `cnn`, unless another is named


def build_model(layers: Sequence[Layer], task: Task, name: str) -> keras.Model:
    """The model of these layers, not compiled: images of the task in, uint8 or float.

    It is sequential where every layer reads the one before. Of several heads the outputs are a
    list, in their order.
    """
    images = output = keras.Input(task.image_shape, name="images")
    if not any(layer.inputs for layer in layers):
        return keras.Sequential([images, *map(_build_layer, layers)], name=name)
    outputs: dict[str, Any] = {}
    for layer, inputs in name_inputs(layers):
        read = [outputs[each] for each in inputs] or [images]
        output = outputs[layer.name] = _build_layer(layer)(read if len(read) > 1 else read[0])
    if len(task.heads) > 1:
        output = [outputs[head.name] for head in task.heads]
    return keras.Model(images, output, name=name)


def compile_heads(
    model: keras.Model,
    task: Task,
    optimizer: Any,
    losses: Sequence[Any],
    values: Mapping[str, Any],
) -> None:
    """Compile a model with a loss for each head of the task, and the weights that values give."""
    metrics = [name for name in task.reported if name == "categorical_accuracy"]
    if len(losses) == 1:
        model.compile(optimizer, loss=losses[0], metrics=metrics)
    else:
        weights = [1.0, float(values.get("minute_weight", 1.0))]
        model.compile(optimizer, loss=list(losses), loss_weights=weights)


def _build_layer(layer: Layer) -> keras.layers.Layer:
    arguments = dict(layer.arguments)
    if penalties := arguments.pop("kernel_regularizer", None):
        arguments["kernel_regularizer"] = keras.regularizers.L1L2(**penalties)
    return getattr(keras.layers, layer.type)(name=layer.name, **arguments)
