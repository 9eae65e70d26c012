"""What TensorFlow leaves of a confirm: the file to hand in, and pictures.npz.

The pictures are made by a real small confirm, of any model of the family, and never in its way.
"""

import os
import shutil

import keras
import numpy as np
import pytest
from conftest import train_by_tensorflow

from svhn_tune import CNNHyperModel, confirm, load_data, load_space, search
from svhn_tune.engines.maps import FILTERS, arrange_weights, maps_path, write_maps
from svhn_tune.figures import Figures
from svhn_tune.figures.pictures import stretch_channels
from svhn_tune.figures.style import Chart
from svhn_tune.files import read_arrays, write_arrays
from svhn_tune.progress.progress import Progress
from svhn_tune.project.results import find_origin
from svhn_tune.stages.pictures import write_pictures
from svhn_tune.submission.check import check_submission

SETTINGS = {"tuner": "random", "max_trials": 2, "max_epochs": 1, "train_images": 64}
OF_MODELS = ("filters", "filters_by_channel", "feature_maps", "filter_through_layers")
PICTURES = ("hardest_digits", *OF_MODELS)


@pytest.fixture(scope="module")
def confirmed(small_space, archives, tmp_path_factory):
    """By TensorFlow, as its worker writes the maps; the search before it needs none."""
    folder = tmp_path_factory.mktemp("pictures") / "cnn"
    project = search(small_space, archives, project=folder, workers=2, **SETTINGS)
    with train_by_tensorflow():
        return confirm(project, archives, top=1, runs=2, epochs=1)


@pytest.fixture
def copy(confirmed, tmp_path):
    shutil.copytree(confirmed.folder, tmp_path / "cnn")
    return type(confirmed)(tmp_path / "cnn")


def test_the_submission_is_the_best_run_and_lacks_nothing_but_epochs(confirmed, archives):
    path = confirmed.submission_path
    data = load_data(archives)
    result = check_submission(path, confirmed.space, data, find_origin(path))
    broken = {c["name"]: c["detail"] for c in result["checks"] if not c["ok"]}
    assert set(broken) == {"training"}
    assert broken["training"].startswith("1 epoch in batches of 32")
    best = max(record.score for record in confirmed.ended("confirm"))
    accuracy = next(c for c in result["checks"] if c["name"] == "test accuracy")
    assert accuracy["detail"].startswith(f"{best:.4f}")


def test_confirm_leaves_pictures_of_the_submission(confirmed):
    arrays = read_arrays(confirmed.pictures_path)
    best = confirmed.best_confirmed()
    model = keras.models.load_model(confirmed.submission_path)
    first = next(layer for layer in model.layers if layer.name == "conv_1")
    assert arrays["trial"] == best.trial
    assert (arrays["model_filters"] == first.get_weights()[0]).all()
    assert len(arrays["model_blocks"]) == best.values["blocks"]
    assert arrays["model_image"].dtype == np.uint8
    names = arrays["model_layers"].tolist()
    assert names == [layer.name for layer in model.layers if len(layer.output.shape) == 4]
    last = keras.Model(model.inputs, model.get_layer(names[-1]).output)
    maps = np.asarray(last([arrays["model_image"][None].astype(np.float32)]))[0]
    kept = arrays[f"model_layer_maps_{len(names) - 1}"]
    np.testing.assert_allclose(kept, maps[..., :FILTERS], rtol=1e-4, atol=1e-4)


def test_only_kept_models_have_maps(confirmed):
    names = {path.stem for path in (confirmed.folder / "models").glob("*.keras")}
    assert {path.stem for path in (confirmed.folder / "models").glob("*.npz")} == names


@pytest.mark.parametrize("name", PICTURES)
def test_the_report_draws_them(name, confirmed, tmp_path):
    runs = confirmed.ended("confirm")
    figure = getattr(Figures(confirmed), name)()
    if name == "hardest_digits" and all(run.collapsed for run in runs):
        assert figure is None
    else:
        assert isinstance(figure, Chart)
        figure.savefig(tmp_path / "figure.svg")


def test_pictures_of_the_same_runs_are_not_made_again(copy, archives):
    before = copy.pictures_path.stat().st_mtime_ns
    write_pictures(copy, load_data(archives).test)
    assert copy.pictures_path.stat().st_mtime_ns == before
    copy.pictures_path.write_bytes(b"torn")
    write_pictures(copy, load_data(archives).test)
    assert "made_of" in read_arrays(copy.pictures_path)


def test_more_runs_change_them(copy, archives):
    before = str(read_arrays(copy.pictures_path)["made_of"])
    run = copy.best_confirmed()
    worse = {"run": 9, "score": run.score / 2, "weights_sha256": "other"}
    copy.record(run.model_copy(update=worse))
    copy.record(run.model_copy(update=worse | {"run": 8, "score": 0.0, "collapsed": False}))
    write_pictures(copy, load_data(archives).test)
    assert str(read_arrays(copy.pictures_path)["made_of"]) != before


def test_a_confirm_whose_pictures_cannot_be_written_is_a_confirm(copy, archives):
    class Notes(Progress):
        notes: tuple = ()

        def note(self, text):
            self.notes += (text,)

    copy.pictures_path.unlink()
    copy.pictures_path.mkdir()
    notes = Notes()
    again = confirm(copy, archives, top=1, runs=2, epochs=1, progress=notes)
    assert again.submission_path.exists()
    assert any("no pictures" in note for note in notes.notes)


def test_pictures_missing_or_of_an_older_project_are_no_error(copy):
    for path in (copy.folder / "models").glob("*.npz"):
        os.remove(path)
    copy.pictures_path.unlink()
    assert [getattr(Figures(copy), name)() for name in PICTURES] == [None] * len(PICTURES)
    assert read_arrays(maps_path(copy.folder / "models" / "none.keras")) == {}


@pytest.mark.parametrize(
    ("space", "chosen", "blocks"),
    [
        ("cnn", {"blocks": 1}, [(16, 16, 16)]),
        ("cnn", {"blocks": 2, "pool_size_1": 1}, [(32, 32, 16), (16, 16, 24)]),
        (
            "cnn_open",
            {"blocks": 2, "convolutions_1": 2, "batch_normalization": True, "dropout": 0.2},
            [(16, 16, 16), (8, 8, 24)],
        ),
    ],
)
def test_maps_are_those_at_each_blocks_end(space, chosen, blocks, archives, tmp_path):
    space = load_space(space)
    model = CNNHyperModel(space).build_values(space.complete(chosen))
    test = load_data(archives).test
    predicted = model.predict_on_batch(test.images[:50]).argmax(axis=-1)
    predicted = np.resize(predicted, len(test.labels))
    write_maps(model, space.task, test, predicted, tmp_path / "maps.npz")
    arrays = read_arrays(tmp_path / "maps.npz")
    shapes = [arrays[f"maps_{number}"].shape for number in range(len(arrays["blocks"]))]
    assert shapes == blocks
    assert arrays["blocks"].tolist() == [f"block {each + 1}" for each in range(len(blocks))]


def test_a_model_without_convolutions_has_an_image_only(archives, tmp_path):
    layers = [keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(10)]
    test = load_data(archives).test
    write_maps(
        keras.Sequential(layers), load_space("cnn").task, test, test.labels, tmp_path / "maps.npz"
    )
    arrays = read_arrays(tmp_path / "maps.npz")
    assert "filters" not in arrays
    assert len(arrays["blocks"]) == 0
    assert arrays["label"] == arrays["predicted"] == test.labels[0]


def test_weights_of_a_dense_first_layer_lie_as_the_image_does():
    for name in ("cifar_shallow", "mlp"):
        task = load_space(name).task
        numbers = np.arange(32 * 32 * 3, dtype=np.float32).reshape(1, 32, 32, 3)
        kernel = task.arrange(numbers).reshape(-1, 1) * np.array([[1.0, 0.0, -1.0]])
        pictures = arrange_weights(kernel, task)
        np.testing.assert_array_equal(pictures[..., 0], numbers[0])
        np.testing.assert_array_equal(pictures[..., 2], -numbers[0])


def test_each_channel_of_a_picture_goes_from_its_lowest_to_its_highest():
    weights = np.random.default_rng(0).normal(0, [0.1, 5, 0], (32, 32, 3))
    shown = stretch_channels(weights)
    assert shown[..., :2].min(axis=(0, 1)).tolist() == [0, 0]
    assert shown[..., :2].max(axis=(0, 1)).tolist() == [1, 1]
    assert (shown[..., 2] == 0.5).all()


def test_the_one_layer_network_has_a_picture_a_class(make_project, tmp_path):
    project = make_project(tmp_path / "cnn")
    pictures = np.random.default_rng(0).normal(size=(32, 32, 3, 10))
    classes = np.array([f"kind {number}" for number in range(10)])
    arrays = {"weights_1_5": pictures, "of_1_5": np.array("class"), "classes": classes}
    arrays |= {"weights_0_30": np.repeat(pictures, 6, -1), "of_0_30": np.array("128")}
    write_arrays(project.pictures_path, arrays)
    figure = Figures(project).first_layer_weights()
    drawn = [axes for axes in figure.axes if axes.images]
    assert len(drawn) == 10 + 60
    assert {axes.get_title() for axes in drawn} == {"", *classes.tolist()}
