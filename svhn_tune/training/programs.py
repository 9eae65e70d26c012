"""S seeds of one configuration as one compiled JAX program: vmap over seeds, scan over batches.

Keras gives the layers, the loss's penalties and the optimizer, whose learning rate is data.
"""

import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import keras
import numpy as np

from ..models.hypermodel import HyperModel
from ..space.space import Space


class State(NamedTuple):
    """All seeds in training: lists of arrays whose first axis is the seed.

    Args:
        trainable, others, optimizer: the model's variables as Keras groups them; `others` has batch
            normalisation's means and the states of dropout's generators.
        sums: of an epoch so far, (S,) each: losses, images, hits, images.
    """

    trainable: list[Any]
    others: list[Any]
    optimizer: list[Any]
    sums: list[Any]


@contextmanager
def asking_memory() -> Iterator[None]:
    """A device that has no room is Python's MemoryError."""
    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise MemoryError(str(error)) from error


def make_template(space: Space, values: Mapping[str, Any]) -> keras.Model:
    """A model that is called with the variables of each seed; its own are not used.

    It ends in logits: on TensorFlow, Keras takes the loss from the logits behind a softmax; on JAX
    from log(clip(softmax, 1e-7, 1 - 1e-7)), whose gradient is 0 where raw pixels saturate it. That
    is so of 44 % of the images at the start.
    """
    model = HyperModel(space).build_values(values)
    model.layers[-1].activation = keras.activations.linear
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            layer.convolution_op = types.MethodType(_convolve, layer)
    model.optimizer.build(model.trainable_variables)
    return model


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


def _apply(
    model: keras.Model, trainable: Any, others: Any, images: Any, labels: Any, training: bool
) -> tuple[Any, Any, Any, Any]:
    """One seed's loss of each image without penalties, the penalties, its guesses, `others`."""
    logits, others, penalties = model.stateless_call(
        trainable, others, images.astype(jnp.float32), training=training, return_losses=True
    )
    losses = -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1)[:, 0]
    return losses, sum(penalties), logits.argmax(-1).astype(jnp.uint8), others


def compile_training(model: keras.Model, batch_size: int) -> Any:
    """A function that trains all seeds for some batches.

    It takes a State, which it consumes, the epoch's order (S, N), the first batch, which seeds to
    train (S,) or None for all, class weights (classes,), images and labels; and how many batches of
    how many images each. Each number, and a last short batch with it, is a program of its own: a
    loop of a number known beforehand does not wait for the device before each turn.
    """

    def loss_of(
        trainable: Any, others: Any, x: Any, y: Any, weights: Any
    ) -> tuple[Any, tuple[Any, Any, Any]]:
        def one(trainable: Any, others: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
            losses, penalty, guess, others = _apply(model, trainable, others, x, y, True)
            return jnp.mean(losses * weights[y]) + penalty, others, jnp.sum(guess == y)

        # Of the sum over the seeds: the gradient of each is its own, and the order of vmap and
        # gradient decides which kernels compute those of the filters.
        loss, others, hits = jax.vmap(one)(trainable, others, x, y)
        return jnp.sum(loss), (loss, others, hits)

    def train_batch(
        state: State, batch: Any, active: Any, weights: Any, images: Any, labels: Any
    ) -> State:
        gradient = jax.value_and_grad(loss_of, has_aux=True)
        x, y = images[batch], labels[batch]
        (_, (loss, others, hits)), slopes = gradient(state.trainable, state.others, x, y, weights)
        update = jax.vmap(model.optimizer.stateless_apply)
        trainable, optimizer = update(state.optimizer, slopes, state.trainable)
        count = jnp.full(len(loss), batch.shape[1], jnp.float32)
        parts = (loss * count, count, hits, count)
        sums = [each + part for each, part in zip(state.sums, parts, strict=True)]
        new = State(list(trainable), list(others), list(optimizer), sums)
        if active is None:
            return new
        return jax.tree.map(partial(jax.vmap(jnp.where), active), new, state)

    @partial(jax.jit, donate_argnums=0, static_argnames=("count", "size"))
    def train(
        state: State,
        order: Any,
        first: Any,
        active: Any,
        weights: Any,
        images: Any,
        labels: Any,
        *,
        count: int,
        size: int,
    ) -> State:
        taken = jax.lax.dynamic_slice_in_dim(order, first * batch_size, count * size, 1)
        batches = taken.reshape(len(order), count, size).swapaxes(0, 1)

        def step(state: State, batch: Any) -> tuple[State, None]:
            return train_batch(state, batch, active, weights, images, labels), None

        return jax.lax.scan(step, state, batches)[0]

    return train


def compile_evaluation(model: keras.Model, part: int) -> Any:
    """A function that evaluates all seeds on `part` images from the first one to take.

    It takes a State, what was `seen` before, which it consumes (the sums of `State`, and (S, N)
    guesses), the first image, images and labels; and returns what is seen now.
    """

    @partial(jax.jit, donate_argnums=1)
    def evaluate(state: State, seen: Any, first: Any, images: Any, labels: Any) -> Any:
        sums, guesses = seen
        positions = first + jnp.arange(part)
        is_there = positions < len(labels)
        taken = jnp.minimum(positions, len(labels) - 1)
        x, y = images[taken], labels[taken]
        losses, penalty, guess, _ = jax.vmap(
            lambda trainable, others: _apply(model, trainable, others, x, y, False)
        )(state.trainable, state.others)
        count = jnp.sum(is_there).astype(jnp.float32)
        loss = jnp.sum(jnp.where(is_there, losses, 0), 1) + penalty * count
        hits = jnp.sum((guess == y) & is_there, 1)
        parts = (loss, count, hits, count)
        sums = [each + part for each, part in zip(sums, parts, strict=True)]
        # Beyond the end nothing is set.
        return sums, guesses.at[:, positions].set(guess, mode="drop")

    return evaluate


@jax.jit
def take_seed(state: State, seed: Any) -> State:
    """One seed's arrays."""
    one: State = jax.tree.map(lambda leaf: leaf[seed], state)
    return one


def stack_seeds(states: list[State]) -> State:
    """The arrays of all seeds on the device, one after the other: they may fill the memory."""
    stacked: State = jax.tree.map(lambda *leaves: jnp.asarray(np.stack(leaves)), *states)
    return stacked
