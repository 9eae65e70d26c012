"""Where runs execute on a cluster: Ray actors, each of which trains one cohort at a time.

All that they bring is written here, by the one thread that asks: a checkpoint is in the project's
folder before an actor goes on. One that dies costs its runs what a worker of this machine does, and
one whose node is gone is not the runs' fault: they go on elsewhere from what came back.
"""

import itertools
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import ray
from ray.exceptions import RayError, RayTaskError

from ..data.cache import open_arrays
from ..errors import cannot_write
from ..training.runs import Event, Key, Run, Setup
from ..training.workers import MAX_DEATHS, WorkerError
from .losses import Judged, Losses
from .nodes import Cluster, Node
from .remote import PATIENCE, Actor, keep, keys, start, wait
from .trainer import Parcel

# Seconds in which actors clear their folders before they are killed.
TIDY = 2.0


class RayWorkers:
    """Actors on all nodes of a cluster that train runs of one stage. Use as a context manager.

    Args:
        cluster: that this process is connected to.
        setup: what the runs share.
        most: how many runs, or cohorts of them, train side by side; None for all it has room for.
    """

    def __init__(self, cluster: Cluster, setup: Setup, most: int | None = None) -> None:
        self._cluster, self._setup, self._most = cluster, setup, most
        self._actors: list[Actor] = []
        self._waiting: list[list[Run]] = []
        self._losses = Losses(cluster)
        self._untold: list[Event] = []
        self._tickets = itertools.count(1)
        splits = open_arrays(setup.arrays)
        arrays = [array for split in splits for array in (split.images, split.labels)]
        # Once a cluster: a node takes them from another one, and its actors read them in place.
        self._shared = [ray.put(setup), *(ray.put(np.asarray(array)) for array in arrays)]
        self._grow()

    def __enter__(self) -> "RayWorkers":
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if self._cluster.is_gone:
            # Whoever asks a head that is gone waits; without it Ray's processes end.
            return
        try:
            if kind is KeyboardInterrupt:
                self._leave()
        finally:
            with suppress(RayError, ConnectionError):
                leaving = [actor.handle.leave.remote() for actor in self._actors if actor.is_ready]
                if leaving:
                    ray.wait(leaving, num_returns=len(leaving), timeout=TIDY)
            for actor in self._actors:
                actor.kill()

    def _leave(self) -> None:
        """Let each actor save its run, and write down what comes back."""
        self.pause()
        end = time.monotonic() + PATIENCE
        while any(actor.runs for actor in self._actors) and time.monotonic() < end:
            for _ in self.events(timeout=1.0):
                pass

    @property
    def running(self) -> list[Run]:
        """The runs in training now, and those that wait until they go on."""
        at_work = [actor.runs for actor in self._actors]
        return [run for runs in (*at_work, *self._waiting, *self._losses.doubted) for run in runs]

    shares = False

    @property
    def threads(self) -> int:
        """How many runs train at a time, each on one CPU, whatever threads it was begun with."""
        return max(len(self._actors), 1)

    @property
    def free(self) -> int:
        """How many cohorts could be submitted now."""
        idle = sum(not actor.runs for actor in self._actors) - len(self._waiting)
        # Where no actor is left, one cohort waits until there is another.
        return max(idle, int(not self.running))

    @property
    def nodes(self) -> Mapping[Key, str]:
        """On which node each run is."""
        return {run.key: actor.node.name for actor in self._actors for run in actor.runs}

    def submit(self, *runs: Run) -> None:
        """Train a run, or several that differ in their seed alone, on an actor that is free.

        It is the one that trained them last, if that one is free.
        """
        self._waiting.append(list(runs))
        self._hand_out()

    def _hand_out(self) -> None:
        """Give what waits to actors that are there."""
        while self._waiting:
            idle = [actor for actor in self._actors if actor.is_ready and not actor.runs]
            if not idle:
                return
            threads = self._waiting[0][0].threads
            fits = [actor for actor in idle if actor.threads == threads]
            if not fits:
                self._exchange(idle[0], threads)
                return
            runs = self._waiting.pop(0)
            last = [actor for actor in fits if actor.last == keys(runs)]
            (last or fits)[0].train(next(self._tickets), runs, is_there=bool(last))

    def _exchange(self, idle: Actor, threads: int) -> None:
        """A process has its threads for life: one that has others takes its place."""
        if not any(actor.threads == threads and not actor.is_ready for actor in self._actors):
            idle.kill()
            self._actors.remove(idle)
            self._start(idle.node, threads)

    def pause(self) -> None:
        """Ask every run to be saved and to stop; each answers with an event."""
        for actor in self._actors:
            if actor.runs and not actor.is_pausing:
                actor.pause()
        for runs in [*self._waiting, *self._losses.doubted]:
            self._untold += [Event("paused", run) for run in runs]
        self._waiting = []
        self._losses.drop_doubted()

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """Wait for the next events, at most `timeout` seconds, and yield them.

        Raises:
            WorkerError: our own code raised in an actor.
            InputError: a checkpoint or model could not be written, or the cluster is gone.
        """
        self._follow_nodes()
        self._hand_out()
        found = [] if self._untold else wait(self._actors, timeout)
        for actor, answer in found:
            # An actor that another one's end has brought down with it is not asked again.
            if actor in self._actors:
                self._untold += self._receive(actor, answer)
        for actor in [actor for actor in self._actors if actor.is_late]:
            self._untold += self._end(actor)
        self._hand_out()
        told, self._untold = self._untold, []
        yield from told

    def _receive(self, actor: Actor, answer: Any) -> list[Event]:
        try:
            content = ray.get(answer)
        except RayTaskError as error:
            raise WorkerError(f"a trainer raised\n{error}") from error
        except RayError:
            return self._end(actor)
        if answer == actor.ready:
            actor.is_ready = True
            return []
        told = [event for parcel in content for event in self._open(actor, parcel)]
        if actor in self._actors:
            actor.collect()
        return told

    def _open(self, actor: Actor, parcel: Parcel) -> list[Event]:
        """Write what a parcel has; the event, if it is one."""
        kind, content = parcel.kind, parcel.content
        if kind == "error":
            trials = " and ".join(f"trial {run.trial}" for run in actor.runs) or "a trainer"
            raise WorkerError(f"{trials} on node {actor.node.name} raised\n{content}")
        if kind == "disk":
            raise cannot_write(f"{content[0]} on node {actor.node.name}", content[1])
        if kind == "data":
            self._cluster.refuse(actor.node.id, "the images that came there are others")
            return self._end(actor)
        actor.has_told = True
        key = content.run.key if parcel.key is None else parcel.key
        found = [run for run in actor.runs if run.key == key]
        if not found:
            # Ctrl-C came when it had been told already, but not that it was.
            return []
        (run,) = found
        if kind in ("checkpoint", "model"):
            keep(run, content)
            return []
        if content.kind != "epoch":
            actor.runs = [each for each in actor.runs if each is not run]
        if kind == "last" and not actor.runs:
            self._end(actor)
            self._start(actor.node)
        return [replace(content, run=run)]

    def _end(self, actor: Actor) -> list[Event]:
        """An actor has died, or is to: its runs go on elsewhere, unless they were to stop."""
        actor.kill()
        self._actors.remove(actor)
        runs, node = actor.runs, actor.node.id
        if actor.is_pausing:
            return [Event("paused", run) for run in runs]
        if not actor.is_ready:
            self._losses.add_failed_start(actor.node)
        return self._go_on(self._losses.add(runs, node))

    def _go_on(self, judged: Judged | None) -> list[Event]:
        """Runs that go on wait for an actor; events of those that have failed."""
        if judged is None:
            return []
        if judged.going:
            self._waiting.insert(0, judged.going)
        reason = f"its worker died {MAX_DEATHS} times"
        return [Event("failed", run, reason=reason) for run in judged.failed]

    def _follow_nodes(self) -> None:
        """Leave nodes that are gone, use those that are new, and judge what was in doubt."""
        nodes = self._cluster.look()
        for actor in [actor for actor in self._actors if actor.node.id not in nodes]:
            self._untold += self._end(actor)
        self._grow()
        for judged in self._losses.settle():
            self._untold += self._go_on(judged)

    def _grow(self) -> None:
        """Start actors where there is room, on each node in turn."""
        nodes = [n for n in self._cluster.look().values() if not self._losses.is_resting(n)]
        while nodes:
            used = [actor.node.id for actor in self._actors]
            limit = self._cluster.limit(len(used) + 1)
            if limit <= len(used) or (self._most is not None and len(used) >= self._most):
                return
            nodes = [node for node in nodes if used.count(node.id) < node.room]
            if nodes:
                self._start(min(nodes, key=lambda node: used.count(node.id)))

    def _start(self, node: Node, threads: int = 1) -> None:
        self._actors.append(start(node, self._cluster.gpus_per_run, threads, self._shared))
