"""Seeds that train together on JAX: as TensorFlow trains each, and as it trains alone."""

import os
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
from jax_tasks import (
    begin_by_keras,
    evaluate,
    is_barred,
    lower,
    make_case,
    needs_jax,
    predict,
    start_jax,
    stop_after,
    tell_settings,
    train,
    train_stopping,
)
from stops import AfterQuestions

from svhn_tune.engines import engine_tensorflow
from svhn_tune.engines.engine_tensorflow import KerasTraining
from svhn_tune.engines.maps import maps_path
from svhn_tune.submission.check import check_submission
from svhn_tune.submission.save import hash_weights

pytestmark = needs_jax

# Of each family, with what a loss may have in it; without dropout, whose bits are the backend's.
PENALISED = {"blocks": 1, "units": 32, "pool_size_1": 3, "l2_1": 1e-2, "class_weight": 1.0}
# Adam's steps and those of RMSprop amplify rounding where a gradient is nearly none.
SLOW = {"optimizer": "sgd", "learning_rate": 0.01, "momentum": 0.9}
CASES = {
    "cnn": ("cnn", PENALISED | {"padding": "valid"}),
    "cnn_open": (
        "cnn_open",
        {"blocks": 1, "filters": 8, "units": 32, "batch_normalization": True, "l1_1": 1e-4},
    ),
    "linear": ("linear", {}),
    "mlp": ("mlp", {"units_1": 64, "activation": "relu"}),
    "tiny_resnet": ("tiny_resnet", {}, 128),  # one batch
    "clock_heads": ("clock_heads", {"blocks": 3, "units": 64}),
    "fashion_mlp": ("fashion_mlp", {"units_1": 50, "activation": "selu", "momentum": 0.9}),
    "fashion_cnn": ("fashion_cnn", SLOW | {"filters": 8, "activation": "elu", "dropout": 0.0}, 40),
}
# `make test` has the first, `make ci` the second, too, `make test-all` all.
MARKS = {"linear": (), "cnn_open": pytest.mark.slow}
# Of each head's loss alone Keras takes the mean of images on JAX, of batches on TensorFlow.
UNLIKE = {f"{kind}{head}_loss" for kind in ("", "val_", "test_") for head in ("hour", "minute")}
UNLIKE.add("seconds")
# Without a short batch, which would be a program more to compile for each number of seeds.
RANDOM = ("cnn", PENALISED | {"spatial_dropout_1": 0.2, "dropout": 0.2}, 96)
SEEDS = [3, 4, 5, 6, 7]


@pytest.fixture(scope="module")
def in_jax():
    with start_jax() as call:
        yield call


def start_tensorflow(case, seed=3):
    space, values, split = make_case(*case)
    return KerasTraining(space, values, seed, split), split


def assert_close(one, other, tolerance):
    """Alike to so much of the largest number: moments are sums of terms as large as that."""
    np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * max(np.abs(other).max(), 1))


def without_seconds(history):
    return [epoch | {"seconds": 0.0} for epoch in history]


def find_noise(training):
    """Positions of biases before batch normalisation: without a gradient, Adam amplifies rounding.

    Their moments, too, and what depends on them: the mean that the normalisation takes off.
    """
    layers = [variable for layer in training.model.layers for variable in layer.variables]
    variables = [*layers, *training.model.optimizer.variables]
    return {
        n
        for n, each in enumerate(variables)
        if "moving_mean" in each.path or ("conv" in each.path and "bias" in each.path)
    }


@pytest.mark.parametrize(
    "name",
    [pytest.param(each, marks=MARKS.get(each, pytest.mark.soak)) for each in CASES],
)
def test_an_epoch_agrees_with_that_of_tensorflow_from_the_same_weights(name, in_jax):
    """In the same order, with penalties, class weights and the short batch."""
    ours, split = start_tensorflow(CASES[name])
    (theirs,) = in_jax(train, CASES[name], [3], [ours.save()])
    before = ours.save().arrays
    ours.train_epoch(split, test=split)
    noise = find_noise(ours) if name in ("cnn_open", "tiny_resnet") else set()
    for position, (our, their) in enumerate(zip(ours.save().arrays, theirs.arrays, strict=True)):
        assert (our.shape, our.dtype) == (their.shape, their.dtype)
        if position in noise:
            continue
        if name == "tiny_resnet":
            # Where a gradient is nearly none, Adam's first steps, of 1e-3 here, amplify rounding.
            apart = np.abs(our - their) > 5e-5 * max(np.abs(our).max(), 1)
            assert apart.mean() < 0.02
        else:
            assert_close(our, their, 5e-5)
    assert any(np.abs(a - b).max() > 1e-5 for a, b in zip(before, ours.save().arrays, strict=True))
    for metric, value in ours.history[0].items():
        if metric not in UNLIKE:
            assert theirs.history[0][metric] == pytest.approx(value, rel=1e-4), metric


def test_the_loss_of_saturated_images_comes_from_the_logits(in_jax):
    """As on TensorFlow: from clipped probabilities it would be another one, without a gradient."""
    ours, split = start_tensorflow(CASES["cnn"])
    probable = ours.model.predict_on_batch(split.images)[np.arange(len(split.labels)), split.labels]
    assert (probable < 1e-7).mean() > 0.2
    loss = ours.evaluate(split)["loss"]
    assert in_jax(evaluate, CASES["cnn"], ours.save())["loss"] == pytest.approx(loss, rel=1e-5)
    clipped = -np.log(np.clip(probable, 1e-7, 1)).mean()
    assert loss > clipped + 1


def test_no_program_has_a_convolution_that_several_seeds_would_share(in_jax):
    program = in_jax(lower, RANDOM, SEEDS[:2])
    assert "stablehlo.dot_general" in program
    assert "convolution" not in program


def test_a_seed_begins_as_keras_would_begin_from_it(in_jax):
    (state,) = in_jax(train, RANDOM, [3], [], 0)
    expected = in_jax(begin_by_keras, RANDOM, 3)
    for array, variable in zip(state.arrays, expected, strict=False):
        np.testing.assert_array_equal(array, variable)
    assert len(expected) > 2


@pytest.fixture(scope="module")
def cohort(in_jax):
    """The states of five seeds that trained an epoch together."""
    return in_jax(train, RANDOM, SEEDS, (), 1, None, False)


def test_each_seed_of_a_cohort_trains_as_it_does_alone(cohort, in_jax):
    (alone,) = in_jax(train, RANDOM, SEEDS[1:2], (), 1, None, False)
    for together, own in zip(cohort[1].arrays, alone.arrays, strict=True):
        assert_close(together, own, 1e-6)
    assert np.abs(cohort[0].arrays[0] - cohort[1].arrays[0]).max() > 1e-3


def test_a_seed_that_diverges_leaves_the_others_bit_equal(cohort, in_jax):
    fresh = in_jax(train, RANDOM, SEEDS, [], 0)
    rate = next(n for n, each in enumerate(fresh[2].arrays) if each.shape == () and 0 < each < 1)
    fresh[2].arrays[rate] = np.float32(1e30)
    beside = in_jax(train, RANDOM, SEEDS, fresh, 1, None, False)
    assert np.isnan(beside[2].history[0]["loss"])
    assert np.isnan(beside[2].arrays[0]).any()
    for seed in (0, 1, 3, 4):
        assert without_seconds(beside[seed].history) == without_seconds(cohort[seed].history)
        for one, other in zip(beside[seed].arrays, cohort[seed].arrays, strict=True):
            np.testing.assert_array_equal(one, other)


def test_its_file_loads_in_tensorflow_with_the_same_predictions_and_may_be_handed_in(
    cohort, in_jax, tmp_path
):
    metrics, predicted, hashes = in_jax(predict, RANDOM, SEEDS, cohort, tmp_path)
    assert len(set(hashes)) == len(SEEDS)
    space, _, split = make_case(*RANDOM)
    model = keras.models.load_model(tmp_path / "1.keras")
    assert hash_weights(model) == hashes[1]
    loaded = model.predict_on_batch(split.images).argmax(axis=-1)
    np.testing.assert_array_equal(loaded, predicted[1])
    accuracy = metrics[1]["categorical_accuracy"]
    assert accuracy == pytest.approx((predicted[1] == split.labels).mean())
    assert check_submission(tmp_path / "1.keras", space)["ok"]
    assert maps_path(tmp_path / "1.keras").exists()


# Within training, in evaluating, in the next epoch, at the end: an epoch has three pieces of each.
FEW = (1, 1, 3, 8)
MANY = (0, 0, 0, 0, 2, 0, 1, 0, 0, 3, 0, 0)


@pytest.mark.parametrize(
    "questions", [FEW, pytest.param(MANY, marks=pytest.mark.soak)], ids=["few", "many"]
)
def test_a_cohort_stopped_and_continued_wherever_it_can_be_ends_with_the_same_bits(
    questions, in_jax, tmp_path
):
    path = tmp_path / "run.npz"
    calm, expected, _ = in_jax(train_stopping, RANDOM, SEEDS[:2], (), path, 40)
    states, brought, seen = in_jax(train_stopping, RANDOM, SEEDS[:2], questions, path, 40)
    assert brought == expected
    kinds = {(epochs, *names) for epochs, *names in seen}
    assert {(0, "batches"), (0, "batches", "evaluated", "metrics"), (2, "predicted")} <= kinds
    for state, whole in zip(states, calm, strict=True):
        assert without_seconds(state.history) == without_seconds(whole.history)
        for one, other in zip(state.arrays, whole.arrays, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.soak
def test_a_run_goes_on_alone_in_another_cohort_and_on_the_other_engine(cohort, in_jax):
    """With dropout, whose state must come along, as far as a backend has the same bits."""
    go_on = partial(in_jax, train, RANDOM)
    calm = go_on(SEEDS, cohort, 1, None, False)
    (alone,) = go_on(SEEDS[:1], cohort[:1], 1, None, False)
    # Stopped after its second batch, beside one that has ended its epoch.
    half = in_jax(stop_after, RANDOM, SEEDS[1], 1, cohort[1], False)
    anew = go_on(SEEDS[:2], [cohort[0], half], 1, None, False)
    for one, other in ((alone, calm[0]), (anew[0], calm[0]), (anew[1], calm[1])):
        assert len(one.history) == 2
        for ours, theirs in zip(one.arrays, other.arrays, strict=True):
            assert_close(ours, theirs, 5e-5)


@pytest.mark.parametrize(
    ("name", "questions"),
    [
        pytest.param("linear", 1, marks=pytest.mark.soak),
        ("linear", 4),
        pytest.param("clock_heads", 4, marks=pytest.mark.soak),
    ],
)
def test_either_engine_goes_on_within_the_epoch_of_the_other(name, questions, in_jax, monkeypatch):
    monkeypatch.setattr(engine_tensorflow, "choose_part", lambda *_: 32)
    monkeypatch.setattr(engine_tensorflow, "choose_batches", lambda *_: 1)
    case = CASES[name]
    whole, split = start_tensorflow(case)
    fresh = whole.save()
    whole.train_epoch(split)
    stopped, _ = start_tensorflow(case)
    stopped.restore(fresh)
    assert stopped.train_epoch(split, AfterQuestions(questions)) is None
    (theirs,) = in_jax(train, case, [3], [stopped.save()])
    on_jax = in_jax(stop_after, case, 3, questions, fresh)
    assert on_jax.within.keys() == stopped.save().within.keys()
    ours, _ = start_tensorflow(case)
    ours.restore(on_jax)
    ours.train_epoch(split)
    for each in (theirs, ours.save()):
        for metric in whole.history[0].keys() - UNLIKE:
            expected = whole.history[0][metric]
            assert each.history[0][metric] == pytest.approx(expected, rel=1e-4), metric
        for one, other in zip(each.arrays, whole.save().arrays, strict=True):
            assert_close(one, other, 5e-5)


def test_batches_in_one_call_are_those_of_many(in_jax):
    case = CASES["linear"]
    ((by_one,), (by_two,)) = (in_jax(train, case, [3], [], 1, block) for block in (1, 2))
    for one, other in zip(by_one.arrays, by_two.arrays, strict=True):
        assert_close(one, other, 1e-6)


def test_a_place_that_the_run_cannot_have_been_at_is_refused(in_jax):
    (state,) = in_jax(train, CASES["linear"], [3])
    state.arrays.pop()
    with pytest.raises(ValueError, match="its variables are those of another model"):
        in_jax(train, CASES["linear"], [3], [state])


def test_a_process_with_jax_cannot_import_tensorflow(in_jax):
    assert in_jax(is_barred, "tensorflow")


def test_a_worker_with_jax_shares_a_gpu_counts_in_32_bits_and_keeps_its_programs(cohort, in_jax):
    told = in_jax(tell_settings)
    assert (told["backend"], told["preallocates"], told["precision"]) == ("jax", "false", "highest")
    assert told["shortest"] == 0
    assert Path(told["cache"]).is_relative_to(os.environ["XDG_CACHE_HOME"])
    assert any(Path(told["cache"]).iterdir())


@pytest.mark.soak
def test_the_same_seeds_end_with_the_same_bits_in_a_new_process(cohort):
    with start_jax() as in_another:
        anew = in_another(train, RANDOM, SEEDS, (), 1, None, False)
    for one, other in zip(cohort, anew, strict=True):
        assert without_seconds(one.history) == without_seconds(other.history)
        for ours, theirs in zip(one.arrays, other.arrays, strict=True):
            np.testing.assert_array_equal(ours, theirs)
