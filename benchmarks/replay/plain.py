"""Plain contestants: full-length runs at random, and a constant few epochs followed by the best."""

import numpy as np

from .clock import Run
from .proposals import Proposals
from .world import World


class FullLength:
    """Every run at full length."""

    def __init__(self, world: World, proposals: Proposals, early: tuple[int, ...] = ()) -> None:
        self.world, self.proposals, self.early = world, proposals, list(early)
        self.scores: list[tuple[float, int]] = []
        self.count = 0

    def ask(self, worker: int, now: float) -> Run | None:
        """A new configuration."""
        self.count += 1
        number = self.early.pop(0) if self.early else self.proposals.propose()
        return Run(self.count, number, 0, self.world.epochs)

    def tell(self, run: Run, curve: np.ndarray, complete: bool) -> None:
        """Keep the last score."""
        if len(curve):
            self.scores.append((float(curve[-1]), run.number))
            self.proposals.learn(run.number, len(curve), float(curve[-1]))

    def choose(self) -> int | None:
        """The best by its last score."""
        return max(self.scores)[1] if self.scores else None


class FewEpochsFirst:
    """`epochs` each until half of the time is spent, then the best of them at full length."""

    def __init__(
        self, world: World, proposals: Proposals, epochs: int, budget: float, cores: int
    ) -> None:
        self.world, self.proposals, self.epochs = world, proposals, epochs
        self.half, self.end = budget / cores / 2, budget / cores
        self.short: dict[int, tuple[float, int]] = {}
        self.long: list[tuple[float, int]] = []
        self.count = 0

    def ask(self, worker: int, now: float) -> Run | None:
        """A new configuration in the first half, then the best that is not at full length."""
        if now < self.half or not self.short:
            self.count += 1
            return Run(self.count, self.proposals.propose(), 0, self.epochs)
        trial = max(self.short, key=lambda each: self.short[each])
        number = self.short.pop(trial)[1]
        return Run(trial, number, self.epochs, self.world.epochs)

    def tell(self, run: Run, curve: np.ndarray, complete: bool) -> None:
        """Keep the last score."""
        if not len(curve):
            return
        if run.first == 0:
            self.short[run.trial] = (float(curve[-1]), run.number)
        else:
            self.long.append((float(curve[-1]), run.number))

    def choose(self) -> int | None:
        """The best of the long runs, else of the short ones."""
        scores = self.long or list(self.short.values())
        return max(scores)[1] if scores else None
