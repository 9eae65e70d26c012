"""What a network is asked for: its outputs, what labels become for them, and back. Only NumPy.

The labels of a clock are minutes after 12:00, 0 to 719. A network may be asked for them in several
ways; what it answers is always taken back to minutes, so that all are judged by one error.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ..errors import nearest
from .dial import DIAL, wrap

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

HOURS = 12
OF_CLASSES = "categorical_crossentropy"
OF_NUMBERS = ("mean_squared_error", "mean_absolute_error", "huber")
WORDS = ("classes 24", "regression", "heads", "heads 60", "angle", "angle tanh", "angle both")
FORMS = "classes 24 to classes 720, regression, heads, heads 60, angle, angle tanh or angle both"


@dataclass(frozen=True)
class Head:
    """One output of a network: a dense layer of this name, and the loss that it is trained by."""

    name: str
    units: int
    activation: str
    loss: str


class Target(Protocol):
    """How labels become what heads are trained on, and outputs become labels again."""

    @property
    def heads(self) -> tuple[Head, ...]:
        """The outputs of the network, in order."""

    @property
    def stored(self) -> str:
        """The type, as NumPy names it, in which predictions are kept."""

    def encode(self, labels: "np.ndarray") -> "list[np.ndarray]":
        """Labels (N,) as (N, units) float32 of each head."""

    def decode(self, outputs: "Sequence[np.ndarray]") -> "np.ndarray":
        """Outputs (N, units) of each head as predictions (N,)."""


@dataclass(frozen=True)
class Classes:
    """A probability for each of `count` classes; a prediction is the most probable one."""

    count: int

    @property
    def heads(self) -> tuple[Head, ...]:
        """One."""
        return (Head("output", self.count, "softmax", OF_CLASSES),)

    @property
    def stored(self) -> str:
        """Whole numbers from 0, as small as they may be."""
        return "uint8" if self.count <= 256 else "uint16"

    def encode(self, labels: "np.ndarray") -> "list[np.ndarray]":
        """One-hot."""
        import numpy as np

        return [np.eye(self.count, dtype=np.float32)[labels]]

    def decode(self, outputs: "Sequence[np.ndarray]") -> "np.ndarray":
        """The class, as int64."""
        return outputs[0].argmax(axis=-1)


@dataclass(frozen=True)
class DialClasses:
    """The dial in `count` equal parts, a class each; a prediction is the middle of its part."""

    count: int
    stored = "float32"

    @property
    def heads(self) -> tuple[Head, ...]:
        """One."""
        return (Head("output", self.count, "softmax", OF_CLASSES),)

    @property
    def minutes(self) -> int:
        """How many minutes are one class."""
        return DIAL // self.count

    def encode(self, labels: "np.ndarray") -> "list[np.ndarray]":
        """One-hot."""
        import numpy as np

        return [np.eye(self.count, dtype=np.float32)[labels // self.minutes]]

    def decode(self, outputs: "Sequence[np.ndarray]") -> "np.ndarray":
        """Minutes; of a class of one minute that minute."""
        return wrap(outputs[0].argmax(axis=-1) * self.minutes + (self.minutes - 1) / 2)


@dataclass(frozen=True)
class Hours:
    """One number, the hours after 12:00: 3.0 at three o'clock, 5.5 at half past five."""

    loss: str = OF_NUMBERS[0]
    stored = "float32"

    @property
    def heads(self) -> tuple[Head, ...]:
        """One."""
        return (Head("output", 1, "linear", self.loss),)

    def encode(self, labels: "np.ndarray") -> "list[np.ndarray]":
        """Hours from 0 to below 12."""
        return [(labels[:, None] / 60).astype("float32")]

    def decode(self, outputs: "Sequence[np.ndarray]") -> "np.ndarray":
        """Minutes: 12.5 hours are half past twelve."""
        return wrap(outputs[0][:, 0] * 60.0)


@dataclass(frozen=True)
class HourAndMinute:
    """The hour as one of 12 classes, and the minute within it by a head of its own.

    That has 60 classes, or one number, from 0 to below 1 hour, trained by `loss`.
    """

    minute_classes: bool = False
    loss: str = OF_NUMBERS[0]
    stored = "float32"

    @property
    def heads(self) -> tuple[Head, ...]:
        """Two: hour and minute."""
        of_minutes = Head("minute", 1, "linear", self.loss)
        if self.minute_classes:
            of_minutes = Head("minute", 60, "softmax", OF_CLASSES)
        return (Head("hour", HOURS, "softmax", OF_CLASSES), of_minutes)

    def encode(self, labels: "np.ndarray") -> "list[np.ndarray]":
        """The hour one-hot; the minute one-hot, or as a share of the hour."""
        import numpy as np

        hours = np.eye(HOURS, dtype=np.float32)[labels // 60]
        if self.minute_classes:
            return [hours, np.eye(60, dtype=np.float32)[labels % 60]]
        return [hours, (labels[:, None] % 60 / 60).astype(np.float32)]

    def decode(self, outputs: "Sequence[np.ndarray]") -> "np.ndarray":
        """Minutes: what the second head says beyond its hour is of the next one, or of the last."""
        hours, minutes = outputs
        within = minutes.argmax(axis=-1) if self.minute_classes else minutes[:, 0] * 60.0
        return wrap(hours.argmax(axis=-1) * 60 + within)


@dataclass(frozen=True)
class Angle:
    """Sine and cosine of the hour hand's angle: two numbers that have no jump at twelve.

    With `both` those of the minute hand, too: it tells the minutes, the hour hand only the hour.
    """

    activation: str = "linear"
    loss: str = OF_NUMBERS[0]
    both: bool = False
    stored = "float32"

    @property
    def heads(self) -> tuple[Head, ...]:
        """One of two units, of both hands four."""
        return (Head("output", 4 if self.both else 2, self.activation, self.loss),)

    def encode(self, labels: "np.ndarray") -> "list[np.ndarray]":
        """Sine and cosine, of both hands the hour's first."""
        import numpy as np

        turns = [labels / DIAL, labels % 60 / 60][: 1 + self.both]
        waves = [wave(2 * math.pi * turn) for turn in turns for wave in (np.sin, np.cos)]
        return [np.stack(waves, axis=-1).astype(np.float32)]

    def decode(self, outputs: "Sequence[np.ndarray]") -> "np.ndarray":
        """Minutes: of the angles alone, whatever the length."""
        import numpy as np

        waves = outputs[0].astype(float)
        times = np.arctan2(waves[:, 0], waves[:, 1]) * (DIAL / (2 * math.pi))
        if self.both:
            minutes = np.arctan2(waves[:, 2], waves[:, 3]) * (60 / (2 * math.pi))
            times = np.rint((times - minutes) / 60) * 60 + minutes
        return wrap(times)


def parse_target(text: str, loss: str | None) -> Target:
    """The target of these words, for labels on a dial.

    Args:
        text: such as "classes 24".
        loss: of a head that gives numbers; None for the mean squared error.

    Raises:
        ValueError: there is none of these words, or it has no such loss; the message says why.
    """
    name, *words = text.split() or [""]
    of_numbers = loss if loss in OF_NUMBERS else OF_NUMBERS[0]
    match name, words:
        case "classes", [count]:
            divides = count in {str(each) for each in range(24, DIAL + 1) if DIAL % each == 0}
            if not divides:
                raise ValueError(
                    f"'{text}': a dial has 24 to 720 classes, and so many that they divide its 720 "
                    f"minutes, such as 24, 72, 144 or 720"
                )
            return _check_loss(DialClasses(int(count)), text, loss)
        case "regression", []:
            return _check_loss(Hours(of_numbers), text, loss)
        case "heads", ["60"]:
            return _check_loss(HourAndMinute(minute_classes=True), text, loss)
        case "heads", []:
            return _check_loss(HourAndMinute(loss=of_numbers), text, loss)
        case "angle", []:
            return _check_loss(Angle(loss=of_numbers), text, loss)
        case "angle", ["tanh"]:
            return _check_loss(Angle("tanh", of_numbers), text, loss)
        case "angle", ["both"]:
            return _check_loss(Angle(loss=of_numbers, both=True), text, loss)
    raise ValueError(f"'{text}' is none of {FORMS}.{nearest(text, WORDS)}")


def _check_loss(target: Target, text: str, loss: str | None) -> Target:
    """The target, whose last head is trained by this loss, if one is given.

    Raises:
        ValueError: it is not.
    """
    own = target.heads[-1].loss
    if loss not in (None, own):
        fits = own if own == OF_CLASSES else ", ".join(OF_NUMBERS)
        raise ValueError(f"'{text}' is trained by {fits}, not by the loss {loss}")
    return target
