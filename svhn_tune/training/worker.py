"""A worker process: it trains what it is given, one cohort at a time, and says what came of it."""

import errno
import multiprocessing as mp
import os
import signal
import threading
import time
import traceback
from multiprocessing.connection import Connection, wait

from ..engines.engine import load_engine
from .runs import Event, Setup

# A worker's exit status where the device has no room for its run.
NO_ROOM = 75
# What a parent sends beside a place and then tuples of runs. Who is to leave saves its run first,
# as for a pause.
PAUSE, LEAVE = "pause", "leave"
UNWRITABLE = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EACCES,
    errno.EISDIR,
)


def work(connection: Connection, setup: Setup, gpu: str | None) -> None:
    """A worker's main loop: train what it is sent, until it is to leave or orphaned.

    Its cores and threads are sent with its first run, to whose threads they are fitted: who had
    them before would have to be replaced, and import TensorFlow again.
    """
    if gpu is not None:
        # Read when TensorFlow, or JAX, looks for devices.
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    # Ctrl-C reaches every process of a terminal; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    try:
        from .execution import Executor

        load_engine(setup.engine)
        place = connection.recv()
        if place.cores:
            os.sched_setaffinity(0, place.cores)
        executor = Executor(setup, place.threads)

        def tell(event: Event) -> None:
            is_last = event.kind == "done" and executor.has_grown()
            connection.send(("last" if is_last else "event", event))

        wish = ""

        def should_pause() -> bool:
            nonlocal wish
            # All that arrives while a run trains is the request to pause it, or to leave.
            if connection.poll():
                wish = connection.recv()
            return bool(wish)

        while wish != LEAVE:
            message = connection.recv()
            wish = ""
            if isinstance(message, tuple):
                executor.execute(message, tell, should_pause)
            else:
                # A request may arrive after its run has ended.
                wish = message
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
    except MemoryError:
        # What a process has taken of a GPU it never gives back: a fresh one goes on, with more.
        os._exit(NO_ROOM)
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
