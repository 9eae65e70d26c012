"""Where new configurations come from: at random, by a forest, by Optuna's TPE."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from table.features import DERIVED

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
        by: "thompson" asks one tree, "mean" all, "bound" their mean and a spread.
        every: whether each length of a configuration is learnt from, or its longest alone.
    """

    initial: int = 12
    share: float = 0.25
    trees: int = 25
    candidates: int = 200
    by: str = "mean"
    every: bool = False
    leaf: int = 1
    features: str = "all"
    extra: bool = False


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
        self.results: dict[int, dict[int, float]] = {}
        self.forest: RandomForestRegressor | None = None
        self.fitted = self.count = 0

    def learn(self, number: int, length: int, score: float) -> None:
        """Keep the result; the forest is fitted when it is next asked."""
        self.results.setdefault(number, {})[length] = score
        self.count += 1

    def propose(self) -> int:
        """At random at first, and in a share of all; else the best of some candidates."""
        if len(self.results) < self.options.initial or self.rng.random() < self.options.share:
            return super().propose()
        self._fit()
        candidates = np.unique(self.rng.choice(self.drawable, self.options.candidates))
        candidates = np.array([each for each in candidates if each not in self.proposed], int)
        if not len(candidates):
            return super().propose()
        length = np.full((len(candidates), 1), np.log(self.world.epochs))
        expected = self._judge(np.hstack([self._features(candidates), length]))
        number = int(candidates[np.argmax(expected)])
        self.proposed.add(number)
        return number

    def _features(self, numbers: Sequence[int] | np.ndarray) -> np.ndarray:
        features = self.world.features[np.asarray(numbers)]
        return features if self.options.features == "all" else features[:, :-DERIVED]

    def _judge(self, rows: np.ndarray) -> np.ndarray:
        assert self.forest is not None
        rows = np.asarray(rows, np.float32)
        trees = np.array([each.tree_.predict(rows)[:, 0] for each in self.forest.estimators_])
        if self.options.by == "thompson":
            return trees[self.rng.integers(len(trees))]
        spread = trees.std(axis=0) if self.options.by == "bound" else 0.0
        return trees.mean(axis=0) + spread

    def _fit(self) -> None:
        if self.forest is not None and self.count - self.fitted < max(REFIT, self.fitted // 5):
            return
        rows, scores = [], []
        for number, lengths in self.results.items():
            for length in lengths if self.options.every else [max(lengths)]:
                rows.append([*self._features([number])[0], np.log(length)])
                scores.append(lengths[length])
        kind = ExtraTreesRegressor if self.options.extra else RandomForestRegressor
        self.forest = kind(
            self.options.trees,
            min_samples_leaf=self.options.leaf,
            max_features=0.5,
            random_state=int(self.rng.integers(2**31)),
            n_jobs=1,
        ).fit(np.array(rows), np.array(scores))
        self.fitted = self.count
