"""A model in words and numbers from its values alone: for `describe` and notebooks."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from .size import measure_size
from .space import Space


def describe_values(space: Space, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Layers, shapes, parameters and bytes of the baseline with `chosen` values in it.

    Returns:
        {"values", "layers": [{"name", "type", "output_shape", "parameters"}], "parameters",
        "file_bytes", "feasible", "reasons"}; `file_bytes` is an upper bound, see size.py.

    Raises:
        InputError: values that the space does not allow.
    """
    values = space.complete(chosen)
    size = measure_size(space, values)
    return {
        "values": values,
        "layers": [asdict(layer) for layer in size.layers],
        "parameters": size.parameters,
        "file_bytes": size.file_bytes,
        "feasible": size.feasible,
        "reasons": size.reasons,
    }
