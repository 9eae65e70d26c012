"""A trainer on a node of a cluster, as its parent has it, and the files of its runs here."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray.exceptions import RayError

from ..errors import cannot_write
from ..files import write_atomically
from ..training.runs import Key, Run
from ..training.workers import FIRST
from .nodes import Node, pinned
from .trainer import Trainer

# Seconds to answer a pause in: those of a worker here, and to bring 724 MB over a network.
PATIENCE = 60.0


@dataclass
class Actor:
    """A trainer: what it trains, and what it has been asked.

    `ready` is answered once it is there, `collecting` once it has something to tell.
    """

    handle: Any
    node: Node
    ready: Any
    collecting: Any
    threads: int = 1
    since: float = field(default_factory=time.monotonic)
    is_ready: bool = False
    runs: list[Run] = field(default_factory=list)
    last: tuple[Key, ...] = ()
    has_told: bool = False
    _ticket: int = 0
    _pausing: float | None = None

    def train(self, ticket: int, runs: list[Run], is_there: bool) -> None:
        """Train these, from their checkpoints here, unless they are there still."""
        self.runs, self.last = runs, keys(runs)
        self._ticket, self._pausing = ticket, None
        brought = [None if is_there else _read(run.checkpoint) for run in runs]
        self.handle.train.remote(ticket, runs, brought)

    def collect(self) -> None:
        """Ask for more; what it has told before is on the disk."""
        self.collecting = self.handle.collect.remote()

    def pause(self) -> None:
        """Ask for its runs to be saved and to stop."""
        self._pausing = time.monotonic()
        self.handle.pause.remote(self._ticket)

    @property
    def is_pausing(self) -> bool:
        """Whether its runs were asked to stop."""
        return self._pausing is not None

    @property
    def is_late(self) -> bool:
        """Whether it should have answered a pause by now."""
        if self._pausing is None or not self.runs:
            return False
        end = self._pausing + PATIENCE
        return time.monotonic() > (end if self.has_told else max(end, self.since + FIRST))

    def kill(self) -> None:
        """End it at once."""
        with suppress(RayError, ConnectionError):
            ray.kill(self.handle)


def start(node: Node, gpus_per_run: float | None, threads: int, shared: Sequence[Any]) -> Actor:
    """A trainer on this node; `shared` are the arguments that all have, in the cluster's memory.

    It has one CPU: those that share it are slower where it has more threads, and as right.
    """
    made = ray.remote(Trainer).options(
        num_cpus=1,
        num_gpus=gpus_per_run or 0,
        # One call waits in `collect`, the others are short.
        max_concurrency=4,
        scheduling_strategy=pinned(node.id),
    )
    handle = made.remote(gpus_per_run is not None, threads, *shared)
    return Actor(handle, node, handle.is_ready.remote(), handle.collect.remote(), threads)


def wait(actors: Sequence[Actor], timeout: float | None) -> list[tuple[Actor, Any]]:
    """Wait for answers, a second at most; the actors that have answered, each with what."""
    asked = {actor.collecting: actor for actor in actors}
    asked |= {actor.ready: actor for actor in actors if not actor.is_ready}
    limit = min(timeout or 1.0, 1.0)
    if not asked:
        time.sleep(limit)
        return []
    found, _ = ray.wait(list(asked), timeout=limit, fetch_local=False)
    if found:
        found, _ = ray.wait(list(asked), num_returns=len(asked), timeout=0, fetch_local=False)
    return [(asked[answer], answer) for answer in found]


def keys(runs: Sequence[Run]) -> tuple[Key, ...]:
    """The keys of runs that train together."""
    return tuple(run.key for run in runs)


def _read(path: Path) -> np.ndarray | None:
    return np.fromfile(path, np.uint8) if path.exists() else None


def keep(run: Run, content: np.ndarray | Mapping[str, np.ndarray]) -> None:
    """Write the bytes of a checkpoint, or of a model by their suffixes, each in one atomic step.

    Raises:
        InputError: they cannot be written.
    """
    if isinstance(content, np.ndarray):
        files = {run.checkpoint: content}
    else:
        assert run.model_file is not None
        files = {run.model_file.with_suffix(suffix): each for suffix, each in content.items()}
    for path, array in files.items():
        try:
            path.parent.mkdir(exist_ok=True)
            write_atomically(path, array.data)
        except OSError as error:
            raise cannot_write(path, error.strerror) from None
