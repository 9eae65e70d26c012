"""Small spaces and images of clocks for tests: two hands, bright on black, nothing else."""

import numpy as np

from svhn_tune.data.dataset import Data, Split
from svhn_tune.models.spaces import parse_space

TARGETS = (
    "classes 24",
    "classes 720",
    "regression",
    "heads",
    "heads 60",
    "angle",
    "angle tanh",
    "angle both",
)
SIDE = 75
TEXT = """
title = "Small networks that tell the time"
data = "clocks"
target = "{target}"
model = "cnn"

[input]
scale = 255

[protocol]
epochs = 2
learning_rate = 1e-2
objective = "val_minutes"

[limits]
file_size = "1 MiB"

[hyperparameters.blocks]
type = "Fixed"
value = 1

[hyperparameters.pool_size]
per = "block"
type = "Fixed"
value = 8

[hyperparameters.filters]
type = "Int"
min_value = 1
max_value = 4
default = 2

[hyperparameters.units]
type = "Choice"
values = [0, 8]
default = 8
"""


def make_space(target="angle", text=TEXT, name="clock"):
    """A space of small networks with this target."""
    return parse_space(text.replace("{target}", target), name, f"{name}.toml")


def draw(minutes):
    """Images (N, 75, 75, 1) uint8 of clocks that show these minutes (N,)."""
    images = np.zeros((len(minutes), SIDE, SIDE, 1), np.uint8)
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE // 2
    turned, length = np.arctan2(columns, -rows), np.hypot(rows, columns)
    for image, minute in zip(images, minutes, strict=True):
        for share, reach in ((minute / 720, 20), (minute % 60 / 60, 34)):
            apart = np.abs((turned - 2 * np.pi * share + np.pi) % (2 * np.pi) - np.pi)
            image[(apart * length < 2) & (length < reach)] = 255
    return images


def make_clocks(train=240, test=60):
    """Clocks at random times."""
    draw_from = np.random.default_rng(0)
    splits = []
    for count in (train, test):
        minutes = draw_from.permutation(np.arange(count) * 720 // count).astype(np.int32)
        splits.append(Split(draw(minutes), minutes))
    return Data("tiny clocks", *splits, classes=(), synthetic=True, source="tiny")
