"""The numbers that search, confirm and plan are given: which ones each may be."""

import math
from collections.abc import Mapping
from operator import index
from typing import Any

from ..bounds import MAX_ACTORS, MAX_COST, MAX_EPOCHS, MAX_RUNS, MAX_TRIALS
from ..errors import InputError

MANY = 10**9
# Where each begins and ends. NumPy and scikit-learn take seeds of 32 bits, KerasTuner 0 for none:
# the oracles' are one more than ours.
RANGES = {
    "seed": (0, 2**32 - 2),
    "max_epochs": (1, MAX_EPOCHS),
    "max_trials": (1, MAX_TRIALS),
    "factor": (2, MAX_EPOCHS),
    "train_images": (1, MANY),
    "workers": (1, MAX_ACTORS),
    "top": (1, MAX_RUNS),
    "question": (1, MANY),
    "runs": (1, MAX_RUNS),
    "epochs": (1, MAX_EPOCHS),
}


def check_numbers(given: Mapping[str, Any]) -> dict[str, Any]:
    """The `given` values by name, as Python's own numbers; None stays.

    Raises:
        InputError: one in `RANGES` is no whole number, or one is out of its range.
    """
    return {name: value if value is None else _check(name, value) for name, value in given.items()}


def _check(name: str, value: Any) -> Any:
    if name == "max_cost":
        return _check_cost(value)
    if name not in RANGES:
        return value
    low, high = RANGES[name]
    try:
        number = index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise InputError(f"{name}={value!r} must be a whole number, such as {low}")
    if name == "seed" and not low <= number <= high:
        raise InputError(f"seed={number} must be from {low} to {high:,}")
    if number < low:
        raise InputError(f"{name}={number} must be at least {low}")
    if number > high:
        raise InputError(f"{name}={number} must be at most {high:,}")
    return number


def _check_cost(value: Any) -> float:
    try:
        cost = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        cost = math.nan
    if not 1 <= cost <= MAX_COST:
        raise InputError(
            f"max_cost={value!r} must be a number from 1 to {MAX_COST:,.0f}: how many times an "
            f"epoch of the baseline a model's may cost"
        )
    return cost
