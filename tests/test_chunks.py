"""How many batches a compiled call takes: about a second's, which no bit depends on."""

import numpy as np
import pytest

from svhn_tune.data.dataset import Split
from svhn_tune.engines import chunks, engine_tensorflow
from svhn_tune.engines.engine_tensorflow import KerasTraining
from svhn_tune.models.spaces import load_space

IMAGES = 272  # eight batches of 32 and a short one


@pytest.mark.parametrize(
    ("batches", "seconds", "expected"),
    [(1, 5.0, 1), (1, 0.3, 3), (3, 1.0, 3), (64, 0.5, 64), (1, 0.0, 64), (10, 100.0, 1)],
)
def test_a_call_takes_what_trains_in_a_second(batches, seconds, expected):
    assert chunks.choose_batches(batches, seconds) == expected


def test_calls_of_any_size_give_the_same_bits(monkeypatch):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (IMAGES, 32, 32, 3), dtype=np.uint8)
    split = Split(images, rng.integers(0, 4, IMAGES).astype(np.int32))
    space = load_space("cnn_open")
    chosen = {"blocks": 1, "batch_normalization": True, "spatial_dropout_1": 0.2, "dropout": 0.2}
    values = space.complete(chosen | {"class_weight": 1.0, "learning_rate": 1e-3})
    ended = []
    for each in (1, 7, 64):
        monkeypatch.setattr(engine_tensorflow, "choose_batches", lambda *_, each=each: each)
        training = KerasTraining(space, values, 0, split)
        for _ in range(2):
            training.train_epoch(split)
        ended.append(training)
    one, *others = ended
    for other in others:
        for our, their in zip(one.save().arrays, other.save().arrays, strict=True):
            np.testing.assert_array_equal(our, their)
        for our, their in zip(one.history, other.history, strict=True):
            assert our | {"seconds": 0} == their | {"seconds": 0}
