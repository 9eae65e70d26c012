"""Chooses the machines: this one, or a cluster. Ray is imported only where one is asked for."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ..engines.devices import check_workers, list_gpus, read_memory
from ..errors import InputError
from ..training.pool import Machines, Pool
from ..training.runs import Setup
from ..training.workers import Workers

if TYPE_CHECKING:
    from .nodes import Cluster


@dataclass(frozen=True)
class ThisMachine:
    """Processes of this machine, `count` of them at most."""

    count: int
    shares = True

    def open(
        self, setup: Setup, most: int | None = None, threads: int | None = None
    ) -> AbstractContextManager[Pool]:
        """Its worker processes."""
        return Workers(self.count if most is None else min(self.count, most), setup, threads)

    def read_memory(self, count: int) -> float:
        """Bytes for each of `count` workers: of a GPU where there is one."""
        return read_memory() / -(-count // max(len(list_gpus()), 1))


class OfCluster:
    """Actors on the nodes of a Ray cluster, each with one CPU."""

    shares = False

    def __init__(self, cluster: "Cluster") -> None:
        self._cluster = cluster

    @property
    def count(self) -> int:
        """How many runs its nodes have room for now."""
        return self._cluster.count

    def open(
        self, setup: Setup, most: int | None = None, threads: int | None = None
    ) -> AbstractContextManager[Pool]:
        """Actors, as many as there is room for while they train."""
        from .actors import RayWorkers

        return RayWorkers(self._cluster, setup, most)

    def read_memory(self, count: int) -> float:
        """Bytes for each run on the smallest node."""
        return min(node.memory for node in self._cluster.look().values())


@contextmanager
def open_machines(
    workers: int | None,
    cluster: str | None,
    gpus_per_run: float | None = None,
    note: Callable[[str], None] = lambda text: None,
) -> Iterator[Machines]:
    """What there is to train on.

    Args:
        workers: how many runs train side by side; None for one on this machine, and for as many
            as a cluster has room for, which may change.
        cluster: None for this machine; "auto" for the Ray cluster that is running here, else one
            started on this machine; or the address of one, HOST:PORT or ray://HOST:PORT.
        gpus_per_run: of a cluster's GPUs, such as 0.25; None to train on CPUs.
        note: is told what a person must know of the cluster.

    Raises:
        InputError: the cluster cannot be reached or used, or Ray is not installed.
    """
    if cluster is None:
        if gpus_per_run is not None:
            raise InputError(
                f"--gpus-per-run {gpus_per_run:g} is of a cluster's GPUs: pass --cluster, too; on "
                f"this machine --workers says how many runs share its GPUs"
            )
        yield ThisMachine(check_workers(workers or 1))
        return
    if gpus_per_run is not None and not 0 < gpus_per_run <= 64:
        raise InputError(
            f"--gpus-per-run {gpus_per_run:g} must be above 0, such as 0.25: four runs on a GPU"
        )
    if find_spec("ray") is None:
        raise InputError(f"--cluster {cluster} needs Ray: pip install 'svhn_tune[cluster]'")
    from .connect import connect

    with connect(cluster, workers, gpus_per_run, note) as connected:
        yield OfCluster(connected)
