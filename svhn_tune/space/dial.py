"""Times on a dial as minutes after 12:00, 0 to 719, and how far they are apart. Only NumPy."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

DIAL = 720  # minutes around it


def say_time(minutes: float) -> str:
    """`3:05`, to the nearest minute."""
    hour, minute = divmod(round(float(minutes)) % DIAL, 60)
    return f"{hour}:{minute:02}"


def wrap(minutes: "np.ndarray") -> "np.ndarray":
    """Minutes (N,) of any turn of the hand as those of the first: float32, 0 to below 720."""
    import numpy as np

    once = np.mod(minutes.astype(float), DIAL).astype(np.float32)
    # The nearest float32 of a number just below 720 may be 720.
    return np.where(once >= DIAL, np.float32(0), once)


def measure_apart(minutes: "np.ndarray", others: "np.ndarray") -> "np.ndarray":
    """Minutes around the dial between times (N,): 11:55 and 0:05 are ten apart, none above 360."""
    import numpy as np

    apart = np.abs(np.asarray(minutes, float) - others) % DIAL
    return np.minimum(apart, DIAL - apart)


def measure_minutes(labels: "np.ndarray", predicted: "np.ndarray") -> float:
    """The common-sense error: the mean of minutes around the dial between times (N,)."""
    return float(measure_apart(labels, predicted).mean())
