"""What every engine promises of stopping: wherever it is, what goes on ends with the same bits."""

import numpy as np
import pytest
import softmax_engine
from stops import AfterQuestions

from svhn_tune.data.dataset import Split
from svhn_tune.engines import checkpoints, engine_tensorflow
from svhn_tune.models.spaces import load_space

OWNER = {"root": 3, "seed": 0}
# An epoch is nine pieces of training and five of evaluating: where a run was saved, epochs first.
PLACES = [
    *[(0, "batches")] * 2,
    *[(0, "batches", "evaluated", "metrics")] * 2,
    (1, "batches"),
    (2, "evaluated"),
    *[(2, "predicted")] * 2,
]
IMAGES = 272  # eight batches of 32 and a short one


# At the first question, twice within one epoch, in its evaluation, in the next, at the end.
QUESTIONS = (0, 1, 6, 3, 4, 10, 4, 0)
# TensorFlow compiles each instance anew, which takes 1 s: at every other one of these places.
EVERY_OTHER = (2, 10, 15, 5)


@pytest.fixture(params=["softmax", "tensorflow"])
def begin(request, monkeypatch):
    """A function that begins a run: dropout, class weights, and batch normalisation if it may."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (IMAGES, 32, 32, 3), dtype=np.uint8)
    split = Split(images, rng.integers(0, 4, IMAGES).astype(np.int32))
    monkeypatch.setattr(softmax_engine, "PART", 64)
    monkeypatch.setattr(softmax_engine, "CHUNK", 1)
    monkeypatch.setattr(engine_tensorflow, "choose_part", lambda *_: 64)
    monkeypatch.setattr(engine_tensorflow, "choose_batches", lambda *_: 1)
    engine = softmax_engine if request.param == "softmax" else engine_tensorflow
    space = load_space("cnn_open")
    chosen = {"blocks": 1, "batch_normalization": True, "spatial_dropout_1": 0.2, "dropout": 0.2}
    values = space.complete(chosen | {"class_weight": 1.0, "learning_rate": 1e-3})
    return lambda: (engine.start(space, values, [0], split).members[0], split)


def train(training, split, stop, brought):
    """Two epochs, then what ends a run, into `brought`; whether all is done."""
    while len(training.history) < 2:
        if training.train_epoch(split, stop) is None:
            return False
    for name in ("evaluate", "predict"):
        if name not in brought:
            result = getattr(training, name)(split, stop)
            if result is None:
                return False
            brought[name] = result if name == "evaluate" else result.tolist()
    return True


def without_seconds(history):
    return [epoch | {"seconds": 0.0} for epoch in history]


@pytest.mark.parametrize(
    ("begin", "stops", "places"),
    [
        ("softmax", QUESTIONS, PLACES),
        ("tensorflow", EVERY_OTHER, PLACES[1::2]),
        pytest.param("tensorflow", QUESTIONS, PLACES, marks=pytest.mark.soak),
    ],
    ids=["softmax", "tensorflow", "tensorflow-everywhere"],
    indirect=["begin"],
)
def test_a_run_stopped_and_continued_wherever_it_can_be_ends_with_the_same_bits(
    begin, stops, places, tmp_path
):
    (whole, split), expected = begin(), {}
    assert train(whole, split, AfterQuestions(1000), expected)
    training, brought, seen = begin()[0], {}, []
    for questions in stops:
        assert not train(training, split, AfterQuestions(questions), brought)
        checkpoints.write(tmp_path / "run.npz", training.save(), OWNER)
        state = checkpoints.read(tmp_path / "run.npz", OWNER, 2)
        seen.append((len(state.history), *sorted(set(state.within) - {"random", "seconds"})))
        # Another instance: all that differs must come from the file.
        training = begin()[0]
        training.restore(state)
    assert train(training, split, AfterQuestions(1000), brought)
    assert seen == list(places)
    assert brought == expected
    assert training.weights_sha256 == whole.weights_sha256
    assert without_seconds(training.history) == without_seconds(whole.history)
    for our, their in zip(training.save().arrays, whole.save().arrays, strict=True):
        np.testing.assert_array_equal(our, their)


def test_seconds_are_those_of_all_parts_of_an_epoch(begin):
    training, split = begin()
    assert training.train_epoch(split, AfterQuestions(1)) is None
    before = training.save().within["seconds"]
    assert before > 0
    assert training.train_epoch(split)["seconds"] > before


def test_what_was_saved_stays_as_it_was_while_the_run_goes_on(begin):
    training, split = begin()
    training.train_epoch(split, AfterQuestions(1))
    state = training.save()
    copies = [np.array(each) for each in state.arrays]
    training.train_epoch(split)
    for ours, theirs in zip(state.arrays, copies, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    now = training.save().arrays
    assert any((np.array(each) != copy).any() for each, copy in zip(now, copies, strict=False))


def add_batches(state):
    state.within["batches"] += 1


def forget_batches(state):
    state.within.clear()


def drop_an_array(state):
    state.arrays.pop()


@pytest.mark.parametrize("damage", [add_batches, forget_batches, drop_an_array])
def test_a_place_that_the_run_cannot_have_been_at_is_refused(damage, begin):
    training, split = begin()
    training.train_epoch(split, AfterQuestions(1))
    state = training.save()
    damage(state)
    fresh = begin()[0]
    before = fresh.weights_sha256
    with pytest.raises(ValueError, match="this run cannot continue from there"):
        fresh.restore(state)
    assert fresh.weights_sha256 == before
    assert fresh.save().within == {}
