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
    """

    metric: str
    direction: Literal["max", "min"]
    title: str
    worst: float
    highest: float

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


OBJECTIVES = {
    "val_categorical_accuracy": Objective("categorical_accuracy", "max", "accuracy", 0.0, 1.0),
    "val_loss": Objective("loss", "min", "loss", 1e9, math.inf),
}
