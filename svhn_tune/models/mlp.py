"""Networks of dense layers, as in assignment A4.2 and PW04: linear, or with hidden layers."""

from collections.abc import Mapping
from typing import Any

from ..space.task import Task
from .domain import ACTIVATIONS, INITIALIZERS, Domain
from .heads import add_heads
from .layer_types import Layer

DOMAINS = {
    "layers": Domain(1, low=0, high=8),
    "units": Domain(256, low=1, high=65536, per="layer"),
    "activation": Domain("tanh", choices=ACTIVATIONS),
    "kernel_initializer": Domain("random_normal", choices=INITIALIZERS),
    "bias_initializer": Domain("random_normal", choices=("zeros", *INITIALIZERS)),
    "l1": Domain(0.0, high=1.0),
    "l2": Domain(0.0, high=1.0),
    "dropout": Domain(0.0, high=0.95),
}
LAYER_TYPES = ("Flatten", "Dense", "Dropout")
DECLARED_TYPES: dict[str, tuple[str, ...]] = {}


def list_layers(values: Mapping[str, Any], task: Task) -> list[Layer]:
    """The layers of the network with these `values`, the output included.

    The image as one vector, `layers` hidden dense layers of `units` each, Dropout, softmax: none of
    them is the linear network of assignment A4.2, question 1, and one of 256 units (tanh) question
    4's. `l1` and `l2` are penalties on the weights of every layer; a `dropout` of 0 leaves the
    layer out. What `values` lacks takes the default.
    """

    def value(name: str, layer: int | None = None) -> Any:
        key = name if layer is None else f"{name}_{layer}"
        return values.get(key, DOMAINS[name].default)

    shared = {name: value(name) for name in ("kernel_initializer", "bias_initializer")}
    if penalties := {name: value(name) for name in ("l1", "l2") if value(name)}:
        shared["kernel_regularizer"] = penalties
    layers = [Layer("Flatten", "flatten")]
    for number in range(1, value("layers") + 1):
        arguments = {"units": value("units", number), "activation": value("activation")}
        layers.append(Layer("Dense", f"hidden_{number}", arguments | shared))
    if rate := value("dropout"):
        layers.append(Layer("Dropout", "dropout", {"rate": rate}))
    return add_heads(layers, task, shared)
