"""Where runs execute: local processes, each of which trains one cohort of runs at a time.

The parent owns the oracle and the journal; a worker only trains, and reports each epoch. A
worker that dies is replaced and its run goes on from its checkpoint. One that does not pause in
time, as while a model is built, is killed: its run stops at its checkpoint. Importing this module
does not import TensorFlow: only a worker does.
"""

import multiprocessing as mp
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Final

from ..console import say_count
from ..errors import cannot_write
from .places import Place, choose_places
from .runs import Event, Key, Run, Setup
from .worker import LEAVE, NO_ROOM, PAUSE, work

MAX_DEATHS = 3
# A fresh interpreter: TensorFlow does not survive a fork once it has computed.
START: Final = "spawn"
# Seconds to answer a pause in: a piece of work of 4, and 4 to save the largest model's 724 MB.
PATIENCE = 10.0
# Seconds that a worker has, whatever the time limit, to get on with its first run and save it: it
# takes 20 for the largest model on an idle core.
FIRST = 300.0


class WorkerError(RuntimeError):
    """Our own code failed in a worker: a bug, which stops the search. Holds its traceback."""


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    place: Place
    runs: list[Run] = field(default_factory=list)
    last: tuple[Key, ...] = ()
    pausing: float | None = None
    has_told: bool = False
    since: float = field(default_factory=time.monotonic)

    @property
    def cores(self) -> frozenset[int]:
        """Those that it trains on now."""
        return frozenset(self.place.cores if self.runs else ())

    @property
    def is_late(self) -> bool:
        """Whether it should have answered a pause by now."""
        if self.pausing is None:
            return False
        end = self.pausing + PATIENCE
        return time.monotonic() > (end if self.has_told else max(end, self.since + FIRST))


class Workers:
    """`count` processes that train runs of one stage. Use as a context manager.

    Args:
        count: how many runs, or cohorts of them, train side by side.
        setup: what the runs share.
        threads: how many train in all, `count` by default. A run has its own number of them, or
            all where there are fewer.
    """

    def __init__(self, count: int, setup: Setup, threads: int | None = None) -> None:
        self._setup = setup
        self._deaths: dict[Key, int] = {}
        self.threads = max(threads or count, count)
        places = choose_places(self.threads)
        self._cores = frozenset(core for place in places for core in place.cores)
        self._workers = [self._start(place) for place in places[:count]]

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        try:
            if kind is KeyboardInterrupt:
                self._leave()
        finally:
            for worker in self._workers:
                worker.process.kill()
                worker.process.join()
                worker.connection.close()

    def _leave(self) -> None:
        """Let each worker save its run and go: what it still tells, nobody may be able to hear."""
        busy = [worker for worker in self._workers if worker.runs]
        for worker in busy:
            self._tell(worker, LEAVE)
        end = time.monotonic() + PATIENCE
        for worker in busy:
            worker.process.join(max(end - time.monotonic(), 0))

    @property
    def running(self) -> list[Run]:
        """The runs in training now."""
        return [run for worker in self._workers for run in worker.runs]

    shares = True

    @property
    def nodes(self) -> dict[Key, str]:
        """Nothing to tell: all runs are on this machine."""
        return {}

    @property
    def free(self) -> int:
        """How many threads are free for what is submitted now; 0 where no process is."""
        if all(worker.runs for worker in self._workers):
            return 0
        taken = (self._room(worker.runs[0]) for worker in self._workers if worker.runs)
        return max(self.threads - sum(taken), 0)

    def _room(self, run: Run) -> int:
        """The threads that a run takes of those that there are."""
        return min(run.threads, self.threads)

    def submit(self, *runs: Run) -> None:
        """Give a run, or several that differ in their seed alone, to a free worker.

        There must be as many free threads as the run has, or there are in all. It is the worker
        that trained them last, if that one is free. Threads and cores are a process's from its
        first run on: where none has those that the run needs, or has trained nothing yet, one is
        replaced, which takes 5 s.
        """
        idle = [worker for worker in self._workers if not worker.runs]
        fits = [worker for worker in idle if self._fits(worker.place, runs[0])]
        last = [worker for worker in fits if worker.last == _keys(runs)]
        if not fits:
            fresh = [worker for worker in idle if not worker.last]
            fits = fresh[:1] or [self._restart(idle[0])]
            fits[0].place = self._find_place(fits[0].place, runs[0])
        self._send((last or fits)[0], runs)

    def _free_cores(self) -> set[int]:
        return set(self._cores.difference(*(worker.cores for worker in self._workers)))

    def _fits(self, place: Place, run: Run) -> bool:
        room = self._room(run) if self._cores else 0
        return (
            place.threads == run.threads
            and len(place.cores) == room
            and self._free_cores().issuperset(place.cores)
        )

    def _find_place(self, before: Place, run: Run) -> Place:
        """Where a run trains that cannot train in the place of this worker."""
        cores = sorted(self._free_cores(), key=lambda core: (core not in before.cores, core))
        return Place(tuple(cores[: self._room(run)]), before.gpu, run.threads)

    def _send(self, worker: _Worker, runs: Sequence[Run]) -> None:
        if not worker.last:
            self._tell(worker, worker.place)
        worker.runs = list(runs)
        worker.last = _keys(runs)
        worker.pausing = None
        self._tell(worker, tuple(runs))

    def _tell(self, worker: _Worker, message: object) -> None:
        # A worker that died cannot be told; `events` notices its death.
        with suppress(BrokenPipeError, ConnectionResetError):
            worker.connection.send(message)

    def pause(self) -> None:
        """Ask every run to be saved and to stop; each answers with an event."""
        for worker in self._workers:
            if worker.runs and worker.pausing is None:
                worker.pausing = time.monotonic()
                self._tell(worker, PAUSE)

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """Wait for the next events, at most `timeout` seconds, and yield them.

        Raises:
            WorkerError: our own code raised in a worker.
            InputError: a worker could not write a checkpoint or model.
        """
        busy = [worker for worker in self._workers if worker.runs]
        sources = {worker.connection: worker for worker in busy}
        sources |= {worker.process.sentinel: worker for worker in busy}  # type: ignore[misc]
        found = wait(list(sources), timeout)
        ready = {id(sources[source]): sources[source] for source in found}  # type: ignore[index]
        for worker in ready.values():
            yield from self._receive(worker)
        for worker in self._workers:
            if worker.runs and worker.is_late:
                worker.process.kill()

    def _receive(self, worker: _Worker) -> list[Event]:
        try:
            kind, content = worker.connection.recv()
        except (EOFError, ConnectionResetError):
            if worker.pausing is None:
                return self._replace(worker)
            # It died instead of pausing: its runs stop at their checkpoints.
            runs, worker.runs = worker.runs, []
            return [Event("paused", run) for run in runs]
        if kind == "error":
            raise WorkerError(f"trial {worker.runs[0].trial} raised\n{content}")
        if kind == "disk":
            raise cannot_write(*content)
        event: Event = content
        worker.has_told = True
        if event.kind != "epoch":
            worker.runs = [run for run in worker.runs if run.key != event.run.key]
        if kind == "last" and not worker.runs:
            self._restart(worker)
        return [event]

    def _replace(self, dead: _Worker) -> list[Event]:
        """Start another worker in the place of a dead one, and let it go on with the runs."""
        fresh = self._restart(dead)
        for run in dead.runs:
            self._deaths[run.key] = self._deaths.get(run.key, 0) + 1
        failed = [run for run in dead.runs if self._deaths[run.key] >= MAX_DEATHS]
        if going := [run for run in dead.runs if run not in failed]:
            self._send(fresh, going)
        reason = f"its worker died {MAX_DEATHS} times, last with exit code {dead.process.exitcode}"
        if dead.process.exitcode == NO_ROOM:
            reason = "the device has no room for it"
            if others := len(self._workers) - 1:
                reason += f" beside {say_count(others, 'other worker')}: fewer --workers have more"
        return [Event("failed", run, reason=reason) for run in failed]

    def _restart(self, old: _Worker) -> _Worker:
        old.process.kill()
        old.process.join()
        old.connection.close()
        fresh = self._workers[self._workers.index(old)] = self._start(old.place)
        fresh.has_told, fresh.since = old.has_told, old.since
        return fresh

    def _start(self, place: Place) -> _Worker:
        context = mp.get_context(START)
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(theirs, self._setup, place.gpu), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours, place)


def _keys(runs: Sequence[Run]) -> tuple[Key, ...]:
    return tuple(run.key for run in runs)
