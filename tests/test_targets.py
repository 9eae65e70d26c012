"""What a network is asked for: labels become what it is trained on, and outputs labels again."""

import numpy as np
import pytest
from dials import TARGETS, TEXT, make_space

from svhn_tune.errors import InputError
from svhn_tune.models.describe import describe_values
from svhn_tune.models.families import list_layers
from svhn_tune.models.spaces import load_space, parse_space
from svhn_tune.space.dial import measure_apart, measure_minutes, say_time, wrap

MINUTES = np.arange(720)


@pytest.mark.parametrize("target", TARGETS)
def test_every_minute_comes_back_from_what_a_perfect_network_would_say(target):
    task = make_space(target).task
    encoded = task.target.encode(MINUTES)
    assert [each.shape for each in encoded] == [(720, head.units) for head in task.heads]
    assert {str(each.dtype) for each in encoded} == {"float32"}
    decoded = task.decode(encoded)
    assert decoded.shape == (720,)
    assert str(decoded.dtype) == task.target.stored == "float32"
    # A class of half an hour is said by its middle.
    most = 14.5 if target == "classes 24" else 1e-2
    assert measure_apart(MINUTES, decoded).max() <= most


@pytest.mark.parametrize("layout", ["array", "list"])
def test_classes_are_one_hot_and_the_most_probable_one(layout):
    task = load_space("cnn").task
    (encoded,) = task.target.encode(np.array([3, 0]))
    np.testing.assert_array_equal(encoded, np.eye(10, dtype=np.float32)[[3, 0]])
    decoded = task.decode(encoded if layout == "array" else [encoded])
    assert decoded.tolist() == [3, 0]
    assert task.target.stored == "uint8"


def test_what_a_network_says_beyond_the_dial_is_of_the_next_turn():
    hours = make_space("regression").task
    said = np.array([[12.5], [-0.25], [24.0]])
    np.testing.assert_allclose(hours.decode(said), [30, 705, 0])
    heads = make_space("heads").task
    twelve, three = np.eye(12)[[0]], np.eye(12)[[3]]
    assert heads.decode([twelve, np.array([[-0.05]])]).tolist() == [717.0]
    assert heads.decode([three, np.array([[1.0]])]).tolist() == [240.0]


def test_the_length_of_an_angle_says_nothing():
    task = make_space("angle").task
    said = task.target.encode(np.array([95]))[0]
    np.testing.assert_allclose(task.decode([0.01 * said, 40 * said][0]), 95, atol=1e-3)
    np.testing.assert_allclose(task.decode(40 * said), 95, atol=1e-3)


def test_a_time_stays_below_720_where_float32_would_round_it_up():
    assert wrap(np.array([-1e-9, 719.99999999, 720.0])).tolist() == [0, 0, 0]


def test_the_common_sense_error_goes_the_shorter_way_around():
    labels, predicted = np.array([5, 0, 180, 359]), np.array([715.0, 360, 180, 0])
    assert measure_apart(labels, predicted).tolist() == [10, 360, 0, 359]
    assert measure_minutes(labels, predicted) == pytest.approx((10 + 360 + 359) / 4)


def test_a_time_is_said_as_on_a_clock():
    assert [say_time(m) for m in (0, 65, 719.4, 719.6)] == ["0:00", "1:05", "11:59", "0:00"]


@pytest.mark.parametrize(
    ("target", "outputs"),
    [
        ("classes 144", [("output", 144)]),
        ("regression", [("output", 1)]),
        ("heads", [("hour", 12), ("minute", 1)]),
        ("heads 60", [("hour", 12), ("minute", 60)]),
        ("angle", [("output", 2)]),
    ],
)
def test_every_head_is_a_dense_layer_on_the_same_trunk(target, outputs):
    space = make_space(target)
    layers = list_layers(space, space.baseline)
    heads = layers[-len(outputs) :]
    assert [(layer.name, layer.arguments["units"]) for layer in heads] == outputs
    described = describe_values(space, {})
    assert described["feasible"]
    trunk = described["layers"][-len(outputs) - 1]["output_shape"][0]
    assert [each["parameters"] for each in described["layers"][-len(outputs) :]] == [
        (trunk + 1) * units for _, units in outputs
    ]


CNN = load_space("cnn").text
WEIGHTED = '[hyperparameters.{}]\ntype = "Fixed"\nvalue = 0.5\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TEXT.replace("{target}", "angel"), "target: 'angel' is none of classes 24 to "),
        (TEXT.replace("{target}", "angel"), "Did you mean 'angle'?"),
        (TEXT.replace("{target}", "classes 25"), "24 to 720 classes, and so many that they divide"),
        (TEXT.replace("{target}", "classes 12"), "target: 'classes 12': a dial has 24 to 720"),
        (TEXT.replace("{target}", "classes many"), "target: 'classes many': a dial has"),
        (TEXT.replace('target = "{target}"\n', ""), "target is missing: 'clocks' needs one"),
        (CNN.replace("[protocol]", 'target = "angle"\n[protocol]', 1), "is for clocks, not for"),
        (
            TEXT.replace("{target}", "angle").replace("val_minutes", "val_loss"),
            "[protocol] objective: networks on 'clocks' are scored by 'val_minutes' (got",
        ),
        (
            CNN.replace("val_categorical_accuracy", "val_minutes"),
            "[protocol] objective: networks on 'svhn' are not scored in minutes (got",
        ),
        (
            CNN.replace('loss = "categorical_crossentropy"', 'loss = "huber"'),
            "[protocol] loss: huber is not for classes",
        ),
        (
            TEXT.replace("{target}", "classes 24").replace("epochs", 'loss = "huber"\nepochs', 1),
            "target: 'classes 24' is trained by categorical_crossentropy, not by the loss huber",
        ),
        (
            TEXT.replace("{target}", "angle").replace(
                "epochs", 'loss = "categorical_crossentropy"\nepochs', 1
            ),
            "is trained by mean_squared_error, mean_absolute_error, huber, not by the loss",
        ),
        (
            TEXT.replace("{target}", "classes 24") + WEIGHTED.format("class_weight"),
            "[hyperparameters.class_weight]: 'clocks' has no classes to be weighted",
        ),
        (
            TEXT.replace("{target}", "angle") + WEIGHTED.format("minute_weight"),
            "[hyperparameters.minute_weight]: it weighs the second of two heads",
        ),
    ],
)
def test_a_target_that_does_not_fit_is_refused_in_one_line(text, told):
    with pytest.raises(InputError) as refused:
        parse_space(text, "clock", "clock.toml")
    assert str(refused.value).startswith("clock.toml")
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
