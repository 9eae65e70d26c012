"""A model in words and numbers from its values alone: for `describe` and notebooks."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..space.space import Space
from .families import list_layers
from .receptive_field import measure_receptive_fields
from .size import BYTES_PER_PARAMETER, measure_size


def describe_values(space: Space, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Layers, shapes, parameters and bytes of the baseline with `chosen` values in it.

    Args:
        space: the space.
        chosen: values of active hyperparameters.

    Returns:
        {"values", "layers": [{"name", "type", "output_shape", "parameters", "receptive_field",
        "bytes"}], "parameters", "file_bytes", "feasible", "reasons"}. A layer's receptive field is
        (height, width) in pixels, see receptive_field.py; its bytes are those of its weights, and
        `file_bytes` is an upper bound of the whole file, see size.py.

    Raises:
        InputError: values that the space does not allow.
    """
    values = space.complete(chosen)
    size = measure_size(space, values)
    # For a model that cannot be built, the layers before the one that does not fit.
    layers = list_layers(space, values)[: len(size.layers)]
    fields = measure_receptive_fields(layers, space.task)
    return {
        "values": values,
        "layers": [
            asdict(layer)
            | {"receptive_field": field, "bytes": BYTES_PER_PARAMETER * layer.parameters}
            for layer, field in zip(size.layers, fields, strict=True)
        ],
        "parameters": size.parameters,
        "file_bytes": size.file_bytes,
        "feasible": size.feasible,
        "reasons": size.reasons,
    }
