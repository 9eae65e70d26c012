"""How much time is left, from how fast epochs went so far. Numbers in, numbers out."""

import time


class Pace:
    """The time left of this call, by its mean epoch.

    Args:
        epochs: still to be trained, in all runs.
    """

    def __init__(self, epochs: int) -> None:
        self._left = epochs
        self._trained = 0
        self._start = time.monotonic()

    def end_epoch(self) -> None:
        """An epoch of some run has been trained."""
        self._left -= 1
        self._trained += 1

    def skip(self, epochs: int) -> None:
        """A run has ended so many epochs early."""
        self._left -= epochs

    def seconds_left(self) -> float | None:
        """Seconds on the wall until all is trained; None before the first epoch."""
        return estimate_seconds_left(time.monotonic() - self._start, self._trained, self._left)


def estimate_seconds_left(elapsed: float, trained: int, left: int) -> float | None:
    """Seconds that `left` epochs will take if `trained` took `elapsed`; None of none."""
    return elapsed / trained * max(left, 0) if trained > 0 else None
