"""The file that is handed in, and the check: what it accepts, and what it refuses by name."""

import json
import zipfile

import keras
import numpy as np
import pytest

from svhn_tune.models.cnn import CNNHyperModel
from svhn_tune.space import load_space, parse_space, space_names
from svhn_tune.submission import NEWER_KEYS, check_submission, save_submission


@pytest.fixture
def space():
    return load_space("cnn")


def save(space, path, **chosen):
    values = space.complete(chosen)
    model = CNNHyperModel(space).build_values(values)
    model.optimizer.build(model.trainable_variables)
    save_submission(space, values, model, path)
    return model


def failed(result):
    return [check["name"] for check in result["checks"] if not check["ok"]]


@pytest.mark.parametrize("name", space_names())
def test_the_baseline_of_every_space_may_be_handed_in(name, tmp_path):
    space = load_space(name)
    save(space, tmp_path / "model.keras")
    result = check_submission(tmp_path / "model.keras", space)
    assert result["ok"], result
    assert result["file_bytes"] == (tmp_path / "model.keras").stat().st_size


def test_the_file_has_no_optimizer_state_and_the_models_predictions(space, tmp_path):
    model = save(space, tmp_path / "model.keras", dropout=0.2, l2_1=1e-3)
    model.save(tmp_path / "with_state.keras")
    small = (tmp_path / "model.keras").stat().st_size
    assert small < 0.45 * (tmp_path / "with_state.keras").stat().st_size
    images = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(loaded.predict_on_batch(images), model.predict_on_batch(images))


def test_null_keys_of_newer_versions_are_left_out(space, tmp_path):
    save(space, tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        text = archive.read("config.json").decode()
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
    assert not any(f'"{key}"' in text for key in NEWER_KEYS)


def refuse(space, tmp_path, layers, **compiled):
    model = keras.Sequential([keras.Input((32, 32, 3)), *layers])
    arguments = {
        "optimizer": keras.optimizers.Adam(1e-5),
        "loss": "categorical_crossentropy",
        "metrics": ["categorical_accuracy"],
    }
    model.compile(**arguments | compiled)
    model.save(tmp_path / "model.keras")
    return failed(check_submission(tmp_path / "model.keras", space))


def head(hidden=1, activation="relu"):
    dense = [keras.layers.Dense(8, activation=activation) for _ in range(hidden)]
    return [keras.layers.Flatten(), *dense, keras.layers.Dense(10, activation="softmax")]


def test_what_keeps_the_rules_is_accepted(space, tmp_path):
    conv = keras.layers.Conv2D(4, 3, activation="relu")
    assert refuse(space, tmp_path, [conv, *head()]) == []


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (lambda: head(hidden=2), "one hidden dense layer"),
        (lambda: head(hidden=0), "one hidden dense layer"),
        (lambda: head(activation="tanh"), "hidden activations"),
        (lambda: [keras.layers.Conv2D(4, 3, activation="elu"), *head()], "hidden activations"),
        (lambda: [keras.layers.Rescaling(1 / 255), *head()], "no other layers"),
        (lambda: [*head()[:-1], keras.layers.Dense(10)], "output activation"),
        (lambda: [*head()[:-1], keras.layers.Dense(11, activation="softmax")], "output"),
    ],
)
def test_a_model_that_breaks_a_rule_is_refused_by_its_name(make, rule, space, tmp_path):
    assert rule in refuse(space, tmp_path, make())


@pytest.mark.parametrize(
    "compiled",
    [
        {"optimizer": "sgd"},
        {"optimizer": keras.optimizers.Adam(1e-3)},
        {"loss": "mse"},
    ],
)
def test_a_model_compiled_otherwise_is_refused(compiled, space, tmp_path):
    assert refuse(space, tmp_path, head(), **compiled) == ["compiled as asked"]


def test_a_file_above_the_limit_is_refused(space, tmp_path):
    save(space, tmp_path / "model.keras")
    small = parse_space(space.text.replace("238.4 MiB", "100 KiB"), "small", "small.toml")
    assert failed(check_submission(tmp_path / "model.keras", small)) == ["file size"]


def test_code_in_a_file_is_never_run(space, tmp_path):
    layers = [keras.layers.Flatten(), keras.layers.Lambda(lambda x: x), *head()[1:]]
    assert "loads" in refuse(space, tmp_path, layers)


def test_a_damaged_model_is_refused_not_raised(space, tmp_path):
    save(space, tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    entries["config.json"] = json.dumps({"class_name": "Nothing"}).encode()
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    assert failed(check_submission(tmp_path / "model.keras", space)) == ["loads"]
