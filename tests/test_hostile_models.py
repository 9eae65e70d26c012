"""Files that strangers hand to `check`: a line each, no traceback, no more memory than is due."""

import copy
import io
import json
import os
import struct
import tracemalloc
import zipfile
from contextlib import suppress

import h5py
import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keras import layers

from svhn_tune.commands.tables import print_check
from svhn_tune.errors import InputError, one_line
from svhn_tune.models.hypermodel import CNNHyperModel
from svhn_tune.models.spaces import load_space
from svhn_tune.submission.check import check_submission
from svhn_tune.submission.save import save_submission

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
SPACE = load_space("cnn")
SCHEDULE = {
    "module": "keras.optimizers.schedules",
    "class_name": "ExponentialDecay",
    "config": {"initial_learning_rate": 1e-5, "decay_steps": 1000, "decay_rate": 0.9},
    "registered_name": None,
}


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """The members of a small file that may be handed in."""
    path = tmp_path_factory.mktemp("sound") / "model.keras"
    values = SPACE.complete({"blocks": 1, "pool_size_1": 3, "units": 32})
    save_submission(SPACE, values, CNNHyperModel(SPACE).build_values(values), path)
    assert check_submission(path, SPACE)["ok"]
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.keras"


def write(path, members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def change(parts, edit):
    """The members, with a configuration that `edit` changed."""
    config = json.loads(parts[CONFIG])
    edit(config)
    return parts | {CONFIG: json.dumps(config)}


def check(path):
    """What is broken, by name, with what was seen; all of it JSON in one line each."""
    result = check_submission(path, SPACE)
    json.dumps(result)
    broken = {each["name"]: each["detail"] for each in result["checks"] if not each["ok"]}
    assert result["ok"] == (not broken)
    assert all(len(seen.splitlines()) == 1 and seen.isprintable() for seen in broken.values())
    return broken


def find(config, name):
    """The settings of the first layer of a class."""
    return next(x for x in config["config"]["layers"] if x["class_name"] == name)["config"]


# How the model is compiled.


@pytest.mark.parametrize(
    ("key", "value", "seen"),
    [
        ("learning_rate", SCHEDULE, "adam with the schedule ExponentialDecay"),
        ("learning_rate", None, "adam with the schedule None"),
        ("weight_decay", 0.1, "weight_decay=0.1"),
        ("clipnorm", 1.0, "clipnorm=1.0"),
        ("use_ema", True, "use_ema=True"),
        ("gradient_accumulation_steps", 4, "gradient_accumulation_steps=4"),
        ("loss_scale_factor", 2.0, "loss_scale_factor=2.0"),
        ("beta_1", 0.5, "beta_1=0.5"),
        ("epsilon", 1.0, "epsilon=1.0"),
        ("amsgrad", True, "amsgrad=True"),
    ],
)
def test_an_optimizer_that_is_not_plain_is_refused_by_its_setting(parts, path, key, value, seen):
    def edit(config):
        config["compile_config"]["optimizer"]["config"][key] = value

    broken = check(write(path, change(parts, edit)))
    assert list(broken) == ["optimizer"]
    assert seen in broken["optimizer"]


def test_a_schedule_is_no_learning_rate_even_where_any_rate_is_allowed(parts, path):
    def edit(config):
        config["compile_config"]["optimizer"]["config"]["learning_rate"] = SCHEDULE

    result = check_submission(write(path, change(parts, edit)), load_space("cnn_open"))
    assert not result["ok"]


@pytest.mark.parametrize(
    ("key", "value", "broken"),
    [
        ("optimizer", None, ["optimizer"]),
        ("optimizer", "adam", ["optimizer"]),  # at Keras's own rate
        ("optimizer", ["adam"], ["optimizer"]),
        ("optimizer", {"class_name": 3, "config": {}}, ["optimizer"]),
        ("loss", {"a": "mse", "b": "mae"}, ["loss"]),
        ("loss", {"class_name": ["x"]}, ["loss"]),
        ("loss", 3, ["loss"]),
        ("loss", "\ud800\x1b[31m", ["loss"]),
        ("loss", {"output": "categorical_crossentropy"}, []),
        ("loss", ["categorical_crossentropy"], []),
        ("metrics", 3, ["metric"]),
        ("metrics", [None, 3], ["metric"]),
        ("metrics", {"output": ["categorical_accuracy"]}, []),
        ("loss_weights", [2.0], ["compile settings"]),
        ("weighted_metrics", ["accuracy"], ["compile settings"]),
        ("steps_per_execution", 10**9, ["compile settings"]),
        ("surprise", 1, ["compile settings"]),
    ],
)
def test_what_a_model_is_compiled_with_is_read_whatever_it_is(parts, path, key, value, broken):
    edited = change(parts, lambda config: config["compile_config"].__setitem__(key, value))
    assert list(check(write(path, edited))) == broken


@pytest.mark.parametrize("compiled", [None, [], "x", 3, {}, {"loss": None}])
def test_a_compile_config_that_is_none_breaks_its_rules(parts, path, compiled):
    edited = change(parts, lambda config: config.__setitem__("compile_config", compiled))
    assert list(check(write(path, edited))) == ["loss", "metric", "optimizer"]


@pytest.mark.parametrize(
    "metric",
    [
        {"module": "keras.metrics", "class_name": "MeanIoU", "config": {"num_classes": 10**6}},
        {"module": "keras.metrics", "class_name": "AUC", "config": {"num_thresholds": 10**10}},
        {"module": "keras.layers", "class_name": "Embedding", "config": {"input_dim": 9}},
    ],
)
def test_a_metric_that_fills_the_memory_is_never_made(parts, path, metric):
    metrics = ["categorical_accuracy", metric]
    edited = change(parts, lambda config: config["compile_config"].__setitem__("metrics", metrics))
    assert list(check(write(path, edited))) == ["metric"]
    # Keras compiles models inside the model whatever it is told.
    config = json.loads(parts[CONFIG])
    config["config"]["layers"][-1]["compile_config"] = {"metrics": [metric]}
    assert check(write(path, parts | {CONFIG: json.dumps(config)})) == {}


def test_a_rate_among_the_weights_is_not_taken_for_that_of_the_configuration(parts, path):
    def edit(file):
        file["optimizer/vars/1"][()] = 1.0

    broken = check(write(path, parts | {WEIGHTS: change_weights(parts, edit)}))
    assert broken == {"optimizer": "the rate 1 among its weights; expected 1e-05"}


# Layers.


@pytest.mark.parametrize(
    ("layer", "key", "value", "rule"),
    [
        ("Conv2D", "dilation_rate", [2, 2], "layer settings"),
        ("Conv2D", "trainable", False, "layer settings"),
        ("Conv2D", "dtype", "float16", "layer settings"),
        ("Dense", "activity_regularizer", {"module": "keras.regularizers"}, "layer settings"),
        ("InputLayer", "dtype", "int8", "layer settings"),
        ("InputLayer", "sparse", True, "layer settings"),
        ("InputLayer", "batch_shape", [7, 32, 32, 3], "input"),
    ],
)
def test_a_setting_that_no_space_varies_is_refused(parts, path, layer, key, value, rule):
    if isinstance(value, dict):
        value = value | {"class_name": "L2", "config": {"l2": 0.1}, "registered_name": None}
    edited = change(parts, lambda config: find(config, layer).__setitem__(key, value))
    assert rule in check(write(path, edited))


def softmax(x):
    return layers.Dense(10, activation="softmax")(x)


def shared_convolution(images):
    conv = layers.Conv2D(3, 3, padding="same", activation="relu")
    x = layers.Flatten()(conv(conv(images)))
    return softmax(layers.Dense(8, activation="relu")(x))


def nested_hidden(images):
    x = layers.Dense(8, activation="relu")(layers.Flatten()(images))
    return softmax(keras.Sequential([layers.Dense(8, activation="relu")])(x))


def dense_as_activation(images):
    hidden = layers.Dense(8, activation=layers.Dense(8, activation="relu"))
    return softmax(hidden(layers.Flatten()(images)))


def dense_of_pixels(images):
    return softmax(layers.Flatten()(layers.Dense(8, activation="relu")(images)))


def softmax_over_images(images):
    x = layers.Dense(8, activation="relu")(layers.Flatten()(images))
    return layers.Softmax(axis=0)(layers.Dense(10)(x))


def dropout_after_the_output(images):
    x = layers.Dense(8, activation="relu")(layers.Flatten()(images))
    return layers.Dropout(0.5)(softmax(x))


def pooled_images(images):
    x = layers.Flatten()(layers.MaxPooling2D(2)(images))
    return softmax(layers.Dense(8, activation="relu")(x))


def nested_rescaling(images):
    inner = keras.Sequential([keras.Sequential([layers.Rescaling(1 / 255)])])
    return softmax(layers.Dense(8, activation="relu")(layers.Flatten()(inner(images))))


def two_outputs(images):
    x = layers.Dense(8, activation="relu")(layers.Flatten()(images))
    return [softmax(x), softmax(x)]


def output_by_name(images):
    return {"digit": softmax(layers.Dense(8, activation="relu")(layers.Flatten()(images)))}


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (shared_convolution, "layer settings"),
        (nested_hidden, "hidden dense layers"),
        (dense_as_activation, "hidden activations"),
        (dense_of_pixels, "hidden dense layers"),
        (softmax_over_images, "output activation"),
        (dropout_after_the_output, "output activation"),
        (pooled_images, "no pre-processing"),
        (nested_rescaling, "no pre-processing"),
        (two_outputs, "output"),
        (output_by_name, "output"),
    ],
)
def test_what_a_graph_hides_is_found(path, make, rule):
    images = keras.Input((32, 32, 3))
    model = keras.Model(images, make(images))
    model.compile(
        keras.optimizers.Adam(1e-5), "categorical_crossentropy", metrics=["categorical_accuracy"]
    )
    model.save(path)
    broken = check(path)
    assert rule in broken
    assert not {"loss", "metric", "optimizer", "compile settings"} & set(broken)


def test_a_model_without_a_shape_is_refused_not_raised(path):
    model = keras.Sequential([layers.Flatten(), layers.Dense(8, activation="relu")])
    with pytest.warns(UserWarning, match="has not yet been built"):
        model.save(path)
    assert check(path)["input"] == "none; expected (None, 32, 32, 3)"


@pytest.mark.parametrize(
    ("edit", "seen"),
    [
        (lambda x: find(x, "Conv2D").update(kernel_size=[10**6, 10**6]), "its configuration asks"),
        (lambda x: x["config"].update(layers=[{"class_name": "Flatten"}]), "it would run code"),
        (lambda x: x["config"]["layers"].append(lookup("StringLookup")), "what StringLookup would"),
        (lambda x: x["config"]["layers"].append(lookup("MelSpectrogram")), "what MelSpectrogram"),
        (lambda x: find(x, "Dense").update(activation=typespec()), "what __typespec__ would"),
        (lambda x: x["config"].update(layers=x["config"]["layers"] * 200), "it has "),
        (lambda x: find(x, "Dense").update(units=-1), "Keras "),
        (lambda x: x["config"].update(layers=None), "Keras "),
        (lambda x: find(x, "Dense")["kernel_initializer"].update(module=["x"]), "would run code"),
    ],
)
def test_a_model_that_should_not_be_built_is_not(parts, path, edit, seen):
    broken = check(write(path, change(parts, edit)))
    assert seen in broken["loads"]


def lookup(name):
    settings = {"vocabulary": "/etc/passwd"}
    return {"module": "keras.layers", "class_name": name, "config": settings}


def typespec():
    return {"class_name": "__typespec__", "module": "subprocess", "spec_name": "Popen"}


# The weights.


def change_weights(parts, edit):
    """The weights' HDF5 file, edited."""
    buffer = io.BytesIO(parts[WEIGHTS])
    with h5py.File(buffer, "r+") as file:
        edit(file)
    return buffer.getvalue()


KERNEL = "layers/dense/vars/0"


def replace(file, shape, dtype="f4", **more):
    del file[KERNEL]
    file.create_dataset(KERNEL, shape, dtype, **more)


def make_virtual(file):
    del file[KERNEL]
    layout = h5py.VirtualLayout((9,), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", shape=(9,))
    file.create_virtual_dataset(KERNEL, layout)


@pytest.mark.parametrize(
    ("edit", "seen"),
    [
        (lambda x: replace(x, (10**12,), chunks=(1024,)), "it has more than"),
        (lambda x: replace(x, (1,), maxshape=(None,), chunks=(2**29,)), "it has more than"),
        (lambda x: replace(x, (9,), "u1", external=[("/etc/passwd", 0, 9)]), "from another file"),
        (make_virtual, "from another file"),
        (lambda x: replace(x, (9,), h5py.string_dtype()), "is no array of numbers"),
        (lambda x: replace(x, (9,), h5py.vlen_dtype(np.float32)), "is no array of numbers"),
        (lambda x: x.__setitem__("x", h5py.ExternalLink("/etc/passwd", "/x")), "is a link"),
        (lambda x: x.__setitem__("x", h5py.SoftLink("/")), "is a link"),
        (lambda x: x.__setitem__("layers/x", x["/"]), "is there twice"),
        (lambda x: replace(x, (3, 3)), "could not be loaded"),
        (lambda x: x.__delitem__("layers"), "could not be loaded"),
    ],
)
def test_weights_that_keras_should_not_read_are_refused(parts, path, edit, seen):
    broken = check(write(path, parts | {WEIGHTS: change_weights(parts, edit)}))
    assert seen in broken["loads"]


@pytest.mark.parametrize("length", [0, 100, 5_000])
def test_weights_cut_short_are_refused(parts, path, length):
    broken = check(write(path, parts | {WEIGHTS: parts[WEIGHTS][:length]}))
    assert "is no HDF5 file, or damaged" in broken["loads"]


def test_weights_that_are_not_finite_are_refused(parts, path):
    def edit(file):
        file[KERNEL][3, 3] = np.nan

    broken = check(write(path, parts | {WEIGHTS: change_weights(parts, edit)}))
    assert list(broken) == ["weights"]


# The archive.


def deflate(path, parts, position):
    """The archive, compressed, with the byte at a position of a member's content changed."""
    write(path, parts, zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    content[position] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize("position", [60, 431, 1_173, 3_000])
def test_a_stream_that_is_broken_is_an_input_error(parts, path, position):
    deflate(path, parts, position)
    with pytest.raises(InputError, match="damaged or cut short"):
        check_submission(path, SPACE)


def patch_directory(path, offset, value):
    """Overwrite a byte of every entry of an archive's list of members."""
    content = bytearray(path.read_bytes())
    entry = -1
    while (entry := content.find(b"PK\x01\x02", entry + 1)) >= 0:
        content[entry + offset] = value
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("offset", "value", "message"),
    [
        (8, 1, "is encrypted"),
        (10, 99, "by method 99"),
        (10, 12, "by method 12"),
        (6, 200, "200|20"),
    ],
)
def test_an_archive_of_an_unusual_kind_is_an_input_error(parts, path, offset, value, message):
    patch_directory(write(path, parts), offset, value)
    with pytest.raises(InputError, match=message):
        check_submission(path, SPACE)


def test_members_that_are_there_twice_are_an_input_error(parts, path):
    write(path, parts)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(CONFIG, "{}")
    with pytest.raises(InputError, match="two members of one name"):
        check_submission(path, SPACE)


def test_other_members_are_refused_and_never_unpacked(parts, path, tmp_path):
    others = {"../../escaped": "x", str(tmp_path / "absolute"): "x", "assets/x": "x"}
    broken = check(write(path, parts | others))
    assert list(broken) == ["archive"]
    assert "../../escaped" in broken["archive"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_compressed_file_may_be_handed_in(parts, path):
    assert check(write(path, parts, zipfile.ZIP_DEFLATED)) == {}


def test_a_file_of_another_name_does_not_load_in_keras(parts, tmp_path):
    assert list(check(write(tmp_path / "model.zip", parts))) == ["archive"]


@pytest.mark.parametrize(
    "text",
    [
        '{"a":' * 900 + "1" + "}" * 900,
        '{"a":' + "[" * 20_000 + "]" * 20_000 + "}",
        '{"a": ' + "9" * 5_000 + "}",
        '{"a": NaN}',
        '{"a": "\xff"'.encode("latin-1"),
        " " * 2**21,
    ],
)
def test_a_configuration_that_is_no_plain_json_is_an_input_error(parts, path, text):
    with pytest.raises(InputError, match=r"is no \.keras archive: its config\.json "):
        check_submission(write(path, parts | {CONFIG: text}), SPACE)


def test_what_is_no_file_is_an_input_error(tmp_path):
    (tmp_path / "folder.keras").mkdir()
    os.mkfifo(tmp_path / "pipe.keras")
    for name, message in [
        (tmp_path / "folder.keras", "is a folder"),
        (tmp_path / "pipe.keras", "is a pipe or a device"),
        ("/dev/zero", "is a pipe or a device"),
        ("a" * 5_000, "no file"),
        ("a\0b", "no file"),
    ]:
        with pytest.raises(InputError, match=message):
            check_submission(name, SPACE)


def test_what_a_stranger_wrote_is_shown_in_one_short_line():
    assert one_line("a\x1b[31m\nb\ud800") == "a\\x1b[31m b\\ud800"
    assert len(one_line("a" * 10**6)) < 1_000


def test_the_name_of_a_file_is_shown_in_one_line_too(tmp_path, capsys):
    result = {"ok": True, "checks": []}
    print_check(tmp_path / "a\x1b[31m\ud800.keras", result)
    assert capsys.readouterr().out.endswith("a\\x1b[31m\\ud800.keras may be handed in\n")


# Memory.


def deflate_zeros(path, parts, name, megabytes, declared=None):
    """An archive in which a member has so many zeros; it may declare that it has fewer."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for other, content in parts.items():
            if other != name:
                archive.writestr(other, content)
        with archive.open(name, "w") as member:
            member.write(parts[name])
            for _ in range(megabytes):
                member.write(bytes(2**20))
    if declared is not None:
        content = bytearray(path.read_bytes())
        struct.pack_into("<I", content, content.rfind(b"PK\x01\x02") + 24, declared)
        path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "declared"), [(WEIGHTS, None), (CONFIG, None), (CONFIG, 1_000), (METADATA, 1_000)]
)
def test_a_member_is_read_no_further_than_it_can_be_of_use(
    parts, path, small_space, name, declared
):
    deflate_zeros(path, parts, name, 400, declared)
    space = load_space(small_space)
    tracemalloc.start()
    try:
        with suppress(InputError):
            assert not check_submission(path, space)["ok"]
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 50 * 2**20


# Anything.

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def find_places(node):
    """Every container with a key or position in it."""
    keys = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        yield node, key
        yield from find_places(node[key])


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(place=st.integers(min_value=0), value=JSON)
def test_whatever_stands_in_a_configuration_is_answered(parts, path, place, value):
    config = copy.deepcopy(json.loads(parts[CONFIG]))
    places = list(find_places(config))
    node, key = places[place % len(places)]
    node[key] = value
    with suppress(InputError):
        check(write(path, parts | {CONFIG: json.dumps(config)}))
