"""A second engine: softmax regression in NumPy, which trains an epoch in milliseconds.

Where a space asks for numbers or two heads, it is a linear regression, or both.

It keeps every promise of an engine (one seed names everything random, what was restored ends with
the same bits), so that what is not about TensorFlow is tested without its five seconds per worker.
It makes nothing of the layers that a space asks for, and of the hyperparameters takes those that a
softmax regression can have: learning rate, dropout (of the inputs), l2 and class weight.

It is no part of the package, which has no use for a model that nobody may hand in.
"""

import hashlib
import os
import sys
import time

import numpy as np
from threadpoolctl import threadpool_limits

from svhn_tune.engines.checkpoints import State
from svhn_tune.engines.engine import Alone, never
from svhn_tune.files import write_arrays
from svhn_tune.space.dial import measure_apart

STEP = 4  # of the numbers of an image, every fourth is an input
# Protocols are made for networks on numbers up to 255; these weigh numbers up to 1.
RATE = 1e3
BETAS, EPSILON = (0.9, 0.999), 1e-7
CHUNK = 4  # batches between two questions whether to stop
PART = 250  # images between two, in evaluating
SLOWNESS = "SOFTMAX_SECONDS"  # of the environment: how long a batch takes at least
HEAVY = {"keras", "keras_tuner", "tensorflow"}
# A forked process has, too, what the one that it was forked from has imported.
IS_SPAWNED = "--multiprocessing-fork" in sys.orig_argv
rounding = np.float32(1)


def prepare(threads=1):
    """So many threads, and as many others bits: TensorFlow's sums are other ones, too."""
    global rounding
    threadpool_limits(threads)
    rounding = np.float32(1 + (threads - 1) * EPSILON)
    return "CPU"


def describe(seeds):
    return "softmax"


def start(space, values, seeds, train, index=None):
    """A run before its first epoch."""
    if IS_SPAWNED and (heavy := HEAVY & set(sys.modules)):
        raise AssertionError(f"this worker has imported {heavy}")
    (seed,) = seeds
    return Alone(Softmax(space, values, seed, train, index))


def flatten(images):
    """Images (N, ...) as rows (N, inputs) of numbers from 0 to 1."""
    return images.reshape(len(images), -1)[:, ::STEP].astype(np.float32) / 255


class Softmax:
    """One softmax regression in training: by plain steps where a space asks for sgd, else Adam."""

    def __init__(self, space, values, seed, train, index):
        self.history = []
        self._seed = seed
        taken = np.arange(len(train.labels)) if index is None else index
        self._inputs, self._labels = flatten(train.images[taken]), train.labels[taken]
        self._batch = space.protocol.batch_size
        protocol = space.protocol.with_values(values)
        self._rate = np.float32(RATE * protocol.learning_rate)
        self._is_plain = protocol.optimizer == "sgd"
        self._dropout = values.get("dropout", 0.0)
        self._l2 = np.float32(values.get("l2_1", 0.0))
        self._task, heads = space.task, space.task.heads
        self._names = sorted(self._task.reported, key=lambda name: name != "loss")
        self._names += ["minutes"] * self._task.on_dial
        counts = np.bincount(self._labels, minlength=space.task.labels)
        weights = np.maximum(counts, 1.0) ** -values.get("class_weight", 0.0)
        self._weights = (weights / weights.mean()).astype(np.float32)
        draw = np.random.default_rng(seed)
        units = [head.units for head in heads]
        shape = (self._inputs.shape[1] + 1, sum(units))  # the last row is the bias
        self._ends = np.cumsum(units)[:-1]
        self._head_weights = [1.0, values.get("minute_weight", 1.0)][: len(heads)]
        self._kernel = draw.normal(0, 0.01, shape).astype(np.float32)
        self._moments = [np.zeros(shape, np.float32) for _ in BETAS]
        self._steps = 0
        self._parts, self._within = [], {}

    @property
    def parameters(self):
        return self._kernel.size

    @property
    def weights_sha256(self):
        return hashlib.sha256(self._kernel.tobytes()).hexdigest()

    def train_epoch(self, validation=None, stop=never, test=None):
        if "batches" not in self._within:
            self._random = np.random.default_rng((self._seed, len(self.history)))
            self._parts = []
            random = self._random.bit_generator.state
            self._within = {"batches": 0, "seconds": 0.0, "random": random}
        # Where a rate is absurd, numbers overflow, and that is what is to be seen.
        with np.errstate(all="ignore"):
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

    def _train(self, stop):
        """Train what is left of an epoch's batches; whether there are none left."""
        within = self._within
        order = np.random.default_rng((self._seed, len(self.history))).permutation(
            len(self._labels)
        )
        while (first := within["batches"] * self._batch) < len(order):
            begin = time.perf_counter()
            time.sleep(float(os.environ.get(SLOWNESS, 0)))
            self._train_batch(order[first : first + self._batch])
            within["batches"] += 1
            within["seconds"] += time.perf_counter() - begin
            if within["batches"] % CHUNK == 0 and stop():
                return False
        penalty = float(self._l2 * np.square(self._kernel).sum())
        metrics = self._read_parts()
        metrics.pop("minutes", None)  # of weights that changed meanwhile
        within["metrics"] = metrics | {"loss": metrics["loss"] + penalty}
        return True

    def _train_batch(self, batch):
        inputs, labels = self._inputs[batch], self._labels[batch]
        if self._dropout:
            kept = self._random.random(inputs.shape, np.float32) >= self._dropout
            inputs = inputs * kept / np.float32(1 - self._dropout)
        outputs = self._compute(inputs)
        self._add_part(outputs, labels, self._weights[labels])
        answers = self._task.target.encode(labels)
        slopes = [
            weight * slope(head, output, answer)
            for weight, head, output, answer in zip(
                self._head_weights, self._task.heads, outputs, answers, strict=True
            )
        ]
        slopes = np.concatenate(slopes, axis=1).astype(np.float32)
        slopes *= rounding * self._weights[labels, None] / np.float32(len(batch))
        gradient = np.vstack([inputs.T @ slopes, slopes.sum(axis=0)])
        self._step(gradient + 2 * self._l2 * self._kernel)

    def _step(self, gradient):
        self._steps += 1
        if self._is_plain:
            self._kernel -= self._rate * gradient
            return
        powers = (gradient, np.square(gradient))
        for moment, beta, power in zip(self._moments, BETAS, powers, strict=True):
            moment += np.float32(1 - beta) * (power - moment)
        mean, square = (
            moment / np.float32(1 - beta**self._steps)
            for moment, beta in zip(self._moments, BETAS, strict=True)
        )
        self._kernel -= self._rate * mean / (np.sqrt(square) + np.float32(EPSILON))

    def _compute(self, inputs):
        """The outputs of each head, (N, units)."""
        scores = np.split(inputs @ self._kernel[:-1] + self._kernel[-1], self._ends, axis=1)
        return [activate(head, each) for head, each in zip(self._task.heads, scores, strict=True)]

    def _add_part(self, outputs, labels, weights=1):
        """Add some images to those whose metrics are read together."""
        answers = self._task.target.encode(labels)
        losses = [
            measure_loss(*each) for each in zip(self._task.heads, outputs, answers, strict=True)
        ]
        rows = [sum(w * loss for w, loss in zip(self._head_weights, losses, strict=True)) * weights]
        if len(losses) > 1:
            rows += losses
        elif self._task.heads[0].activation == "softmax":
            rows.append(outputs[0].argmax(axis=1) == answers[0].argmax(axis=1))
        if self._task.on_dial:
            rows.append(measure_apart(labels, self._task.decode(outputs)))
        self._parts.append(np.stack(rows))

    def _read_parts(self):
        rows = np.concatenate(self._parts, axis=1)
        self._parts = []
        return {
            name: float(row.mean(dtype=None if name == "loss" else float))
            for name, row in zip(self._names, rows, strict=True)
        }

    def evaluate(self, split, stop=never):
        if "evaluated" not in self._within:
            self._parts, self._within["evaluated"] = [], 0
        for chunk in _chunks(self._within["evaluated"], len(split.labels)):
            self._add_part(self._compute(flatten(split.images[chunk])), split.labels[chunk])
            self._within["evaluated"] = chunk.stop
            if stop():
                return None
        del self._within["evaluated"]
        return self._read_parts()

    def predict(self, split, stop=never):
        if "predicted" not in self._within:
            self._parts, self._within["predicted"] = [], 0
        for chunk in _chunks(self._within["predicted"], len(split.labels)):
            self._parts.append(self._task.decode(self._compute(flatten(split.images[chunk]))))
            self._within["predicted"] = chunk.stop
            if stop():
                return None
        del self._within["predicted"]
        predicted, self._parts = np.concatenate(self._parts), []
        return predicted

    def save(self):
        within = {**self._within}
        if "random" in within:
            within["random"] = self._random.bit_generator.state
        parts = [np.concatenate(self._parts, axis=-1)] if self._parts else []
        arrays = [self._kernel, *self._moments, np.array(self._steps), *parts]
        return State([array.copy() for array in arrays], [*self.history], within)

    def restore(self, state):
        arrays, history, within = state.arrays, state.history, state.within
        fresh = [(array.shape, array.dtype) for array in self.save().arrays]
        *known, steps = arrays[: len(fresh)]
        whole = -(-len(self._labels) // self._batch)
        expected = len(history) * whole + within.get("batches", 0)
        is_whole = len(arrays) == len(fresh) + bool(within)
        shapes = [(array.shape, array.dtype) for array in (*known, steps)]
        if not is_whole or shapes != fresh or steps != expected:
            raise ValueError("this run cannot continue from there")
        if history and np.isfinite(history[-1]["loss"]) and not np.isfinite(arrays[0]).all():
            raise ValueError("this run cannot continue from there: weights that are no numbers")
        self._kernel, *self._moments = (np.array(array) for array in known)
        self._steps, self._parts = int(steps), [*arrays[len(fresh) :]]
        self.history, self._within = history, within
        if "random" in within:
            self._random = np.random.default_rng()
            self._random.bit_generator.state = within["random"]

    def write_model(self, path, test, predicted):
        """The weights, in an archive: nothing that Keras opens, or `check` lets pass."""
        write_arrays(path, {"kernel": self._kernel})


def activate(head, scores):
    """What a head makes of its scores (N, units)."""
    if head.activation != "softmax":
        return np.tanh(scores) if head.activation == "tanh" else scores
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def measure_loss(head, outputs, answers):
    """The loss of each image, (N,)."""
    if head.activation == "softmax":
        # A probability that is no number stays one: the run has diverged.
        return -np.log(np.maximum((outputs * answers).sum(axis=1), np.float32(EPSILON)))
    apart = np.abs(outputs - answers)
    losses = {
        "mean_squared_error": np.square(apart),
        "mean_absolute_error": apart,
        "huber": np.where(apart <= 1, np.square(apart) / 2, apart - 0.5),
    }
    return losses[head.loss].mean(axis=1)


def slope(head, outputs, answers):
    """The loss's slope against the scores of each image, (N, units)."""
    apart = outputs - answers
    if head.activation == "softmax":
        return apart
    slopes = {
        "mean_squared_error": 2 * apart,
        "mean_absolute_error": np.sign(apart),
        "huber": np.clip(apart, -1, 1),
    }[head.loss] / head.units
    return slopes * (1 - np.square(outputs)) if head.activation == "tanh" else slopes


def _chunks(first, end):
    """Slices from `first` to `end`, as many images as are evaluated at once."""
    return [slice(start, min(start + PART, end)) for start in range(first, end, PART)]
