"""Asynchronous successive halving over feasible values, whose proposals learn from ended runs.

Li et al., "A System for Massively Parallel Hyperparameter Tuning" (MLSys 2020), where promotion is
the rule: a run goes on as soon as it is among the best third of those that got as far, and nobody
waits for a round to end. Whoever was passed over may still go on later, from its checkpoint.

What one would try without a search, the space's points to evaluate, goes on whatever its score:
replayed, eight minutes choose .844 so, and .827 where a point has to be among the best third.

Of many that get to the end the one that leads is the luckiest. So whichever leads is trained again
from other seeds, and leads by the mean of its runs: as SMAC has its incumbent run again (Hutter et
al., LION 2011). To one such run there are three configurations that got to the end. The last part
of a search that time ends is for that: what is good goes on, and the best then have several runs.
"""

from collections.abc import Mapping, Sequence
from math import ceil
from statistics import fmean
from typing import Any

import keras_tuner as kt
import numpy as np

from .feasible import FeasibleMixin, Values
from .forest import choose_by_forest

# One proposal in so many is drawn at random, however much is known.
RANDOM_EVERY = 4
# What leads at full length has so many runs; as a search closes, so many lead.
RUNS = LEADERS = 3
# The share of the hours at whose end nothing new begins, as long as there is something to go on.
CLOSING = 0.3


class Halving(FeasibleMixin, kt.Oracle):
    """One bracket of successive halving without rounds to wait for.

    Args:
        first_epochs, max_epochs: of a run that begins, and of the longest.
        factor: the best one of so many goes on, to so many times the epochs.
        max_models: how many configurations to propose; a promotion is none, nor is a second run.
        num_initial_points: how many results there must be before proposals learn from them.
        points: values that go on to full length whatever their score.

    Attributes:
        closing: whether the end of the hours is near, which whoever asks knows.
    """

    closing = False

    def __init__(
        self,
        first_epochs: int,
        max_epochs: int,
        factor: int,
        max_models: int,
        num_initial_points: int,
        points: Sequence[Values] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.lengths = list_lengths(first_epochs, max_epochs, factor)
        self.factor = factor
        self.max_models = max_models
        self.num_initial_points = num_initial_points
        # Of each trial's values: 535 proposals take 1.6 s, and 2.7 s where each computes them all.
        self._hashes: dict[str, str] = {}
        self._points = {self._compute_values_hash(values) for values in points}

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Values for the next trial: a promotion where one is due, else a new configuration.

        Before either, those of what leads, until it has `RUNS` runs.
        """
        recorded = self.recorded.get(int(trial_id))
        if recorded is not None:
            return {"status": "RUNNING", "values": dict(recorded)}
        new = len(self._by_values()) < self.max_models
        values = self._repeat() or self._promote(is_open=new and not self.closing)
        if values is None and new:
            values = self._propose() or self._promote(is_open=False)
        if values is not None:
            return {"status": "RUNNING", "values": values}
        return {"status": "IDLE" if self.ongoing_trials else "STOPPED", "values": None}

    def promotable(self) -> set[int]:
        """The trials that a later one may still continue: all short ones that nobody continued."""
        taken = self._promoted()
        return {
            int(trial.trial_id)
            for trial in self.trials.values()
            if int(trial.trial_id) not in taken
            and trial.hyperparameters.values["tuner/epochs"] < self.lengths[-1]
        }

    def rounds(self) -> list[tuple[int, int, int]]:
        """(trials, first epoch, last epoch) of every length, if their number ends the search."""
        firsts = [0, *self.lengths[:-1]]
        least = min(len(self._points), self.max_models)
        rounds = [
            (max(ceil(self.max_models / self.factor**level), least), *span)
            for level, span in enumerate(zip(firsts, self.lengths, strict=True))
        ]
        whole = rounds[-1][0]
        if len(rounds) < 2 or whole < 2:
            return rounds
        return [*rounds, (ceil(whole / self.factor), 0, self.lengths[-1])]

    def _repeat(self) -> Values | None:
        """Values of what leads at full length, to be trained from another seed.

        None where it has as many runs as it needs, or one of them still trains; where there were
        as many second runs as a third of what came to full length, unless the search closes; as
        long as it leads nobody; and where one length is all there is, so that nothing is halved.
        """
        if len(self.lengths) < 2:
            return None
        last = self.lengths[-1]
        whole, again = [], 0
        for trials in self._by_values().values():
            runs = [each for each in trials if each.hyperparameters.values["tuner/epochs"] == last]
            scores = [each.score for each in runs if each.status == "COMPLETED"]
            if scores:
                whole.append((fmean(scores), runs, len(scores)))
                again += len(runs) - 1
        enough = again >= ceil(len(whole) / self.factor) and not self.closing
        if len(whole) < 2 or enough:
            return None
        whole.sort(key=lambda each: each[0], reverse=self.objective.direction == "max")
        for _, runs, ended in whole[: LEADERS if self.closing else 1]:
            if ended == len(runs) < RUNS:
                return self._at(len(self.lengths) - 1, runs[0].hyperparameters.values, {})
        return None

    def _promote(self, is_open: bool) -> Values | None:
        """Values that continue a trial among the best of its length, the longest first.

        The best third of those that have ended; once no new ones can come (not `is_open`), rounded
        up, so that at least one gets to the end. And points, wherever they stand.
        """
        taken = self._promoted()
        for level in reversed(range(len(self.lengths) - 1)):
            ended = self._completed(level)
            room = len(ended) // self.factor if is_open else ceil(len(ended) / self.factor)
            for place, trial in enumerate(ended):
                goes_on = place < room or self._hash(trial) in self._points
                if goes_on and int(trial.trial_id) not in taken:
                    return self._at(
                        level + 1, trial.hyperparameters.values, {"tuner/trial_id": trial.trial_id}
                    )
        return None

    def _propose(self) -> Values | None:
        """Values of a new configuration; None where there is none."""
        rng = np.random.default_rng((self.seed, len(self.trials)))
        values = None
        results = self._longest()
        if len(results) >= self.num_initial_points and rng.integers(RANDOM_EVERY):
            values = choose_by_forest(self, results, self.lengths[-1])
        values = values or self._random_values()
        return None if values is None else self._at(0, values, {})

    def _at(self, level: int, values: Mapping[str, Any], parent: Mapping[str, str]) -> Values:
        """The values, to be trained to this level's length: where their parent was, or anew."""
        return {
            **{name: value for name, value in values.items() if not name.startswith("tuner/")},
            **parent,
            "tuner/initial_epoch": self.lengths[level - 1] if parent else 0,
            "tuner/epochs": self.lengths[level],
            "tuner/round": level,
        }

    def _promoted(self) -> set[int]:
        parents = [
            trial.hyperparameters.values.get("tuner/trial_id") for trial in self.trials.values()
        ]
        return {int(parent) for parent in parents if parent is not None}

    def _completed(self, level: int) -> list[Any]:
        """The trials that have ended at this level, best first; the earlier of two equal ones."""
        ended = [
            trial
            for trial in self.trials.values()
            if trial.status == "COMPLETED" and trial.hyperparameters.values["tuner/round"] == level
        ]
        sign = -1 if self.objective.direction == "max" else 1
        return sorted(ended, key=lambda trial: (sign * trial.score, int(trial.trial_id)))

    def _longest(self) -> list[Any]:
        """The longest ended trials of every configuration: one, or its runs at full length."""
        found = []
        for trials in self._by_values().values():
            ended = [trial for trial in trials if trial.status == "COMPLETED"]
            lengths = [trial.hyperparameters.values["tuner/epochs"] for trial in ended]
            most = max(lengths, default=0)
            found += [each for each, length in zip(ended, lengths, strict=True) if length == most]
        return found

    def _by_values(self) -> dict[str, list[Any]]:
        """The trials of every configuration, in order."""
        found: dict[str, list[Any]] = {}
        for trial in self.trials.values():
            found.setdefault(self._hash(trial), []).append(trial)
        return found

    def _hash(self, trial: Any) -> str:
        if trial.trial_id not in self._hashes:
            hashed = self._compute_values_hash(trial.hyperparameters.values)
            self._hashes[trial.trial_id] = hashed
        return self._hashes[trial.trial_id]

    def _compute_values_hash(self, values: Mapping[str, Any]) -> str:
        own = {name: value for name, value in values.items() if not name.startswith("tuner/")}
        return str(super()._compute_values_hash(own))


def list_lengths(first: int, last: int, factor: int) -> list[int]:
    """The epochs at which runs are compared: `last`, and a `factor`-th again, down to `first`."""
    lengths = [last]
    while ceil(lengths[0] / factor) >= first and lengths[0] > 1:
        lengths.insert(0, ceil(lengths[0] / factor))
    return lengths
