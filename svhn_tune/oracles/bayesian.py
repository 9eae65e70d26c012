"""Bayesian optimisation whose acquisition is maximised over feasible values."""

import warnings
from typing import Any

import keras_tuner as kt
import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from .candidates import draw_candidates, encode
from .feasible import FeasibleMixin, Values

CANDIDATES = 500


class Bayesian(FeasibleMixin, kt.oracles.BayesianOptimizationOracle):
    """`kt.oracles.BayesianOptimization`, its acquisition maximised over feasible candidates.

    KerasTuner minimises the bound by gradient, which leads into the infeasible region and back to
    values already tried; here it is the best of 500 that are feasible and new (candidates.py).
    Words are encoded one-hot.
    """

    RESTARTS = 3

    def _make_gpr(self) -> GaussianProcessRegressor:
        """KerasTuner's Gaussian process, fitted with 3 restarts instead of 20."""
        return GaussianProcessRegressor(
            kernel=Matern(nu=2.5),
            n_restarts_optimizer=self.RESTARTS,
            normalize_y=True,
            alpha=self.alpha,
            random_state=self.seed,
        )

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Values for the next trial; those of the journal where it has them."""
        if (recorded := self.recorded.get(int(trial_id))) is not None:
            return {"status": "RUNNING", "values": dict(recorded)}
        completed = [trial for trial in self.trials.values() if trial.status == "COMPLETED"]
        if len(completed) < self.num_initial_points:
            return self._random_populate_space()
        best = sorted(completed, key=lambda trial: trial.score, reverse=self._maximise)
        candidates = draw_candidates(
            self, [trial.hyperparameters.values for trial in best], CANDIDATES
        )
        if not candidates:
            return {"status": "STOPPED", "values": None}
        self._fit(completed)
        mean, deviation = self.gpr.predict(
            np.array([self._encode(values) for values in candidates]), return_std=True
        )
        chosen = int(np.argmin(mean - self.beta * deviation))
        return {"status": "RUNNING", "values": candidates[chosen]}

    @property
    def _maximise(self) -> bool:
        return bool(self.objective.direction == "max")

    def _fit(self, completed: list[Any]) -> None:
        """Fit the process to the completed trials; running ones count with the mean it predicts."""
        sign = -1 if self._maximise else 1
        x = [self._encode(trial.hyperparameters.values) for trial in completed]
        y = [sign * trial.score for trial in completed]
        running = [
            self._encode(trial.hyperparameters.values) for trial in self.ongoing_trials.values()
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.gpr.fit(x, y)
            if running:
                self.gpr.fit(x + running, y + list(self.gpr.predict(running)))

    def _encode(self, values: Values) -> list[float]:
        return encode(self._nonfixed_space(), values)
