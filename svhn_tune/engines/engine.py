"""What trains runs in a worker: the interface between the pool and TensorFlow, or another trainer.

An engine is a module, imported in the worker by its name in the setup: so nothing but the engine
imports Keras to train. It knows no oracle, no project and no file but the model's own.
"""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from .checkpoints import History, State

if TYPE_CHECKING:
    import numpy as np

    from ..data.dataset import Split
    from ..space.space import Space

DEFAULT = "svhn_tune.engines.engine_tensorflow"
JAX = "svhn_tune.engines.engine_jax"
# What Keras imports where it is installed, and training has no use for: 1.2 s and 127 MiB a worker.
_UNUSED = ("matplotlib", "pandas", "sklearn")
# Keras's backend, and what a worker of it must not import: TensorFlow imports an installed JAX,
# which takes 107 MiB and a second; Keras on JAX imports TensorFlow, 430 MB, to save. JAX needs
# SciPy, TensorFlow does not.
_BACKENDS = {
    DEFAULT: ("tensorflow", ("jax", "scipy", *_UNUSED)),
    JAX: ("jax", ("tensorflow", *_UNUSED)),
}

Stop = Callable[[], bool]


def never() -> bool:
    """The `stop` of a call that is not to be interrupted."""
    return False


class Member(Protocol):
    """One model in training, from one seed; `history` has the metrics of each epoch.

    The seed decides everything random. A restored run ends with the same bits as one that never
    stopped, where as many seeds train together.
    """

    history: History

    @property
    def parameters(self) -> int:
        """How many numbers the model consists of."""

    @property
    def weights_sha256(self) -> str:
        """The hash of the weights as they are now, in hexadecimal."""

    def save(self) -> State:
        """All that continuing needs, with any engine; training on does not change it."""

    def restore(self, state: State) -> None:
        """Continue from what `save` returned.

        Raises:
            ValueError: this run cannot have been there; nothing has changed.
        """

    def write_model(self, path: Path, test: "Split", predicted: "np.ndarray") -> None:
        """Write the file to hand in, and beside it what the report shows of the model.

        Args:
            path: of the file.
            test: images, channels last, and labels.
            predicted: what the model predicts of each of them, (N,).
        """


class Training(Member, Protocol):
    """A run that trains alone.

    A method with a `stop` calls it every second or two, when the run may be saved. Where it returns
    True the method returns None, and called again, on this object or on another one that has
    restored what this one saved, it goes on from there.
    """

    def train_epoch(
        self,
        validation: "Split | None" = None,
        stop: Stop = never,
        test: "Split | None" = None,
    ) -> dict[str, float] | None:
        """Train one epoch; returns its metrics, with `val_` ones where there is a validation set.

        With a test set there are `test_` ones, too.
        "loss" and "seconds", the time of training alone, are among them.
        """

    def evaluate(self, split: "Split", stop: Stop = never) -> dict[str, float] | None:
        """Loss and metrics on `split`, named as those of an epoch are."""

    def predict(self, split: "Split", stop: Stop = never) -> "np.ndarray | None":
        """What is predicted of each image of `split`, (N,): a class, or a minute of the dial."""


class Cohort(Protocol):
    """Runs that differ in their seed alone, and train together.

    Its methods do what those of `Training` do, for some of the `members`, by their positions: one
    result for each of these, in their order. The others stay as they are or, once they are over,
    are of no more use.
    """

    members: Sequence[Member]

    def train_epoch(
        self,
        among: Sequence[int],
        validation: "Split | None",
        stop: Stop,
        test: "Split | None" = None,
    ) -> list[dict[str, float]] | None:
        """Train one epoch; "seconds" are each run's share of the time."""

    def evaluate(
        self, among: Sequence[int], split: "Split", stop: Stop
    ) -> list[dict[str, float]] | None:
        """Loss and metrics on `split`."""

    def predict(
        self, among: Sequence[int], split: "Split", stop: Stop
    ) -> "list[np.ndarray] | None":
        """What is predicted, (N,) each."""


class Alone:
    """A run that trains alone as a cohort of one."""

    def __init__(self, training: Training) -> None:
        self.members = [training]

    def train_epoch(
        self,
        among: Sequence[int],
        validation: "Split | None",
        stop: Stop,
        test: "Split | None" = None,
    ) -> list[dict[str, float]] | None:
        """Train one epoch."""
        return _listed(self.members[0].train_epoch(validation, stop, test))

    def evaluate(
        self, among: Sequence[int], split: "Split", stop: Stop
    ) -> list[dict[str, float]] | None:
        """Loss and metrics on `split`."""
        return _listed(self.members[0].evaluate(split, stop))

    def predict(
        self, among: Sequence[int], split: "Split", stop: Stop
    ) -> "list[np.ndarray] | None":
        """What is predicted, (N,)."""
        return _listed(self.members[0].predict(split, stop))


def _listed(result: Any) -> Any:
    return None if result is None else [result]


class Engine(Protocol):
    """What an engine's module provides."""

    def prepare(self, threads: int = 1) -> str:
        """Set up threads and devices before anything trains; the device's type, such as "CPU"."""

    def describe(self, seeds: int) -> str:
        """What trains so many seeds together, with its version: for the records."""

    def start(
        self,
        space: "Space",
        values: Mapping[str, Any],
        seeds: Sequence[int],
        train: "Split",
        index: "np.ndarray | None" = None,
    ) -> Cohort:
        """Runs before their first epoch; those that were started before are not used again.

        Args:
            space: the protocol and the model family.
            values: active hyperparameter values.
            seeds: each decides everything random in its run; one, unless it is the engine on JAX.
            train: images as the network gets them, and labels; they may be memory-mapped.
            index: positions in `train` to train on; None for all.

        Raises:
            MemoryError, or what has the status RESOURCE_EXHAUSTED: here or later, the device has no
                room for so many.
        """


class _Barred:
    """Refuses to find packages, as if they were not installed.

    `sys.modules[name] = None` would, too, but Keras takes what is in there for imported.
    """

    def __init__(self, packages: Sequence[str]) -> None:
        self._packages = packages

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        if name in self._packages:
            raise ModuleNotFoundError(f"No module named {name!r} in this process", name=name)


@cache
def load_engine(name: str) -> Engine:
    """The engine in the module of this name; in a process that has not imported Keras yet."""
    if name in _BACKENDS:
        os.environ["KERAS_BACKEND"], others = _BACKENDS[name]
        sys.meta_path.insert(0, _Barred(others))
    return cast(Engine, import_module(name))
