"""TPE: a KerasTuner oracle that asks Optuna's sampler for values.

Optuna stores nothing: for each proposal a new study in memory is told the trials so far. So a
proposal depends on the seed, the trial's number and those trials alone.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras_tuner as kt
import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState, create_trial

from ..models.hypermodel import clip
from .feasible import FeasibleMixin, Values

MAX_POSITIONS = 1_000_000


class TPE(FeasibleMixin, kt.Oracle):
    """Optuna's `TPESampler` over feasible values, in groups that are active together.

    Args:
        num_initial_points: how many trials must be completed before it learns from them; until
            then they are drawn at random.
    """

    SUGGESTIONS = 100

    def __init__(self, num_initial_points: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_initial_points = num_initial_points
        self._distributions = {hp.name: _distribution(hp) for hp in self.hyperparameters.space}

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Values for the next trial; those of the journal where it has them."""
        if (recorded := self.recorded.get(int(trial_id))) is not None:
            return {"status": "RUNNING", "values": dict(recorded)}
        values = None
        if len(self.end_order) >= self.num_initial_points:
            values = self._suggest_new()
        values = values or self._random_values()
        return {"status": "STOPPED" if values is None else "RUNNING", "values": values}

    def _suggest_new(self) -> Values | None:
        """The first of some suggestions that is feasible and new; None if none is.

        Refused suggestions stay in the study as running trials, so that later ones avoid them.
        """
        with _quiet_optuna():
            study = self._make_study()
            for _ in range(self.SUGGESTIONS):
                values = self._suggest(study.ask())
                if self._is_new(values):
                    return values
        return None

    def _make_study(self) -> optuna.Study:
        """A study that knows every trial, those that run now included."""
        seed = np.random.SeedSequence((self.seed, len(self.trials))).generate_state(1)[0]
        sampler = optuna.samplers.TPESampler(
            n_startup_trials=self.num_initial_points,
            seed=int(seed),
            # Independent TPE repeats itself: it must be asked 2.4 times as often.
            multivariate=True,
            group=True,
            constant_liar=True,
        )
        direction = "maximize" if self.objective.direction == "max" else "minimize"
        study = optuna.create_study(sampler=sampler, direction=direction)
        study.add_trials([self._freeze(trial) for trial in self.trials.values()])
        return study

    def _freeze(self, trial: Any) -> FrozenTrial:
        """A trial as Optuna knows it."""
        given = trial.hyperparameters.values
        active = [hp for hp in self.hyperparameters.space if hp.name in given]
        completed = trial.status == "COMPLETED"
        return create_trial(
            state=TrialState.COMPLETE if completed else TrialState.RUNNING,
            value=trial.score if completed else None,
            params={
                hp.name: _encode(hp, self._distributions[hp.name], given[hp.name]) for hp in active
            },
            distributions={hp.name: self._distributions[hp.name] for hp in active},
        )

    def _suggest(self, trial: optuna.Trial) -> Values:
        """The values that Optuna suggests, active ones only."""
        values: Values = {}
        for hp in self.hyperparameters.space:
            if all(condition.is_active(values) for condition in hp.conditions):
                values[hp.name] = _suggest_one(trial, hp, self._distributions[hp.name])
        return values


def _distribution(hp: Any) -> BaseDistribution:
    """Categorical for words, [0, 1] for a continuous range, an index for everything else.

    A range of more than MAX_POSITIONS steps counts as continuous.
    """
    if not getattr(hp, "ordered", True):
        return CategoricalDistribution(hp.values)
    if not hasattr(hp, "step"):
        return IntDistribution(0, len(hp.values) - 1)
    count = None if hp.step is None else hp._get_n_values()
    if count is None or count > MAX_POSITIONS:
        return FloatDistribution(0, 1)
    return IntDistribution(0, count - 1)


def _encode(hp: Any, distribution: BaseDistribution, value: Any) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return value
    share = min(max(hp.value_to_prob(value), 0.0), 1.0)
    if isinstance(distribution, FloatDistribution):
        return share
    return min(int(share * (distribution.high + 1)), distribution.high)


def _suggest_one(trial: optuna.Trial, hp: Any, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(hp.name, distribution.choices)
    if isinstance(distribution, FloatDistribution):
        return clip(hp, hp.prob_to_value(trial.suggest_float(hp.name, 0, 1)))
    index = trial.suggest_int(hp.name, 0, distribution.high)
    return clip(hp, hp.prob_to_value((index + 0.5) / (distribution.high + 1)))


@contextmanager
def _quiet_optuna() -> Iterator[None]:
    """Silence Optuna's line per study, and its warning that `group` may change one day."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(before, optuna.logging.WARNING))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)
