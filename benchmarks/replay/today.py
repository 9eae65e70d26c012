"""The tuners of svhn_tune, asked and told as a search does."""

from collections.abc import Callable
from statistics import fmean
from typing import Any

import numpy as np

from svhn_tune.oracles.ask_tell import Proposal, ask, make_oracle, tell
from svhn_tune.oracles.feasible import Values
from svhn_tune.oracles.halving import CLOSING, Halving
from svhn_tune.oracles.simulation import list_rounds

from .clock import Run
from .world import World

MANY = 10_000


class Today:
    """A tuner of svhn_tune.

    Args:
        world: what is searched.
        tuner, seed: of the search.
        is_affordable: what of the feasible it may propose; None for all.
        end: when time ends the search, in seconds.
        **settings: others of `make_oracle`.
    """

    def __init__(
        self,
        world: World,
        tuner: str,
        seed: int,
        is_affordable: Callable[[Values], bool] | None = None,
        end: float = np.inf,
        **settings: Any,
    ) -> None:
        self.world, self.end = world, end
        self.settings = {"max_trials": MANY, "max_epochs": world.epochs, **settings}
        self.oracle = make_oracle(
            world.space,
            tuner,
            seed=seed,
            affordable=lambda values: (
                world.feasible(values) and (is_affordable is None or is_affordable(values))
            ),
            **self.settings,
        )
        self.roots: dict[int, int] = {}
        self.trials: dict[int, int] = {}
        # The scores of each configuration at each length.
        self.ended: dict[tuple[int, int], list[float]] = {}

    def count(self) -> int:
        """How many trials it will ask for, where their number ends the search."""
        return sum(size for size, _, _ in list_rounds(self.oracle, self.settings))

    def ask(self, worker: int, now: float) -> Run | None:
        """What the oracle proposes."""
        if isinstance(self.oracle, Halving):
            self.oracle.closing = now > (1 - CLOSING) * self.end
        proposal = ask(self.oracle, self.world.epochs)
        if not isinstance(proposal, Proposal):
            return None
        parent = proposal.parent
        root = proposal.trial if parent is None else self.roots[parent]
        self.roots[proposal.trial] = root
        self.trials[root] = proposal.trial
        number = self.world.number(proposal.values)
        return Run(root, number, proposal.initial_epoch, proposal.epochs)

    def tell(self, run: Run, curve: np.ndarray, complete: bool) -> None:
        """The score of its last epoch."""
        if complete:
            self.ended.setdefault((run.last, run.number), []).append(float(curve[-1]))
            is_halving = isinstance(self.oracle, Halving)
            ignored = is_halving and self.world.predicts_one_class(run.number, run.last)
            tell(self.oracle, self.trials[run.trial], 0.0 if ignored else float(curve[-1]))

    def choose(self) -> int | None:
        """The best mean of those that came furthest, as `status` and `confirm` rank them.

        What alone came to the end leads only where it led before, too.
        """
        ranked = [(length, fmean(scores), each) for (length, each), scores in self.ended.items()]
        if not ranked:
            return None
        most, _, best = max(ranked)
        if most == self.world.epochs and [length for length, *_ in ranked].count(most) == 1:
            last = max((at for at, each in self.ended if each == best and at < most), default=most)
            best = max(each for each in ranked if each[0] == last)[2]
        return best
