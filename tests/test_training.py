"""One run: it does what Keras's `fit` does, and continues as if it had never stopped."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from svhn_tune.data.dataset import Split
from svhn_tune.engines import checkpoints, engine_tensorflow
from svhn_tune.engines.engine_tensorflow import KerasTraining
from svhn_tune.models.hypermodel import class_weights
from svhn_tune.models.spaces import load_space
from svhn_tune.training.execution import has_no_room

CLASSES = 10
OWNER = {"root": 3, "seed": 0}
IMAGES = 112  # three batches of 32 and a short one


@pytest.fixture(scope="module")
def split() -> Split:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (IMAGES, 32, 32, 3), dtype=np.uint8)
    labels = np.r_[np.arange(CLASSES), rng.integers(0, 4, IMAGES - CLASSES)].astype(np.int32)
    return Split(images, labels)


CASES = {
    "baseline": ("cnn", {}),
    "everything": (
        "cnn",
        {"spatial_dropout_1": 0.2, "dropout": 0.2, "l2_1": 1e-2, "class_weight": 1.0},
    ),
    "batch_normalization": (
        "cnn_open",
        {"batch_normalization": True, "learning_rate": 1e-3, "convolutions_1": 2, "l1_1": 1e-4},
    ),
}


def make(case, split, seed=0, index=None):
    name, chosen = CASES[case]
    space = load_space(name)
    return KerasTraining(space, space.complete(chosen), seed, split, index)


# What the plain one has, the others have, too.
each_case = pytest.mark.parametrize(
    "case",
    [
        pytest.param("baseline", marks=pytest.mark.soak),
        *("everything", "batch_normalization"),
    ],
)


@each_case
def test_an_epoch_gives_the_weights_that_fit_gives(case, split):
    ours, theirs = make(case, split), make(case, split)
    order = np.random.default_rng((0, 0)).permutation(IMAGES)
    gamma = CASES[case][1].get("class_weight", 0.0)
    weight = dict(enumerate(class_weights(split.labels, gamma))) if gamma else None
    metrics = ours.train_epoch(split)
    fitted = theirs.model.fit(
        split.images[order],
        keras.utils.to_categorical(split.labels[order], CLASSES),
        batch_size=32,
        shuffle=False,
        class_weight=weight,
        verbose=0,
        validation_data=(split.images, keras.utils.to_categorical(split.labels, CLASSES)),
    )
    for our, their in zip(ours.model.get_weights(), theirs.model.get_weights(), strict=True):
        np.testing.assert_allclose(our, their, rtol=1e-4, atol=1e-6)
    for name, values in fitted.history.items():
        assert metrics[name] == pytest.approx(values[0], rel=1e-4), name


@each_case
def test_a_continued_run_ends_with_the_bits_of_an_uninterrupted_one(case, split, tmp_path):
    whole = make(case, split)
    whole.train_epoch(split)
    checkpoints.write(tmp_path / "run.npz", whole.save(), OWNER)
    for _ in range(2):
        whole.train_epoch(split)
    # Another instance: all that differs must come from the file.
    continued = make(case, split)
    continued.restore(checkpoints.read(tmp_path / "run.npz", OWNER, 3))
    assert len(continued.history) == 1
    for _ in range(2):
        continued.train_epoch(split)
    for one, other in zip(whole.save().arrays, continued.save().arrays, strict=True):
        np.testing.assert_array_equal(one, other)
    drop = {"seconds"}
    assert [{k: v for k, v in e.items() if k not in drop} for e in whole.history] == [
        {k: v for k, v in e.items() if k not in drop} for e in continued.history
    ]


def test_a_seed_repeats_a_run_and_another_seed_does_not(split):
    runs = []
    for seed in (0, 0, 1):
        training = make("everything", split, seed)
        training.train_epoch()
        runs.append(training.model.get_weights())
    for first, again in zip(runs[0], runs[1], strict=True):
        np.testing.assert_array_equal(first, again)
    assert any(not np.array_equal(a, b) for a, b in zip(runs[0], runs[2], strict=True))


def test_the_images_come_in_another_order_each_epoch_and_for_each_seed():
    orders = [
        tuple(np.random.default_rng((seed, epoch)).permutation(IMAGES))
        for seed in (0, 1)
        for epoch in (0, 1)
    ]
    assert len(set(orders)) == 4


def test_an_index_trains_on_those_images_only(split):
    index = np.arange(CLASSES, 64)
    part = Split(split.images[index], split.labels[index])
    whole, taken = make("baseline", split, index=index), make("baseline", part)
    # A permutation moves positions, whatever stands there: the images come in the same order.
    whole.train_epoch()
    taken.train_epoch()
    for one, other in zip(whole.save().arrays, taken.save().arrays, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_state_of_another_model_is_refused(split):
    other = make("batch_normalization", split)
    with pytest.raises(ValueError, match="its variables are those of another model"):
        make("baseline", split).restore(other.save())


def test_predictions_are_the_classes_that_evaluate_counts(split):
    training = make("baseline", split)
    training.train_epoch()
    accuracy = (training.predict(split) == split.labels).mean()
    assert training.evaluate(split)["categorical_accuracy"] == pytest.approx(accuracy)


def test_a_run_whose_loss_is_no_number_has_diverged(split):
    training = make("baseline", split)
    bias = training.model.trainable_variables[-1]
    bias.assign(np.full(bias.shape, np.nan, np.float32))
    training.train_epoch()
    assert checkpoints.has_diverged(training.history[-1])


def test_a_worker_on_a_gpu_takes_of_its_memory_what_it_needs(monkeypatch):
    gpus = [tf.config.PhysicalDevice(f"/physical_device:GPU:{n}", "GPU") for n in range(2)]
    grown = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda *_: gpus)
    told = tf.config.experimental
    monkeypatch.setattr(told, "set_memory_growth", lambda *given: grown.append(given))
    monkeypatch.setattr(engine_tensorflow, "use_threads", lambda _: pytest.fail("on a GPU"))
    assert engine_tensorflow.prepare() == "GPU"
    assert grown == [(gpu, True) for gpu in gpus]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor"), True),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate"), True),
        (MemoryError(), True),
        (tf.errors.InternalError(None, None, "Blas GEMM launch failed"), False),
        (RuntimeError("INVALID_ARGUMENT: shapes"), False),
    ],
)
def test_that_there_is_no_room_is_heard_of_either_engine(error, expected):
    assert has_no_room(error) is expected
