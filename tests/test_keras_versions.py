"""The file that is handed in, in every Keras that TensorFlow 2.20 goes with, old and new.

Each version is installed once, into a folder of the environment that runs the tests. The package
registry is needed for that, and to learn which version is the newest.
"""

import contextlib
import functools
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import load_in_keras
import numpy as np
import pytest
import write_in_keras

from svhn_tune.models.cnn import INITIALIZERS
from svhn_tune.models.spaces import load_space, space_names
from svhn_tune.space.protocol import OPTIMIZERS
from svhn_tune.submission.check import check_submission
from svhn_tune.submission.portable import find_first_version

OLD = ["3.10.0", "3.11.3", "3.12.1", "3.13.2", "3.14.0"]
HERE = keras.__version__
# The oldest and the one here always; those between, and one newer than here, where there is time.
VERSIONS = [
    OLD[0],
    HERE,
    *(pytest.param(version, marks=pytest.mark.soak) for version in [*OLD[1:], "newest"]),
]
INSTALLED = Path(sys.prefix) / "keras-versions"
TESTS = Path(__file__).parent
# Of the oldest, which is the slowest: a random model of each space that varies them.
FEW = INITIALIZERS[:2]
# A space of each kind of network and output; the others, where there is time.
KINDS = ("cnn", "fashion_cnn", "clock_heads", "clock_angle", "mlp", "cifar_shallow", "tiny_resnet")
OTHERS = tuple(name for name in space_names() if name not in KINDS)

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(900)]


def run_pip(*arguments):
    """What pip printed; skips the test where no registry answers, and fails where pip does."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        unreachable = any(sign in done.stderr for sign in ("Connection", "connection", "Timeout"))
        if unreachable or "from versions: none" in done.stderr:
            pytest.skip(f"no package registry is reached: {done.stderr.splitlines()[-1]}")
        pytest.fail(done.stderr)
    return done.stdout


def install(version):
    """The folder that holds this version of Keras and nothing else."""
    folder = INSTALLED / version
    if not folder.is_dir():
        partial = INSTALLED / f".{version}.{os.getpid()}"
        try:
            run_pip("install", "--quiet", "--no-deps", "--target", partial, f"keras=={version}")
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder


def find_newest():
    report = run_pip(
        *("install", "--quiet", "--no-deps", "--dry-run", "--ignore-installed"),
        *("--report", "-", "keras"),
    )
    return json.loads(report)["install"][0]["metadata"]["version"]


def run_in_keras(version, *commands):
    """What scripts print that run with arguments in one process of this version of Keras."""
    paths = [str(install(version)), str(TESTS.parent), str(TESTS)]
    program = "".join(
        f"import {script}; {script}.main(pathlib.Path({str(folder)!r}), *{arguments!r})\n"
        for script, folder, *arguments in commands
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import pathlib\n{program}"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def load_here(folder):
    """What `load_in_keras` prints of the Keras that is here already."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        load_in_keras.main(folder)
    return printed.getvalue()


@pytest.fixture(scope="module")
def write(tmp_path_factory):
    """A function that writes files of some spaces, once, by the Keras here and by the oldest.

    It returns their folder, and what the oldest printed when it loaded them.
    """

    @functools.cache
    def write(names):
        folder = tmp_path_factory.mktemp("written")
        write_in_keras.main(folder, names, INITIALIZERS)
        commands = ("write_in_keras", folder, names, FEW), ("load_in_keras", folder)
        return folder, run_in_keras(OLD[0], *commands)

    return write


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(KINDS, id="kinds"),
        pytest.param(OTHERS, id="others", marks=pytest.mark.soak),
    ],
)
def written(request, write):
    """The folder with files of these spaces, and what the oldest version printed of them."""
    return write(request.param)


@pytest.fixture(scope="module", params=VERSIONS)
def loaded(request, written):
    """The folder, what came of loading its files in one version, and that version."""
    folder, by_the_oldest = written
    version = find_newest() if request.param == "newest" else request.param
    if version == OLD[0]:
        printed = by_the_oldest
    elif version == HERE:
        printed = load_here(folder)
    else:
        printed = run_in_keras(version, ("load_in_keras", folder))
    report = json.loads(printed.splitlines()[-1])
    assert report["keras"] == version
    return folder, report["loaded"], version


def read_written(folder, writer):
    """The space and the values of each file, by its name, that this version wrote."""
    written = json.loads((folder / f"written-{writer}.json").read_text())
    return {name: (load_space(each["space"]), each["values"]) for name, each in written.items()}


def read_config(path):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("config.json"))


def tell_kind(name):
    space = load_space(name)
    activations = [head.activation for head in space.task.heads]
    return space.model, space.task.channels_first, *activations


def test_there_is_a_space_of_each_kind():
    assert set(map(tell_kind, KINDS)) == set(map(tell_kind, space_names()))


@pytest.mark.parametrize("written", [KINDS], indirect=True, ids=["kinds"])
def test_the_files_have_all_that_a_model_of_a_space_can_have(written):
    folder, _ = written
    config = json.dumps([read_config(path) for path in folder.glob("submission-*.keras")])
    layers = ["BatchNormalization", "Activation", "SpatialDropout2D", "Dropout", "MaxPooling2D"]
    initializers = ["".join(map(str.capitalize, name.split("_"))) for name in INITIALIZERS]
    layers += ["Conv2D", "Flatten", "Dense", "Add", "AveragePooling2D", "Rescaling"]
    for name in [*layers, "Sequential", "Functional", "L1L2", *initializers]:
        assert f'"class_name": "{name}"' in config
    asked = read_written(folder, HERE).values()
    protocols = [space.protocol.with_values(values) for space, values in asked]
    assert {protocol.optimizer for protocol in protocols} == set(OPTIMIZERS)
    assert any(protocol.momentum for protocol in protocols)


def test_every_file_loads_quietly_with_the_same_predictions(loaded):
    folder, report, version = loaded
    seen = np.load(folder / f"predictions-{version}.npz")
    count = 0
    for writer in (HERE, OLD[0]):
        for name, expected in np.load(folder / f"written-{writer}.npz").items():
            assert report[name]["error"] is None, (name, report[name])
            assert report[name]["warnings"] == [], name
            np.testing.assert_allclose(seen[name], expected, rtol=1e-4, atol=1e-5, err_msg=name)
            spread = np.ptp(expected, axis=0) / np.abs(expected).max(axis=0)
            assert np.median(spread) > 0.1, f"{name}: saturated outputs hide differences"
            count += 1
    assert count == len(list(folder.glob("submission-*.keras")))


def test_every_file_is_compiled_as_its_space_asks(loaded):
    folder, report, _ = loaded
    files = read_written(folder, HERE) | read_written(folder, OLD[0])
    assert set(files) == {path.name for path in folder.glob("submission-*.keras")}
    for name, (space, values) in files.items():
        found, protocol = report[name], space.protocol.with_values(values)
        assert found["optimizer"].lower() == protocol.optimizer
        assert found["learning_rate"] == pytest.approx(protocol.learning_rate)
        assert found["momentum"] == protocol.momentum
        # Without momentum SGD has nothing to remember.
        assert found["moments"] or (protocol.optimizer == "sgd" and not protocol.momentum)
        assert not any(found["moments"])
        losses = [head.loss for head in space.task.heads]
        if len(losses) > 1:
            assert found["loss"] == losses
            assert found["loss_weights"] == [1, values["minute_weight"]]
        else:
            assert [found["loss"]] == losses
            assert found["loss_weights"] is None
        if name.endswith("-0.keras"):
            assert set(found["metrics"]) == set(space.task.reported)


def test_what_the_check_says_of_versions_is_so(loaded):
    folder, report, version = loaded
    number = tuple(map(int, version.split(".")[:2]))
    for path in sorted(folder.glob("*.keras")):
        first, why = find_first_version(read_config(path))
        assert first is not None, why
        assert (report[path.name]["error"] is None) == (number >= first), (path.name, first)


@pytest.mark.parametrize("written", [KINDS], indirect=True, ids=["kinds"])
def test_a_file_saved_plainly_is_refused_for_the_versions_it_needs(written):
    path = written[0] / f"plain-{HERE}-cnn-0.keras"
    checks = check_submission(path, load_space("cnn"))["checks"]
    versions = next(check for check in checks if check["name"] == "Keras versions")
    assert not versions["ok"]
    assert versions["detail"].startswith("3.15 and later, by its configuration")
