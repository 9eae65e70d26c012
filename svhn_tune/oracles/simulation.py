"""A search without training: the oracle proposes, scores are drawn, the clock is counted."""

from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

import numpy as np

from ..space.space import Space
from .ask_tell import Proposal, ask, make_oracle, tell

# Proposals depend on scores only through what is promoted: a few draws of those are averaged.
DRAWS = 3


@dataclass(frozen=True)
class Simulated:
    """A search that was not trained: its seconds, and what it proposed, in order."""

    seconds: float
    proposals: list[Proposal]

    @property
    def trials(self) -> int:
        """How many."""
        return len(self.proposals)

    @property
    def epochs(self) -> int:
        """Trained in all, those of a promoted trial once."""
        return sum(each.epochs - each.initial_epoch for each in self.proposals)

    @property
    def models(self) -> list[dict[str, Any]]:
        """The values of the trials that continue no other."""
        return [each.values for each in self.proposals if each.parent is None]


def simulate_search(
    space: Space,
    settings: dict[str, Any],
    workers: int,
    cost: Callable[[Proposal], float],
    draws: int = DRAWS,
) -> Simulated:
    """What the search of these settings does with so many workers, on average over random scores.

    Args:
        space: the space.
        settings: "tuner", "seed", "max_epochs", "factor" and "max_trials" of the search. Models
            that Bayesian optimisation or TPE would choose are drawn at random.
        workers: how many trials train side by side.
        cost: the seconds of a proposal's run.
        draws: over how many draws of scores to average the seconds.
    """
    if settings["tuner"] != "hyperband":
        settings, draws = settings | {"tuner": "random"}, 1
    each = [_simulate(space, settings, workers, cost, draw) for draw in range(draws)]
    seconds = sum(simulated.seconds for simulated in each) / draws
    return Simulated(seconds, each[0].proposals)


def _simulate(
    space: Space,
    settings: dict[str, Any],
    workers: int,
    cost: Callable[[Proposal], float],
    draw: int,
) -> Simulated:
    names = ("seed", "max_epochs", "factor", "max_trials")
    oracle = make_oracle(space, settings["tuner"], **{name: settings[name] for name in names})
    rng = np.random.default_rng(draw)
    running: list[tuple[float, int]] = []
    proposals: list[Proposal] = []
    now = 0.0
    while True:
        while len(running) < workers:
            proposal = ask(oracle, settings["max_epochs"])
            if not isinstance(proposal, Proposal):
                break
            proposals.append(proposal)
            heappush(running, (now + cost(proposal), proposal.trial))
        if not running:
            return Simulated(now, proposals)
        now, trial = heappop(running)
        tell(oracle, trial, float(rng.random()))
