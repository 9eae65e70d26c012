"""The CNN as a list of plain layers, from hyperparameter values alone.

size.py reads the list to know bytes without building, cnn.py reads it to build: the two cannot
disagree about what the network is. Nothing here imports Keras, or knows weights and training.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

INITIALIZERS = (
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "random_normal",
)


@dataclass(frozen=True)
class Domain:
    """Which values of a hyperparameter the model can be built from.

    Args:
        default: the value where a space does not declare the hyperparameter.
        low, high: the range of a number, both inclusive.
        choices: the words that are known, for a string.
        per_block: whether each block has its own, `name_1`, `name_2`, ...
    """

    default: Any
    low: float = 0
    high: float = float("inf")
    choices: tuple[str, ...] = ()
    per_block: bool = False

    def refusal(self, value: Any) -> str | None:
        """Why `value` is out of the domain, in words; None if it is in it."""
        if self.choices:
            return None if value in self.choices else f"is none of {', '.join(self.choices)}"
        if isinstance(self.default, bool):
            return None if isinstance(value, bool) else "is neither true nor false"
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "is not a number"
        if isinstance(self.default, int) and not isinstance(value, int):
            return "is not a whole number"
        if not self.low <= value <= self.high:
            return f"is outside {self.low:g} to {self.high:g}"
        return None


CNN = {
    "learning_rate": Domain(1e-5, low=1e-12, high=10.0),
    "blocks": Domain(3, low=1, high=8),
    "filters": Domain(16, low=1, high=1024),
    "convolutions": Domain(1, low=1, high=4, per_block=True),
    "kernel_size": Domain(3, low=1, high=31, per_block=True),
    "pool_size": Domain(2, low=1, high=32, per_block=True),
    "padding": Domain("same", choices=("same", "valid")),
    "kernel_initializer": Domain("glorot_uniform", choices=INITIALIZERS),
    "batch_normalization": Domain(False),
    "l1": Domain(0.0, high=1.0, per_block=True),
    "l2": Domain(0.0, high=1.0, per_block=True),
    "units": Domain(64, low=1, high=65536),
    "spatial_dropout": Domain(0.0, high=0.95, per_block=True),
    "dropout": Domain(0.0, high=0.95),
    "class_weight": Domain(0.0, high=1.0),
}
FAMILIES: dict[str, dict[str, Domain]] = {"cnn": CNN}


@dataclass(frozen=True)
class Layer:
    """One Keras layer: its class in `keras.layers`, its name, and its arguments as plain values."""

    type: str
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


def cnn_layers(values: Mapping[str, Any], classes: int) -> list[Layer]:
    """The layers of the CNN with these `values`, the output included.

    Blocks of Conv2D (ReLU), SpatialDropout2D and MaxPooling2D with `filters`, 2 x `filters`, ...;
    one hidden dense layer (ReLU), Dropout, softmax: the network of assignment A4.3, question 1.
    A rate of 0 and a pool of 1 leave their layer out. What `values` lacks takes the default.
    """

    def value(name: str, block: int | None = None) -> Any:
        key = name if block is None else f"{name}_{block}"
        return values.get(key, CNN[name].default)

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
    layers.append(Layer("Dense", "hidden", {"units": value("units"), "activation": "relu"}))
    if rate := value("dropout"):
        layers.append(Layer("Dropout", "dropout", {"rate": rate}))
    layers.append(Layer("Dense", "output", {"units": classes, "activation": "softmax"}))
    return layers


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
    if not value("batch_normalization"):
        return [Layer("Conv2D", f"conv_{suffix}", arguments | {"activation": "relu"})]
    return [
        Layer("Conv2D", f"conv_{suffix}", arguments),
        Layer("BatchNormalization", f"norm_{suffix}"),
        Layer("Activation", f"relu_{suffix}", {"activation": "relu"}),
    ]
