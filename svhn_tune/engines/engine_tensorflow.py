"""The engine on TensorFlow: a model trained from one seed, that can be stopped and continued.

An epoch is a few compiled calls (chunks.py), each over batches gathered in the epoch's order, with
Keras's own `train_step` inside: what `fit(batch_size, shuffle=True)` does, without its
waits between batches.

The seed decides everything random: initial weights, dropout, and the order of the images, which
depends on the seed and the epoch alone. With as many threads on a CPU and operations made
deterministic (`use_threads`) a continued run ends with the same bits as one that never stopped.
"""

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # which TensorFlow reads when it is imported

import keras
import numpy as np
import tensorflow as tf

from ..data.dataset import Split
from ..models.hypermodel import HyperModel, class_weights
from ..space.dial import measure_apart
from ..space.space import Space
from ..submission.save import hash_weights, save_submission
from .checkpoints import History, State
from .chunks import choose_batches, choose_part, compile_model
from .engine import Alone, Stop, never
from .maps import maps_path, write_maps
from .misfit import find_misfit


def prepare(threads: int = 1) -> str:
    """So many threads where there is no GPU; the device's type, "CPU" or "GPU".

    Of a GPU's memory a worker takes what it needs, not all: others may train beside it.
    """
    # TensorFlow warns who traces many models, which a worker is there to do.
    tf.get_logger().setLevel("ERROR")
    gpus = tf.config.list_physical_devices("GPU")
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
    if not gpus:
        use_threads(threads)
    device: str = tf.config.list_physical_devices()[-1].device_type
    return device


def describe(seeds: int) -> str:
    """What trains, with its version."""
    return f"tensorflow {tf.__version__}"


def start(
    space: Space,
    values: Mapping[str, Any],
    seeds: Sequence[int],
    train: Split,
    index: np.ndarray | None = None,
) -> Alone:
    """A run before its first epoch."""
    (seed,) = seeds
    return Alone(KerasTraining(space, values, seed, train, index))


def use_threads(count: int) -> None:
    """So many threads within an operation and between them, and operations that repeat to the bit.

    Must come before TensorFlow runs anything in this process. Other threads within an operation are
    other sums, and other last bits; those between them change none.
    """
    tf.config.threading.set_intra_op_parallelism_threads(count)
    tf.config.threading.set_inter_op_parallelism_threads(count)
    tf.config.experimental.enable_op_determinism()


class KerasTraining:
    """One model in training: its weights, its optimizer, and the metrics of each epoch.

    The arguments are those of `Engine.start`, with one seed.
    """

    def __init__(
        self,
        space: Space,
        values: Mapping[str, Any],
        seed: int,
        train: Split,
        index: np.ndarray | None = None,
    ) -> None:
        keras.utils.clear_session(free_memory=False)
        keras.utils.set_random_seed(seed)
        self._space, self._values = space, values
        self.model = HyperModel(space).build_values(values)
        self._task, self.seed = space.task, seed
        self.history: History = []
        self._images = train
        self._index = np.arange(len(train.labels)) if index is None else index
        self._batch = space.protocol.batch_size
        gamma = values.get("class_weight", 0.0)
        weights = class_weights(train.labels[self._index], gamma) if gamma else None
        calls = compile_model(self.model, self._task, self._batch, weights)
        self._train_chunk, self._test_chunk = calls
        # The first call compiles, and so says too much of what a batch takes: the second is short.
        self._batches = 1
        self._part = choose_part(space, values)
        self._within: dict[str, Any] = {}
        self._predicted: list[np.ndarray] = []

    @property
    def parameters(self) -> int:
        """How many numbers the model consists of."""
        return int(self.model.count_params())

    @property
    def weights_sha256(self) -> str:
        """The hash of the weights as they are now, in hexadecimal."""
        return hash_weights(self.model)

    def train_epoch(
        self, validation: Split | None = None, stop: Stop = never, test: Split | None = None
    ) -> dict[str, float] | None:
        """Train one epoch; returns its metrics, with `val_` and `test_` ones of what is given.

        `seconds` is the time of training, compiling included in the first epoch of a process.
        """
        if "batches" not in self._within:
            self.model.reset_metrics()
            self._within, self._predicted = {"batches": 0, "seconds": 0.0}, []
        if "metrics" not in self._within and not self._train(stop):
            return None
        metrics = self._within["metrics"] | {"seconds": self._within["seconds"]}
        judged = self._within.get("judged", {})
        for kind, split in (("val", validation), ("test", test)):
            if split is not None and kind not in judged:
                if (evaluated := self.evaluate(split, stop)) is None:
                    return None
                self._within["judged"] = judged = judged | {kind: evaluated}
            metrics |= {f"{kind}_{name}": value for name, value in judged.get(kind, {}).items()}
        self._within = {}
        self.history.append(metrics)
        return metrics

    def _train(self, stop: Stop) -> bool:
        """Train what is left of an epoch's batches; whether there are none left."""
        within = self._within
        order = np.random.default_rng((self.seed, len(self.history))).permutation(self._index)
        while (first := within["batches"] * self._batch) < len(order):
            start = time.perf_counter()
            chunk = order[first : first + self._batches * self._batch]
            self._train_chunk(self._images.images[chunk], self._images.labels[chunk])
            seconds = time.perf_counter() - start
            batches = -(-len(chunk) // self._batch)
            within["batches"] += batches
            within["seconds"] += seconds
            self._batches = choose_batches(batches, seconds)
            if stop():
                return False
        start = time.perf_counter()
        # A GPU may still be at work: these wait for it.
        within["metrics"] = self._read_metrics()
        within["seconds"] += time.perf_counter() - start
        return True

    def evaluate(self, split: Split, stop: Stop = never) -> dict[str, float] | None:
        """Loss and metrics on `split`, as `model.evaluate` gives them; around a dial, minutes."""
        within = self._within
        if "evaluated" not in within:
            self.model.reset_metrics()
            within["evaluated"] = 0
        for chunk in self._parts(within["evaluated"], len(split.labels)):
            labels = split.labels[chunk]
            outputs = self._test_chunk(split.images[chunk], labels)
            within["evaluated"] += len(chunk)
            if self._task.on_dial:
                apart = measure_apart(labels, self._task.decode(outputs))
                within["apart"] = within.get("apart", 0.0) + float(apart.sum())
            if stop():
                return None
        evaluated = within.pop("evaluated")
        minutes = {"minutes": within.pop("apart") / evaluated} if self._task.on_dial else {}
        return self._read_metrics() | minutes

    def predict(self, split: Split, stop: Stop = never) -> np.ndarray | None:
        """What is predicted of each image of `split`, (N,): a class, or a minute of the dial."""
        for chunk in self._parts(sum(map(len, self._predicted)), len(split.labels)):
            # Compiled already, for evaluation: Keras's `predict_on_batch` is traced anew, and once
            # more where the last part is a shorter one.
            outputs = self._test_chunk(split.images[chunk], split.labels[chunk])
            self._predicted.append(self._task.decode(outputs))
            self._within["predicted"] = int(chunk[-1]) + 1
            if stop():
                return None
        del self._within["predicted"]
        predicted, self._predicted = self._predicted, []
        return np.concatenate(predicted)

    def _read_metrics(self) -> dict[str, float]:
        return {name: float(value) for name, value in self.model.get_metrics_result().items()}

    def save(self) -> State:
        """Weights, optimizer and the state of every random generator; within an epoch, metrics.

        `load_weights` restores the first two only (Keras 3.15).
        """
        arrays = [_view(variable) for variable in self._variables(self._within)]
        if self._predicted:
            arrays.append(np.concatenate(self._predicted))
        return State(arrays, [*self.history], {**self._within})

    def restore(self, state: State) -> None:
        """Continue from what `save` returned.

        Raises:
            ValueError: this run cannot have been there; nothing has changed.
        """
        fresh = [(tuple(v.shape), str(v.dtype)) for v in self._variables({})]
        optimizer = len(self.model.optimizer.variables)
        whole = -(-len(self._index) // self._batch)
        if reason := find_misfit(state, fresh, optimizer, whole, self._task):
            raise ValueError(f"this run cannot continue from there: {reason}")
        arrays = [*state.arrays]
        self._predicted = [arrays.pop()] if "predicted" in state.within else []
        for variable, value in zip(self._variables(state.within), arrays, strict=True):
            variable.assign(value)
        self.history, self._within = state.history, state.within

    def write_model(self, path: Path, test: Split, predicted: np.ndarray) -> None:
        """Write the .keras file to hand in, and beside it maps of the model."""
        save_submission(self._space, self._values, self.model, path)
        # Only for the report: whatever goes wrong with them, the run is valid.
        with suppress(Exception):
            write_maps(self.model, self._space.task, test, predicted, maps_path(path))

    def _variables(self, within: Mapping[str, Any]) -> list[keras.Variable]:
        """What is saved; metrics are not at an epoch's end, where they begin anew."""
        layers = [variable for layer in self.model.layers for variable in layer.variables]
        metrics = self.model.metrics_variables if within else []
        return [*layers, *self.model.optimizer.variables, *metrics]

    def _parts(self, first: int, end: int) -> list[np.ndarray]:
        """The positions from `first` to before `end`, as many at a time as are evaluated."""
        return [np.arange(at, min(at + self._part, end)) for at in range(first, end, self._part)]


def _view(variable: keras.Variable) -> np.ndarray:
    """What it holds now, without a copy: before it changes, TensorFlow makes one."""
    with tf.device("CPU"):
        return np.asarray(memoryview(tf.identity(variable.value)))
