"""The tiny VGG and its residual form as lists of plain layers, from hyperparameter values alone."""

from collections.abc import Mapping
from typing import Any

from ..space.task import Task
from .domain import INITIALIZERS, Domain
from .heads import add_heads
from .layer_types import Layer

DOMAINS = {
    "blocks": Domain(2, low=1, high=16),
    "convolutions": Domain(2, low=1, high=4),
    "filters": Domain(10, low=1, high=1024),
    "kernel_initializer": Domain("glorot_uniform", choices=INITIALIZERS),
    "batch_normalization": Domain(False),
    "residual": Domain(False),
    "average_pool_size": Domain(4, low=1, high=32),
}
LAYER_TYPES = ("Conv2D", "MaxPooling2D", "Flatten", "Dense")
DECLARED_TYPES: dict[str, tuple[str, ...]] = {
    "batch_normalization": ("BatchNormalization",),
    "residual": ("BatchNormalization", "Add", "AveragePooling2D"),
}
KERNEL_SIZE, STEM_KERNEL_SIZE, POOL_SIZE = 3, 7, 2


def list_layers(values: Mapping[str, Any], task: Task) -> list[Layer]:
    """The layers of the network with these `values`, the output included.

    Blocks of 3x3 convolutions with ReLU, each ending in a 2x2 pooling, and softmax: the tiny VGG.
    With `residual`, a stem of a 7x7 convolution, batch normalisation, ReLU and pooling comes before
    the blocks; these do not pool, but add their input to what their last convolution gives, before
    its ReLU; and an average pooling follows them. `batch_normalization` stands between every
    convolution and its ReLU.

    All convolutions have `filters` and keep height and width: so adds fit, and one filter can be
    followed through all layers. What `values` lacks takes the default.
    """

    def value(name: str) -> Any:
        return values.get(name, DOMAINS[name].default)

    layers: list[Layer] = []
    if value("residual"):
        layers += [*_convolve(value, "stem", STEM_KERNEL_SIZE), _relu("stem"), _pool("stem")]
    for block in range(1, value("blocks") + 1):
        before, convolutions = layers[-1:], value("convolutions")
        for convolution in range(1, convolutions + 1):
            suffix = f"{block}_{convolution}"
            layers += _convolve(value, suffix, KERNEL_SIZE)
            if value("residual") and convolution == convolutions:
                inputs = (layers[-1].name, before[0].name)
                layers.append(Layer("Add", f"add_{block}", inputs=inputs))
            layers.append(_relu(suffix))
        if not value("residual"):
            layers.append(_pool(f"{block}"))
    if value("residual"):
        size = value("average_pool_size")
        layers.append(Layer("AveragePooling2D", "average_pool", {"pool_size": size}))
    layers.append(Layer("Flatten", "flatten"))
    return add_heads(layers, task)


def _convolve(value: Any, suffix: str, kernel_size: int) -> list[Layer]:
    """A convolution, batch normalisation behind it in the stem and where it is asked for."""
    arguments = {
        "filters": value("filters"),
        "kernel_size": kernel_size,
        "padding": "same",
        "kernel_initializer": value("kernel_initializer"),
    }
    layers = [Layer("Conv2D", f"conv_{suffix}", arguments)]
    if suffix == "stem" or value("batch_normalization"):
        layers.append(Layer("BatchNormalization", f"norm_{suffix}"))
    return layers


def _relu(suffix: str) -> Layer:
    return Layer("Activation", f"relu_{suffix}", {"activation": "relu"})


def _pool(suffix: str) -> Layer:
    return Layer("MaxPooling2D", f"pool_{suffix}", {"pool_size": POOL_SIZE})
