"""What trains in a Ray actor: a worker whose parent is elsewhere and shares no disk with it.

Checkpoints and models are written into a folder of the node, and wait there for the parent: a run
goes on once it has them, as it does once a disk has them. So the time that this takes is part of
what saving costs (breaks.py), and a network that is slow is asked less often. Ray is not imported.
"""

import os
import queue
import re
import shutil
import tempfile
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil

from ..data.dataset import Split, compute_fingerprint
from ..engines.maps import maps_path
from ..training.runs import Event, Key, Run, Setup

PREFIX = "svhn_tune-run-"


class Parcel(NamedTuple):
    """What a trainer sends: the bytes of a run's files, an event, or what went wrong.

    A "checkpoint" is one array, a "model" has one for each suffix; "event" and "last" are events,
    after the last of which memory has grown; "disk", "data" and "error" are the end.
    """

    kind: str
    content: Any
    key: Key | None = None


class Trainer:
    """Trains cohorts of one stage, one at a time, in a thread of its own.

    Args:
        has_gpu: whether it may use one.
        threads: of this process.
        setup: what the runs share.
        arrays: images and labels to train on and to test with, as they lie in the node's memory.
    """

    def __init__(
        self,
        has_gpu: bool,
        threads: int,
        setup: Setup,
        *arrays: np.ndarray,
    ) -> None:
        if not has_gpu:
            os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        self._setup, self._threads = setup, threads
        self._splits = Split(*arrays[:2]), Split(*arrays[2:])
        self._jobs: queue.SimpleQueue[tuple[int, Sequence[Run], Sequence[Any]]]
        self._jobs = queue.SimpleQueue()
        self._paused = 0
        self._changed = threading.Condition()
        self._parcels: list[Parcel] = []
        self._sent = self._taken = self._kept = 0
        self._folder = _make_folder()
        threading.Thread(target=self._work, daemon=True).start()

    def is_ready(self) -> bool:
        """Whether it is there: once this is answered."""
        return True

    def train(self, ticket: int, runs: Sequence[Run], checkpoints: Sequence[Any]) -> None:
        """Train these together, from the bytes of their checkpoints, or None; `collect` tells."""
        self._jobs.put((ticket, runs, checkpoints))

    def pause(self, ticket: int) -> None:
        """Save and stop what was sent with this ticket, or before."""
        self._paused = max(self._paused, ticket)

    def _is_paused(self, ticket: int) -> bool:
        return self._paused >= ticket

    def leave(self) -> None:
        """Clear the folder; what trains is killed next."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def collect(self) -> list[Parcel]:
        """Wait for the next parcels. Asking says that those before are on the parent's disk."""
        with self._changed:
            self._kept = self._taken
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._parcels)
            parcels, self._parcels = self._parcels, []
            self._taken = self._sent
        return parcels

    def _send(self, *parcels: Parcel) -> int:
        with self._changed:
            self._parcels += parcels
            self._sent += len(parcels)
            self._changed.notify_all()
            return self._sent

    def _bring_checkpoint(self, run: Run) -> None:
        """Send a checkpoint, and wait until the parent has it."""
        number = self._send(Parcel("checkpoint", np.fromfile(run.checkpoint, np.uint8), run.key))
        with self._changed:
            self._changed.wait_for(lambda: self._kept >= number)

    def _tell(self, event: Event, has_grown: Callable[[], bool]) -> None:
        if event.kind != "done":
            self._send(Parcel("event", event))
            return
        if (model := event.run.model_file) is not None:
            files = [path for path in (model, maps_path(model)) if path.exists()]
            content = {path.suffix: np.fromfile(path, np.uint8) for path in files}
            self._send(Parcel("model", content, event.run.key))
            for path in files:
                path.unlink()
        self._send(Parcel("last" if has_grown() else "event", event))

    def _work(self) -> None:
        from ..training.execution import Executor
        from ..training.worker import UNWRITABLE

        try:
            if compute_fingerprint(*self._splits) != self._setup.fingerprint:
                self._send(Parcel("data", None))
                return
            executor = Executor(self._setup, self._threads, self._splits, self._bring_checkpoint)
            while True:
                ticket, runs, checkpoints = self._jobs.get()
                executor.execute(
                    self._take(runs, checkpoints),
                    lambda event: self._tell(event, executor.has_grown),
                    partial(self._is_paused, ticket),
                )
        except OSError as error:
            if error.errno not in UNWRITABLE:
                self._send(Parcel("error", traceback.format_exc()))
            else:
                self._send(Parcel("disk", (error.filename, error.strerror)))
        except Exception:
            self._send(Parcel("error", traceback.format_exc()))

    def _take(self, runs: Sequence[Run], checkpoints: Sequence[Any]) -> list[Run]:
        """The runs with their files in the folder, which no others are in."""
        here = [self._place(run) for run in runs]
        kept = {run.checkpoint for run in here}
        for path in self._folder.iterdir():
            if path not in kept:
                path.unlink()
        for run, checkpoint in zip(here, checkpoints, strict=True):
            if checkpoint is not None:
                run.checkpoint.write_bytes(checkpoint.data)
        return here

    def _place(self, run: Run) -> Run:
        model = None if run.model_file is None else self._folder / run.model_file.name
        return replace(run, checkpoint=self._folder / run.checkpoint.name, model_file=model)


def _make_folder() -> Path:
    """A folder for the files of a run; those of trainers that were killed are cleared."""
    root = Path(tempfile.gettempdir())
    for path in root.glob(f"{PREFIX}*"):
        owner = re.fullmatch(re.escape(PREFIX) + "([0-9]+)-.*", path.name)
        if owner is not None and not psutil.pid_exists(int(owner[1])):
            with suppress(OSError):
                shutil.rmtree(path)
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=root))
