"""The CNN of assignment A4.3 as a list of plain layers, from hyperparameter values alone."""

from collections.abc import Mapping
from typing import Any

from ..space.task import Task
from .domain import ACTIVATIONS, INITIALIZERS, Domain
from .heads import add_heads
from .layer_types import Layer

DOMAINS = {
    "blocks": Domain(3, low=1, high=8),
    "filters": Domain(16, low=1, high=1024),
    "convolutions": Domain(1, low=1, high=4, per="block"),
    "kernel_size": Domain(3, low=1, high=31, per="block"),
    "pool_size": Domain(2, low=1, high=32, per="block"),
    "padding": Domain("same", choices=("same", "valid")),
    "activation": Domain("relu", choices=ACTIVATIONS),
    "kernel_initializer": Domain("glorot_uniform", choices=INITIALIZERS),
    "batch_normalization": Domain(False),
    "l1": Domain(0.0, high=1.0, per="block"),
    "l2": Domain(0.0, high=1.0, per="block"),
    "units": Domain(64, low=0, high=65536),
    "dense_layers": Domain(1, low=1, high=4),
    "spatial_dropout": Domain(0.0, high=0.95, per="block"),
    "dropout": Domain(0.0, high=0.95),
}
LAYER_TYPES = ("Conv2D", "SpatialDropout2D", "MaxPooling2D", "Flatten", "Dense", "Dropout")
DECLARED_TYPES: dict[str, tuple[str, ...]] = {"batch_normalization": ("BatchNormalization",)}


def list_layers(values: Mapping[str, Any], task: Task) -> list[Layer]:
    """The layers of the CNN with these `values`, the outputs included.

    Blocks of Conv2D, SpatialDropout2D and MaxPooling2D with `filters`, 2 x `filters`, ...; hidden
    dense layers of `units`, `units` / 2, ..., each followed by Dropout; the task's heads. The
    defaults are the network of assignment A4.3, question 1: ReLU, one dense layer. A rate of 0, no
    units and a pool of 1 leave their layer out. What `values` lacks takes the default.
    """

    def value(name: str, block: int | None = None) -> Any:
        key = name if block is None else f"{name}_{block}"
        return values.get(key, DOMAINS[name].default)

    layers: list[Layer] = []
    for block in range(1, value("blocks") + 1):
        filters = value("filters") * 2 ** (block - 1)
        for convolution in range(1, value("convolutions", block) + 1):
            suffix = f"{block}" if convolution == 1 else f"{block}_{convolution}"
            layers += _convolution(value, block, filters, suffix)
        if rate := value("spatial_dropout", block):
            layers.append(Layer("SpatialDropout2D", f"spatial_dropout_{block}", {"rate": rate}))
        if (pool := value("pool_size", block)) > 1:
            layers.append(Layer("MaxPooling2D", f"pool_{block}", {"pool_size": pool}))
    layers.append(Layer("Flatten", "flatten"))
    rate = value("dropout")
    for number in range(1, value("dense_layers") + 1):
        suffix = "" if number == 1 else f"_{number}"
        if units := value("units") // 2 ** (number - 1):
            arguments = {"units": units, "activation": value("activation")}
            layers.append(Layer("Dense", f"hidden{suffix}", arguments))
        if rate and (units or number == 1):
            layers.append(Layer("Dropout", f"dropout{suffix}", {"rate": rate}))
    return add_heads(layers, task)


def _convolution(value: Any, block: int, filters: int, suffix: str) -> list[Layer]:
    arguments = {
        "filters": filters,
        "kernel_size": value("kernel_size", block),
        "padding": value("padding"),
        "kernel_initializer": value("kernel_initializer"),
    }
    penalties = {name: value(name, block) for name in ("l1", "l2") if value(name, block)}
    if penalties:
        arguments["kernel_regularizer"] = penalties
    activation = value("activation")
    if not value("batch_normalization"):
        return [Layer("Conv2D", f"conv_{suffix}", arguments | {"activation": activation})]
    return [
        Layer("Conv2D", f"conv_{suffix}", arguments),
        Layer("BatchNormalization", f"norm_{suffix}"),
        Layer("Activation", f"{activation}_{suffix}", {"activation": activation}),
    ]
