"""Whether a run can have been in a state: what every engine asks before it continues from one.

A state's arrays are the same in every engine, so that any of them can go on from it: the variables
of the layers, those of the optimizer (its steps first) and, within an epoch, the sums of losses and
of hits that its metrics are made of, each beside its count; then maybe the classes predicted.
"""

from collections.abc import Sequence

import numpy as np

from ..space.task import Task
from .checkpoints import State


def find_misfit(
    state: State,
    fresh: Sequence[tuple[tuple[int, ...], str]],
    optimizer: int,
    whole: int,
    task: Task,
) -> str | None:
    """Why a model cannot have been in this state, if it cannot.

    Args:
        state: as it was read.
        fresh: shape and type of each of the model's variables, the optimizer's last.
        optimizer: how many are the optimizer's.
        whole: the batches of an epoch.
        task: of the model.
    """
    reported, on_dial = task.reported, task.on_dial
    stored, history, within = state.arrays, state.history, state.within
    shapes = [*fresh, *([((), "float32")] * 2 * len(reported) if within else [])]
    if "predicted" in within:
        shapes.append(((within["predicted"],), "float32" if on_dial else "int64"))
    if [(a.shape, str(a.dtype)) for a in stored] != shapes:
        return "its variables are those of another model"
    layers = len(fresh) - optimizer
    steps, batches = int(stored[layers]), within.get("batches", 0)
    if batches > whole or steps != len(history) * whole + batches:
        return f"{len(history)} epochs and {batches} batches are not its optimizer's {steps}"
    names = {"seconds", *reported}
    known = history[-1] if history else dict.fromkeys(names, 0.0)
    judged = {*names, "minutes"} if on_dial else names
    if not names <= known.keys() <= names | {f"{a}{b}" for a in ("val_", "test_") for b in judged}:
        return f"its history is of {', '.join(known)}"
    # Where a loss is no number, neither are weights; squared gradients may overflow any time.
    trained = stored[: len(fresh)]
    wild = any(np.isnan(a).any() for a in trained)
    wild = wild or any(np.isinf(a).any() for a in trained[:layers])
    if wild and not batches and np.isfinite(list(known.values())).all():
        return "it has weights that are no numbers"
    return None
