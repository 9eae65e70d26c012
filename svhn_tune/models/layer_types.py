"""What each kind of layer does to shapes, parameters and work: one table, read by everybody.

A family lists plain layers; size.py and cost_model.py count them, receptive_field.py looks through
them, and hypermodel.py builds them, so that none can disagree about what the network is. Nothing
here imports Keras. A new kind of layer is a line of `LAYER_TYPES`, and one of portable.py.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, NamedTuple, TypeAlias

Arguments: TypeAlias = Mapping[str, Any]
Shape: TypeAlias = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """One Keras layer: its class in `keras.layers`, its name, and its arguments as plain values.

    Args:
        inputs: the names of the layers that it reads; none where it reads the one before.
    """

    type: str
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[str, ...] = ()


def name_inputs(layers: Sequence[Layer]) -> Iterator[tuple[Layer, tuple[str, ...]]]:
    """Each layer with the names of those that it reads; the first has none: it reads the images."""
    before: tuple[str, ...] = ()
    for layer in layers:
        yield layer, layer.inputs or before
        before = (layer.name,)


class Window(NamedTuple):
    """What one output sees of the layer before, along height and width alike."""

    name: str
    size: int
    stride: int
    is_padded: bool


def _keep(arguments: Arguments, shape: Shape) -> Shape:
    return shape


def _none(arguments: Arguments, shape: Shape) -> int:
    return 0


def _see_one_place(arguments: Arguments) -> Window | None:
    return None


@dataclass(frozen=True)
class LayerType:
    """What one kind of layer does, from its arguments and the shape of its input for one image.

    Of a layer with several inputs, which add up, it is the shape that all of them have.

    Args:
        output_shape: of its output.
        parameters: how many numbers it stores, those that are not trained included.
        operations: multiply-adds for one image, forward; work in proportion to the number of
            outputs alone is not counted.
        window: what it slides over height and width; None where each output sees one place.
    """

    output_shape: Callable[[Arguments, Shape], Shape] = _keep
    parameters: Callable[[Arguments, Shape], int] = _none
    operations: Callable[[Arguments, Shape], int] = _none
    window: Callable[[Arguments], Window | None] = _see_one_place


def find_misfit(layer: Layer, shape: Shape) -> str | None:
    """Why the layer's window does not fit on an input of `shape`; None if it does."""
    window = LAYER_TYPES[layer.type].window(layer.arguments)
    if window is None or window.is_padded or window.size <= min(shape[:2]):
        return None
    return (
        f"{layer.name}: a {window.name} of {window.size}x{window.size} does not fit on the "
        f"{shape[0]}x{shape[1]} left"
    )


def count_places(window: Window, length: int) -> int:
    """How many places a window has along `length` inputs."""
    lost = 0 if window.is_padded else window.size - 1
    return (length - lost - 1) // window.stride + 1


def _kernel(arguments: Arguments) -> Window:
    return Window("kernel", arguments["kernel_size"], 1, arguments["padding"] == "same")


def _pool(arguments: Arguments) -> Window:
    return Window("pool", arguments["pool_size"], arguments["pool_size"], False)


def _convolve(arguments: Arguments, shape: Shape) -> Shape:
    places = [count_places(_kernel(arguments), length) for length in shape[:2]]
    return (*places, arguments["filters"])


def _pooled(arguments: Arguments, shape: Shape) -> Shape:
    return (*(count_places(_pool(arguments), length) for length in shape[:2]), shape[-1])


def _kernel_weights(arguments: Arguments, shape: Shape) -> int:
    return int(arguments["kernel_size"] ** 2 * shape[-1] * arguments["filters"])


LAYER_TYPES = {
    "Activation": LayerType(),
    "Add": LayerType(),
    "AveragePooling2D": LayerType(output_shape=_pooled, window=_pool),
    "BatchNormalization": LayerType(parameters=lambda arguments, shape: 4 * shape[-1]),
    "Conv2D": LayerType(
        output_shape=_convolve,
        parameters=lambda arguments, shape: (
            _kernel_weights(arguments, shape) + arguments["filters"]
        ),
        operations=lambda arguments, shape: (
            _kernel_weights(arguments, shape) * prod(_convolve(arguments, shape)[:2])
        ),
        window=_kernel,
    ),
    "Dense": LayerType(
        output_shape=lambda arguments, shape: (arguments["units"],),
        parameters=lambda arguments, shape: (shape[0] + 1) * arguments["units"],
        operations=lambda arguments, shape: shape[0] * arguments["units"],
    ),
    "Dropout": LayerType(),
    "Flatten": LayerType(output_shape=lambda arguments, shape: (prod(shape),)),
    "MaxPooling2D": LayerType(output_shape=_pooled, window=_pool),
    "Rescaling": LayerType(),
    "SpatialDropout2D": LayerType(),
}
