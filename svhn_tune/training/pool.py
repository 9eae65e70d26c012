"""Where runs execute, as search, confirm and plan see it: they do not know which machines it is.

workers.py has the processes of this machine, machines/actors.py the actors of a cluster.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from .runs import Event, Key, Run, Setup


class Pool(Protocol):
    """Trains runs of one stage side by side. A context manager; leaving it ends what trains.

    What is left by a KeyboardInterrupt is saved first.
    """

    @property
    def running(self) -> Sequence[Run]:
        """The runs in training now."""

    @property
    def threads(self) -> int:
        """How many threads train at a time; where no run may have several, how many runs."""

    @property
    def shares(self) -> bool:
        """Whether a run may have several of them."""

    @property
    def free(self) -> int:
        """How many of them are free for what is submitted now."""

    @property
    def nodes(self) -> Mapping[Key, str]:
        """On which node each run is; empty where all are on this machine."""

    def submit(self, *runs: Run) -> None:
        """Train a run, or several that differ in their seed alone, where something is free."""

    def pause(self) -> None:
        """Ask every run to be saved and to stop; each answers with an event."""

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """Wait for the next events, at most `timeout` seconds, and yield them.

        An epoch is told once the run's checkpoint of it, or of a later one, is on the disk of this
        machine; a run that ended once its model file is there, too.

        Raises:
            WorkerError: our own code raised where it trained.
            InputError: a checkpoint or model could not be written, or the cluster is gone.
        """


class Machines(Protocol):
    """What there is to train on."""

    @property
    def count(self) -> int:
        """How many runs can train side by side now."""

    @property
    def shares(self) -> bool:
        """Whether a run may have several threads."""

    def open(
        self, setup: Setup, most: int | None = None, threads: int | None = None
    ) -> AbstractContextManager[Pool]:
        """A pool for the runs of a stage.

        Args:
            setup: what they share.
            most: how many train side by side, if not as many as there can.
            threads: how many those have together, if a run may have several.
        """

    def read_memory(self, count: int) -> float:
        """Bytes that each of `count` cohorts side by side has, at least."""
