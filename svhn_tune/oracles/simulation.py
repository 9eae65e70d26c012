"""A search without training: the oracle proposes, scores are random, time is added up."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from statistics import fmean
from typing import Any

import numpy as np

from ..bounds import MAX_TRIALS
from ..space.space import Space
from .ask_tell import NEVER, Oracle, Proposal, ask, make_oracle, tell
from .feasible import Values
from .halving import CLOSING, Halving
from .hyperband import Hyperband

# Proposals depend on scores only through what is promoted: a few draws of those are averaged.
DRAWS = 3
# More trials than LONGEST are not simulated: their time is reckoned from the mean of SAMPLE models.
LONGEST, SAMPLE = 500, 200
# Trials that end before proposals are timed, and how many are.
LEARNT, TIMED = 20, 8


@dataclass(frozen=True)
class Simulated:
    """What a search would take.

    Args:
        seconds: on the wall clock.
        trials, epochs: trained in all, the epochs of a promoted trial once.
        models: the values of the trials that continue no other, in order; of a long search, of
            some of them.
    """

    seconds: float
    trials: int
    epochs: int
    models: list[Values]


def simulate_search(
    space: Space,
    settings: dict[str, Any],
    workers: int,
    cost: Callable[[Proposal], float],
    draws: int = DRAWS,
    until: float | None = None,
) -> Simulated:
    """Simulate the search of these settings; its seconds are averaged over random scores.

    Args:
        space: the space.
        settings: "tuner", "seed", "max_epochs", "factor" and "max_trials" of the search, and
            "affordable" as for `make_oracle`. Models that an oracle would choose by what it has
            learnt are drawn at random.
        workers: how many trials train side by side.
        cost: the seconds of a proposal's run.
        draws: over how many draws of scores to average the seconds.
        until: seconds that end a search of halving without "max_trials".
    """
    if settings["tuner"] not in ("halving", "hyperband"):
        settings, draws = settings | {"tuner": "random"}, 1
    if until is not None:
        return _simulate(space, settings | {"max_trials": MAX_TRIALS}, workers, cost, 0, until)
    oracle = _make_oracle(space, settings)
    rounds = list_rounds(oracle, settings)
    if sum(size for size, _, _ in rounds) > LONGEST:
        models, is_all = oracle.sample(SAMPLE)
        if not is_all:
            return _count(models, rounds, workers, cost)
    each = [_simulate(space, settings, workers, cost, draw) for draw in range(draws)]
    return replace(each[0], seconds=fmean(simulated.seconds for simulated in each))


def time_proposal(space: Space, settings: dict[str, Any]) -> float:
    """Seconds until the oracle of these settings has proposed a trial, learning from some scores.

    Args:
        space, settings: as for `simulate_search`.
    """
    oracle = _make_oracle(space, settings, learns=True)
    rng = np.random.default_rng(0)
    seconds = []
    for _ in range(LEARNT + TIMED):
        start = time.perf_counter()
        proposal = ask(oracle, settings["max_epochs"])
        if not isinstance(proposal, Proposal):
            break
        seconds.append(time.perf_counter() - start)
        tell(oracle, proposal.trial, float(rng.random()))
    return fmean(seconds[-TIMED:])


def list_rounds(oracle: Oracle, settings: dict[str, Any]) -> list[tuple[int, int, int]]:
    """(trials, first epoch, last epoch) of every round; tuners without rounds have one."""
    if isinstance(oracle, Hyperband):
        return [round_[1:] for round_ in oracle.rounds()]
    if isinstance(oracle, Halving):
        return oracle.rounds()
    return [(settings["max_trials"], 0, settings["max_epochs"])]


def _make_oracle(space: Space, settings: dict[str, Any], learns: bool = False) -> Oracle:
    names = ("seed", "max_epochs", "factor", "max_trials", "affordable")
    given = {name: settings[name] for name in names if name in settings}
    oracle = make_oracle(space, settings["tuner"], **given)
    if isinstance(oracle, Halving) and not learns:
        oracle.num_initial_points = NEVER
    return oracle


def _count(
    models: list[Values],
    rounds: list[tuple[int, int, int]],
    workers: int,
    cost: Callable[[Proposal], float],
) -> Simulated:
    """A search of these rounds, its models like `models`, its workers busy until it ends."""
    seconds = sum(
        size * fmean(cost(Proposal(0, values, first, last, None, None, None)) for values in models)
        for size, first, last in rounds
    )
    trials = sum(size for size, _, _ in rounds)
    epochs = sum(size * (last - first) for size, first, last in rounds)
    return Simulated(seconds / workers, trials, epochs, models)


def _simulate(
    space: Space,
    settings: dict[str, Any],
    workers: int,
    cost: Callable[[Proposal], float],
    draw: int,
    until: float | None = None,
) -> Simulated:
    """A search of random scores; of one that time ends, what its first trials are like."""
    oracle = _make_oracle(space, settings)
    rng = np.random.default_rng(draw)
    running: list[tuple[float, int]] = []
    proposals: list[Proposal] = []
    now, share = 0.0, 1.0
    while True:
        if until is not None and isinstance(oracle, Halving):
            oracle.closing = now > (1 - CLOSING) * until
        while len(running) < workers and (until is None or len(proposals) < LONGEST):
            proposal = ask(oracle, settings["max_epochs"])
            if not isinstance(proposal, Proposal):
                break
            proposals.append(proposal)
            heappush(running, (now + cost(proposal), proposal.trial))
        if not running:
            break
        now, trial = heappop(running)
        if until is not None and (now >= until or len(proposals) == LONGEST):
            share, now = until / now, until
            break
        tell(oracle, trial, float(rng.random()))
    epochs = sum(each.epochs - each.initial_epoch for each in proposals)
    models = [each.values for each in proposals if each.begins_new]
    return Simulated(now, round(share * len(proposals)), round(share * epochs), models)
