"""How many threads a run has: several where else a core would have nothing to train.

The number belongs to the run as its seed does: it is chosen once, when the run is proposed or
planned, from what is to be trained and for how many workers, never from what the clock says; it is
written down, and who goes on with the run goes on with it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..models.work import measure_work
from ..project.project import Project
from ..project.record_types import BeginRecord
from ..space.space import Space
from ..training.devices import list_gpus
from ..training.engine import JAX

# Of a run, what threads cannot share: two are 1.5 times as fast as one, four 2.0 times.
SERIAL = 0.35
# Seconds until a process with another number of threads trains.
START = 5.0
# Multiply-adds, as `Work.rough_cost` counts them, that a core trains in a second (27 to 40 billion
# on x86-64): enough to tell a run of seconds from one of minutes, and the same on any machine.
SPEED = 30e9


def choose_threads(seconds: Sequence[float], places: int) -> list[int]:
    """The threads of each of several runs, so that the last of them ends early.

    As long as that helps, the run that ends last gets one more.

    Args:
        seconds: that each takes on one thread, in the order in which they begin.
        places: how many threads train at a time.
    """
    threads = [1] * len(seconds)
    ends = end_runs(seconds, threads, places)
    while ends:
        last = max(range(len(ends)), key=lambda run: ends[run])
        more = threads.copy()
        more[last] = min(more[last] + 1, places)
        sooner = end_runs(seconds, more, places)
        if sorted(sooner, reverse=True) >= sorted(ends, reverse=True):
            break
        threads, ends = more, sooner
    return threads


def speed_up(threads: int) -> float:
    """How many times as fast as one thread so many are."""
    return 1 / (SERIAL + (1 - SERIAL) / threads)


def end_runs(seconds: Sequence[float], threads: Sequence[int], places: int) -> list[float]:
    """When each run ends; each begins, in this order, once there is room for it."""
    free = [0.0] * places
    ends = []
    for alone, count in zip(seconds, threads, strict=True):
        free.sort()
        start = START if count > 1 else 0.0
        end = free[count - 1] + start + alone / speed_up(count)
        # Who begins later begins no earlier.
        free = [end] * count + [max(each, free[count - 1]) for each in free[count:]]
        ends.append(end)
    return ends


def count_places(workers: int, engine: str) -> int:
    """How many threads of runs train at a time, by the module of an engine.

    One of a run's threads where it is not TensorFlow on a CPU that trains: more are of no use.
    """
    return 1 if engine == JAX or list_gpus() else workers


def estimate_seconds(space: Space, values: Mapping[str, Any], images: int) -> float:
    """What a run trains `images` in, all of its epochs together, on one thread; roughly."""
    return measure_work(space, values).rough_cost * images / SPEED


def read_threads(project: Project) -> dict[tuple[int, int, int], int]:
    """The threads of confirm's runs as they were planned last, by root, number and epochs."""
    return {
        (run.root, run.run, run.epochs): run.threads
        for record in project.records
        if isinstance(record, BeginRecord)
        for run in record.runs
    }
