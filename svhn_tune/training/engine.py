"""What trains runs in a worker: the interface between the pool and TensorFlow, or another trainer.

An engine is a module, imported in the worker by its name in the setup: so nothing but the engine
imports Keras to train. It knows no oracle, no project and no file but the model's own.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from .checkpoints import History, State

if TYPE_CHECKING:
    import numpy as np

    from ..data.dataset import Split
    from ..space.space import Space

DEFAULT = "svhn_tune.training.engine_tensorflow"


Stop = Callable[[], bool]


def never() -> bool:
    """The `stop` of a call that is not to be interrupted."""
    return False


class Training(Protocol):
    """One model in training, from one seed; `history` has the metrics of each epoch.

    The seed decides everything random. A restored run ends with the same bits as one that never
    stopped.

    A method with a `stop` calls it every second or two, when the run may be saved. Where it returns
    True the method returns None, and called again, on this object or on another one that has
    restored what this one saved, it goes on from there.
    """

    history: History

    @property
    def parameters(self) -> int:
        """How many numbers the model consists of."""

    @property
    def weights_sha256(self) -> str:
        """The hash of the weights as they are now, in hexadecimal."""

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
        """The predicted class of each image of `split`, (N,) whole numbers from 0."""

    def save(self) -> State:
        """All that continuing needs."""

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
            predicted: the class that the model predicts for each of them, (N,).
        """


class Engine(Protocol):
    """What an engine's module provides."""

    def prepare(self) -> str:
        """Set up threads and devices before anything trains; the device's type, such as "CPU"."""

    def start(
        self,
        space: "Space",
        values: Mapping[str, Any],
        seed: int,
        train: "Split",
        index: "np.ndarray | None" = None,
    ) -> Training:
        """A run before its first epoch; the run that was started before it is not used again.

        Args:
            space: the protocol and the model family.
            values: active hyperparameter values.
            seed: decides everything random in the run.
            train: images as the network gets them, and labels; they may be memory-mapped.
            index: positions in `train` to train on; None for all.
        """


def load_engine(name: str) -> Engine:
    """The engine in the module of this name."""
    return cast(Engine, import_module(name))
