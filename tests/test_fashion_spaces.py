"""fashion_mlp and fashion_cnn: the textbook's networks, and what the assignment lets vary."""

import keras
import pytest

from svhn_tune.errors import InputError
from svhn_tune.models.families import list_layers
from svhn_tune.models.hypermodel import HyperModel
from svhn_tune.models.size import measure_size
from svhn_tune.models.spaces import load_space, parse_space
from svhn_tune.submission.check import check_submission
from svhn_tune.submission.save import hash_weights, save_submission
from svhn_tune.submission.verdict import Origin, TrainedRun

TEXTBOOK = {
    "fashion_mlp": [
        keras.layers.Flatten(),
        keras.layers.Dense(300, activation="relu"),
        keras.layers.Dense(100, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ],
    "fashion_cnn": [
        keras.layers.Conv2D(64, 7, activation="relu", padding="same"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(128, 3, activation="relu", padding="same"),
        keras.layers.Conv2D(128, 3, activation="relu", padding="same"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(256, 3, activation="relu", padding="same"),
        keras.layers.Conv2D(256, 3, activation="relu", padding="same"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(10, activation="softmax"),
    ],
}
OPTIMIZERS = {
    "fashion_mlp": keras.optimizers.SGD(learning_rate=0.01),
    "fashion_cnn": keras.optimizers.Adam(),
}


def read_config(part):
    return part.get_config() | {"name": None}


@pytest.mark.parametrize("name", TEXTBOOK)
def test_the_baseline_is_the_network_of_the_textbook(name):
    space = load_space(name)
    ours = HyperModel(space).build_values(space.baseline)
    theirs = keras.Sequential([keras.Input((28, 28, 1)), *TEXTBOOK[name]])
    first, *layers = ours.layers
    assert isinstance(first, keras.layers.Rescaling)
    assert [type(layer) for layer in layers] == [type(layer) for layer in theirs.layers]
    assert list(map(read_config, layers)) == list(map(read_config, theirs.layers))
    assert type(ours.optimizer) is type(OPTIMIZERS[name])
    assert read_config(ours.optimizer) == read_config(OPTIMIZERS[name])
    assert ours.count_params() == theirs.count_params()
    assert measure_size(space, space.baseline).parameters == theirs.count_params()


def test_the_perceptron_has_as_many_parameters_as_the_book_says():
    space = load_space("fashion_mlp")
    assert measure_size(space, space.baseline).parameters == 266_610


def test_a_trials_own_optimizer_rate_and_momentum_compile_the_model():
    space = load_space("fashion_mlp")
    values = space.complete({"momentum": 0.9, "learning_rate": 0.03})
    optimizer = HyperModel(space).build_values(values).optimizer
    assert isinstance(optimizer, keras.optimizers.SGD)
    assert optimizer.momentum == 0.9
    assert float(optimizer.learning_rate) == pytest.approx(0.03)
    values = space.complete({"optimizer": "rmsprop"})
    assert "momentum" not in values
    assert isinstance(HyperModel(space).build_values(values).optimizer, keras.optimizers.RMSprop)


def test_activations_penalties_and_a_second_dense_layer_reach_the_layers():
    space = load_space("fashion_cnn")
    values = space.complete({"activation": "elu", "blocks": 1, "l1_1": 1e-5, "units": 64})
    layers = list_layers(space, values)
    assert [layer.arguments.get("activation") for layer in layers if "Dense" in layer.type] == [
        "elu",
        "elu",
        "softmax",
    ]
    assert [layer.arguments.get("units") for layer in layers if layer.type == "Dense"] == [
        64,
        32,
        10,
    ]
    (convolution,) = [layer for layer in layers if layer.type == "Conv2D"]
    assert convolution.arguments["kernel_regularizer"] == {"l1": 1e-5}
    mlp = load_space("fashion_mlp")
    for layer in list_layers(mlp, mlp.complete({"l1": 1e-4, "l2": 1e-3})):
        if layer.type == "Dense":
            assert layer.arguments["kernel_regularizer"] == {"l1": 1e-4, "l2": 1e-3}


def save(space, path, values):
    keras.utils.set_random_seed(0)
    model = HyperModel(space).build_values(values)
    save_submission(space, values, model, path)
    return model


def check(path, space, origin=None):
    checks = check_submission(path, space, None, origin)["checks"]
    return next(each for each in checks if each["name"] == "optimizer")


def test_check_allows_the_optimizers_of_the_space_and_asks_for_the_trials_own(tmp_path):
    space, path = load_space("fashion_mlp"), tmp_path / "model.keras"
    values = space.complete({"momentum": 0.9, "learning_rate": 0.03})
    model = save(space, path, values)
    assert check(path, space)["ok"]
    for known, ok in ((values, True), (space.complete({"momentum": 0.5}), False)):
        run = TrainedRun(0, 0, 30, known)
        origin = Origin("project", 32, {hash_weights(model): run})
        assert check(path, space, origin)["ok"] == ok
    told = check(path, space, origin)["detail"]
    assert told == (
        "sgd with the rate 0.03 and momentum=0.9; expected sgd with the rate 0.01 and momentum=0.5"
    )


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.Adagrad(0.01),
        keras.optimizers.SGD(0.01, momentum=0.7),
    ],
)
def test_check_refuses_an_optimizer_that_the_space_cannot_have(optimizer, tmp_path):
    space, path = load_space("fashion_mlp"), tmp_path / "model.keras"
    model = HyperModel(space).build_values(space.baseline)
    model.compile(optimizer, loss="categorical_crossentropy", metrics=["categorical_accuracy"])
    model.save(path)
    told = check(path, space)
    assert not told["ok"]
    assert "expected sgd or rmsprop or adam or adamw with one rate" in told["detail"]


PARENTS = 'parent_name = "optimizer"\nparent_values = ["sgd"]\n'
CHANGED = [
    (PARENTS, "", r"\[hyperparameters.momentum\]: the optimizer 'adam' has none; give it parent"),
    ('["sgd"]\n', '["sgd", "adam"]\n', "the optimizer 'adam' has none"),
    ('"sgd", "rmsprop", "adam", "adamw"', '"sgd", "nadam"', "'nadam' is none of adam, adamw, sgd"),
    (
        "defaults = [300]",
        "defaults = [310]",
        r"units\]: defaults has 310, which is not allowed \(values",
    ),
    ("default = 2\n", "default = 2\ndefaults = [1]\n", r"layers\]: defaults are for per = "),
    (
        'optimizer = "sgd"',
        'momentum = 0.5\noptimizer = "adam"',
        r"momentum is of sgd and rmsprop; optimizer 'adam' has none",
    ),
]


@pytest.mark.parametrize(("old", "new", "message"), CHANGED)
def test_what_cannot_be_is_refused_in_one_line(old, new, message):
    text = load_space("fashion_mlp").text
    assert old in text
    with pytest.raises(InputError, match=message):
        parse_space(text.replace(old, new, 1), "mine", "mine.toml")


def test_blocks_and_layers_have_defaults_of_their_own():
    space = load_space("fashion_mlp")
    assert space.complete({"layers": 3})["units_1"] == 300
    assert space.complete({"layers": 3})["units_3"] == 100
    assert space.changes(space.complete({"units_1": 100, "units_2": 300})) == (
        "units_1=100 units_2=300"
    )
