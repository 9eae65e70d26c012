"""S seeds of one configuration as one compiled JAX program: vmap over seeds, scan over batches.

Within it is Keras's own `train_step`, with its penalties, metrics and optimizer, whose learning
rate is data.
"""

import itertools
import types
from collections.abc import Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import keras

from ..models.hypermodel import compile_heads
from ..space.task import Task


def list_variables(model: keras.Model) -> list[keras.Variable]:
    """All that training changes, in the order of a checkpoint; metrics are the last."""
    layers = [variable for layer in model.layers for variable in layer.variables]
    return [*layers, *model.optimizer.variables, *model.metrics_variables]


def _find_groups(model: keras.Model) -> list[list[int]]:
    """Where in that list is what is trained, what else the layers have, optimizer's, metrics'."""
    places = {id(variable): place for place, variable in enumerate(list_variables(model))}
    groups = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )
    return [[places[id(variable)] for variable in group] for group in groups]


def make_template(model: keras.Model, task: Task, values: Mapping[str, Any]) -> keras.Model:
    """The model of these values as it is trained, with all its variables.

    It ends in logits, not in a softmax: on TensorFlow, Keras takes the loss from the logits behind
    one; on JAX from log(clip(softmax, 1e-7, 1 - 1e-7)), whose gradient is 0 where raw pixels
    saturate it. That is so of 44 % of the images at the start.
    """
    losses: list[Any] = [head.loss for head in task.heads]
    for place, head in enumerate(task.heads):
        if head.activation == "softmax":
            model.get_layer(head.name).activation = keras.activations.linear
            losses[place] = keras.losses.CategoricalCrossentropy(from_logits=True)
    compile_heads(model, task, model.optimizer, losses, values)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            layer.convolution_op = types.MethodType(_convolve, layer)
    model.optimizer.build(model.trainable_variables)
    nothing = unpack([keras.ops.zeros((1, head.units)) for head in task.heads])
    model.compute_loss(None, nothing, nothing)
    model.compute_metrics(None, nothing, nothing)
    model.reset_metrics()
    return model


def unpack(outputs: list[Any]) -> Any:
    """As Keras has the outputs of a model: one is no list."""
    return outputs if len(outputs) > 1 else outputs[0]


def take(arrays: Any, place: Any) -> Any:
    """What an array, or each of a list, has at a place, or at several."""
    return jax.tree.map(lambda array: array[place], arrays)


def _convolve(layer: Any, images: Any, kernel: Any) -> Any:
    """A convolution of stride 1 as shifted copies side by side, times the kernel.

    vmap makes it a batched product, and `lax.conv` (and `conv_general_dilated_patches`) a grouped
    convolution, whose gradient had made all seeds NaN on a CPU where one was.
    """
    kernel = keras.ops.convert_to_tensor(kernel)
    height, width, _, filters = kernel.shape
    if layer.padding == "same":
        sides = [((size - 1) // 2, size // 2) for size in (height, width)]
        images = jnp.pad(images, ((0, 0), *sides, (0, 0)))
    rows, columns = images.shape[1] - height + 1, images.shape[2] - width + 1
    corners = [(i, j) for i in range(height) for j in range(width)]
    shifted = [images[:, i : i + rows, j : j + columns] for i, j in corners]
    return jnp.concatenate(shifted, axis=-1) @ kernel.reshape(-1, filters)


def compile_training(model: keras.Model) -> Any:
    """A function that trains all seeds for some batches; it returns their state.

    It takes a state (the arrays of `list_variables`, of all seeds), which it consumes, batches
    (count, S, size) of positions, which seeds to train (S,) or None for all, and data: images,
    labels, and for each label what is asked of each head (labels, units) and its weight. Each count
    and size is a program of its own: a loop of a number known beforehand does not wait for the
    device before each turn.
    """
    groups = _find_groups(model)

    @partial(jax.jit, donate_argnums=0)
    def train(state: list[Any], batches: Any, active: Any, data: tuple[Any, ...]) -> list[Any]:
        images, labels, answers, weights = data

        def train_batch(state: list[Any], batch: Any) -> list[Any]:
            label = labels[batch]
            asked = (images[batch].astype(jnp.float32), take(answers, label), weights[label])
            given = tuple([state[place] for place in group] for group in groups)
            arrays = itertools.chain(*model.train_step(given, asked)[1])
            trained = dict(zip(itertools.chain(*groups), arrays, strict=True))
            return [trained[place] for place in range(len(state))]

        def step(state: list[Any], batch: Any) -> tuple[list[Any], None]:
            new = jax.vmap(train_batch)(state, batch)
            if active is not None:
                new = jax.tree.map(partial(jax.vmap(jnp.where), active), new, state)
            return new, None

        return jax.lax.scan(step, state, batches)[0]

    return train


def compile_evaluation(model: keras.Model) -> Any:
    """A function that evaluates all seeds: their metrics, and what their heads give.

    It takes a state, images, and what is asked of each head for them (images, units).
    """
    trained, others, _, metrics = _find_groups(model)

    @jax.jit
    def evaluate(state: list[Any], images: Any, answers: Any) -> tuple[list[Any], Any]:
        def evaluate_one(state: list[Any]) -> tuple[list[Any], Any]:
            given = tuple([state[place] for place in group] for group in (trained, others, metrics))
            x = images.astype(jnp.float32)
            summed = model.test_step(given, (x, answers))[1][2]
            outputs, _ = model.stateless_call(*given[:2], x, training=False)
            return summed, outputs

        return jax.vmap(evaluate_one)(state)

    return evaluate
