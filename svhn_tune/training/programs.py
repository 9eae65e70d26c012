"""S seeds of one configuration as one compiled JAX program: vmap over seeds, scan over batches.

Keras gives the layers, the loss's penalties and the optimizer, whose learning rate is data.
"""

import itertools
import types
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import keras


def list_variables(model: keras.Model) -> list[keras.Variable]:
    """All that training changes, in the order of a checkpoint."""
    layers = [variable for layer in model.layers for variable in layer.variables]
    return [*layers, *model.optimizer.variables]


def _find_groups(model: keras.Model) -> list[list[int]]:
    """Where in that list are what is trained, what else the layers have, and the optimizer's."""
    places = {id(variable): place for place, variable in enumerate(list_variables(model))}
    others = model.non_trainable_variables
    groups = (model.trainable_variables, others, model.optimizer.variables)
    return [[places[id(variable)] for variable in group] for group in groups]


def make_template(model: keras.Model) -> keras.Model:
    """The model, to be called with the variables of each seed; its own are not used.

    It ends in logits: on TensorFlow, Keras takes the loss from the logits behind a softmax; on JAX
    from log(clip(softmax, 1e-7, 1 - 1e-7)), whose gradient is 0 where raw pixels saturate it. That
    is so of 44 % of the images at the start.
    """
    model.layers[-1].activation = keras.activations.linear
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            layer.convolution_op = types.MethodType(_convolve, layer)
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


def compile_training(model: keras.Model) -> Any:
    """A function that trains all seeds for some batches; it returns their state and sums.

    It takes a state (the arrays of `list_variables`, of all seeds), which it consumes, batches
    (count, S, size) of positions, which seeds to train (S,) or None for all, class weights
    (classes,), images and labels. Sums are (count, S, 4): a batch's loss, images, hits, images.
    Each count and size is a program of its own: a loop of a number known beforehand does not wait
    for the device before each turn.
    """
    groups = _find_groups(model)

    @partial(jax.jit, donate_argnums=0)
    def train(
        state: list[Any], batches: Any, active: Any, weights: Any, images: Any, labels: Any
    ) -> Any:
        def loss_of(trainable: Any, others: Any, batch: Any) -> tuple[Any, tuple[Any, Any]]:
            def one(trainable: Any, others: Any, batch: Any) -> tuple[Any, Any, Any]:
                x, y, count = images[batch], labels[batch], len(batch)
                losses, penalty, guess, others = _apply(model, trainable, others, x, y, True)
                loss = jnp.mean(losses * weights[y]) + penalty
                parts = [loss * count, count, jnp.sum(guess == y), count]
                return loss, jnp.array(parts, jnp.float32), others

            # Of the sum over the seeds: the gradient of each is its own, and the order of vmap and
            # gradient decides which kernels compute those of the filters.
            loss, sums, others = jax.vmap(one)(trainable, others, batch)
            return jnp.sum(loss), (sums, others)

        def step(state: list[Any], batch: Any) -> tuple[list[Any], Any]:
            trainable, others, optimizer = ([state[place] for place in each] for each in groups)
            slopes, (sums, others) = jax.grad(loss_of, has_aux=True)(trainable, others, batch)
            update = jax.vmap(model.optimizer.stateless_apply)
            trainable, optimizer = update(optimizer, slopes, trainable)
            arrays = [*trainable, *others, *optimizer]
            found = dict(zip(itertools.chain(*groups), arrays, strict=True))
            new = [found[place] for place in range(len(state))]
            if active is not None:
                new = jax.tree.map(partial(jax.vmap(jnp.where), active), new, state)
            return new, sums

        return jax.lax.scan(step, state, batches)

    return train


def compile_evaluation(model: keras.Model) -> Any:
    """A function that evaluates all seeds: the loss, penalties included, and guess of each image.

    It takes a state, images and labels, and returns two arrays (S, images).
    """
    in_layers = _find_groups(model)[:2]

    @jax.jit
    def evaluate(state: list[Any], images: Any, labels: Any) -> Any:
        def one(trainable: Any, others: Any) -> tuple[Any, Any]:
            losses, penalty, guess, _ = _apply(model, trainable, others, images, labels, False)
            return losses + penalty, guess

        return jax.vmap(one)(*([state[place] for place in each] for each in in_layers))

    return evaluate
