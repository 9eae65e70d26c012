"""Values of a configuration as numbers that a forest can learn from."""

from collections.abc import Sequence
from math import log, prod
from typing import Any

import keras_tuner as kt
import numpy as np

from svhn_tune.models.hypermodel import declare
from svhn_tune.models.size import measure_size
from svhn_tune.oracles.candidates import encode
from svhn_tune.space.space import Space


def derive(space: Space, values: dict[str, Any]) -> list[float]:
    """What follows from the values before anything is trained: sizes, work, sums over blocks."""
    size = measure_size(space, values)
    flat = next(layer for layer in size.layers if layer.type == "Flatten")
    blocks = range(1, int(values.get("blocks", 3)) + 1)

    def over_blocks(name: str) -> np.ndarray:
        return np.array([values.get(f"{name}_{block}", 0.0) for block in blocks], float)

    operations = sum(layer.operations for layer in size.layers)
    activations = sum(prod(layer.output_shape) for layer in size.layers)
    shrinks = np.maximum(over_blocks("pool_size"), 1)
    return [
        log(size.parameters),
        log(operations),
        log(activations),
        log(prod(flat.output_shape)),
        float(sum(layer.type == "Conv2D" for layer in size.layers)),
        float(np.log(shrinks).sum()),
        float(over_blocks("spatial_dropout").mean()),
        float(over_blocks("spatial_dropout")[0]),
        float(np.log10(over_blocks("l2") + 1e-6).mean()),
        float(np.log10(over_blocks("l2") + 1e-6).max()),
        float(np.log10(over_blocks("l1") + 1e-7).max()),
        float(over_blocks("kernel_size").mean()),
    ]


def encode_all(space: Space, configurations: Sequence[dict[str, Any]]) -> np.ndarray:
    """(configurations, features): their values, as the oracles encode them."""
    hyperparameters = _declare(space)
    return np.array([encode(hyperparameters, each) for each in configurations])


def encode_derived(space: Space, configurations: Sequence[dict[str, Any]]) -> np.ndarray:
    """(configurations, features): values, and what follows from them."""
    hyperparameters = _declare(space)
    return np.array(
        [encode(hyperparameters, each) + derive(space, each) for each in configurations]
    )


def _declare(space: Space) -> list[Any]:
    hyperparameters = kt.HyperParameters()
    declare(space, hyperparameters)
    return list(hyperparameters.space)
