"""The simulated clock: workers ask for runs, train them, tell what they brought."""

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Protocol

import numpy as np

from .world import STUCK, World


@dataclass(frozen=True)
class Run:
    """Train the configuration `number` from epoch `first` to `last`.

    `trial` is the run that it continues, or a new one; `begins` says whether a process has to
    build and trace the model; `watched` whether it ends early where it is stuck.
    """

    trial: int
    number: int
    first: int
    last: int
    begins: bool = True
    watched: bool = False


class Contestant(Protocol):
    """A tuner."""

    def ask(self, worker: int, now: float) -> Run | None:
        """The next run for a free worker; None if it has to wait, or nothing is left."""

    def tell(self, run: Run, curve: np.ndarray, complete: bool) -> None:
        """What the run brought.

        Args:
            run: as it was asked.
            curve: its trial's scores by epoch, from the first on.
            complete: whether it came to its last epoch before time was up.
        """

    def choose(self) -> int | None:
        """The configuration that it would choose now."""


@dataclass(frozen=True)
class Replayed:
    """What a search came to.

    Args:
        chosen: its configuration.
        score: what that is worth at full length.
        seconds: core-seconds until it ended.
        used: the share of the cores' time in which a run trained.
        epochs: trained.
        trials: begun.
        full: how many trials came to full length.
    """

    chosen: int | None
    score: float
    seconds: float
    used: float
    epochs: int
    trials: int
    full: int


def find_last(run: Run, world: World) -> int:
    """The epoch after which the run ends: its last, or where it is found stuck."""
    if run.watched:
        for epoch in range(max(run.first, STUCK), run.last):
            if world.is_stuck(run.number, epoch):
                return epoch
    return run.last


def replay(
    contestant: Contestant, world: World, cores: int, budget: float, rng: np.random.Generator
) -> Replayed:
    """Search until `budget` core-seconds are spent, or the contestant has no more to ask."""
    end = budget / cores
    running: list[tuple[float, int, Run, int]] = []
    free = list(range(cores))
    curves: dict[int, np.ndarray] = {}
    full: set[int] = set()
    now = busy = 0.0
    epochs = 0
    while True:
        waiting = []
        while free and now < end:
            worker = free.pop(0)
            run = contestant.ask(worker, now)
            if run is None:
                waiting.append(worker)
                continue
            if run.trial not in curves:
                curves[run.trial] = world.observe(run.number, rng)
            start = world.starts[run.number] if run.begins else 0.0
            epoch = world.seconds[run.number]
            last = find_last(run, world)
            until = now + start + (last - run.first) * epoch
            if until > end:
                last = run.first + max(int((end - now - start) / epoch), 0)
                until = end
            busy += until - now
            epochs += last - run.first
            heappush(running, (until, worker, run, last))
        free += waiting
        if not running:
            break
        now, worker, run, last = heappop(running)
        free.append(worker)
        if last == world.epochs:
            full.add(run.trial)
        contestant.tell(run, curves[run.trial][:last], last == find_last(run, world))
    chosen = contestant.choose()
    used = busy / (cores * now) if now else 0.0
    return Replayed(chosen, world.score(chosen), now * cores, used, epochs, len(curves), len(full))
