"""A trained model's first-layer filters and feature maps, kept beside its file for the report."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..data.dataset import Split
from ..files import write_arrays
from ..space.dial import measure_apart
from ..space.task import Task

if TYPE_CHECKING:
    import keras

CHANNELS = 24  # of each block, those that vary most over the image
UNITS = 64  # of a dense first layer, those whose weights vary most
FILTERS = 32  # of each layer, the first


def maps_path(model_file: Path) -> Path:
    """Where the pictures of a confirmed model are, beside its file."""
    return model_file.with_suffix(".npz")


def write_maps(
    model: "keras.Model", task: Task, test: Split, predicted: np.ndarray, path: Path
) -> None:
    """Write a trained model's first-layer filters, and its feature maps of one test image.

    The maps are those at each block's end, and those of the first filters of every layer. The image
    is the first that it classifies correctly, or whose time it reads best. A model without
    convolutions has neither: of it, the weights of the first dense layer are kept, a picture for
    each unit.

    Args:
        model: images in, classes out.
        task: says how the model gets its images.
        test: the test set, channels last.
        predicted: what it predicts of each test image, (N,).
        path: the file to write.
    """
    apart = measure_apart(test.labels, predicted) if task.on_dial else predicted != test.labels
    # On a dial hardly any is exactly right; where a model gives no numbers, the first will do.
    place = int(np.argmin(apart))
    image = np.array(test.images[place])
    arrays = {"image": image, "label": test.labels[place], "predicted": predicted[place]}
    kernels = [layer.get_weights()[0] for layer in model.layers if _is_convolution(layer)]
    if kernels:
        arrays["filters"] = kernels[0]
    elif dense := [layer for layer in model.layers if layer.weights]:
        kernel = dense[0].get_weights()[0]
        arrays["weights"] = arrange_weights(kernel, task)
        # Of a single layer a unit is a class.
        is_class = len(dense) == 1 and not task.on_dial
        arrays["weights_of"] = np.array("class" if is_class else str(kernel.shape[-1]))
    layers = _compute_maps(model, task.arrange(image[None]))
    arrays["layers"] = np.array(list(layers))
    for number, maps in enumerate(layers.values()):
        arrays[f"layer_maps_{number}"] = maps[:, :, :FILTERS]
    blocks = {_name_block(name): maps for name, maps in layers.items()}
    arrays["blocks"] = np.array(list(blocks))
    arrays["channels"] = np.array([maps.shape[-1] for maps in blocks.values()])
    for number, maps in enumerate(blocks.values()):
        order = np.argsort(-maps.std(axis=(0, 1)), kind="stable")[:CHANNELS]
        arrays[f"maps_{number}"] = maps[:, :, order]
    write_arrays(path, arrays)


def arrange_weights(kernel: np.ndarray, task: Task) -> np.ndarray:
    """Weights (inputs, units) as pictures (height, width, channels, units), the `UNITS` widest."""
    pictures = kernel.reshape(*task.image_shape, -1)
    if task.channels_first:
        pictures = pictures.transpose(1, 2, 0, 3)
    widest = np.argsort(-kernel.std(axis=0), kind="stable")[:UNITS]
    return pictures[..., np.sort(widest)]


def _is_convolution(layer: "keras.Layer") -> bool:
    return type(layer).__name__ == "Conv2D"


def _name_block(layer: str) -> str:
    """conv_2, conv_2_2 and pool_2 are of block 2; layers without a number stand for themselves."""
    number = re.search(r"_(\d+|stem)", layer)
    return layer if number is None else "stem" if number[1] == "stem" else f"block {number[1]}"


def _compute_maps(model: "keras.Model", images: np.ndarray) -> dict[str, np.ndarray]:
    """Layer -> its maps (height, width, channels) of the one image, in the order of the layers."""
    import keras

    of_images = (keras.layers.InputLayer, keras.layers.Rescaling)
    outputs = {
        layer.name: layer.output
        for layer in model.layers
        if len(layer.output.shape) == 4 and not isinstance(layer, of_images)
    }
    if not outputs:
        return {}
    maps = keras.Model(model.inputs, outputs)([images.astype(np.float32)])
    return {name: keras.ops.convert_to_numpy(maps[name])[0] for name in outputs}
