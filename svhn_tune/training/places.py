"""Where a worker trains: which cores or GPU it has, and how many threads."""

import os
from typing import NamedTuple

from ..engines.devices import list_gpus


class Place(NamedTuple):
    """The cores, the GPU and the threads of a worker.

    No cores, and None, where the system, or the engine, chooses.
    """

    cores: tuple[int, ...] = ()
    gpu: str | None = None
    threads: int = 1


def choose_places(count: int) -> list[Place]:
    """The GPUs in turn; without one, a core for each worker where they fill the machine."""
    if gpus := list_gpus():
        return [Place(gpu=gpus[number % len(gpus)]) for number in range(count)]
    if hasattr(os, "sched_getaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        if count == len(cores) > 1:
            return [Place((core,)) for core in cores]
    return [Place()] * count
