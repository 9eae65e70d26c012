"""What a tuner meets in a replay: configurations, what they cost, what training them brings."""

import json
import zlib
from dataclasses import dataclass, field
from typing import Any

import keras_tuner as kt
import numpy as np
from table.defaults import CHANGES, list_defaults
from table.features import encode_derived
from table.learned import Learned, learn, mean_curves
from table.protocol import read_cost
from table.runs import Table

from svhn_tune.cost.cost_model import CostModel
from svhn_tune.models.hypermodel import declare, draw_values
from svhn_tune.models.size import measure_size
from svhn_tune.models.work import measure_work
from svhn_tune.space.space import Space

# A run is stuck that predicted one class after each of so many epochs.
STUCK = 3


@dataclass(frozen=True)
class Setting:
    """What is searched, and how long it takes.

    Args:
        images, held_out: in each epoch.
        limit: on the file, in bytes; None leaves the space's.
        steps: how many epochs of the table the first epoch is worth; the last is worth the last.
    """

    images: int
    held_out: int
    limit: int | None = None
    steps: float = 1.0

    def stretch(self, curves: np.ndarray) -> np.ndarray:
        """(..., epochs) of the table, as they are with so many more steps in the first epoch."""
        epochs = curves.shape[-1]
        power = 1 - np.log(self.steps) / np.log(epochs)
        at = epochs * (np.arange(1, epochs + 1) / epochs) ** power - 1
        low = np.minimum(at.astype(int), epochs - 2)
        return curves[..., low] * (low + 1 - at) + curves[..., low + 1] * (at - low)


@dataclass
class World:
    """A space with a cost and a curve for each of its configurations, known by number.

    0 is the baseline, then come the defaults of table/defaults.py, then `pool` that were drawn at
    random from the feasible ones; others are numbered as they are proposed.
    """

    space: Space
    learned: Learned
    trained: dict[str, np.ndarray]
    cost: CostModel
    setting: Setting
    pool: int
    tree: int | None = None
    values: list[dict[str, Any]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    features: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    curves: np.ndarray = field(default_factory=lambda: np.empty((0, 2, 0)))
    _numbers: dict[str, int] = field(default_factory=dict)

    @property
    def epochs(self) -> int:
        """Of a full-length run."""
        return self.learned.epochs

    @property
    def baseline_seconds(self) -> float:
        """What an epoch of the baseline costs."""
        return self.seconds[0]

    def feasible(self, values: dict[str, Any]) -> bool:
        """Whether the model can be built and its file is small enough."""
        size = measure_size(self.space, values)
        return size.feasible and size.file_bytes <= (self.setting.limit or size.file_bytes)

    def epoch_seconds(self, values: dict[str, Any]) -> float:
        """What an epoch of these values costs."""
        work = measure_work(self.space, values)
        return self.cost.epoch_seconds(work, self.setting.images, self.setting.held_out)

    def draw(self, rng: np.random.Generator) -> int:
        """A feasible configuration at random."""
        return self.first + int(rng.integers(self.pool))

    @property
    def first(self) -> int:
        """The number of the first that was drawn at random."""
        return 1 + len(CHANGES[self.space.name])

    def number(self, values: dict[str, Any]) -> int:
        """The number of a feasible configuration; a new one is taken in."""
        key = json.dumps(values, sort_keys=True)
        if key not in self._numbers:
            self.add([values])
        return self._numbers[key]

    def add(self, several: list[dict[str, Any]]) -> list[int]:
        """Take in feasible configurations; returns their numbers."""
        features = encode_derived(self.space, several)
        numbers = []
        for values in several:
            self._numbers.setdefault(json.dumps(values, sort_keys=True), len(self.values))
            numbers.append(len(self.values))
            self.values.append(values)
            self.seconds.append(self.epoch_seconds(values))
            work = measure_work(self.space, values)
            self.starts.append(self.cost.run_seconds(work, 0, 0, 0, 0))
        curves = self._look_up(features, several)
        if len(self.features):
            features = np.vstack([self.features, features])
            curves = np.vstack([self.curves, curves])
        self.features, self.curves = features, curves
        return numbers

    def grow(self, tree: int | None) -> None:
        """Another landscape that fits the table: this tree's, or the forest's mean."""
        self.tree = tree
        self.curves = self._look_up(self.features, self.values)

    def _look_up(self, features: np.ndarray, several: list[dict[str, Any]]) -> np.ndarray:
        curves = self.learned.curves(features, self.tree)
        for curve, values in zip(curves, several, strict=True):
            known = self.trained.get(json.dumps(values, sort_keys=True))
            if known is not None:
                curve[:] = known
        return self.setting.stretch(curves)

    def observe(self, number: int, rng: np.random.Generator) -> np.ndarray:
        """(epochs,): what one run of the configuration brings."""
        return self.learned.draw(self.curves[number, 0], rng)

    def predicts_one_class(self, number: int, epoch: int) -> bool:
        """Whether a run does after this epoch."""
        return bool(self.curves[number, 1, epoch - 1] > 0.5)

    def is_stuck(self, number: int, epoch: int) -> bool:
        """Whether a run predicts one class at the ends of its last epochs."""
        return bool((self.curves[number, 1, epoch - STUCK : epoch] > 0.5).all())

    def score(self, number: int | None) -> float:
        """What the configuration is worth at full length; the worst if none was chosen."""
        return float(self.curves[:, 0, -1].min() if number is None else self.curves[number, 0, -1])


def make_world(table: Table, setting: Setting, pool: int = 5_000) -> World:
    """The world of a table, with so many configurations to draw from."""
    learned = learn(table)
    trained = {
        json.dumps(each.values, sort_keys=True): curve.reshape(3, -1)[[0, 2]]
        for each, curve in zip(table.configurations, mean_curves(table), strict=True)
    }
    world = World(learned.space, learned, trained, read_cost(table.space), setting, pool)
    hyperparameters = kt.HyperParameters()
    declare(world.space, hyperparameters)
    first = zlib.crc32(world.space.name.encode()) << 20
    drawn: list[dict[str, Any]] = []
    seed = first
    while len(drawn) < pool:
        values = draw_values(hyperparameters, seed)
        seed += 256
        if world.feasible(values):
            drawn.append(values)
    world.add([dict(world.space.baseline), *list_defaults(world.space), *drawn])
    return world
