"""Inside a worker: a run from its checkpoint to its last epoch, and what it brought."""

from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import psutil
import tensorflow as tf

from ..data.cache import open_arrays
from ..data.dataset import Split
from ..submission.save import hash_weights, save_submission
from .engine import Training, use_one_thread
from .maps import maps_path, write_maps
from .runs import Outcome, Run, Setup

# TensorFlow 2.20 keeps the graphs of loops and metrics of every model that it traced: 14 MB a small
# one. 256 MiB above the first run a fresh process is cheaper; it starts in 5 s.
GROWTH = 256 << 20


class Executor:
    """Trains one run after another for a worker; the last one stays in memory to be continued.

    Args:
        setup: what the runs share.
    """

    def __init__(self, setup: Setup) -> None:
        # It advises against tracing many models, which is what a worker is for.
        tf.get_logger().setLevel("ERROR")
        if not tf.config.list_physical_devices("GPU"):
            use_one_thread()
        self._setup = setup
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

    def execute(self, run: Run, connection: Connection) -> tuple[str, Any]:
        """Train `run` to its end, telling each epoch.

        Returns ("done", (outcome, whether this process has grown too large)) or ("paused", None).
        Every epoch is on the disk before it is told. Whatever arrives on the connection meanwhile
        is the wish to stop after the epoch.
        """
        training = self._resume(run)
        while training.epochs < run.epochs and not training.diverged:
            metrics = training.train_epoch(self._validation)
            training.save(run.checkpoint)
            connection.send(("epoch", (training.epochs, metrics)))
            if training.epochs < run.epochs and connection.poll():
                connection.recv()
                return "paused", None
        return "done", (self._finish(training, run), self._has_grown())

    def _resume(self, run: Run) -> Training:
        if self._training is not None and self._key == run.key:
            return self._training
        setup = self._setup
        self._training = Training(setup.space, run.values, run.seed, self._train, setup.train_index)
        self._key = run.key
        if run.checkpoint.exists():
            try:
                self._training.restore(run.checkpoint)
            except ValueError:
                # A damaged checkpoint costs its epochs, not the run: from its seed it ends alike.
                run.checkpoint.unlink()
        return self._training

    def _has_grown(self) -> bool:
        """Whether memory grew since the first run by more than a fresh process would cost."""
        resident = psutil.Process().memory_info().rss
        self._first_resident = self._first_resident or resident
        return resident > self._first_resident + GROWTH

    def _finish(self, training: Training, run: Run) -> Outcome:
        test = training.evaluate(self._test) if self._setup.test_at_end else {}
        judged = self._test if self._validation is None else self._validation
        predicted = training.predict(judged).astype(np.uint8)
        if run.model_file is not None:
            save_submission(self._setup.space, run.values, training.model, run.model_file)
            task, path = self._setup.space.task, maps_path(run.model_file)
            # Nice to have: whatever is wrong with them, the run stands.
            with suppress(Exception):
                write_maps(training.model, task, self._pictures, predicted, path)
        device = tf.config.list_physical_devices()[-1].device_type
        return Outcome(
            history=training.history,
            diverged=training.diverged,
            parameters=training.model.count_params(),
            predicted=predicted,
            test=test,
            device=device,
            weights_sha256=hash_weights(training.model),
        )
