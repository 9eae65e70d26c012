"""Asynchronous successive halving: a run goes on as soon as it is among the best of its length."""

from dataclasses import dataclass, field

import numpy as np

from .clock import Run
from .proposals import Proposals
from .world import World


@dataclass
class Trial:
    """A run that can go on: its configuration, its scores by epoch, how long it may become."""

    number: int
    asked: int
    scores: np.ndarray = field(default_factory=lambda: np.empty(0))


class Halving:
    """One bracket, promotion without waiting.

    Args:
        world: what is searched.
        proposals: where new configurations come from.
        first: epochs of the first length; each further one is `factor` times as long.
        factor: the best 1 / `factor` of those that reached a length go on.
        early: configurations that are tried first.
    """

    def __init__(
        self,
        world: World,
        proposals: Proposals,
        first: int = 1,
        factor: int = 3,
        early: tuple[int, ...] = (0,),
        watched: bool = False,
        demoted: bool = False,
    ) -> None:
        self.world, self.proposals, self.factor = world, proposals, factor
        self.early = list(early)
        self.lengths = [first]
        while self.lengths[-1] < world.epochs:
            self.lengths.append(min(self.lengths[-1] * factor, world.epochs))
        if len(self.lengths) > 1 and self.lengths[-1] < 2 * self.lengths[-2]:
            del self.lengths[-2]
        self.trials: list[Trial] = []
        self.watched, self.demoted = watched, demoted

    def ask(self, worker: int, now: float) -> Run | None:
        """The longest run that may go on, or a new one."""
        for step in reversed(range(len(self.lengths) - 1)):
            run = self._promote(step)
            if run:
                return run
        number = self.early.pop(0) if self.early else self.proposals.propose()
        self.trials.append(Trial(number, self.lengths[0]))
        return Run(len(self.trials) - 1, number, 0, self.lengths[0], watched=self.watched)

    def _promote(self, step: int) -> Run | None:
        length = self.lengths[step]
        reached = [index for index, trial in enumerate(self.trials) if len(trial.scores) >= length]
        ranked = sorted(reached, key=lambda index: self._rank(self.trials[index], length))
        for index in ranked[: len(ranked) // self.factor]:
            trial = self.trials[index]
            if trial.asked == length:
                following = self.lengths[step + 1]
                trial.asked = following
                return Run(index, trial.number, length, following, watched=self.watched)
        return None

    def _rank(self, trial: Trial, length: int) -> tuple[bool, float]:
        one_class = self.demoted and self.world.predicts_one_class(trial.number, length)
        return one_class, -trial.scores[length - 1]

    def tell(self, run: Run, curve: np.ndarray, complete: bool) -> None:
        """Keep the scores."""
        trial = self.trials[run.trial]
        trial.scores = curve
        if len(curve):
            self.proposals.learn(trial.number, len(curve), float(curve[-1]))
        if complete and len(curve) < run.last:
            # Stuck: it counts among those that reached the length, and never goes on.
            trial.scores = np.pad(curve, (0, run.last - len(curve)), mode="edge")
            trial.asked = self.world.epochs

    def choose(self) -> int | None:
        """The best by its last score, however long it was."""
        begun = [trial for trial in self.trials if len(trial.scores)]
        if not begun:
            return None
        return max(begun, key=lambda trial: trial.scores[-1]).number
