"""Where new configurations come from: at random, by a forest, by Optuna's TPE."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from .world import World

# Refitted when there are so many more results, and a fifth more: a fit takes 30 ms.
REFIT = 4


class Proposals(Protocol):
    """Proposes the numbers of configurations."""

    def propose(self) -> int:
        """A configuration that was not proposed yet."""

    def learn(self, number: int, length: int, score: float) -> None:
        """What a configuration has after so many epochs."""


class AtRandom:
    """Draws from what is no dearer than `cap` seconds an epoch."""

    def __init__(self, world: World, rng: np.random.Generator, cap: float = np.inf) -> None:
        self.world, self.rng = world, rng
        self.proposed: set[int] = set()
        seconds = np.array(world.seconds[world.first : world.first + world.pool])
        self.drawable = world.first + np.flatnonzero(seconds <= cap)
        self.cap = cap

    def draw(self) -> int:
        """A configuration at random, new."""
        for _ in range(100):
            number = int(self.rng.choice(self.drawable))
            if number not in self.proposed:
                break
        return number

    def propose(self) -> int:
        """A configuration at random, new."""
        number = self.draw()
        self.proposed.add(number)
        return number

    def learn(self, number: int, length: int, score: float) -> None:
        """Nothing is learnt."""


@dataclass(frozen=True)
class ForestOptions:
    """How a forest proposes.

    Args:
        initial: so many results are drawn at random first.
        share: of the proposals after them is drawn at random, too.
        trees: of the forest.
        candidates: drawn at random, of which the best is proposed.
    """

    initial: int = 12
    share: float = 0.25
    trees: int = 25
    candidates: int = 200


class ByForest(AtRandom):
    """Proposes what a random forest expects to be best at full length."""

    def __init__(
        self,
        world: World,
        rng: np.random.Generator,
        cap: float = np.inf,
        options: ForestOptions | None = None,
    ) -> None:
        super().__init__(world, rng, cap)
        self.options = options or ForestOptions()
        # The longest length of each, and the score there.
        self.results: dict[int, tuple[int, float]] = {}
        self.forest: RandomForestRegressor | None = None
        self.fitted = self.count = 0

    def learn(self, number: int, length: int, score: float) -> None:
        """Keep the result; the forest is fitted when it is next asked."""
        self.results[number] = max(self.results.get(number, (0, 0.0)), (length, score))
        self.count += 1

    def propose(self) -> int:
        """At random at first, and in a share of all; else the best of some candidates."""
        if len(self.results) < self.options.initial or self.rng.random() < self.options.share:
            return super().propose()
        candidates = np.unique(self.rng.choice(self.drawable, self.options.candidates))
        candidates = np.array([each for each in candidates if each not in self.proposed], int)
        if not len(candidates):
            return super().propose()
        length = np.full((len(candidates), 1), np.log(self.world.epochs))
        rows = np.hstack([self.world.features[candidates], length])
        number = int(candidates[np.argmax(self._fit().predict(rows))])
        self.proposed.add(number)
        return number

    def _fit(self) -> RandomForestRegressor:
        if self.forest is not None and self.count - self.fitted < max(REFIT, self.fitted // 5):
            return self.forest
        lengths, scores = np.array(list(self.results.values())).T
        rows = np.column_stack([self.world.features[list(self.results)], np.log(lengths)])
        self.forest = RandomForestRegressor(
            self.options.trees,
            max_features=0.5,
            random_state=int(self.rng.integers(2**31)),
            n_jobs=1,
        ).fit(rows, scores)
        self.fitted = self.count
        return self.forest
