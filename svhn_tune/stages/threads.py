"""How many threads a run has: several where else a core would have nothing to train.

The number belongs to the run as its seed does: it is chosen once, when the run is proposed or
planned, from what is to be trained and for how many workers, never from what the clock says; it is
written down, and who goes on with the run goes on with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

from ..engines.devices import list_gpus
from ..engines.engine import JAX
from ..journal.record_types import BeginRecord, Record, RunRecord, TrialRecord
from ..models.work import measure_work
from ..project.project import Project
from ..space.space import Space
from ..training.runs import Run

if TYPE_CHECKING:  # it imports KerasTuner
    from ..oracles.ask_tell import Proposal

# Seconds until a process with another number of threads trains.
START = 5.0
# Multiply-adds, as `Work.rough_cost` counts them, that a core trains in a second (27 to 40 billion
# on x86-64): enough to tell a run of seconds from one of minutes, and the same on any machine.
SPEED = 30e9
# What an image costs of a model that threads cannot share at all. They share the more, the more an
# operation has to do: two train the baseline of `cnn`, models of 10 and of 80 times its cost 1.25,
# 1.49 and 1.81 times as fast as one, four 1.08, 1.74 and 2.24 times.
SHARED = 2.2e6
# How much faster one more thread must be: one more of the baseline's two makes them slower.
GAIN = 1.1
# Trials still to come, of which more would change nothing but how long it takes to count them.
ENOUGH = 1000


class Load(NamedTuple):
    """A run: its seconds on one thread, and the share of them that threads cannot share."""

    seconds: float
    serial: float

    def speed_up(self, threads: int) -> float:
        """How many times as fast as one thread so many are."""
        return 1 / (self.serial + (1 - self.serial) / threads)


def measure_load(space: Space, values: Mapping[str, Any], images: int) -> Load:
    """A run that trains `images`, those of all of its epochs together; roughly."""
    cost = measure_work(space, values).rough_cost
    return Load(cost * images / SPEED, min((SHARED / max(cost, 1)) ** (1 / 3), 1.0))


class CostClock:
    """How long the runs of a search still train, by what they cost and the order in which they end.

    Time does not count: whoever reads the journal again comes to the same.
    """

    def __init__(self) -> None:
        self._now = 0.0
        self._begun: list[Load] = []
        self._training: dict[int, tuple[float, int]] = {}

    def begin(self, run: int, load: Load, threads: int) -> None:
        """A run begins."""
        end = self._now + load.seconds / load.speed_up(threads)
        self._begun.append(load)
        self._training[run] = end, threads

    def end(self, run: int) -> None:
        """It has ended; so those that should have ended before it will at any moment."""
        end, _ = self._training.pop(run)
        self._now = max(self._now, end)

    def list_busy(self) -> list[float]:
        """Seconds until each thread that trains is free."""
        ends = [end for end, threads in self._training.values() for _ in range(threads)]
        return [max(end - self._now, 0.0) for end in ends]

    def choose(self, runs: Sequence[Load], places: int, trials: int) -> list[int]:
        """The threads of runs that begin next, of a search of so many trials."""
        known = [*self._begun, *runs]
        later = expect_later(known, max(trials - len(known), 0))
        return choose_threads(runs, places, self.list_busy(), later)


def choose_threads(
    runs: Sequence[Load],
    places: int,
    busy: Sequence[float] = (),
    later: Sequence[Load] = (),
) -> list[int]:
    """The threads of each of several runs, so that the last of all ends early.

    As long as that helps, and it is one of these, the run that ends last gets one more.

    Args:
        runs: in the order in which they begin.
        places: how many threads train at a time.
        busy: of those that train now, seconds until each is free.
        later: what comes after these runs, on one thread each.
    """
    loads = [*runs, *later]
    threads = [1] * len(loads)
    ends = end_runs(loads, threads, places, busy)
    while ends:
        last = max(range(len(ends)), key=lambda run: ends[run])
        if last >= len(runs) or ends[last] <= max(busy, default=0.0):
            break
        more = threads.copy()
        more[last] += 1
        if more[last] > places or not _gains(loads[last], more[last]):
            break
        sooner = end_runs(loads, more, places, busy)
        if sorted(sooner, reverse=True) >= sorted(ends, reverse=True):
            break
        threads, ends = more, sooner
    return threads[: len(runs)]


def expect_later(known: Sequence[Load], left: int) -> list[Load]:
    """What a search that has so many trials left still trains.

    They are taken to be like the known ones, on one thread each; `ENOUGH` keep all cores busy.
    """
    usual = fmean(load.seconds for load in known) if known else 0.0
    return [Load(usual, 1.0)] * (min(left, ENOUGH) if known else 0)


def _gains(run: Load, threads: int) -> bool:
    return run.speed_up(threads) >= GAIN * run.speed_up(threads - 1)


def end_runs(
    runs: Sequence[Load], threads: Sequence[int], places: int, busy: Sequence[float] = ()
) -> list[float]:
    """When each run ends; each begins, in this order, once there is room for it."""
    free = [0.0] * (places - len(busy)) + sorted(busy)[-places:]
    ends = []
    for run, count in zip(runs, threads, strict=True):
        free.sort()
        begin = free[count - 1]
        start = START if count > 1 else 0.0
        end = begin + start + run.seconds / run.speed_up(count)
        # Who begins later begins no earlier.
        free = [end] * count + [max(each, begin) for each in free[count:]]
        ends.append(end)
    return ends


class SearchThreads:
    """What the trials of a search take, and how many threads each has.

    Args:
        space, images: of the search; images are those of an epoch.
        trials: how many there will be; None where time ends the search.
    """

    def __init__(self, space: Space, images: int, trials: int | None) -> None:
        self._space, self._images, self._trials = space, images, trials
        self._loads: dict[int, Load] = {}
        self._clock = CostClock()

    def measure(self, trial: "Proposal | TrialRecord") -> Load:
        """The run of a trial."""
        if trial.trial not in self._loads:
            images = (trial.epochs - trial.initial_epoch) * self._images
            self._loads[trial.trial] = measure_load(self._space, trial.values, images)
        return self._loads[trial.trial]

    def follow(self, record: Record) -> None:
        """A line of the journal goes by: a trial, or its end."""
        if self._trials is None:
            return
        if isinstance(record, TrialRecord):
            self._clock.begin(record.trial, self.measure(record), record.threads)
        elif isinstance(record, RunRecord) and record.stage == "search":
            self._clock.end(record.trial)

    def choose(self, proposals: "Sequence[Proposal]", free: int, places: int) -> list[int]:
        """The threads of the next trials, of `places`, some of which are `free`.

        Several for a run that would go on when nothing else is left.
        """
        loads = [self.measure(each) for each in proposals]
        if self._trials is None:
            return choose_threads(loads, free)
        return self._clock.choose(loads, places, self._trials)


def count_places(workers: int, engine: str) -> int:
    """How many threads of runs train at a time, by the module of an engine.

    One of a run's threads where it is not TensorFlow on a CPU that trains: more are of no use.
    """
    return 1 if engine == JAX or list_gpus() else workers


def share_threads(project: Project, planned: Sequence[Run], images: int, places: int) -> list[Run]:
    """Confirm's runs with their threads; one that was begun goes on with those that it has.

    Args:
        project: whose records say which were begun.
        planned: in the order in which they begin.
        images: of an epoch.
        places: see `choose_threads`.
    """
    loads = [measure_load(project.space, run.values, run.epochs * images) for run in planned]
    threads = choose_threads(loads, places)
    before = {
        (run.root, run.run, run.epochs): run.threads
        for record in project.records
        if isinstance(record, BeginRecord)
        for run in record.runs
    }
    shared = []
    for run, count in zip(planned, threads, strict=True):
        key = (run.root, run.run, run.epochs)
        has_begun = run.checkpoint.exists() and key in before
        shared.append(replace(run, threads=before[key] if has_begun else count))
    return shared
