"""The tiny VGG and its residual form: the layers of the text, as plain layers and in Keras."""

import keras
import numpy as np
import pytest

from svhn_tune.models.hypermodel import build_model
from svhn_tune.models.vgg import list_layers
from svhn_tune.space.task import Task

TASK = Task(32, 32, channels=3, classes=10)
BLOCK = ["Conv2D", "Activation"] * 2
NORMALIZED = ["Conv2D", "BatchNormalization", "Activation"] * 2
RESIDUAL = [*BLOCK[:3], "Add", "Activation"]
STEM = [*NORMALIZED[:3], "MaxPooling2D"]


def types(**values):
    return [layer.type for layer in list_layers(values, TASK)]


def test_the_tiny_vgg_has_two_blocks_of_two_convolutions_and_a_pool():
    assert types() == [*BLOCK, "MaxPooling2D"] * 2 + ["Flatten", "Dense"]
    convolutions = [layer.arguments for layer in list_layers({}, TASK) if layer.type == "Conv2D"]
    assert {each["filters"] for each in convolutions} == {10}
    assert {each["kernel_size"] for each in convolutions} == {3}


def test_batch_normalisation_stands_before_each_activation():
    assert types(batch_normalization=True) == [*NORMALIZED, "MaxPooling2D"] * 2 + [
        "Flatten",
        "Dense",
    ]


def test_a_third_block_is_one_more_of_the_same():
    assert types(blocks=3) == [*BLOCK, "MaxPooling2D"] * 3 + ["Flatten", "Dense"]


def test_the_residual_form_is_that_of_the_text():
    """A stem; blocks without pooling, whose last activation comes after the add; a pool of 4."""
    assert types(residual=True) == [
        *STEM,
        *(RESIDUAL * 2),
        *("AveragePooling2D", "Flatten", "Dense"),
    ]
    layers = {layer.name: layer for layer in list_layers({"residual": True}, TASK)}
    assert layers["conv_stem"].arguments["kernel_size"] == 7
    assert layers["average_pool"].arguments == {"pool_size": 4}
    assert layers["add_1"].inputs == ("conv_1_2", "pool_stem")
    assert layers["add_2"].inputs == ("conv_2_2", "relu_1_2")


def test_batch_normalisation_comes_before_the_add():
    layers = list_layers({"residual": True, "batch_normalization": True}, TASK)
    assert next(layer for layer in layers if layer.name == "add_1").inputs[0] == "norm_1_2"


@pytest.mark.parametrize("values", [{}, {"residual": True}, {"residual": True, "blocks": 5}])
def test_in_keras_a_block_adds_its_input_before_its_last_activation(values):
    model = build_model(list_layers(values, TASK), TASK, "vgg")
    assert isinstance(model, keras.Sequential) != values.get("residual", False)
    images = np.random.default_rng(0).random((2, 32, 32, 3)).astype(np.float32)
    layers = {layer.name: layer for layer in model.layers}
    expected = images
    for block in ["stem", *range(1, values.get("blocks", 2) + 1)]:
        before = expected
        for name in [f"{block}_1", f"{block}_2"] if block != "stem" else ["stem"]:
            if f"conv_{name}" not in layers:
                continue
            expected = layers[f"conv_{name}"](expected)
            if f"norm_{name}" in layers:
                expected = layers[f"norm_{name}"](expected)
            if values and name == f"{block}_2":
                expected = expected + before
            expected = keras.ops.relu(expected)
        if f"pool_{block}" in layers:
            expected = layers[f"pool_{block}"](expected)
    if values:
        expected = keras.ops.average_pool(expected, 4)
    expected = layers["output"](keras.ops.reshape(expected, (2, -1)))
    np.testing.assert_allclose(model(images, training=False), expected, atol=1e-6)
