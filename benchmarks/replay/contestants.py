"""Contestants made of parts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from svhn_tune.cost.cap import LEAST

from .clock import Contestant
from .halving import Halving
from .plain import FewEpochsFirst, FullLength
from .proposals import AtRandom, ByForest, ForestOptions
from .tpe import ByTPE
from .world import World

BASELINE, GUESS = 0, 1
PLAIN_FOREST = ForestOptions()


@dataclass(frozen=True)
class Terms:
    """On which terms a contestant searches: the world, core-seconds, cores, a seed."""

    world: World
    budget: float
    cores: int
    seed: int

    def cap(self, share: float) -> float:
        """Seconds of an epoch whose full length takes this share of the hours, or the least."""
        allowed = share * self.budget / self.cores / self.world.epochs
        return max(allowed, LEAST * self.world.baseline_seconds)


Make = Callable[[Terms], Contestant]


@dataclass(frozen=True)
class Candidate:
    """One way to put the parts together.

    Args:
        first, factor: of the halving; first = 0 trains each at full length.
        cap: the largest share of the hours that a run at full length may take.
        times: the largest multiple of the baseline's cost, instead.
        proposals: "random", "forest" or "tpe".
        early: what is tried first.
        watched: whether stuck runs end early.
    """

    first: int = 1
    factor: int = 3
    cap: float = np.inf
    times: float = np.inf
    proposals: str = "random"
    forest: ForestOptions = PLAIN_FOREST
    early: tuple[int, ...] = (BASELINE,)
    watched: bool = False
    demoted: bool = False

    def __call__(self, terms: Terms) -> Contestant:
        """The contestant."""
        world = terms.world
        cap = min(terms.cap(self.cap), self.times * world.baseline_seconds)
        rng = np.random.default_rng((terms.seed, 1))
        proposals: Any
        if self.proposals == "forest":
            proposals = ByForest(world, rng, cap, self.forest)
        elif self.proposals == "tpe":
            proposals = ByTPE(world, rng, cap, self.forest.initial, self.forest.share)
        else:
            proposals = AtRandom(world, rng, cap)
        if not self.first:
            return FullLength(world, proposals, self.early)
        return Halving(
            world,
            proposals,
            self.first,
            self.factor,
            self.early,
            self.watched,
            self.demoted,
        )


class PlainGuess:
    """The plain guess, without a search."""

    def ask(self, worker: int, now: float) -> None:
        """Nothing to train."""

    def tell(self, *_: Any) -> None:
        """Nothing to learn."""

    def choose(self) -> int:
        """The guess."""
        return GUESS


def few_epochs(epochs: int, cap: float) -> Make:
    """`epochs` each, then the best at full length."""

    def make(terms: Terms) -> Contestant:
        world = terms.world
        rng = np.random.default_rng((terms.seed, 1))
        proposals = AtRandom(world, rng, terms.cap(cap))
        return FewEpochsFirst(world, proposals, epochs, terms.budget, terms.cores)

    return make
