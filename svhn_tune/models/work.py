"""What training a model asks for, counted from its values: operations, activations, parameters.

Seconds are those times a machine's seconds for each: cost/ measures them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, prod
from typing import Any

import numpy as np

from ..space.space import Space
from .size import measure_size

# What a penalty adds to changing a parameter once, which takes 12 ns: 0.26 and 0.25 for dense
# layers of 3.2 and 0.9 million (x86-64, one busy core, Adam, n = 2).
PENALTY = 0.25


@dataclass(frozen=True)
class Work:
    """The work of training a model, per image or per batch.

    Args:
        operations: multiply-adds of its layers for one image, forward.
        activations: numbers that its layers put out for one image.
        parameters: read and changed once per batch, and saved once per epoch.
        layers: built and compiled once per run.
        penalized: of the parameters, those with a penalty on them.
    """

    operations: int
    activations: int
    parameters: int
    layers: int
    penalized: int = 0

    @property
    def rough_cost(self) -> int:
        """What an image costs, in multiply-adds, roughly: before anything is timed.

        Measured (x86-64, one core, batch 32): an activation takes as long as 47 of them, a
        parameter, changed once per batch, as 7.
        """
        return self.operations + 47 * self.activations + 7 * self.parameters


def measure_work(space: Space, values: Mapping[str, Any]) -> Work:
    """The work of the model of feasible `values`, without building it."""
    size = measure_size(space, values)
    return Work(
        operations=sum(layer.operations for layer in size.layers),
        activations=sum(prod(layer.output_shape) for layer in size.layers),
        parameters=size.parameters,
        layers=len(size.layers),
        penalized=sum(layer.parameters for layer in size.layers if layer.has_penalty),
    )


def train_units(work: Work, images: int, batch_size: int) -> np.ndarray:
    """What training an epoch is made of; seconds for each of these are a cost model's `train`.

    Layers and batches, images, operations, activations, parameters changed and batches: (5,).
    """
    batches = ceil(images / batch_size)
    changed = work.parameters + PENALTY * work.penalized
    units = (images, images * work.operations, images * work.activations)
    return np.array([batches * work.layers, *units, batches * changed], float)


def rest_units(work: Work, images: int) -> np.ndarray:
    """What evaluating and saving an epoch is made of: its `rest`.

    One epoch, evaluated images, their operations and activations, parameters: (5,).
    """
    units = (1, images, images * work.operations, images * work.activations)
    return np.array([*units, work.parameters], float)
