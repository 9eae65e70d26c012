"""When a run is saved, and when it stops: between two pieces of its work, asked by its engine.

A kill costs at most a minute, and saving at most a fiftieth of the time: 60 million parameters take
0.8 s. Where both cannot be, on a slower disk, the minute is kept; at most a tenth is spent so.
"""

import time
from collections.abc import Callable

from .runs import Event

MINUTE = 60.0
SHARE = 1 / 50
MOST = 1 / 10
# For a piece of work between two questions, and for a first saving: nobody knows what it takes.
SLACK = 8.0
# Seconds of work beyond its first piece that a run gets on by, whoever wishes it to stop.
GRACE = 2.0


class Breaks:
    """Of one run, or of several that train together, from when they begin or go on.

    Args:
        write: writes its checkpoint as it is now.
        tell: is told each epoch once it is on the disk.
        should_pause: whether it is wished to stop; once it was, it is not asked again.
    """

    def __init__(
        self,
        write: Callable[[], None],
        tell: Callable[[Event], None],
        should_pause: Callable[[], bool],
    ) -> None:
        self._write, self._tell, self._should_pause = write, tell, should_pause
        self._untold: list[Event] = []
        self._saved = time.monotonic()
        self._cost = 0.0
        self._first: float | None = None
        self._is_wished = False

    @property
    def is_wished(self) -> bool:
        """Whether the run is wished to stop, as it may at an epoch's end."""
        self._is_wished = self._is_wished or self._should_pause()
        return self._is_wished

    def stop(self) -> bool:
        """Whether to stop here, within an epoch; saves it where a minute is nearly over."""
        now = time.monotonic()
        if self._first is None:
            self._first = now
        # The last one counts until the next is on the disk.
        usual = MINUTE - SLACK - 2 * self._cost
        if now - self._saved > max(usual, self._cost / MOST):
            self.save()
        return self.is_wished and now - self._first > GRACE

    def end_epoch(self, *events: Event) -> None:
        """An epoch has ended: it is saved now, or with a later one if saving is dear beside it."""
        self._untold += events
        if time.monotonic() - self._saved >= self._cost / SHARE:
            self.save()

    def save(self) -> None:
        """Save it as it is, and tell the epochs that were not."""
        start = time.monotonic()
        self._write()
        self._saved = time.monotonic()
        self._cost = self._saved - start
        for event in self._untold:
            self._tell(event)
        self._untold = []

    def end(self) -> None:
        """Save it, unless its last epoch is."""
        if self._untold:
            self.save()
