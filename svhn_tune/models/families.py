"""The model families there are: each a module with its domains and its list of layers."""

from collections.abc import Mapping
from itertools import chain
from typing import Any, Protocol

from ..space.space import Space
from ..space.task import Task
from . import cnn, mlp, vgg
from .domain import Domain
from .layer_types import Layer


class Family(Protocol):
    """What a family's module has; it imports neither Keras nor a space file."""

    @property
    def DOMAINS(self) -> dict[str, Domain]:  # noqa: N802 - a module's constant
        """The hyperparameters that a space may declare of it, beside those of training."""

    @property
    def LAYER_TYPES(self) -> tuple[str, ...]:  # noqa: N802 - a module's constant
        """What its models may consist of in any space, for `check`."""

    @property
    def DECLARED_TYPES(self) -> dict[str, tuple[str, ...]]:  # noqa: N802 - a module's constant
        """And what else where a space declares the hyperparameter."""

    def list_layers(self, values: Mapping[str, Any], task: Task) -> list[Layer]:
        """The network of these values, in order, its output included."""


FAMILIES: dict[str, Family] = {"cnn": cnn, "mlp": mlp, "vgg": vgg}


def list_types(space: Space) -> list[str]:
    """The layer types that a model of the space may consist of, for `check`."""
    family = FAMILIES[space.model]
    declared = (family.DECLARED_TYPES.get(name, ()) for name in space.hyperparameters)
    return [*family.LAYER_TYPES, *chain.from_iterable(declared)]


def list_layers(space: Space, values: Mapping[str, Any]) -> list[Layer]:
    """The layers of the model of a space's values, in order, the output included.

    Images are divided by the space's `scale` in the model, so that its file takes them as they are.
    """
    layers = FAMILIES[space.model].list_layers(values, space.task)
    if space.input.scale == 1:
        return layers
    return [Layer("Rescaling", "scale", {"scale": 1 / space.input.scale}), *layers]
