"""Values -> layer shapes, parameters and bytes of the .keras file, without building the model.

The bytes are those of the file that is handed in: weights in float32 and no optimizer state. What a
layer costs in the file beside its weights was measured (Keras 3.15, h5py 3.16: 2.8 to 3.6 kB a
layer, plus 7 kB); the bound is above that, and below it plus 64 KiB for up to 100 layers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from ..space.space import Space
from .cnn import Layer, cnn_layers

BYTES_PER_PARAMETER = 4
BYTES_PER_LAYER = 4_000
BYTES_PER_FILE = 16_000


@dataclass(frozen=True)
class SizedLayer:
    """One layer with its output shape, (height, width, channels) or (units,), and parameters."""

    name: str
    type: str
    output_shape: tuple[int, ...]
    parameters: int


@dataclass(frozen=True)
class Size:
    """How large a model is, and why it cannot be used where it cannot.

    Args:
        layers: down to the output, or to the last one whose geometry is possible.
        parameters: of the whole model, those that are not trained included; 0 if impossible.
        file_bytes: an upper bound of the .keras file without optimizer state; 0 if impossible.
        reasons: in words; empty if the model is feasible.
    """

    layers: list[SizedLayer]
    parameters: int
    file_bytes: int
    reasons: list[str]

    @property
    def feasible(self) -> bool:
        """Whether the model can be built and its file handed in."""
        return not self.reasons


def measure_size(
    space: Space,
    values: Mapping[str, Any],
    input_shape: Sequence[int] = (32, 32, 3),
    classes: int = 10,
) -> Size:
    """The size of the model of `values`, never below the real file and at most 1 % + 64 KiB above.

    Args:
        space: gives the limit on the file.
        values: active hyperparameter values of a trial.
        input_shape: (height, width, channels) of the images.
        classes: number of classes.
    """
    shape = tuple(input_shape)
    sized: list[SizedLayer] = []
    for layer in cnn_layers(values, classes):
        if reason := _misfit(layer, shape):
            return Size(sized, 0, 0, [reason])
        parameters = _count_parameters(layer, shape)
        shape = _output_shape(layer, shape)
        sized.append(SizedLayer(layer.name, layer.type, shape, parameters))
    total = sum(layer.parameters for layer in sized)
    file_bytes = BYTES_PER_PARAMETER * total + BYTES_PER_LAYER * len(sized) + BYTES_PER_FILE
    limit = space.limits.file_size
    reasons = []
    if file_bytes > limit:
        reasons.append(
            f"the file would have {file_bytes:,} bytes; the limit of '{space.name}' is {limit:,}"
        )
    return Size(sized, total, file_bytes, reasons)


def _misfit(layer: Layer, shape: tuple[int, ...]) -> str | None:
    """Why the layer's window does not fit on what is left of the image, if it does not."""
    if layer.type == "Conv2D" and layer.arguments["padding"] == "valid":
        window, what = layer.arguments["kernel_size"], "a kernel"
    elif layer.type == "MaxPooling2D":
        window, what = layer.arguments["pool_size"], "a pool"
    else:
        return None
    height, width = shape[:2]
    if window <= min(height, width):
        return None
    return f"{layer.name}: {what} of {window}x{window} does not fit on the {height}x{width} left"


def _output_shape(layer: Layer, shape: tuple[int, ...]) -> tuple[int, ...]:
    match layer.type:
        case "Conv2D":
            lost = (
                layer.arguments["kernel_size"] - 1 if layer.arguments["padding"] == "valid" else 0
            )
            return (shape[0] - lost, shape[1] - lost, layer.arguments["filters"])
        case "MaxPooling2D":
            pool = layer.arguments["pool_size"]
            return (shape[0] // pool, shape[1] // pool, shape[2])
        case "Flatten":
            return (prod(shape),)
        case "Dense":
            return (layer.arguments["units"],)
        case _:
            return shape


def _count_parameters(layer: Layer, shape: tuple[int, ...]) -> int:
    match layer.type:
        case "Conv2D":
            kernel = layer.arguments["kernel_size"] ** 2 * shape[-1]
            return (kernel + 1) * layer.arguments["filters"]
        case "Dense":
            return (shape[0] + 1) * layer.arguments["units"]
        case "BatchNormalization":
            return 4 * shape[-1]
        case _:
            return 0
