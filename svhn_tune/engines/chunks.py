"""Compiled calls over some batches of a Keras model, and how many batches a call takes.

How many makes no difference to the bits: a call does one batch after another.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ..models.size import measure_size
from ..space.space import Space
from ..space.task import Task

# Batches a call, at most: 6 MB of images, gathered from memory-mapped ones in 2 ms.
MOST = 64
# What a call may take: a wish to stop is heard between two. 64 batches of the largest model of
# `cnn` take 50 s.
SECONDS = 1.0
# Images evaluated at once, at most, and multiply-adds: the largest model's 250 take 6 s, 44 take 1.
PART = 250
OPERATIONS = 100e9

Encode = Callable[[Any], Any]  # labels (N,) -> (N, units) of each head


def choose_batches(batches: int, seconds: float) -> int:
    """How many batches the next call takes, if `batches` took `seconds`."""
    return int(min(max(SECONDS * batches / max(seconds, 1e-9), 1), MOST))


def choose_part(space: Space, values: Mapping[str, Any]) -> int:
    """How many images of these values' model are evaluated at once.

    The same on any machine: other parts are other sums, and other last bits of a loss.
    """
    operations = sum(layer.operations for layer in measure_size(space, values).layers)
    return int(min(max(OPERATIONS / max(operations, 1), 1), PART))


def build_variables(model: keras.Model, task: Task) -> None:
    """Make the variables of optimizer and metrics now: those made in a trace cost a second one."""
    model.optimizer.build(model.trainable_variables)
    nothing = _pack([tf.zeros((1, head.units)) for head in task.heads])
    model.compute_loss(None, nothing, nothing)
    model.compute_metrics(None, nothing, nothing)


def compile_model(
    model: keras.Model, task: Task, batch_size: int, weights: np.ndarray | None
) -> tuple[Any, Any]:
    """What trains a built model, and what evaluates it; both take images and labels.

    `weights` are those of the classes, (classes,).
    """
    build_variables(model, task)
    tables = [tf.constant(table) for table in task.target.encode(np.arange(task.labels))]

    def encode(labels: tf.Tensor) -> Any:
        return _pack([tf.gather(table, labels) for table in tables])

    training = _compile_training(model, encode, batch_size, weights)
    return training, _compile_evaluation(model, encode)


def _pack(outputs: list[Any]) -> Any:
    """As Keras has the outputs of a model: one is no list."""
    return outputs if len(outputs) > 1 else outputs[0]


def _compile_training(
    model: keras.Model, encode: Encode, batch_size: int, weights: np.ndarray | None
) -> Any:
    """A compiled function that trains `model`, batch by batch.

    It takes images (N, ...) uint8, as the network gets them, and labels (N,) int32.
    """
    class_weight = None if weights is None else tf.constant(weights, tf.float32)

    @tf.function(input_signature=_signature(model), autograph=False)
    def train_chunk(images: tf.Tensor, labels: tf.Tensor) -> None:
        def train_batch(start: tf.Tensor) -> tuple[tf.Tensor]:
            label = labels[start : start + batch_size]
            data = [images[start : start + batch_size], encode(label)]
            if class_weight is not None:
                data.append(tf.gather(class_weight, label))
            model.train_step(tuple(data))
            return (start + batch_size,)

        tf.while_loop(lambda start: start < tf.shape(labels)[0], train_batch, (0,))

    return train_chunk


def _compile_evaluation(model: keras.Model, encode: Encode) -> Any:
    """A compiled function that adds images (N, ...) and labels (N,) to the model's metrics.

    It is Keras's `test_step`, and returns the outputs.
    """

    @tf.function(input_signature=_signature(model), autograph=False)
    def test_chunk(images: tf.Tensor, labels: tf.Tensor) -> Any:
        outputs, answers = model(images, training=False), encode(labels)
        loss = model.compute_loss(images, answers, outputs, training=False)
        model.metrics[0].update_state(loss, sample_weight=tf.shape(images)[0])
        model.compute_metrics(images, answers, outputs)
        return outputs

    return test_chunk


def _signature(model: keras.Model) -> list[tf.TensorSpec]:
    return [tf.TensorSpec(model.input_shape, tf.uint8), tf.TensorSpec([None], tf.int32)]
