"""What the tests share: archives to learn from, projects made by hand, a cache of their own."""

import gc
import hashlib
import json
import os
from contextlib import contextmanager

# Each process of the tests has a core, and so has all that it starts: NumPy's threads would share
# it, and take a fifth more. Read when NumPy is imported.
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

import forked
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from svhn_tune.engines import engine
from svhn_tune.journal.record_types import from_json
from svhn_tune.journal.settings import make_valid_settings
from svhn_tune.models.size import measure_size
from svhn_tune.models.spaces import load_space
from svhn_tune.project.results import create_project
from svhn_tune.training import workers

# Of 0 to 9: uneven, as house numbers are, so that stratifying and class weights do something.
SHARES = (0.07, 0.19, 0.14, 0.12, 0.10, 0.09, 0.08, 0.08, 0.07, 0.06)

# Whole files go to one process each: the long ones first, so that none is left for the end.
LONG = (
    *("test_survival", "test_readme", "test_keras_versions", "test_plan", "test_contract"),
    *("test_notebooks", "test_progress", "test_cap", "test_tpe", "test_models", "test_search"),
    *("test_workers", "test_training", "test_figures", "test_confirm", "test_exports"),
)


def pytest_collection_modifyitems(items):
    """Long files first."""
    names = {name: rank for rank, name in enumerate(LONG)}
    items.sort(key=lambda item: names.get(item.module.__name__, len(LONG)))


def pytest_collection_finish():
    """What is imported stays: to look through it for garbage takes 0.7 s each time."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """A cache folder of the session's own: no test touches the user's."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        # xdist sets it, and what is printed is as wide.
        patch.delenv("COLUMNS", raising=False)
        yield folder


@pytest.fixture(scope="session", autouse=True)
def unsynced():
    """Nothing is forced to the disk, 6 ms each time: what is killed here are processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda file: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def softmax():
    """What is searched and confirmed here trains by softmax regression, in no time."""
    with train_by("softmax_engine", FORKED):
        yield


TENSORFLOW = engine.DEFAULT
# Forked workers have imported all that they need, which takes a spawned one 0.4 s, or by
# TensorFlow 5 s.
SPAWNED, FORKED = workers.START, forked.CONTEXT.get_start_method()


@contextmanager
def train_by(name, start=SPAWNED):
    """What is searched and confirmed inside trains by this engine, in workers that start so."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "DEFAULT", name)
        patch.setattr(workers, "START", start)
        yield


@pytest.fixture
def tensorflow():
    """What is searched and confirmed in this test trains as it does for users."""
    with train_by(TENSORFLOW):
        yield


def train_by_tensorflow():
    """What is searched and confirmed inside trains by TensorFlow, in forked workers."""
    return train_by(TENSORFLOW, FORKED)


@pytest.fixture
def forked_tensorflow():
    """What is searched and confirmed in this test trains by TensorFlow, in forked workers."""
    with train_by_tensorflow():
        yield


@pytest.fixture
def eagerly():
    """Keras's `fit` without tracing the model, which takes 1 s per trial; results are alike."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def spawned(monkeypatch):
    """Workers start as they do for users."""
    monkeypatch.setattr(workers, "START", SPAWNED)


@contextmanager
def draw_few():
    """Where a space has a few dozen values, fewer draws show that there are no others."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("feasible", "candidates"):
            patch.setattr(f"svhn_tune.oracles.{module}.MAX_DRAWS", 2_000)
        yield


@pytest.fixture
def few_draws():
    """No more are drawn in this test."""
    with draw_few():
        yield


@pytest.fixture(scope="session")
def small_space(tmp_path_factory):
    """The path of a space file: cnn with a limit of 2 MiB, so that models train in no time."""
    path = tmp_path_factory.mktemp("spaces") / "small.toml"
    path.write_text(load_space("cnn").text.replace("238.4 MiB", "2 MiB"))
    return path


@pytest.fixture(scope="session")
def archives(tmp_path_factory, write_archives):
    """A folder with the course's two archives, 600 images to train and 200 to test."""
    return write_archives(tmp_path_factory.mktemp("archives"))


@pytest.fixture(scope="session")
def write_archives():
    """A function that writes the course's archives into a folder, and returns the folder.

    `train` and `test` are numbers of images; `labels` is the type of the labels, str or int.
    """

    def write(folder, train=600, test=200, labels=str):
        folder.mkdir(parents=True, exist_ok=True)
        for seed, (split, count) in enumerate({"train": train, "test": test}.items()):
            images, digits = draw_digits(count, seed)
            np.savez_compressed(
                folder / f"p4_2026_svhn_{split}.npz",
                images=images.transpose(1, 2, 3, 0),
                labels=digits.astype(labels)[:, None],
            )
        return folder

    return write


def draw_digits(count, seed):
    """Images (count, 32, 32, 3) and digits (count,): easy to learn, every class there."""
    random = np.random.default_rng(seed)
    digits = np.concatenate([np.arange(10), random.choice(10, max(count - 10, 0), p=SHARES)])
    digits = random.permutation(digits[:count])
    font = ImageFont.load_default(24)
    images = np.empty((count, 32, 32, 3), np.uint8)
    for image, digit in zip(images, digits, strict=True):
        ground, ink = random.integers(0, 90, 3), random.integers(160, 256, 3)
        if random.random() < 0.5:
            ground, ink = ink, ground
        picture = Image.new("RGB", (32, 32), tuple(map(int, ground)))
        place = tuple(map(int, 16 + random.integers(-2, 3, 2)))
        ImageDraw.Draw(picture).text(place, str(digit), tuple(map(int, ink)), font, anchor="mm")
        image[:] = np.asarray(picture)
    return images, digits


@pytest.fixture(scope="session")
def change_space():
    """A function that gives a project another space.toml, as if it had been searched with it."""

    def change(folder, text):
        settings = json.loads((folder / "project.json").read_text())
        settings["space_sha256"] = hashlib.sha256(text.encode()).hexdigest()
        (folder / "project.json").write_text(json.dumps(settings))
        (folder / "space.toml").write_text(text)

    return change


@pytest.fixture(scope="session")
def make_project():
    """A function that creates a project with ended trials of the space `cnn`, without training.

    `trials` are dicts of what differs from a completed trial of 4 epochs: of its proposal
    ("values", "parent", "initial_epoch", "epochs") and of its run ("score", "status", ...);
    {"status": "running"} has no run. `settings` are those that differ from the default ones.
    """

    def make(folder, trials=(), **settings):
        space = load_space("cnn")
        default = {
            "tuner": "random",
            "max_epochs": max([4, *(given.get("epochs", 4) for given in trials)]),
            "factor": 3,
            "max_trials": 50,
            "seed": 0,
            "train_images": None,
            "validate_on": "holdout",
            "space": space.name,
            "space_sha256": space.sha256,
            "data": {
                "name": "SVHN (course archives)",
                "fingerprint": "0" * 64,
                "synthetic": False,
                "source": "data",
            },
        }
        project = create_project(folder, space, make_valid_settings(default | settings))
        for trial, given in enumerate(trials):
            if given.get("parent") is not None:
                given = {"values": project.values(given["parent"])} | given
            proposal, run = trial_records(space, trial, given)
            project.record(from_json(proposal))
            if run["status"] != "running":
                project.record(from_json(run | {"root": project.root(trial)}))
        return project

    return make


def trial_records(space, trial, given):
    """The records of a trial's proposal and of its run."""
    proposal = {
        "event": "trial",
        "trial": trial,
        "values": space.complete({"units": 64 + trial}),
        "initial_epoch": 0,
        "epochs": 4,
        "parent": None,
        "bracket": None,
        "round": None,
    }
    proposal |= {key: value for key, value in given.items() if key in proposal}
    size = measure_size(space, proposal["values"])
    run = {
        "event": "run",
        "stage": "search",
        "trial": trial,
        "root": trial,
        "run": 0,
        "seed": 2 * trial,
        "values": proposal["values"],
        "initial_epoch": proposal["initial_epoch"],
        "epochs": proposal["epochs"],
        "planned_epochs": proposal["epochs"],
        "status": "completed",
        "score": 0.5,
        "collapsed": False,
        "metrics": {},
        "seconds": 1.5,
        "parameters": size.parameters,
        "file_bytes": size.file_bytes,
        "reason": "",
        "train_images": None,
        "versions": {},
        "device": "CPU",
    }
    return proposal, run | {key: value for key, value in given.items() if key in run}
