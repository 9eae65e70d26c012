"""Optuna's TPE as a source of configurations, told each one's longest result."""

import warnings
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution

from .proposals import AtRandom
from .world import World

SUGGESTIONS = 60


class ByTPE(AtRandom):
    """Proposes what Optuna's TPE suggests, multivariate and in groups.

    A run that did not come to full length is a pruned trial: TPE ranks those by length first.
    """

    def __init__(
        self,
        world: World,
        rng: np.random.Generator,
        cap: float = np.inf,
        initial: int = 12,
        share: float = 0.25,
    ) -> None:
        super().__init__(world, rng, cap)
        self.initial, self.share = initial, share
        self.known: set[int] = set()
        self.distributions = {
            each.name: _distribution(each.hyperparameter) for each in world.space.declarations
        }
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.study = optuna.create_study(
                direction="maximize",
                sampler=optuna.samplers.TPESampler(
                    n_startup_trials=0,
                    seed=int(rng.integers(2**31)),
                    multivariate=True,
                    group=True,
                ),
            )

    def learn(self, number: int, length: int, score: float) -> None:
        """Tell the study; a configuration that went on is told again."""
        self.known.add(number)
        complete = length == self.world.epochs
        state = optuna.trial.TrialState.COMPLETE if complete else optuna.trial.TrialState.PRUNED
        values = self.world.values[number]
        self.study.add_trial(
            optuna.trial.create_trial(
                state=state,
                value=score,
                params=dict(values),
                distributions={name: self.distributions[name] for name in values},
                intermediate_values={length: score},
            )
        )

    def propose(self) -> int:
        """At random at first, and in a share of all; else a suggestion that is new and cheap."""
        if len(self.known) < self.initial or self.rng.random() < self.share:
            return super().propose()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for _ in range(SUGGESTIONS):
                trial = self.study.ask()
                values = self._suggest(trial)
                self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
                if self.world.feasible(values) and self.world.epoch_seconds(values) <= self.cap:
                    number = self.world.number(values)
                    if number not in self.proposed:
                        self.proposed.add(number)
                        return number
        return super().propose()

    def _suggest(self, trial: optuna.Trial) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for declaration in self.world.space.declarations:
            if declaration.is_active(values):
                name = declaration.name
                values[name] = trial._suggest(name, self.distributions[name])
        return values


def _distribution(given: Any) -> BaseDistribution:
    if given.type == "Choice":
        return optuna.distributions.CategoricalDistribution(given.values)
    if given.type == "Boolean":
        return optuna.distributions.CategoricalDistribution([False, True])
    kind = (
        optuna.distributions.IntDistribution
        if given.type == "Int"
        else optuna.distributions.FloatDistribution
    )
    log = getattr(given, "sampling", None) == "log"
    return kind(given.min_value, given.max_value, log=log)
