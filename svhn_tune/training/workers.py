"""Where runs execute: local processes, each of which trains one run at a time.

The parent owns the oracle and the journal; a worker only trains, and reports each epoch. A
worker that dies is replaced and its run goes on from its checkpoint. Importing this module does not
import TensorFlow: only a worker does.
"""

import errno
import multiprocessing as mp
import os
import signal
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from ..errors import cannot_write
from .runs import Event, Run, Setup

MAX_DEATHS = 3
UNWRITABLE = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EISDIR,
)


class WorkerError(RuntimeError):
    """Our own code failed in a worker: a bug, which stops the search. Holds its traceback."""


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    core: int | None
    run: Run | None = None
    last: tuple[str, int, int] | None = None
    pausing: bool = False


class Workers:
    """`count` processes that train runs of one stage. Use as a context manager.

    Args:
        count: how many runs train side by side.
        setup: what the runs share.
    """

    def __init__(self, count: int, setup: Setup) -> None:
        self._setup = setup
        self._deaths: dict[tuple[str, int, int], int] = {}
        self._workers = [self._start(core) for core in _choose_cores(count)]

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self._workers:
            worker.process.kill()
            worker.process.join()
            worker.connection.close()

    @property
    def running(self) -> list[Run]:
        """The runs in training now."""
        return [worker.run for worker in self._workers if worker.run is not None]

    @property
    def free(self) -> int:
        """How many runs could be submitted now."""
        return len(self._workers) - len(self.running)

    def submit(self, run: Run) -> None:
        """Give `run` to a free worker: the one that trained it last, if that one is free."""
        idle = [worker for worker in self._workers if worker.run is None]
        last = [worker for worker in idle if worker.last == run.key]
        self._send((last or idle)[0], run)

    def _send(self, worker: _Worker, run: Run) -> None:
        worker.run = run
        worker.last = run.key
        worker.pausing = False
        self._tell(worker, run)

    def _tell(self, worker: _Worker, message: object) -> None:
        # A worker that died cannot be told; `events` notices its death.
        with suppress(BrokenPipeError, ConnectionResetError):
            worker.connection.send(message)

    def pause(self) -> None:
        """Ask every run to stop at the end of its epoch; each answers with an event."""
        for worker in self._workers:
            if worker.run is not None and not worker.pausing:
                worker.pausing = True
                self._tell(worker, "pause")

    def events(self) -> Iterator[Event]:
        """Wait for the next events, and yield them.

        Raises:
            WorkerError: our own code raised in a worker.
            InputError: a worker could not write a checkpoint or model.
        """
        busy = [worker for worker in self._workers if worker.run is not None]
        sources = {worker.connection: worker for worker in busy}
        sources |= {worker.process.sentinel: worker for worker in busy}  # type: ignore[misc]
        ready = {id(sources[source]): sources[source] for source in wait(list(sources))}  # type: ignore[index]
        for worker in ready.values():
            event = self._receive(worker)
            if event is not None:
                yield event

    def _receive(self, worker: _Worker) -> Event | None:
        run = worker.run
        assert run is not None
        try:
            kind, content = worker.connection.recv()
        except (EOFError, ConnectionResetError):
            if not worker.pausing:
                return self._replace(worker, run)
            # It died instead of pausing: its run stops at the checkpoint, one epoch earlier.
            kind, content = "event", Event("paused", run)
        if kind == "error":
            raise WorkerError(f"trial {run.trial} raised\n{content}")
        if kind == "disk":
            raise cannot_write(*content)
        event: Event = content
        if event.kind != "epoch":
            worker.run = None
        if kind == "last":
            self._restart(worker)
        return event

    def _replace(self, dead: _Worker, run: Run) -> Event | None:
        """Start another worker in the place of a dead one, and let it go on with the run."""
        fresh = self._restart(dead)
        deaths = self._deaths[run.key] = self._deaths.get(run.key, 0) + 1
        if deaths < MAX_DEATHS:
            self._send(fresh, run)
            return None
        reason = f"its worker died {deaths} times, last with exit code {dead.process.exitcode}"
        return Event("failed", run, reason=reason)

    def _restart(self, old: _Worker) -> _Worker:
        old.process.kill()
        old.process.join()
        old.connection.close()
        fresh = self._workers[self._workers.index(old)] = self._start(old.core)
        return fresh

    def _start(self, core: int | None) -> _Worker:
        context = mp.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, self._setup, core), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours, core)


def _choose_cores(count: int) -> list[int | None]:
    """A core for each worker where they fill the machine; else the system places them."""
    if hasattr(os, "sched_getaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        if count == len(cores) > 1:
            return list(cores)
    return [None] * count


def _work(connection: Connection, setup: Setup, core: int | None) -> None:
    """A worker's main loop: train the runs that it is sent, until the parent is gone."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    # Ctrl-C reaches every process of a terminal; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        from .execution import Executor

        executor = Executor(setup)

        def tell(event: Event) -> None:
            is_last = event.kind == "done" and executor.has_grown()
            connection.send(("last" if is_last else "event", event))

        def should_pause() -> bool:
            # All that arrives while a run trains is the request to pause it.
            return connection.poll() and bool(connection.recv())

        while True:
            run = connection.recv()
            # A request to pause may arrive after its run has ended.
            if isinstance(run, Run):
                executor.execute(run, tell, should_pause)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except Exception as error:
        if isinstance(error, OSError) and error.errno in UNWRITABLE:
            connection.send(("disk", (error.filename, error.strerror)))
        else:
            connection.send(("error", traceback.format_exc()))
        # The parent raises, and ends this process; leaving now could lose what was sent.
        time.sleep(60)


def _die_with_parent() -> None:
    """An orphan would go on training what a resumed search trains again."""
    parent = mp.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
