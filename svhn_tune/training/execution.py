"""Inside a worker: a run from its checkpoint to its last epoch, and its outcome.

The engine knows how to train, the pool who is told.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import psutil

from ..data.cache import open_arrays
from ..data.dataset import Split
from . import checkpoints
from .engine import Training, load_engine
from .runs import Event, Outcome, Run, Setup

# TensorFlow 2.20 keeps the graphs of loops and metrics of every model that it traced: 14 MB per
# small model. After 256 MiB more than the first run a fresh process is cheaper; it starts in 5 s.
GROWTH = 256 << 20


class Executor:
    """Trains one run after another; the last one stays in memory to be continued.

    Args:
        setup: what the runs share.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._engine = load_engine(setup.engine)
        self._device = self._engine.prepare()
        train, self._pictures = open_arrays(setup.arrays)
        self._train, self._test = self._arrange(train), self._arrange(self._pictures)
        self._validation: Split | None = None
        if isinstance(setup.validate_on, np.ndarray):
            self._validation = self._train.take(setup.validate_on)
        elif setup.validate_on == "test":
            self._validation = self._test
        self._key: tuple[str, int, int] | None = None
        self._training: Training | None = None
        self._first_resident = 0

    def _arrange(self, split: Split) -> Split:
        """The images as the network gets them."""
        return Split(self._setup.space.task.arrange(split.images), split.labels)

    def execute(
        self, run: Run, tell: Callable[[Event], None], should_pause: Callable[[], bool]
    ) -> None:
        """Train `run` to its end: each epoch is told once it is on the disk, then its end.

        Where it `should_pause`, which is asked between two epochs, "paused" is told instead.
        """
        training = self._resume(run)
        while len(training.history) < run.epochs and not _has_diverged(training):
            metrics = training.train_epoch(self._validation)
            checkpoints.write(run.checkpoint, training.save(), training.history, self._owner(run))
            epochs = len(training.history)
            tell(Event("epoch", run, metrics=metrics, epochs=epochs))
            if epochs < run.epochs and should_pause():
                tell(Event("paused", run))
                return
        tell(Event("done", run, outcome=self._finish(training, run)))

    def has_grown(self) -> bool:
        """Whether memory grew since the first run by more than a fresh process would cost."""
        resident = psutil.Process().memory_info().rss
        self._first_resident = self._first_resident or resident
        return resident > self._first_resident + GROWTH

    def _resume(self, run: Run) -> Training:
        if self._training is not None and self._key == run.key:
            return self._training
        setup = self._setup
        self._training = self._engine.start(
            setup.space, run.values, run.seed, self._train, setup.train_index
        )
        self._key = run.key
        if run.checkpoint.exists():
            try:
                self._training.restore(
                    *checkpoints.read(run.checkpoint, self._owner(run), run.epochs)
                )
            except ValueError:
                # Its epochs are lost, not the run: trained again from its seed, it ends the same.
                run.checkpoint.unlink()
        return self._training

    def _owner(self, run: Run) -> dict[str, Any]:
        return run.owner | self._setup.owner

    def _finish(self, training: Training, run: Run) -> Outcome:
        test = training.evaluate(self._test) if self._setup.test_at_end else {}
        judged = self._test if self._validation is None else self._validation
        predicted = training.predict(judged).astype(np.uint8)
        if run.model_file is not None:
            training.write_model(run.model_file, self._pictures, predicted)
        return Outcome(
            history=training.history,
            diverged=_has_diverged(training),
            parameters=training.parameters,
            predicted=predicted,
            test=test,
            device=self._device,
            weights_sha256=training.weights_sha256,
        )


def _has_diverged(training: Training) -> bool:
    """Whether nothing more can be learnt."""
    return bool(training.history) and checkpoints.has_diverged(training.history[-1])
