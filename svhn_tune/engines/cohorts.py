"""How many seeds train together, and how much of their work is a piece. It knows no JAX."""

from collections.abc import Mapping
from math import prod
from typing import Any

from ..models.size import SizedLayer, measure_size
from ..space.space import Space

# Seeds that train together, at most. Estimated for a T4, not measured on a GPU: from here on a
# step of question 1's model takes as long as its work, and no longer as long as its launches.
MOST = 5
# Bytes: the images, and what a program takes beside them.
FIXED = 154e6
# Of what a device has, for what is not in the formula.
SHARE = 0.8
# Bytes of the widest patches of the images that are evaluated at once.
PATCHES = 256e6
PART = 250
# Multiply-adds of one call, about a second of a slow GPU; batches of one call.
CALL = 1e12
BATCHES = (8, 128)


def choose_size(space: Space, values: Mapping[str, Any], memory: float) -> int:
    """How many seeds of these values' model train together on a device of so many bytes.

    One needs, beside the images, 16 bytes a parameter (itself, gradient and Adam's two) and 1.1
    times the patches of its convolutions and twice its outputs, of a batch (fitted to four models).
    """
    size = measure_size(space, values)
    shapes = [space.task.image_shape, *(layer.output_shape for layer in size.layers)]
    patches = sum(map(_count_patches, size.layers))
    outputs = sum(prod(shape) for shape in shapes[1:])
    per_batch = 4 * space.protocol.batch_size
    seed = 16 * size.parameters + 1.1 * per_batch * (patches + 2 * outputs)
    return int(min(max((SHARE * memory - FIXED) / seed, 1), MOST))


def choose_part(space: Space, values: Mapping[str, Any], seeds: int) -> int:
    """How many images are evaluated at once: the same on any machine, as sums depend on it."""
    patches = max(map(_count_patches, measure_size(space, values).layers), default=0)
    fits = int(PATCHES / (4 * max(patches, 1) * seeds))
    return min(max(fits, space.protocol.batch_size), PART)


def choose_block(space: Space, values: Mapping[str, Any], seeds: int, whole: int) -> int:
    """How many batches a GPU gets in one call: of an epoch of `whole` ones, an equal part."""
    layers = measure_size(space, values).layers
    batch = 3 * space.protocol.batch_size * sum(layer.operations for layer in layers)
    limit = int(min(max(CALL / (max(batch, 1) * seeds), 1), BATCHES[1], max(whole, 1)))
    block = max(each for each in range(1, limit + 1) if whole % each == 0)
    # Of a prime number the rest are calls of one batch.
    return block if block >= BATCHES[0] else limit


def _count_patches(layer: SizedLayer) -> int:
    """Numbers in the patches of a convolution for one image: height x width x k x k x channels."""
    if layer.type != "Conv2D":
        return 0
    # A multiply-add for each of them and each filter.
    return layer.operations // layer.output_shape[-1]
