"""The table, read: its runs, grouped by configuration."""

import gzip
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

TABLE = Path(__file__).parent / "table.json.gz"
ACCURACY, LOSS = "val_categorical_accuracy", "val_loss"
# Accuracies are kept to five digits, and one image of 1,500 more or less is 7e-4.
SAME = 3e-4


@dataclass(frozen=True)
class Configuration:
    """One set of values and what training it brought.

    Args:
        values: of its hyperparameters.
        baseline: whether it is the space's.
        drawn: whether it was drawn at random from the whole space.
        epoch_seconds: what an epoch of the table costs, by the cost model.
        accuracy, loss: (seeds, epochs), on the validation images. A loss that is not finite
            stands as NaN.
        collapsed: (seeds,) whether it ended in predicting one class.
    """

    values: dict[str, Any]
    baseline: bool
    drawn: bool
    epoch_seconds: float
    accuracy: np.ndarray
    loss: np.ndarray
    collapsed: np.ndarray


@dataclass(frozen=True)
class Table:
    """The configurations of one space, and how they were trained."""

    space: str
    configurations: list[Configuration]
    about: dict[str, Any]

    @property
    def epochs(self) -> int:
        """Of every run."""
        return int(self.about["epochs"])

    @property
    def baseline_seconds(self) -> float:
        """What an epoch of the baseline costs."""
        return next(each.epoch_seconds for each in self.configurations if each.baseline)

    @cached_property
    def shares(self) -> np.ndarray:
        """The accuracies of predicting one class, of those classes that a collapsed run did."""
        ends = [each.accuracy[each.collapsed, -1] for each in self.configurations]
        return np.unique(np.concatenate(ends).round(4)) if ends else np.empty(0)

    def one_class(self, accuracy: np.ndarray) -> np.ndarray:
        """Whether these accuracies are those of predicting one class."""
        return (np.abs(accuracy[..., None] - self.shares) < SAME).any(axis=-1)


def read_table(space: str, path: Path = TABLE) -> Table:
    """The configurations of `space`, in the order of the table; runs that did not end left out."""
    content = json.loads(gzip.decompress(path.read_bytes()))
    epochs = content["about"]["epochs"]
    groups: dict[str, list[dict[str, Any]]] = {}
    for run in content["runs"]:
        if run["space"] == space and len(run["metrics"][ACCURACY]) == epochs:
            groups.setdefault(json.dumps(run["values"], sort_keys=True), []).append(run)
    return Table(space, [_join(runs) for runs in groups.values()], content["about"])


def _join(runs: list[dict[str, Any]]) -> Configuration:
    def curves(name: str) -> np.ndarray:
        return np.array([run["metrics"][name] for run in runs], float)

    first = runs[0]
    return Configuration(
        values=first["values"],
        baseline=first["baseline"],
        drawn=not (first["baseline"] or "guess" in first["part"] or "near" in first["part"]),
        epoch_seconds=first["epoch_seconds"],
        accuracy=curves(ACCURACY),
        loss=curves(LOSS),
        collapsed=np.array([bool(run["collapsed"]) for run in runs]),
    )
