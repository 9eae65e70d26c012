"""A second engine: softmax regression in NumPy, which trains an epoch in milliseconds.

It keeps every promise of an engine (one seed names everything random, what was restored ends with
the same bits), so that what is not about TensorFlow is tested without its five seconds per worker.
It makes nothing of the layers that a space asks for, and of the hyperparameters takes those that a
softmax regression can have: learning rate, dropout (of the inputs), l2 and class weight.

It is no part of the package, which has no use for a model that nobody may hand in.
"""

import hashlib
import sys
import time

import numpy as np
from threadpoolctl import threadpool_limits

from svhn_tune.files import write_arrays

STEP = 4  # of the numbers of an image, every fourth is an input
# Protocols are made for networks on numbers up to 255; these weigh numbers up to 1.
RATE = 1e3
BETAS, EPSILON = (0.9, 0.999), 1e-7
HEAVY = {"keras", "keras_tuner", "tensorflow"}


def prepare():
    """One thread, as each worker has a core."""
    threadpool_limits(1)
    return "CPU"


def start(space, values, seed, train, index=None):
    """A run before its first epoch."""
    if heavy := HEAVY & set(sys.modules):
        raise AssertionError(f"this worker has imported {heavy}")
    return Softmax(space, values, seed, train, index)


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
        rate = values.get("learning_rate", space.protocol.learning_rate)
        self._rate = np.float32(RATE * rate)
        self._is_plain = space.protocol.optimizer == "sgd"
        self._dropout = values.get("dropout", 0.0)
        self._l2 = np.float32(values.get("l2_1", 0.0))
        classes = space.task.classes
        counts = np.bincount(self._labels, minlength=classes)
        weights = np.maximum(counts, 1.0) ** -values.get("class_weight", 0.0)
        self._weights = (weights / weights.mean()).astype(np.float32)
        draw = np.random.default_rng(seed)
        shape = (self._inputs.shape[1] + 1, classes)  # the last row is the bias
        self._kernel = draw.normal(0, 0.01, shape).astype(np.float32)
        self._moments = [np.zeros(shape, np.float32) for _ in BETAS]
        self._steps = 0

    @property
    def parameters(self):
        return self._kernel.size

    @property
    def weights_sha256(self):
        return hashlib.sha256(self._kernel.tobytes()).hexdigest()

    def train_epoch(self, validation=None):
        begin = time.perf_counter()
        # Where a rate is absurd, numbers overflow, and that is what is to be seen.
        with np.errstate(all="ignore"):
            metrics = self._train()
            metrics["seconds"] = time.perf_counter() - begin
            if validation is not None:
                evaluated = self.evaluate(validation)
                metrics |= {f"val_{name}": value for name, value in evaluated.items()}
        self.history.append(metrics)
        return metrics

    def _train(self):
        random = np.random.default_rng((self._seed, len(self.history)))
        order = random.permutation(len(self._labels))
        losses, right = [], 0
        for first in range(0, len(order), self._batch):
            batch = order[first : first + self._batch]
            inputs, labels = self._inputs[batch], self._labels[batch]
            if self._dropout:
                kept = random.random(inputs.shape, np.float32) >= self._dropout
                inputs = inputs * kept / np.float32(1 - self._dropout)
            outputs = self._compute(inputs)
            losses.append(self._loss(outputs, labels) * self._weights[labels])
            right += (outputs.argmax(axis=1) == labels).sum()
            outputs[np.arange(len(batch)), labels] -= 1
            outputs *= self._weights[labels, None] / np.float32(len(batch))
            gradient = np.vstack([inputs.T @ outputs, outputs.sum(axis=0)])
            self._step(gradient + 2 * self._l2 * self._kernel)
        penalty = float(self._l2 * np.square(self._kernel).sum())
        loss = float(np.concatenate(losses).mean()) + penalty
        return {"loss": loss, "categorical_accuracy": float(right / len(order))}

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
        scores = inputs @ self._kernel[:-1] + self._kernel[-1]
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def _loss(self, outputs, labels):
        # A probability that is no number stays one: the run has diverged.
        return -np.log(np.maximum(outputs[np.arange(len(labels)), labels], np.float32(EPSILON)))

    def evaluate(self, split):
        outputs = self._compute(flatten(split.images))
        return {
            "loss": float(self._loss(outputs, split.labels).mean()),
            "categorical_accuracy": float((outputs.argmax(axis=1) == split.labels).mean()),
        }

    def predict(self, split):
        return self._compute(flatten(split.images)).argmax(axis=1)

    def save(self):
        return [self._kernel, *self._moments, np.array(self._steps)]

    def restore(self, arrays, history):
        fresh = [(array.shape, array.dtype) for array in self.save()]
        steps = len(history) * -(-len(self._labels) // self._batch)
        if [(array.shape, array.dtype) for array in arrays] != fresh or arrays[-1] != steps:
            raise ValueError("this run cannot continue from there")
        if np.isfinite(history[-1]["loss"]) and not np.isfinite(arrays[0]).all():
            raise ValueError("this run cannot continue from there: weights that are no numbers")
        kernel, *moments, steps = (np.array(array) for array in arrays)
        self._kernel, self._moments, self._steps = kernel, moments, int(steps)
        self.history = history

    def write_model(self, path, test, predicted):
        """The weights, in an archive: nothing that Keras opens, or `check` lets pass."""
        write_arrays(path, {"kernel": self._kernel})
