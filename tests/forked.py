"""svhn_tune in a process of its own, without the seconds that its imports take.

The process is forked from one that has imported KerasTuner, and with it TensorFlow; it trains by
the engine of the test. It can be killed, interrupted and waited for. The workers of a search are
spawned as ever, for what happens to processes is looked at; those of a command are forked.
"""

import gc
import multiprocessing
import os
import signal
import sys
from contextlib import suppress
from multiprocessing import forkserver

import psutil

from svhn_tune.engines import engine
from svhn_tune.training import workers

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    [
        *("svhn_tune.stages.search_loop", "svhn_tune.engines.engine_tensorflow"),
        *("svhn_tune.report.page", "sklearn.model_selection", "softmax_engine"),
    ]
)


def start_server():
    """Before a test changes the environment: the server's is that of all that is forked from it."""
    forkserver.ensure_running()


class Forked(psutil.Process):
    """The process, with what it shares with `psutil.Popen`."""

    def __init__(self, process):
        super().__init__(process.pid)
        self._process = process

    def poll(self):
        return self._process.exitcode

    def send_signal(self, sig):
        # As of `psutil.Popen`, one that has ended hears nothing.
        with suppress(psutil.NoSuchProcess):
            super().send_signal(sig)

    def wait(self, timeout=None):
        self._process.join(timeout)
        return self._process.exitcode


def start_search(**arguments):
    """The process that runs `svhn_tune.search(**arguments)`: a command without its report."""
    return _start(_search, arguments, "spawn")


def start_command(arguments, place=".", stdout=os.devnull, stderr=os.devnull, start_workers="fork"):
    """The process that runs `python -m svhn_tune` with these arguments; its streams are files."""
    given = (list(map(str, arguments)), os.path.abspath(place))
    streams = os.path.abspath(stdout), os.path.abspath(stderr)
    return _start(_command, given, start_workers, *streams)


def _start(target, arguments, start_workers, stdout=os.devnull, stderr=os.devnull):
    chosen = (engine.DEFAULT, start_workers)
    given = (dict(os.environ), chosen, target, arguments, stdout, stderr)
    process = CONTEXT.Process(target=_run, args=given)
    process.start()
    return Forked(process)


def _run(environment, chosen, target, arguments, stdout, stderr):
    # What the server imported is no garbage.
    gc.freeze()
    # The server's is that of the first test that needed it.
    os.environ.clear()
    os.environ.update(environment)
    for number, path in ((1, stdout), (2, stderr)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND), number)
    engine.DEFAULT, workers.START = chosen
    target(arguments)


def _search(arguments):
    from svhn_tune import search

    # Where the tests are a job in a shell's background, they and all that they start ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    search(**arguments)


def _command(given):
    from svhn_tune.cli import main

    arguments, place = given
    os.chdir(place)
    os.environ["TERM"] = "xterm-256color"  # which is asked only where a stream is a terminal
    sys.argv = ["svhn_tune", *arguments]
    main()
