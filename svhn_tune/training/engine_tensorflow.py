"""The engine on TensorFlow: a model trained from one seed, that can be stopped and continued.

An epoch is a few compiled calls, each over `CHUNK` batches gathered in the epoch's order, with
Keras's own `train_step` inside: what `fit(batch_size, shuffle=True)` does, without its
waits between batches.

The seed decides everything random: initial weights, dropout, and the order of the images, which
depends on the seed and the epoch alone. With one thread on a CPU and operations made deterministic
(`use_one_thread`) a continued run ends with the same bits as one that never stopped.
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
from ..space.space import Space
from ..submission.save import hash_weights, save_submission
from .checkpoints import History
from .maps import maps_path, write_maps

# Batches per compiled call: 6 MB of images, gathered from memory-mapped ones in 2 ms.
CHUNK = 64
EVALUATION_BATCH = 250


def prepare() -> str:
    """One thread where there is no GPU; the device's type, "CPU" or "GPU"."""
    # TensorFlow warns who traces many models, which a worker is there to do.
    tf.get_logger().setLevel("ERROR")
    if not tf.config.list_physical_devices("GPU"):
        use_one_thread()
    device: str = tf.config.list_physical_devices()[-1].device_type
    return device


def start(
    space: Space,
    values: Mapping[str, Any],
    seed: int,
    train: Split,
    index: np.ndarray | None = None,
) -> "KerasTraining":
    """A run before its first epoch."""
    return KerasTraining(space, values, seed, train, index)


def use_one_thread() -> None:
    """One intra-op and one inter-op thread, and operations that repeat to the last bit.

    Must come before TensorFlow runs anything in this process.
    """
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()


class KerasTraining:
    """One model in training: its weights, its optimizer, and the metrics of each epoch.

    Args:
        space: the protocol and the model family.
        values: active hyperparameter values.
        seed: decides everything random in the run.
        train: images and labels, which may be memory-mapped.
        index: positions in `train` to train on; None for all.
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
        classes = space.task.classes
        build_variables(self.model, classes)
        self.seed = seed
        self.history: History = []
        self._train = train
        self._index = np.arange(len(train.labels)) if index is None else index
        self._batch = space.protocol.batch_size
        gamma = values.get("class_weight", 0.0)
        weights = class_weights(train.labels[self._index], gamma) if gamma else None
        self._train_chunk = _compile_training(self.model, classes, self._batch, weights)
        self._test_chunk = _compile_evaluation(self.model, classes)

    @property
    def parameters(self) -> int:
        """How many numbers the model consists of."""
        return int(self.model.count_params())

    @property
    def weights_sha256(self) -> str:
        """The hash of the weights as they are now, in hexadecimal."""
        return hash_weights(self.model)

    def train_epoch(self, validation: Split | None = None) -> dict[str, float]:
        """Train one epoch; returns its metrics, with `val_` ones where there is a validation set.

        `seconds` is the time of training, compiling included in the first epoch of a process.
        """
        start = time.perf_counter()
        order = np.random.default_rng((self.seed, len(self.history))).permutation(self._index)
        self.model.reset_metrics()
        for chunk in _chunks(order, CHUNK * self._batch):
            self._train_chunk(self._train.images[chunk], self._train.labels[chunk])
        metrics = self._read_metrics()
        metrics["seconds"] = time.perf_counter() - start
        if validation is not None:
            evaluated = self.evaluate(validation)
            metrics |= {f"val_{name}": value for name, value in evaluated.items()}
        self.history.append(metrics)
        return metrics

    def evaluate(self, split: Split) -> dict[str, float]:
        """Loss and metrics on `split`, as `model.evaluate` gives them."""
        self.model.reset_metrics()
        for chunk in _chunks(np.arange(len(split.labels)), EVALUATION_BATCH):
            self._test_chunk(split.images[chunk], split.labels[chunk])
        return self._read_metrics()

    def predict(self, split: Split) -> np.ndarray:
        """The predicted class of each image of `split`, (N,) whole numbers from 0."""
        chunks = _chunks(np.arange(len(split.labels)), EVALUATION_BATCH)
        return np.concatenate(
            [self.model.predict_on_batch(split.images[chunk]).argmax(axis=-1) for chunk in chunks]
        )

    def _read_metrics(self) -> dict[str, float]:
        return {name: float(value) for name, value in self.model.get_metrics_result().items()}

    def save(self) -> list[np.ndarray]:
        """Weights, optimizer and the state of every random generator.

        `load_weights` restores the first two only (Keras 3.15).
        """
        return [np.asarray(variable) for variable in self._variables()]

    def restore(self, arrays: Sequence[np.ndarray], history: History) -> None:
        """Continue after `history` from what `save` returned.

        Raises:
            ValueError: this run cannot have had these arrays then; nothing has changed.
        """
        if reason := self._misfit(arrays, history):
            raise ValueError(f"this run cannot continue from there: {reason}")
        for variable, value in zip(self._variables(), arrays, strict=True):
            variable.assign(value)
        self.history = history

    def _misfit(self, stored: Sequence[np.ndarray], history: History) -> str | None:
        """Why this model cannot have had these variables after this history, if it cannot."""
        variables = self._variables()
        if [(a.shape, a.dtype) for a in stored] != [(v.shape, v.dtype) for v in variables]:
            return "its variables are those of another model"
        steps = int(stored[_position(variables, self.model.optimizer.iterations)])
        if steps != len(history) * -(-len(self._index) // self._batch):
            return f"its {len(history)} epochs are not the {steps} steps of its optimizer"
        if not history:
            return None
        names = {"seconds", *self._read_metrics()}
        if not names <= history[-1].keys() <= names | {f"val_{name}" for name in names}:
            return f"its history is of {', '.join(history[-1])}"
        # Where a loss is no number, neither are weights; squared gradients may overflow any time.
        weights = stored[: len(variables) - len(self.model.optimizer.variables)]
        whole = all(np.isfinite(a).all() for a in weights) and not any(
            np.isnan(a).any() for a in stored
        )
        if not whole and np.isfinite(list(history[-1].values())).all():
            return "it has weights that are no numbers"
        return None

    def write_model(self, path: Path, test: Split, predicted: np.ndarray) -> None:
        """Write the .keras file to hand in, and beside it maps of the model."""
        save_submission(self._space, self._values, self.model, path)
        # Only for the report: whatever goes wrong with them, the run is valid.
        with suppress(Exception):
            write_maps(self.model, self._space.task, test, predicted, maps_path(path))

    def _variables(self) -> list[keras.Variable]:
        layers = [variable for layer in self.model.layers for variable in layer.variables]
        return [*layers, *self.model.optimizer.variables]


def _position(variables: list[keras.Variable], wanted: keras.Variable) -> int:
    return next(n for n, variable in enumerate(variables) if variable is wanted)


def build_variables(model: keras.Model, classes: int) -> None:
    """Make the variables of optimizer and metrics now: while tracing it costs a second trace."""
    model.optimizer.build(model.trainable_variables)
    nothing = tf.zeros((1, classes))
    model.compute_metrics(None, nothing, nothing)


def _chunks(positions: np.ndarray, size: int) -> list[np.ndarray]:
    return [positions[start : start + size] for start in range(0, len(positions), size)]


def _compile_training(
    model: keras.Model, classes: int, batch_size: int, weights: np.ndarray | None
) -> Any:
    """A compiled function that trains `model`, batch by batch.

    It takes images (N, ...) uint8, as the network gets them, and labels (N,) int32.
    """
    class_weight = None if weights is None else tf.constant(weights, tf.float32)

    @tf.function(input_signature=_signature(model), autograph=False)
    def train_chunk(images: tf.Tensor, labels: tf.Tensor) -> None:
        def train_batch(start: tf.Tensor) -> tuple[tf.Tensor]:
            label = labels[start : start + batch_size]
            data = [images[start : start + batch_size], tf.one_hot(label, classes)]
            if class_weight is not None:
                data.append(tf.gather(class_weight, label))
            model.train_step(tuple(data))
            return (start + batch_size,)

        tf.while_loop(lambda start: start < tf.shape(labels)[0], train_batch, (0,))

    return train_chunk


def _compile_evaluation(model: keras.Model, classes: int) -> Any:
    """A compiled function that adds images (N, ...) and labels (N,) to the model's metrics."""

    @tf.function(input_signature=_signature(model), autograph=False)
    def test_chunk(images: tf.Tensor, labels: tf.Tensor) -> None:
        model.test_step((images, tf.one_hot(labels, classes)))

    return test_chunk


def _signature(model: keras.Model) -> list[tf.TensorSpec]:
    return [tf.TensorSpec(model.input_shape, tf.uint8), tf.TensorSpec([None], tf.int32)]
