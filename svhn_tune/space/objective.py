"""What a run is scored by, which way is better, and how a person reads it."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class Objective:
    """What the runs of a space are scored by.

    Args:
        metric: as Keras reports it of training images.
        direction: "max" where a higher score is better, "min" where a lower one is.
        title: its name in tables and figures.
        worst: the worst score possible. It stands for the score of a run that failed or diverged,
            which has none, where a number is needed.
        highest: the highest score possible; none is below 0.
        digits: how many are said behind the point.
        unit: what a score counts, for sentences.
        in_training: what is shown of training images in its place.
    """

    metric: str
    direction: Literal["max", "min"]
    title: str
    worst: float
    highest: float
    digits: int = 4
    unit: str = ""
    in_training: str = "loss"

    @property
    def validated(self) -> str:
        """The metric's name on images that the run does not train on."""
        return f"val_{self.metric}"

    @property
    def tested(self) -> str:
        """The metric's name on the test set."""
        return f"test_{self.metric}"

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher score is better."""
        return self.direction == "max"

    @property
    def form(self) -> str:
        """How a score is said, for `format`."""
        return f".{self.digits}f"

    def say(self, score: float | None) -> str:
        """`0.8510`, or `-` of a run that failed or diverged."""
        return "-" if score is None else f"{score:{self.form}}"

    def tell(self, score: float | None) -> str:
        """The same with its unit: `12.34 minutes`."""
        return f"{self.say(score)} {self.unit}".strip()

    def count(self, score: float | None) -> float:
        """What a score counts as in a mean and for an oracle: the worst where there is none."""
        return self.worst if score is None else score

    def sort_key(self, score: float | None) -> float:
        """A number to sort by, best first; a run without a score comes last."""
        if score is None:
            return math.inf
        return -score if self.higher_is_better else score

    def best(self, items: Iterable[Item], score: Callable[[Item], float | None]) -> Item:
        """The item with the best score, the first of those that have it."""
        return min(items, key=lambda item: self.sort_key(score(item)))


# The common-sense error around a dial, what every network that tells the time is scored by.
OF_DIAL = "val_minutes"
OBJECTIVES = {
    "val_categorical_accuracy": Objective(
        "categorical_accuracy", "max", "accuracy", 0.0, 1.0, in_training="categorical_accuracy"
    ),
    "val_loss": Objective("loss", "min", "loss", 1e9, math.inf),
    OF_DIAL: Objective("minutes", "min", "error in minutes", 360.0, 360.0, 2, "minutes"),
}
