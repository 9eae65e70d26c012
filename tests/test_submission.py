"""The file that is handed in: what is in it, and what cannot be."""

import warnings
import zipfile

import keras
import numpy as np
import pytest
from keras import layers

from svhn_tune.errors import InputError
from svhn_tune.models.hypermodel import CNNHyperModel
from svhn_tune.models.spaces import load_space
from svhn_tune.submission.portable import LATER, find_first_version, strip_config
from svhn_tune.submission.save import save_submission


@pytest.fixture
def space():
    return load_space("cnn")


def save(space, path, **chosen):
    values = space.complete(chosen)
    model = CNNHyperModel(space).build_values(values)
    model.optimizer.build(model.trainable_variables)
    save_submission(space, values, model, path)
    return model


def test_the_file_has_no_optimizer_state_and_the_models_predictions(space, tmp_path):
    model = save(space, tmp_path / "model.keras", dropout=0.2, l2_1=1e-3)
    model.save(tmp_path / "with_state.keras")
    small = (tmp_path / "model.keras").stat().st_size
    assert small < 0.45 * (tmp_path / "with_state.keras").stat().st_size
    images = np.random.default_rng(0).integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    loaded = keras.models.load_model(tmp_path / "model.keras", compile=False)
    np.testing.assert_array_equal(loaded.predict_on_batch(images), model.predict_on_batch(images))


def test_the_file_loads_without_a_warning_and_its_optimizer_has_not_stepped(space, tmp_path):
    save(space, tmp_path / "model.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = keras.models.load_model(tmp_path / "model.keras")
    step, rate, *moments = [np.asarray(value) for value in loaded.optimizer.variables]
    assert (step, rate) == (0, pytest.approx(1e-5))
    assert len(moments) == 2 * len(loaded.trainable_variables)
    assert not any(moment.any() for moment in moments)


def test_what_newer_versions_added_is_left_out(tmp_path):
    space = load_space("cnn_open")
    save(space, tmp_path / "model.keras", batch_normalization=True)
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        text = archive.read("config.json").decode()
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
    assert not any(f'"{key}"' in text for key in [*LATER, "jit_compile"])


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            layers.Dense(8, name="hidden", kernel_initializer=keras.initializers.Orthogonal()),
            "Orthogonal is not known to load in Keras 3.10",
        ),
        (layers.Dense(8, name="hidden", dtype="mixed_float16"), "the dtype policy mixed_float16"),
        (layers.SpatialDropout1D(0.5, name="drop"), r"'drop' \(SpatialDropout1D\) is not known"),
    ],
)
def test_what_an_old_version_may_not_know_is_refused_by_name(layer, message):
    model = keras.Sequential([keras.Input((4, 3)), layer])
    with pytest.raises(InputError, match=message):
        strip_config(keras.saving.serialize_keras_object(model))


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("Dense", "quantization_config", {"mode": "int8"}),
        ("BatchNormalization", "renorm", True),
        ("GlorotUniform", "input_axes", [0]),
        ("Dense", "a_key_of_tomorrow", 3),
    ],
)
def test_a_later_setting_that_says_something_is_refused_by_name(name, key, value):
    package = "initializers" if name == "GlorotUniform" else "layers"
    found = {"module": f"keras.{package}", "class_name": name, "config": {key: value}}
    with pytest.raises(InputError, match=f"{name} has {key}="):
        strip_config({"layers": [found]})
    first, why = find_first_version({"layers": [found]})
    assert first == LATER.get(key, (3, 16))
    assert why == [f"{key} of {name}"]


def test_a_refused_model_writes_nothing(space, tmp_path, monkeypatch):
    monkeypatch.setattr("svhn_tune.submission.portable.KNOWN", {})
    with pytest.raises(InputError, match="not known to load in Keras"):
        save(space, tmp_path / "model.keras")
    assert list(tmp_path.iterdir()) == []
