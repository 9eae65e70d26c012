"""The CNN as a HyperModel: what it builds, and that a stock KerasTuner tuner can use it."""

import keras
import keras_tuner as kt
import numpy as np
import pytest

import svhn_tune
from svhn_tune.errors import InputError
from svhn_tune.models.hypermodel import CNNHyperModel, class_weights, declare
from svhn_tune.models.size import measure_size
from svhn_tune.models.spaces import load_space, space_names


@pytest.mark.parametrize("name", space_names())
def test_the_defaults_of_the_hyperparameters_are_the_spaces_baseline(name):
    space = load_space(name)
    assert declare(space, kt.HyperParameters()) == space.baseline


def test_the_default_is_question_1s_model():
    model = svhn_tune.CNNHyperModel().build(kt.HyperParameters())
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds == ["Conv2D", "MaxPooling2D"] * 3 + ["Flatten", "Dense", "Dense"]
    assert [layer.filters for layer in model.layers[0:6:2]] == [16, 32, 64]
    assert all(layer.activation is keras.activations.relu for layer in model.layers[0:6:2])
    assert all(layer.pool_size == (2, 2) for layer in model.layers[1:6:2])
    hidden, output = model.layers[-2:]
    assert (hidden.units, hidden.activation) == (64, keras.activations.relu)
    assert (output.units, output.activation) == (10, keras.activations.softmax)
    assert model.loss == "categorical_crossentropy"
    assert isinstance(model.optimizer, keras.optimizers.Adam)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-5)


def test_every_value_reaches_its_layer():
    space = load_space("cnn")
    chosen = {
        "blocks": 2,
        "padding": "valid",
        "kernel_initializer": "he_normal",
        "kernel_size_2": 5,
        "pool_size_1": 1,
        "l2_1": 0.01,
        "units": 128,
        "spatial_dropout_2": 0.3,
        "dropout": 0.4,
    }
    model = CNNHyperModel(space).build_values(space.complete(chosen))
    layers = {layer.name: layer for layer in model.layers}
    assert layers["conv_1"].kernel_regularizer.l2 == pytest.approx(0.01)
    assert layers["conv_2"].kernel_regularizer is None
    assert layers["conv_2"].kernel_size == (5, 5)
    assert layers["conv_1"].padding == "valid"
    assert isinstance(layers["conv_1"].kernel_initializer, keras.initializers.HeNormal)
    assert "pool_1" not in layers
    assert "pool_2" in layers
    assert layers["spatial_dropout_2"].rate == 0.3
    assert "spatial_dropout_1" not in layers
    assert layers["dropout"].rate == 0.4
    assert layers["hidden"].units == 128


def test_the_open_space_reaches_what_the_assignment_does_not():
    space = load_space("cnn_open")
    chosen = {
        "batch_normalization": True,
        "convolutions_1": 2,
        "filters": 8,
        "l1_2": 1e-4,
        "learning_rate": 1e-3,
    }
    model = CNNHyperModel(space).build_values(space.complete(chosen))
    kinds = [type(layer).__name__ for layer in model.layers[:6]]
    assert kinds == ["Conv2D", "BatchNormalization", "Activation"] * 2
    layers = {layer.name: layer for layer in model.layers}
    assert layers["conv_1_2"].filters == 8
    assert layers["conv_2"].kernel_regularizer.l1 == pytest.approx(1e-4)
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)


@pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions_eagerly`")
@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("gamma", [0.0, 1.0])
def test_whole_numbers_as_labels_train_as_one_hot_ones_do(gamma):
    images = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), np.uint8)
    labels = np.minimum(np.arange(40) % 13, 9)
    one_hot = keras.utils.to_categorical(labels, 10)
    hypermodel, hp = CNNHyperModel("cnn"), kt.HyperParameters()
    hp.Fixed("class_weight", gamma)
    losses = []
    for given in (labels, labels[:, None], one_hot):
        keras.utils.set_random_seed(1)
        model = hypermodel.build_values(hypermodel.space.complete({"blocks": 1, "units": 32}))
        done = hypermodel.fit(
            hp, model, images, given, epochs=1, verbose=0, validation_data=(images, given)
        )
        losses.append((done.history["loss"], done.history["val_loss"]))
    assert losses[0] == losses[1] == losses[2]


def test_labels_that_are_no_class_are_refused_in_words():
    hypermodel, hp = CNNHyperModel("cnn"), kt.HyperParameters()
    with pytest.raises(InputError, match=r"^labels are 1 to 10; the model has 10 classes, 0 to 9$"):
        hypermodel.fit(hp, hypermodel.build(hp), np.zeros((10, 32, 32, 3)), np.arange(1, 11))


def test_class_weights_have_mean_1_and_undo_the_frequencies_at_gamma_1():
    labels = np.repeat([0, 1, 2], [10, 20, 40])
    weights = class_weights(labels, 1.0)
    assert weights.mean() == pytest.approx(1)
    assert weights * [10, 20, 40] == pytest.approx(np.full(3, weights[0] * 10))
    assert class_weights(labels, 0.0) == pytest.approx(np.ones(3))


# KerasTuner continues a promoted trial without its optimizer's state, and Keras says so.
@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")
@pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions_eagerly`")
@pytest.mark.usefixtures("eagerly")
def test_a_stock_hyperband_tuner_searches_it(small_space, tmp_path):
    search_by_stock_hyperband(tmp_path, small_space, max_epochs=2, factor=2)


@pytest.mark.soak
@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")
def test_a_stock_hyperband_tuner_searches_it_as_in_the_readme(tmp_path):
    search_by_stock_hyperband(tmp_path, "cnn", max_epochs=3)


def search_by_stock_hyperband(folder, space, **settings):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (32, 32, 32, 3), dtype=np.uint8)
    labels = keras.utils.to_categorical(np.arange(32) % 10)
    tuner = kt.Hyperband(
        CNNHyperModel(space), "val_categorical_accuracy", seed=1, directory=folder, **settings
    )
    tuner.search(images, labels, validation_data=(images, labels), verbose=0)
    trials = tuner.oracle.trials.values()
    assert {trial.status for trial in trials} == {"COMPLETED"}
    assert any(trial.hyperparameters.values["tuner/initial_epoch"] for trial in trials)


def test_a_stock_tuners_infeasible_values_are_redrawn_and_recorded():
    hypermodel = CNNHyperModel()
    hp = kt.HyperParameters()
    hp.values |= {"blocks": 5, "tuner/epochs": 4}
    hp.values |= {f"pool_size_{block}": 3 for block in range(1, 6)}
    model = hypermodel.build(hp)
    values = {name: value for name, value in hp.values.items() if name != "tuner/epochs"}
    assert hypermodel.space.complete(values) == values
    assert measure_size(hypermodel.space, values).parameters == model.count_params()
    assert hp.values["tuner/epochs"] == 4
