"""The first filters of ResNet50, from a file like the one that keras.applications keeps."""

import h5py
import keras
import numpy as np
import pytest

from svhn_tune import draw_resnet50_filters
from svhn_tune.errors import InputError
from svhn_tune.figures.resnet50 import FILES


@pytest.fixture(scope="module")
def kernel():
    return np.random.default_rng(0).normal(0, 0.1, (7, 7, 3, 64)).astype(np.float32)


def write(path, arrays):
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array
    return path


@pytest.fixture
def kept(kernel, tmp_path, monkeypatch):
    """Where Keras keeps it."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    arrays = {
        "conv1_conv/conv1_conv/kernel:0": kernel,
        "conv1_conv/conv1_conv/bias:0": np.zeros(64),
    }
    return write(tmp_path / "models" / FILES[1], arrays)


def shown(chart):
    return np.stack([axes.images[0].get_array() for axes in chart.axes], axis=-1)


def test_each_filter_is_a_picture_whose_red_is_the_last_channel_of_the_weights(kept, kernel):
    pictures = shown(draw_resnet50_filters())
    assert pictures.shape == kernel.shape
    largest = np.abs(kernel).max(axis=(0, 1, 2))
    np.testing.assert_allclose(2 * pictures[:, :, 0] - 1, kernel[:, :, 2] / largest, atol=1e-6)


def test_a_file_may_be_named(kept, kernel, tmp_path):
    other = write(tmp_path / "other.h5", {"conv1/kernel": -kernel})
    np.testing.assert_allclose(
        shown(draw_resnet50_filters(other)), 1 - shown(draw_resnet50_filters()), atol=1e-6
    )


def test_without_the_weights_one_line_says_which_file_belongs_where(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(InputError) as refused:
        draw_resnet50_filters()
    text = str(refused.value)
    assert "\n" not in text
    assert FILES[1] in text
    assert str(tmp_path / "models") in text


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"conv1/kernel": np.zeros((3, 3, 3, 64))}, "it has 0 sound arrays"),
        ({name: np.zeros((7, 7, 3, 64)) for name in "ab"}, "it has 2 sound arrays"),
    ],
)
def test_another_file_is_refused(arrays, message, tmp_path):
    with pytest.raises(InputError, match=message):
        draw_resnet50_filters(write(tmp_path / "other.h5", arrays))


def test_what_is_no_hdf5_is_refused(tmp_path):
    path = tmp_path / "torn.h5"
    path.write_bytes(b"torn")
    with pytest.raises(InputError, match=r"torn\.h5 cannot be read as ResNet50's weights"):
        draw_resnet50_filters(path)
    with pytest.raises(InputError, match="cannot be read"):
        draw_resnet50_filters(tmp_path / "none.h5")


@pytest.mark.parametrize(("include_top", "name"), [(True, FILES[0]), (False, FILES[1])])
def test_keras_asks_for_the_file_of_this_name(include_top, name, monkeypatch):
    def fetch(file, *given, cache_subdir, **more):
        raise LookupError(f"{cache_subdir}/{file}")

    monkeypatch.setattr("keras.src.applications.resnet.file_utils.get_file", fetch)
    with pytest.raises(LookupError, match=f"models/{name}$"):
        keras.applications.ResNet50(include_top=include_top, input_shape=(224, 224, 3))


def test_keras_turns_the_channels_of_its_images_round():
    red = np.array([255, 0, 0], np.float32).reshape(1, 1, 1, 3)
    assert keras.applications.resnet50.preprocess_input(red).argmax() == 2
