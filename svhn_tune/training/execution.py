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
from .breaks import Breaks
from .engine import Stop, Training, load_engine
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
        # The run's metrics on the test set, while its end is under way.
        self._tested: dict[str, float] = {}
        self._first_resident = 0

    def _arrange(self, split: Split) -> Split:
        """The images as the network gets them."""
        return Split(self._setup.space.task.arrange(split.images), split.labels)

    def execute(
        self, run: Run, tell: Callable[[Event], None], should_pause: Callable[[], bool]
    ) -> None:
        """Train `run` to its end: each epoch is told once it is on the disk, then its end.

        Where it `should_pause`, which is asked every second or two, "paused" is told instead, once
        it is on the disk: at the end of its epoch, or within it where that takes longer.
        """
        training = self._resume(run)
        breaks = Breaks(lambda: self._save(training, run), tell, should_pause)
        while len(training.history) < run.epochs and not _has_diverged(training):
            shown = self._test if self._setup.test_each_epoch else None
            metrics = training.train_epoch(self._validation, breaks.stop, shown)
            epochs = len(training.history)
            if metrics is not None:
                breaks.end_epoch(Event("epoch", run, metrics=metrics, epochs=epochs))
            if metrics is None or (epochs < run.epochs and breaks.is_wished):
                self._pause(run, breaks, tell)
                return
        breaks.end()
        outcome = self._finish(training, run, breaks.stop)
        if outcome is None:
            self._pause(run, breaks, tell)
        else:
            tell(Event("done", run, outcome=outcome))

    def _pause(self, run: Run, breaks: Breaks, tell: Callable[[Event], None]) -> None:
        breaks.save()
        tell(Event("paused", run))

    def _save(self, training: Training, run: Run) -> None:
        state = training.save()
        if self._tested:
            state = state._replace(within=state.within | {"test": self._tested})
        checkpoints.write(run.checkpoint, state, self._owner(run))

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
        self._key, self._tested = run.key, {}
        if run.checkpoint.exists():
            try:
                state = checkpoints.read(run.checkpoint, self._owner(run), run.epochs)
                tested = state.within.pop("test", {})
                self._training.restore(state)
                self._tested = tested
            except ValueError:
                # Its epochs are lost, not the run: trained again from its seed, it ends the same.
                run.checkpoint.unlink()
        return self._training

    def _owner(self, run: Run) -> dict[str, Any]:
        return run.owner | self._setup.owner

    def _finish(self, training: Training, run: Run, stop: Stop) -> Outcome | None:
        """What the run brought; None where it stopped before."""
        if self._setup.test_each_epoch and not self._tested:
            last = training.history[-1]
            named = {name: value for name, value in last.items() if name.startswith("test_")}
            self._tested = {name.removeprefix("test_"): value for name, value in named.items()}
        if self._setup.test_at_end and not self._tested:
            tested = training.evaluate(self._test, stop)
            if tested is None:
                return None
            self._tested = tested
        judged = self._validation
        if self._setup.test_at_end or judged is None:
            judged = self._test
        classes = training.predict(judged, stop)
        if classes is None:
            return None
        predicted = classes.astype(np.uint8)
        if run.model_file is not None:
            training.write_model(run.model_file, self._pictures, predicted)
        test, self._tested = self._tested, {}
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
