"""Which connections of layers a space's models have: a chain, and adds of what came before."""

import keras
import pytest
from keras import layers

from svhn_tune.submission.layer_settings import check_settings


def convolve(x, name=None):
    return layers.Conv2D(3, 3, padding="same", activation="relu", name=name)(x)


def add(*inputs):
    return layers.Add(name="sum")(list(inputs))


def one_block(x):
    return add(convolve(convolve(x)), x)


def two_blocks(x):
    first = layers.Add()([x, convolve(x)])
    return add(convolve(first), first)


def beyond_a_block(x):
    return add(convolve(convolve(convolve(x))), convolve(x, "first"))


def two_branches(x):
    return add(convolve(x), convolve(x))


def nothing_but_itself(x):
    return add(x, x)


def three(x):
    first = convolve(x)
    return add(convolve(first), first, x)


def used_twice(x):
    summed = layers.Add(name="sum")
    first = summed([convolve(x), x])
    return summed([convolve(first), first])


def concatenated(x):
    return layers.Concatenate(name="sum")([convolve(x), x])


def check(make, adds):
    images = keras.Input((8, 8, 3))
    output = layers.Dense(10)(layers.Flatten()(make(convolve(images))))
    model = keras.Model(images, output)
    return check_settings(model, model.layers, adds)


@pytest.mark.parametrize("make", [one_block, two_blocks])
def test_adds_of_a_layer_and_one_before_it_are_for_spaces_that_have_them(make):
    assert check(make, adds=True).ok
    refused = check(make, adds=False)
    assert not refused.ok
    assert "sum is not one step of a chain" in refused.detail


@pytest.mark.parametrize(
    "make", [beyond_a_block, two_branches, nothing_but_itself, three, used_twice, concatenated]
)
def test_no_space_has_other_branches(make):
    refused = check(make, adds=True)
    assert not refused.ok
    assert refused.detail == "sum is not one step of a chain"
