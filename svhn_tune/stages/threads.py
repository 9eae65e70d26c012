"""How many threads a run has: several where else a core would have nothing to train.

The number belongs to the run as its seed does: it is chosen once, when the run is proposed or
planned, from what is to be trained and for how many workers, never from what the clock says; it is
written down, and who goes on with the run goes on with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any, NamedTuple

from ..engines.devices import list_gpus
from ..engines.engine import JAX
from ..journal.record_types import BeginRecord
from ..models.work import measure_work
from ..project.project import Project
from ..space.space import Space
from ..training.runs import Run

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
# The share of what is left of a search that does not train beside what begins now: promotions wait
# for scores. Replayed, 8 cores train 100 models in 0.51 and 0.33 hours with a half (`cnn_open` and
# `cnn`), in 0.64 and 0.40 with all of it.
ALONE = 0.5


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


def choose_threads(
    runs: Sequence[Load],
    places: int,
    running: Sequence[tuple[Load, int]] = (),
    later: Sequence[Load] = (),
) -> list[int]:
    """The threads of each of several runs, so that the last of all ends early.

    As long as that helps, and it is one of these, the run that ends last gets one more.

    Args:
        runs: in the order in which they begin.
        places: how many threads train at a time.
        running: what trains now, and on how many threads, as though it began now.
        later: what comes after these, on one thread each.
    """
    loads = [*(load for load, _ in running), *runs, *later]
    threads = [*(min(count, places) for _, count in running), *[1] * (len(runs) + len(later))]
    ours = range(len(running), len(running) + len(runs))
    ends = end_runs(loads, threads, places)
    while (last := max(range(len(ends)), key=lambda run: ends[run], default=-1)) in ours:
        more = threads.copy()
        more[last] += 1
        if more[last] > places or not _gains(loads[last], more[last]):
            break
        sooner = end_runs(loads, more, places)
        if sorted(sooner, reverse=True) >= sorted(ends, reverse=True):
            break
        threads, ends = more, sooner
    return [threads[run] for run in ours]


def expect_later(known: Sequence[Load], left: int) -> list[Load]:
    """What a search that has so many trials left trains beside what begins now.

    All of it is taken to be like the known trials, on one thread each.
    """
    usual = fmean(load.seconds for load in known) if known else 0.0
    return [Load(usual, 1.0)] * (round((1 - ALONE) * left) if known else 0)


def _gains(run: Load, threads: int) -> bool:
    return run.speed_up(threads) >= GAIN * run.speed_up(threads - 1)


def end_runs(runs: Sequence[Load], threads: Sequence[int], places: int) -> list[float]:
    """When each run ends; each begins, in this order, once there is room for it."""
    free = [0.0] * places
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
