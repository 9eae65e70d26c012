"""The models of assignment A4.2 as its text has them, and the images that they get."""

import keras
import numpy as np
import pytest
from conftest import train_by_tensorflow
from test_answers import propose

from svhn_tune import confirm, load_data
from svhn_tune.models.families import list_layers
from svhn_tune.models.hypermodel import HyperModel
from svhn_tune.models.size import measure_size
from svhn_tune.models.spaces import load_space
from svhn_tune.project.records import decode_predicted
from svhn_tune.submission.check import check_submission

TRAIN = 112  # three batches of 32 and a short one


def write_model_of_the_text(*hidden):
    """Question 1's model, and with 256 `hidden` units question 4's, as a student writes them."""
    widths = [*((units, "tanh") for units in hidden), (10, "softmax")]
    model = keras.Sequential([keras.Input((3, 32, 32)), keras.layers.Flatten()])
    for units, activation in widths:
        model.add(
            keras.layers.Dense(
                units,
                activation=activation,
                kernel_initializer=keras.initializers.RandomNormal(),
                bias_initializer=keras.initializers.RandomNormal(),
            )
        )
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=1e-5),
        loss="categorical_crossentropy",
        metrics=["categorical_accuracy"],
    )
    return model


def read_config(part):
    """How a layer or an optimizer is made, whatever it is called."""
    return part.get_config() | {"name": None}


@pytest.mark.parametrize(
    ("hidden", "name", "parameters"), [([], "linear", 30_730), ([256], "mlp", 789_258)]
)
def test_the_baseline_is_the_model_of_the_text(hidden, name, parameters):
    space = load_space(name)
    theirs, ours = write_model_of_the_text(*hidden), HyperModel(space).build_values(space.baseline)
    assert [type(layer) for layer in ours.layers] == [type(layer) for layer in theirs.layers]
    assert list(map(read_config, ours.layers)) == list(map(read_config, theirs.layers))
    assert isinstance(ours.optimizer, keras.optimizers.Adam)
    assert read_config(ours.optimizer) == read_config(theirs.optimizer)
    assert ours.loss == theirs.loss
    nothing = np.zeros((1, 3, 32, 32), np.float32), np.eye(10)[:1]
    told = [model.evaluate(*nothing, verbose=0, return_dict=True) for model in (ours, theirs)]
    assert set(told[0]) == set(told[1]) == {"loss", "categorical_accuracy"}
    assert ours.input_shape == (None, 3, 32, 32)
    trainable = sum(weight.numpy().size for weight in ours.trainable_weights)
    assert trainable == ours.count_params() == theirs.count_params() == parameters
    assert measure_size(space, space.baseline).parameters == parameters


def test_hidden_layers_are_as_many_and_as_wide_as_their_values():
    space = load_space("mlp")
    values = space.complete({"layers": 3, "units_1": 64, "units_3": 1024, "activation": "relu"})
    layers = list_layers(space, values)
    assert [(layer.type, layer.arguments.get("units")) for layer in layers] == [
        ("Flatten", None),
        ("Dense", 64),
        ("Dense", 256),
        ("Dense", 1024),
        ("Dense", 10),
    ]
    assert [layer.arguments.get("activation") for layer in layers[1:]] == ["relu"] * 3 + ["softmax"]
    parameters = 3073 * 64 + 65 * 256 + 257 * 1024 + 1025 * 10
    assert measure_size(space, values).parameters == parameters


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The course's archives with images that change if any two of their axes change places."""
    folder = tmp_path_factory.mktemp("course")
    random = np.random.default_rng(0)
    for split, count in {"train": TRAIN, "test": 60}.items():
        images = random.integers(0, 256, (32, 32, 3, count), dtype=np.uint8)
        images[:, :, 0] //= 2
        images[:16] //= 2
        images[:, :8] //= 3
        labels = np.arange(count) % 10
        np.savez(folder / f"p4_2026_svhn_{split}.npz", images=images, labels=labels.astype(str))
    return folder


@pytest.fixture(scope="module")
def loaded(course):
    """The images of the text's own lines, and their labels as numbers."""
    files = {split: np.load(course / f"p4_2026_svhn_{split}.npz") for split in ("train", "test")}
    return {
        split: (file["images"].transpose(3, 2, 0, 1), file["labels"].squeeze().astype(int))
        for split, file in files.items()
    }


@pytest.fixture(scope="module")
def confirmed(course, make_project, tmp_path_factory):
    """Question 6's one run, of one epoch, in a real worker."""
    folder = tmp_path_factory.mktemp("mlp") / "mlp"
    data = load_data(course)
    project = propose(folder, make_project, 1)
    changed = {"fingerprint": data.fingerprint, "source": str(course)}
    project.update_settings(data=project.settings.data.model_dump() | changed)
    with train_by_tensorflow():
        return confirm(project, data, question=6, runs=1, epochs=1)


def test_the_images_are_those_of_the_text(course, loaded):
    data, task = load_data(course), load_space("mlp").task
    for split in ("train", "test"):
        images, labels = loaded[split]
        found = getattr(data, split)
        np.testing.assert_array_equal(task.arrange(found.images), images)
        np.testing.assert_array_equal(found.labels, labels)


def test_a_run_ends_with_the_weights_that_the_texts_lines_give(confirmed, loaded):
    (run,) = confirmed.ended("confirm")
    images, labels = loaded["train"]
    keras.utils.set_random_seed(run.seed)
    model = write_model_of_the_text(256)
    order = np.random.default_rng((run.seed, 0)).permutation(TRAIN)
    one_hot = keras.utils.to_categorical(labels)
    model.fit(images[order], one_hot[order], batch_size=32, shuffle=False, verbose=0)
    submitted = keras.models.load_model(confirmed.submission_path)
    for our, their in zip(submitted.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(our, their, rtol=1e-4, atol=1e-6)


def test_evaluation_and_check_see_the_images_of_the_text(confirmed, loaded, course):
    (run,) = confirmed.ended("confirm")
    images, labels = loaded["test"]
    model = keras.models.load_model(confirmed.submission_path)
    predicted = model.predict(images, verbose=0).argmax(axis=-1)
    np.testing.assert_array_equal(decode_predicted(run), predicted)
    accuracy = (predicted == labels).mean()
    assert run.score == pytest.approx(accuracy)
    # The test can fail: with two axes in each other's place the model answers otherwise.
    mirrored = model.predict(images.transpose(0, 1, 3, 2), verbose=0).argmax(axis=-1)
    assert (mirrored != predicted).any()
    checks = check_submission(confirmed.submission_path, confirmed.space, load_data(course))
    told = next(each for each in checks["checks"] if each["name"] == "test accuracy")
    assert told["detail"].startswith(f"{accuracy:.4f} on 60 images")
