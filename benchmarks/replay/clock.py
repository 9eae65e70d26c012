"""The simulated clock: workers ask for runs, train them, tell what they brought."""

from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Protocol

import numpy as np

from svhn_tune.stages.threads import START, CostClock, Load, measure_load

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
        worth: the share of the cores' time that its runs would have taken on one thread each.
        epochs: trained.
        trials: begun.
        full: how many trials came to full length.
    """

    chosen: int | None
    score: float
    seconds: float
    used: float
    worth: float
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
    contestant: Contestant,
    world: World,
    cores: int,
    budget: float,
    rng: np.random.Generator,
    trials: int | None = None,
) -> Replayed:
    """Search until `budget` core-seconds are spent, or the contestant has no more to ask.

    With `trials`, how many it will ask for, a run may have several cores as in a search.
    """
    end = budget / cores
    running: list[tuple[float, list[int], Run, int]] = []
    waiting: list[tuple[Run, int]] = []
    free = list(range(cores))
    clock = CostClock()
    curves: dict[int, np.ndarray] = {}
    full: set[int] = set()
    now = busy = alone = 0.0
    epochs = 0
    while True:
        if not waiting and now < end:
            asked = [run for worker in free if (run := contestant.ask(worker, now)) is not None]
            waiting = [(run, 1) for run in asked]
            if trials is not None:
                asked.sort(key=lambda run: -_load(run, world).seconds)
                loads = [_load(run, world) for run in asked]
                waiting = [*zip(asked, clock.choose(loads, cores, trials), strict=True)]
                for (run, threads), load in zip(waiting, loads, strict=True):
                    clock.begin(run.trial, load, threads)
        while waiting and waiting[0][1] <= len(free) and now < end:
            run, threads = waiting.pop(0)
            mine, free = free[:threads], free[threads:]
            if run.trial not in curves:
                curves[run.trial] = world.observe(run.number, rng)
            start = (world.starts[run.number] if run.begins else 0.0) + START * (threads > 1)
            speed = _load(run, world).speed_up(threads)
            epoch = world.seconds[run.number] / speed
            last = find_last(run, world)
            until = now + start + (last - run.first) * epoch
            if until > end:
                last = run.first + max(int((end - now - start) / epoch), 0)
                until = end
            busy += (until - now) * threads
            alone += (until - now - START * (threads > 1)) * speed
            epochs += last - run.first
            heappush(running, (until, mine, run, last))
        if not running:
            break
        now, mine, run, last = heappop(running)
        free += mine
        if trials is not None:
            clock.end(run.trial)
        if last == world.epochs:
            full.add(run.trial)
        contestant.tell(run, curves[run.trial][:last], last == find_last(run, world))
    chosen = contestant.choose()
    used = busy / (cores * now) if now else 0.0
    worth = alone / (cores * now) if now else 0.0
    score = world.score(chosen)
    return Replayed(chosen, score, now * cores, used, worth, epochs, len(curves), len(full))


def _load(run: Run, world: World) -> Load:
    """What the run takes in the world."""
    load = measure_load(world.space, world.values[run.number], 1)
    return load._replace(seconds=(run.last - run.first) * world.seconds[run.number])
