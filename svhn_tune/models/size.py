"""Values -> layer shapes, parameters and bytes of the .keras file, without building the model.

The bytes are those of the file that is handed in: weights in float32 and no optimizer state. What a
layer costs in the file besides its weights was measured (Keras 3.15, h5py 3.16: 2.8 to 3.6 kB per
layer, plus 7 kB). The bound exceeds that, by less than 64 KiB for up to 100 layers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import InputError
from ..space.space import Space
from .families import list_layers
from .layer_types import LAYER_TYPES, find_misfit, name_inputs

BYTES_PER_PARAMETER = 4
BYTES_PER_LAYER = 4_000
BYTES_PER_FILE = 16_000


@dataclass(frozen=True)
class SizedLayer:
    """One layer for one image: its output's shape, its parameters, and its multiply-adds.

    The shape is (height, width, channels) or (units,); a penalty is one on the parameters.
    """

    name: str
    type: str
    output_shape: tuple[int, ...]
    parameters: int
    operations: int
    has_penalty: bool


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


def measure_size(space: Space, values: Mapping[str, Any]) -> Size:
    """The size of the model of `values`, never below the real file and at most 1 % + 64 KiB above.

    Args:
        space: gives the family, the images and the limit on the file.
        values: active hyperparameter values of a trial.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    sized: list[SizedLayer] = []
    for layer, inputs in name_inputs(list_layers(space, values)):
        shape = shapes[inputs[0]] if inputs else space.task.image_shape
        if reason := find_misfit(layer, shape):
            return Size(sized, 0, 0, [reason])
        kind, arguments = LAYER_TYPES[layer.type], layer.arguments
        parameters = kind.parameters(arguments, shape)
        operations = kind.operations(arguments, shape)
        shapes[layer.name] = output = kind.output_shape(arguments, shape)
        has_penalty = "kernel_regularizer" in arguments
        sized.append(
            SizedLayer(layer.name, layer.type, output, parameters, operations, has_penalty)
        )
    total = sum(layer.parameters for layer in sized)
    file_bytes = BYTES_PER_PARAMETER * total + BYTES_PER_LAYER * len(sized) + BYTES_PER_FILE
    limit = space.limits.file_size
    reasons = []
    if file_bytes > limit:
        reasons.append(
            f"the file would have {file_bytes:,} bytes; the limit of '{space.name}' is {limit:,}"
        )
    return Size(sized, total, file_bytes, reasons)


def check_listed(space: Space) -> None:
    """Refuse a space whose baseline, or another configuration that it names, is not feasible.

    Raises:
        InputError: the message names its changes from the baseline, and why it is not feasible.
    """
    for values in [*space.listed, *space.points]:
        if reasons := measure_size(space, values).reasons:
            what = "the baseline" if values == space.baseline else space.changes(values)
            raise InputError(f"{what} of the space '{space.name}' is infeasible: {reasons[0]}")
