"""convolutions and words: PW04's exercise 1, its formula, and architectures in its own words."""

import keras
import numpy as np
import pytest

from svhn_tune.errors import InputError
from svhn_tune.models.convolutions import explain_layers, read_filters
from svhn_tune.models.families import list_layers
from svhn_tune.models.spaces import load_space
from svhn_tune.models.words import say_architecture, say_layer


@pytest.mark.parametrize("length", [5, 6, 7, 10])
@pytest.mark.parametrize("window", [1, 2, 3, 5])
@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("padding", [0, 1, 2])
def test_a_signal_has_as_many_outputs_as_places_for_the_filter(length, window, stride, padding):
    (layer,) = explain_layers(str(length), [f"CONV w={window}, h=1, S={stride}, P={padding}"])[
        "layers"
    ]
    places = range(0, length + 2 * padding - window + 1, stride)
    assert layer["output"] == (1, len(places), 1)
    assert layer["preserves"] == (len(places) == length)
    assert layer["formulas"][1].split(" = ")[-1].split(",")[0] == str(len(places))


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_same_and_valid_are_those_of_keras(padding, stride):
    images = np.zeros((1, 7, 9, 3), np.float32)
    model = keras.layers.Conv2D(4, (3, 5), strides=stride, padding=padding)
    expected = model(images).shape[1:]
    words = f"CONV D=4, h=3, w=5, S={stride}, P='{padding}'"
    (layer,) = explain_layers("7x9x3", [words])["layers"]
    assert layer["output"] == tuple(expected)
    assert layer["parameters"] == model.count_params()


def test_the_texts_simple_cnn():
    explained = explain_layers("32x32x3", ["CONV D=32, w=h=3, S=1, P='same'", "MAXPOOL"])
    assert [layer["output"] for layer in explained["layers"]] == [(32, 32, 32), (16, 16, 32)]
    assert [layer["maps"] for layer in explained["layers"]] == [32, 32]
    assert explained["layers"][0]["preserves"]


def test_the_formula_has_its_numbers_and_says_what_would_keep_the_size():
    (layer,) = explain_layers("5x5x3", ["CONV D=2, w=h=3, S=2"])["layers"]
    assert layer["formulas"][0] == "H: (H - h + 2P)/S + 1 = (5 - 3 + 2*0)/2 + 1 = 2"
    assert layer["same_size"] == "S=1, P=1"
    (layer,) = explain_layers("8", ["CONV w=3, h=1, S=4, P=0"])["layers"]
    assert layer["formulas"][1].endswith("= 2, rounded down: 1 not reached")


@pytest.mark.parametrize(
    ("shape", "words", "message"),
    [
        ("7", "CONV S=1", "lacks w"),
        ("7", "DENSE 10", "must begin with CONV or MAXPOOL"),
        ("7", "CONV w=h=3, Q=1", "'Q=1' is not understood"),
        ("7", "CONV w=h=3, w=1", "'w=1' is not understood"),
        ("7", "CONV w=h=3, S=0", "S=0 must be a whole number from 1"),
        ("7", "CONV w=h=3, P=half", "P=half must be a whole number from 0"),
        ("7", "CONV w=9, h=1", r"a filter of 9 does not fit on 7 with padding 0 \(W"),
        ("7x7", "MAXPOOL w=h=2, P=1", "neither D nor P"),
        ("0", "CONV w=h=1", "--input 0 must have sides of 1"),
        ("axb", "CONV w=h=1", "--input axb must be HEIGHTxWIDTHxCHANNELS"),
    ],
)
def test_words_that_make_no_sense_are_one_line(shape, words, message):
    with pytest.raises(InputError, match=message):
        explain_layers(shape, [words])


def test_an_architecture_is_said_as_in_the_texts_table():
    space = load_space("cifar_cnn")
    said = say_architecture(list_layers(space, space.baseline))
    assert said == "Layer 1: CONV D=32, w=h=3, S=1, P=same; Layer 2: MAXPOOL; Layer 3: DENSE 10"
    values = space.asked_by(space.questions[1])[4]
    said = say_architecture(list_layers(space, values))
    for words in ("Layer 2: BATCHNORMALIZATION", "SPATIALDROPOUT 0.2", "DROPOUT 0.5", "D=128"):
        assert words in said


def test_pools_and_adds_are_said():
    space = load_space("tiny_resnet")
    said = say_architecture(list_layers(space, space.baseline))
    assert said.startswith("Layer 1: CONV D=10, w=h=7, S=1, P=same; Layer 2: BATCHNORMALIZATION;")
    assert said.endswith("Layer 9: ADD; Layer 10: AVGPOOL w=h=4, S=4; Layer 11: DENSE 10")


def test_a_penalty_is_said_with_its_layer():
    space = load_space("cifar_shallow")
    values = space.asked_by(space.questions[0])[0]
    assert say_architecture(list_layers(space, values)) == "Layer 1: DENSE 10, L2=0.05"


def test_what_is_said_can_be_read_again():
    for name in ("cnn", "cifar_cnn"):
        space = load_space(name)
        for layer in list_layers(space, space.baseline):
            if layer.type in ("Conv2D", "MaxPooling2D"):
                filters = read_filters(say_layer(layer))
                assert filters.width == filters.height
                assert filters.depth == layer.arguments.get("filters", 1)
