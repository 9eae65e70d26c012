"""What the oracles that learn choose from: new feasible values, and values as numbers."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from .feasible import MAX_DRAWS, Values

PARENTS = 5
KEPT = 0.85


def draw_candidates(oracle: Any, best: Sequence[Mapping[str, Any]], count: int) -> list[Values]:
    """Up to `count` feasible values that no trial had: half drawn at random, half near the best.

    Args:
        oracle: draws them, by its seed and the number of its trials alone.
        best: values of the best trials, best first; those near them keep 85 % of one's.
        count: how many.
    """
    return list(islice(_draw(oracle, best), count))


def _draw(oracle: Any, best: Sequence[Mapping[str, Any]]) -> Iterator[Values]:
    rng = np.random.default_rng((oracle.seed, len(oracle.trials)))
    for draw in range(MAX_DRAWS):
        keep: Values = {}
        if draw % 2:
            parent = best[int(rng.integers(min(PARENTS, len(best))))]
            keep = {name: parent[name] for name in parent if rng.random() < KEPT}
        values = oracle._draw(draw, keep)
        if oracle._is_new(values):
            yield values


def encode(hyperparameters: Sequence[Any], values: Mapping[str, Any]) -> list[float]:
    """Values as numbers in [0, 1], words one-hot; inactive hyperparameters at their default."""
    vector: list[float] = []
    for hp in hyperparameters:
        value = values.get(hp.name, hp.default)
        if getattr(hp, "ordered", True):
            vector.append(hp.value_to_prob(value))
        else:
            vector += [float(value == choice) for choice in hp.values]
    return vector
