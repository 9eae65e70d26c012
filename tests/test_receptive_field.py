"""What an output sees: known by hand, and measured as gradients in real Keras models."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

from svhn_tune.cli import app
from svhn_tune.models import cnn, vgg
from svhn_tune.models.describe import describe_values
from svhn_tune.models.hypermodel import build_model
from svhn_tune.models.receptive_field import measure_receptive_fields
from svhn_tune.models.spaces import load_space
from svhn_tune.space.task import Task

IMAGES = 48


def fields(values, side=32, family=cnn):
    """Layer -> side of its square receptive field."""
    task = Task(side, side, channels=3, classes=10)
    layers = family.list_layers(values, task)
    found = measure_receptive_fields(layers, task)
    assert all(height == width for height, width in found)
    return {layer.name: height for layer, (height, _) in zip(layers, found, strict=True)}


def test_question_one_by_hand():
    # 3; a pool of 2 sees one pixel more, and then each step is two pixels: 4, 4 + 2 * 2, ...
    assert fields({}) == {
        "conv_1": 3,
        "pool_1": 4,
        "conv_2": 8,
        "pool_2": 10,
        "conv_3": 18,
        "pool_3": 22,
        "flatten": 32,
        "hidden": 32,
        "output": 32,
    }


def test_an_add_sees_what_its_inputs_see_together():
    found = fields({"residual": True}, family=vgg)
    # The stem: 7, a pool of 2 sees 8 and steps by 2; each 3x3 convolution of a block sees 4 more.
    seen = {"conv_stem": 7, "pool_stem": 8, "conv_1_1": 12, "add_1": 16, "add_2": 24}
    assert {name: found[name] for name in seen} == seen
    assert found["average_pool"] == 24 + 3 * 2


def test_valid_padding_and_uneven_pools_leave_an_edge_that_nothing_sees():
    values = {"blocks": 1, "padding": "valid", "kernel_size_1": 5, "pool_size_1": 3}
    # 28 outputs, of which 9 pools of 3 see 27: these see 27 + 4 pixels.
    assert fields(values) == {"conv_1": 5, "pool_1": 7, "flatten": 31, "hidden": 31, "output": 31}


def test_a_field_may_be_larger_than_the_image_but_all_outputs_see_no_more_than_it():
    found = fields({"blocks": 4, **{f"kernel_size_{block}": 7 for block in range(1, 5)}})
    assert found["conv_4"] == 7 + 1 + 6 * 2 + 2 + 6 * 4 + 4 + 6 * 8
    assert found["flatten"] == 32


def test_height_and_width_are_told_apart():
    task = Task(height=32, width=20, channels=3, classes=10)
    found = measure_receptive_fields(cnn.list_layers({"blocks": 1}, task), task)
    assert found[-1] == (32, 20)


CASES = [
    (cnn, {}),
    (
        cnn,
        {"blocks": 2, "kernel_size_1": 5, "pool_size_1": 3, "kernel_size_2": 4, "pool_size_2": 1},
    ),
    (
        cnn,
        {
            "blocks": 2,
            "padding": "valid",
            "kernel_size_1": 4,
            "pool_size_1": 3,
            "convolutions_2": 2,
        },
    ),
    (cnn, {"blocks": 1, "padding": "valid", "kernel_size_1": 5, "pool_size_1": 5}),
    (vgg, {"batch_normalization": True}),
    (vgg, {"residual": True, "filters": 4}),
]


@pytest.mark.parametrize(("family", "values"), CASES)
def test_it_is_what_gradients_reach_in_keras(family, values):
    """Of an output in the middle of an image so large that no field meets its edge; after Flatten
    of all outputs. A maximum passes one gradient only, so many random images are looked at."""
    side = 65
    task = Task(side, side, channels=3, classes=10)
    model = build_model(family.list_layers(values, task), task, "network")
    for weights in model.weights:
        # No gradient is lost in a ReLU, and none cancels another.
        weights.assign(np.abs(weights))
    images = np.random.default_rng(0).random((IMAGES, side, side, 3)).astype(np.float32)
    expected = fields(values, side, family)
    for layer in model.layers:
        if layer.name.startswith(("conv", "pool", "flatten", "add", "average")):
            assert reach(model, layer, images) == expected[layer.name], layer.name


def reach(model, layer, images):
    """The side of the square of pixels that the layer's output depends on in any of the images."""
    pixels = tf.Variable(images)
    part = keras.Model(model.inputs, layer.output)
    with tf.GradientTape() as tape:
        output = part([pixels])
        if len(output.shape) == 4:
            middle = output.shape[1] // 2
            output = output[:, middle, middle]
        total = tf.reduce_sum(output)
    seen = np.abs(tape.gradient(total, pixels)).max(axis=(0, 3)) > 0
    sides = {int(np.ptp(np.flatnonzero(seen.any(axis=axis)))) + 1 for axis in (0, 1)}
    (side,) = sides
    return side


def test_describe_prints_it_beside_shapes_parameters_and_bytes(capsys):
    app(["describe", "--space", "cnn"], standalone_mode=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("  ")[0] == "layer"
    assert lines[0].endswith("output shape  receptive field  parameters    bytes")
    assert lines[3].split() == ["conv_2", "Conv2D", "16x16x32", "8x8", "4,640", "18,560"]
    assert max(map(len, lines)) <= 80
    app(["describe", "--space", "cnn", "--json"], standalone_mode=False)
    layer = json.loads(capsys.readouterr().out)["layers"][2]
    assert layer["receptive_field"] == [8, 8]


def test_an_infeasible_model_is_described_as_far_as_it_goes():
    space = load_space("cnn")
    values = {"blocks": 5, "padding": "valid"}
    description = describe_values(space, values)
    assert not description["feasible"]
    assert description["layers"][-1]["receptive_field"] == (22, 22)
