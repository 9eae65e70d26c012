"""A random forest that ranks candidates by the score it expects of them at full length.

Forests handle conditional and categorical spaces (Hutter et al., SMAC, LION 2011), and need no
transformation of scores. Runs of all lengths are learnt from, with the length as a feature.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

from .candidates import draw_candidates, encode
from .feasible import Values

# A proposal is waited for: 0.2 s where a limit and a cap refuse most draws.
TREES, CANDIDATES = 50, 100


def choose_by_forest(oracle: Any, ended: Sequence[Any], epochs: int) -> Values | None:
    """The candidate with the best score that the forest expects after so many epochs.

    Args:
        oracle: draws the candidates, and knows the objective's direction.
        ended: KerasTuner trials with their scores; "tuner/epochs" among their values.
        epochs: the length to predict for.
    """
    sign = -1.0 if oracle.objective.direction == "max" else 1.0
    ranked = sorted(ended, key=lambda trial: sign * trial.score)
    candidates = draw_candidates(oracle, [_own(trial) for trial in ranked], CANDIDATES)
    if not candidates:
        return None
    space = oracle.hyperparameters.space
    rows = [[*encode(space, _own(trial)), np.log(_length(trial))] for trial in ended]
    forest = ExtraTreesRegressor(
        TREES, min_samples_leaf=2, bootstrap=True, random_state=oracle.seed, n_jobs=1
    )
    forest.fit(rows, [sign * trial.score for trial in ended])
    expected = forest.predict([[*encode(space, values), np.log(epochs)] for values in candidates])
    return candidates[int(np.argmin(expected))]


def _own(trial: Any) -> Values:
    values = trial.hyperparameters.values
    return {name: value for name, value in values.items() if not name.startswith("tuner/")}


def _length(trial: Any) -> int:
    return int(trial.hyperparameters.values["tuner/epochs"])
