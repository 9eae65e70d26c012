"""The end of every network: a dense layer for each output that a task asks for."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..space.task import Task
from .layer_types import Layer


def add_heads(
    layers: Sequence[Layer], task: Task, shared: Mapping[str, Any] | None = None
) -> list[Layer]:
    """The layers with the task's heads behind them, all of which read the last one.

    Args:
        layers: of the trunk, in order.
        task: says which heads.
        shared: arguments of each head beside its units and its activation.
    """
    trunk = (layers[-1].name,) if len(task.heads) > 1 else ()
    heads = [
        Layer(
            "Dense",
            head.name,
            {"units": head.units, "activation": head.activation, **(shared or {})},
            inputs=trunk,
        )
        for head in task.heads
    ]
    return [*layers, *heads]
