"""The check: what may be handed in, and what is refused, by the name of the rule."""

import json
import signal
import subprocess
import sys
import time
import zipfile

import keras
import pytest
from keras import layers

from svhn_tune import load_data
from svhn_tune.cli import main
from svhn_tune.errors import InputError
from svhn_tune.models.hypermodel import CNNHyperModel
from svhn_tune.models.spaces import load_space, parse_space, space_names
from svhn_tune.project.results import find_origin
from svhn_tune.submission.archive import read_archive
from svhn_tune.submission.check import check_submission
from svhn_tune.submission.configuration import find_code
from svhn_tune.submission.save import hash_weights, save_submission


@pytest.fixture
def space():
    return load_space("cnn")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.keras"


def save(space, path, **chosen):
    values = space.complete(chosen)
    model = CNNHyperModel(space).build_values(values)
    save_submission(space, values, model, path)
    return model


def failed(result):
    """The rules that are broken; Keras saves what only new versions load, which is not meant."""
    names = [check["name"] for check in result["checks"] if not check["ok"]]
    return [name for name in names if name != "Keras versions"]


def find_detail(result, name):
    return next(check["detail"] for check in result["checks"] if check["name"] == name)


def rewrite(path, **contents):
    """Replace parts of an archive by these bytes; None takes one out."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    names = {"config": "config.json", "weights": "model.weights.h5"}
    entries |= {names[part]: content for part, content in contents.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            if content is not None:
                archive.writestr(name, content)


def check_layers(space, path, stack, **compiled):
    """What is broken in a model of these layers, compiled as asked but for `compiled`."""
    model = keras.Sequential([keras.Input((32, 32, 3)), *stack])
    arguments = {
        "optimizer": keras.optimizers.Adam(1e-5),
        "loss": "categorical_crossentropy",
        "metrics": ["categorical_accuracy"],
    }
    model.compile(**arguments | compiled)
    model.save(path)
    return failed(check_submission(path, space))


def head(hidden=1, activation="relu"):
    dense = [layers.Dense(8, activation=activation) for _ in range(hidden)]
    return [layers.Flatten(), *dense, layers.Dense(10, activation="softmax")]


def conv(activation=None):
    return layers.Conv2D(4, 3, activation=activation)


@pytest.mark.parametrize("name", space_names())
def test_the_baseline_of_every_space_may_be_handed_in(name, path):
    space = load_space(name)
    save(space, path)
    result = check_submission(path, space)
    assert result["ok"], result
    assert result["file_bytes"] == path.stat().st_size
    assert result["limit_bytes"] == space.limits.file_size
    assert all(set(check) == {"name", "ok", "detail"} for check in result["checks"])


@pytest.mark.parametrize(
    "make",
    [
        lambda: [conv("relu"), *head()],
        lambda: [conv(), layers.ReLU(), layers.MaxPooling2D(2), *head()],
        lambda: [conv(), layers.MaxPooling2D(2), layers.Activation("relu"), *head()],
        lambda: [conv(keras.activations.relu), layers.SpatialDropout2D(0.1), *head()],
        lambda: [conv(layers.ReLU()), *head()],
        lambda: [keras.Sequential([keras.Input((32, 32, 3)), conv("relu")]), *head()],
        lambda: [conv("relu"), *head()[:-1], layers.Dense(10), layers.Softmax()],
        lambda: [conv("relu"), *head()[:-1], layers.Dense(10), layers.Activation("softmax")],
    ],
)
def test_what_keeps_the_rules_is_accepted(make, space, path):
    assert check_layers(space, path, make()) == []


@pytest.mark.parametrize(
    ("make", "rules"),
    [
        (lambda: head(hidden=2), ["hidden dense layers"]),
        (lambda: head(hidden=0), ["hidden dense layers"]),
        (lambda: head(activation="tanh"), ["hidden activations"]),
        (lambda: head(activation=None), ["hidden activations"]),
        (lambda: [conv("elu"), *head()], ["hidden activations"]),
        (lambda: [conv(), *head()], ["hidden activations"]),
        (lambda: [conv(), layers.LeakyReLU(), *head()], ["hidden activations"]),
        (lambda: [conv(), layers.PReLU(), *head()], ["hidden activations"]),
        (lambda: [conv(layers.ELU()), *head()], ["hidden activations"]),
        (lambda: [conv(), layers.ReLU(6), *head()], ["hidden activations"]),
        (lambda: [conv("relu"), layers.Activation("tanh"), *head()], ["hidden activations"]),
        (lambda: [keras.Sequential([conv("tanh")]), *head()], ["hidden activations"]),
        (lambda: [layers.Activation("tanh"), *head()], ["hidden activations"]),
        (lambda: [layers.Rescaling(1 / 255), *head()], ["no pre-processing"]),
        (lambda: [layers.RandomFlip(), *head()], ["no pre-processing"]),
        (lambda: [keras.Sequential([layers.Resizing(8, 8)]), *head()], ["no pre-processing"]),
        (lambda: [conv("relu"), layers.BatchNormalization(), *head()], ["no other layers"]),
        (lambda: [conv("relu"), layers.GaussianNoise(0.1), *head()], ["no other layers"]),
        (lambda: [*head()[:-1], layers.Dense(10)], ["output activation"]),
        (lambda: [*head()[:-1], layers.Dense(10, activation="sigmoid")], ["output activation"]),
        (lambda: [*head()[:-1], layers.Dense(11, activation="softmax")], ["output"]),
    ],
)
def test_a_model_that_breaks_a_rule_is_refused_by_its_name(make, rules, space, path):
    assert check_layers(space, path, make()) == rules


def test_a_space_with_batch_normalisation_allows_it_but_not_of_the_images(path):
    space = load_space("cnn_open")
    normal = [conv(), layers.BatchNormalization(), layers.Activation("relu")]
    assert check_layers(space, path, [*normal, *head()]) == []
    first = [layers.BatchNormalization(), conv("relu"), *head()]
    assert check_layers(space, path, first) == ["no pre-processing"]


@pytest.mark.parametrize(
    ("compiled", "rules"),
    [
        ({"optimizer": keras.optimizers.SGD(1e-5)}, ["optimizer"]),
        ({"optimizer": keras.optimizers.Adam(1e-3)}, ["optimizer"]),
        ({"loss": "categorical_focal_crossentropy"}, ["loss"]),
        ({"loss": keras.losses.CategoricalCrossentropy(from_logits=True)}, ["loss"]),
        ({"loss": keras.losses.CategoricalCrossentropy(label_smoothing=0.1)}, ["loss"]),
        ({"metrics": []}, ["metric"]),
        ({"metrics": ["top_k_categorical_accuracy"]}, ["metric"]),
        ({"loss": keras.losses.CategoricalCrossentropy()}, []),
        ({"loss": keras.losses.categorical_crossentropy}, []),
        ({"metrics": [keras.metrics.CategoricalAccuracy()]}, []),
        ({"metrics": [keras.metrics.categorical_accuracy]}, []),
        ({"metrics": ["accuracy"]}, []),
    ],
)
def test_how_a_model_is_compiled_is_refused_by_its_name(compiled, rules, space, path):
    assert check_layers(space, path, head(), **compiled) == rules


def test_a_space_that_varies_the_learning_rate_allows_any(path):
    rate = keras.optimizers.Adam(1e-3)
    assert check_layers(load_space("cnn_open"), path, head(), optimizer=rate) == []


def test_a_model_that_is_not_compiled_is_refused(space, path):
    keras.Sequential([keras.Input((32, 32, 3)), *head()]).save(path)
    assert failed(check_submission(path, space)) == ["loss", "metric", "optimizer"]


def test_a_file_above_the_limit_of_its_space_is_refused(space, path):
    save(space, path)
    small = parse_space(space.text.replace("238.4 MiB", "100 KiB"), "small", "small.toml")
    assert failed(check_submission(path, small)) == ["file size"]


def test_what_data_say_of_shape_and_accuracy(space, path, archives):
    save(space, path)
    data = load_data(archives)
    result = check_submission(path, space, data)
    assert find_detail(result, "test accuracy").endswith(f"on 200 images ({data.name})")
    keras.Sequential([keras.Input((28, 28, 3)), *head()]).save(path)
    broken = failed(check_submission(path, space, data))
    assert broken == ["input", "test accuracy", "loss", "metric", "optimizer"]


def test_code_in_a_file_is_never_run(space, path, tmp_path):
    witness = tmp_path / "witness"
    name = str(witness)
    lambda_layer = layers.Lambda(lambda x: (open(name, "w").close(), x)[1])
    assert "loads" in check_layers(space, path, [lambda_layer, *head()])
    witness.unlink()  # building the model ran it
    result = check_submission(path, space)
    assert find_detail(result, "loads") == "not tried: it would run code for Lambda, __lambda__"
    assert not witness.exists()
    keras.models.load_model(path, compile=False, safe_mode=False)
    assert witness.exists(), "the file was harmless"


@pytest.mark.parametrize(
    "found",
    [
        {"module": "keras.config", "class_name": "enable_unsafe_deserialization", "config": {}},
        {"module": "os", "class_name": "function", "config": "system"},
        {"module": "builtins", "class_name": "function", "config": "exec"},
        {"class_name": "Lambda", "config": {}},
        {"module": "my_layers", "class_name": "MyLayer", "config": {}},
    ],
)
def test_what_keras_would_import_or_run_is_found_anywhere(found):
    config = {"config": {"layers": [{"config": {"kernel_initializer": found}}]}}
    assert find_code(config) == [found["class_name"]]


@pytest.mark.parametrize(
    "contents",
    [
        {"config": b'{"class_name": "Nothing", "module": "keras", "config": {}}'},
        {"config": b'{"class_name": "Dense", "module": "keras.layers", "config": {"units": 1}}'},
        {"weights": b"no weights"},
    ],
)
def test_a_damaged_model_is_refused_not_raised(contents, space, path):
    save(space, path)
    rewrite(path, **contents)
    assert failed(check_submission(path, space)) == ["loads"]


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({"config": None}, "it lacks config.json"),
        ({"config": b"{"}, "its config.json is no JSON object"),
        ({"config": b"[]"}, "its config.json is no JSON object"),
        ({"config": b"[" * 100_000}, "its config.json is no JSON object"),
        ({"weights": None}, "it lacks model.weights.h5"),
    ],
)
def test_what_is_no_archive_is_an_input_error(contents, message, space, path):
    save(space, path)
    rewrite(path, **contents)
    with pytest.raises(InputError, match=f"is no .keras archive: {message}"):
        check_submission(path, space)


def test_a_wrong_file_is_refused_before_keras_is_imported(tmp_path):
    (tmp_path / "model.keras").write_text("nothing")
    code = """
import sys
from svhn_tune.cli import main
try:
    main()
finally:
    assert not {"keras", "tensorflow"} & set(sys.modules)
"""
    arguments = [sys.executable, "-c", code, "check", "model.keras"]
    started = time.monotonic()
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True)
    assert time.monotonic() - started < 10  # under one second where nothing else runs
    assert done.returncode == 2
    assert done.stderr.startswith("error: model.keras is no .keras archive")


def run_check(monkeypatch, *arguments):
    """The exit status of the command."""
    monkeypatch.setattr(sys, "argv", ["svhn_tune", "check", *map(str, arguments)])
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with pytest.raises(SystemExit) as ended:
            main()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return ended.value.code


def test_the_exit_status_says_whether_it_may_be_handed_in(space, path, monkeypatch, capsys):
    save(space, path)
    assert run_check(monkeypatch, path) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[-1] == f"{path} may be handed in"
    assert "?     training: not known" in printed
    config = read_archive(path).config
    config["compile_config"]["loss"] = "mse"
    rewrite(path, config=json.dumps(config).encode())
    assert run_check(monkeypatch, path, "--json") == 1
    assert failed(json.loads(capsys.readouterr().out)) == ["loss"]


@pytest.fixture
def trained(space, make_project, tmp_path):
    """A function: the file of a confirm run of so many epochs in a project's folder."""

    def train(epochs, place="."):
        project = make_project(tmp_path / "results" / "cnn", [{"score": 0.5}])
        model = save(space, project.folder / place / "model.keras")
        run = {
            "stage": "confirm",
            "epochs": epochs,
            "planned_epochs": epochs,
            "weights_sha256": hash_weights(model),
        }
        project.record(project.ended("search")[0].model_copy(update=run))
        return project.folder / place / "model.keras"

    return train


def check_from_project(path, space):
    return check_submission(path, space, origin=find_origin(path))


@pytest.mark.parametrize("place", [".", "models"])
def test_a_projects_file_was_trained_as_asked(trained, space, place):
    result = check_from_project(trained(100, place), space)
    assert result["ok"], result
    assert find_detail(result, "training").startswith("100 epochs in batches of 32 (trial 000")


def test_a_projects_file_that_was_trained_for_less_is_refused(trained, space):
    result = check_from_project(trained(4), space)
    assert failed(result) == ["training"]
    assert find_detail(result, "training").startswith("4 epochs in batches of 32")


def test_other_weights_than_a_projects_are_not_known(trained, space):
    path = trained(100)
    save(space, path)
    result = check_from_project(path, space)
    assert result["ok"]
    assert find_detail(result, "training").startswith("not known: no run in")


def test_a_damaged_project_leaves_the_training_unknown(trained, space):
    path = trained(100)
    (path.parent / "project.json").unlink()
    result = check_from_project(path, space)
    assert result["ok"]
    assert find_detail(result, "training").startswith("not known: ")


def test_what_else_is_done_to_images_that_are_scaled_is_named(path):
    stack = [layers.Rescaling(1 / 255), layers.AveragePooling2D(2), conv("relu"), *head(hidden=0)]
    space = load_space("tiny_vgg")
    broken = check_layers(space, path, stack, optimizer=keras.optimizers.Adam(1e-3))
    assert broken == ["pre-processing by 1/255 alone"]
    checks = check_submission(path, space)["checks"]
    told = next(check["detail"] for check in checks if check["name"] == broken[0])
    assert told == "AveragePooling2D of the images"
