"""A checkpoint is whole and of the run that asks, or it is not there: only its epochs are lost."""

import io
import json
import shutil
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from pools import make_setup

from svhn_tune import load_data, open_project, search
from svhn_tune.data.cache import share_arrays
from svhn_tune.data.dataset import Split, split_holdout
from svhn_tune.engines import checkpoints
from svhn_tune.engines.checkpoints import State
from svhn_tune.engines.engine_tensorflow import KerasTraining
from svhn_tune.errors import InputError
from svhn_tune.models.spaces import load_space, parse_space
from svhn_tune.project.checkpoints import read_checkpoint
from svhn_tune.summary.begun import read_standing
from svhn_tune.training.runs import Run, Setup
from svhn_tune.training.workers import Workers

OWNER = {"stage": "search", "root": 3, "run": 0, "seed": 7, "values": {"units": 64}, "space": "a"}
EPOCH = {"loss": 1.5, "categorical_accuracy": 0.25, "seconds": 0.125}
ARRAYS = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array(5)]


@pytest.fixture
def path(tmp_path):
    """A checkpoint of two epochs."""
    checkpoints.write(tmp_path / "run.npz", State(ARRAYS, [EPOCH, EPOCH], {}), OWNER)
    return tmp_path / "run.npz"


def refused(path, owner=OWNER, epochs=4):
    """Why the checkpoint is not read; nobody reads its history either."""
    assert checkpoints.read_history(path, owner, epochs) == []
    with pytest.raises(ValueError, match="is no checkpoint of this run") as told:
        checkpoints.read(path, owner, epochs)
    return str(told.value)


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path, contents):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def test_what_was_written_is_read(path):
    arrays, history, within, _ = checkpoints.read(path, OWNER, 2)
    for stored, array in zip(arrays, ARRAYS, strict=True):
        np.testing.assert_array_equal(stored, array)
        assert stored.dtype == array.dtype
    assert history == checkpoints.read_history(path, OWNER, 2) == [EPOCH, EPOCH]
    assert within == {}


@pytest.mark.parametrize("lasts", [True, False])
def test_arrays_of_several_pieces_are_read_as_they_were(lasts, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "PIECE", 64)
    columns = np.arange(1000.0).reshape(20, 50).T
    arrays = [columns, np.arange(16, dtype=np.float32), np.arange(17, dtype=np.float32)]
    checkpoints.write(tmp_path / "run.npz", State(arrays, [EPOCH], {}), OWNER, lasts=lasts)
    stored = checkpoints.read(tmp_path / "run.npz", OWNER, 2).arrays
    for ours, theirs in zip(stored, arrays, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_who_knows_a_part_of_the_owner_reads_it_too(path):
    assert len(checkpoints.read_history(path, {"stage": "search", "seed": 7}, 2)) == 2


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stage", "confirm"),
        ("root", 4),
        ("run", 1),
        ("seed", 8),
        ("values", {"units": 65}),
        ("space", "b"),
        ("data", "unknown to the file"),
    ],
)
def test_another_runs_is_refused(path, name, value):
    assert f"its {name} is " in refused(path, OWNER | {name: value})


def test_more_epochs_than_the_run_has_are_refused(path):
    assert "it has 2 epochs, more than the 1 of the run" in refused(path, epochs=1)


@pytest.mark.parametrize(
    "history",
    [
        {"loss": 1.0},
        7,
        None,
        "two",
        [1, 2],
        [EPOCH, {"loss": 1.0}],
        [EPOCH | {"loss": "1.5"}],
        [EPOCH | {"loss": [1.5, 1.5]}],
        [EPOCH | {"loss": None}],
        [EPOCH | {"loss": True}],
        [EPOCH | {"loss": float("nan")}, EPOCH],
    ],
)
def test_a_history_that_no_run_has_is_refused(tmp_path, history):
    checkpoints.write(tmp_path / "run.npz", State(ARRAYS, history, {}), OWNER)
    refused(tmp_path / "run.npz")


def test_the_last_epoch_of_a_run_may_have_no_loss(tmp_path):
    history = [EPOCH, EPOCH | {"loss": float("nan")}]
    checkpoints.write(tmp_path / "run.npz", State(ARRAYS, history, {}), OWNER)
    read = checkpoints.read(tmp_path / "run.npz", OWNER, 4).history
    assert checkpoints.has_diverged(read[-1])


def test_any_cut_and_any_other_bytes_are_refused(path):
    content = path.read_bytes()
    for size in range(0, len(content), 37):
        path.write_bytes(content[:size])
        refused(path)
    for other in (b"", b"\0" * 4096, b"PK\x03\x04", json.dumps(EPOCH).encode()):
        path.write_bytes(other)
        refused(path)


def test_a_changed_byte_is_refused_or_changes_nothing(path):
    content = bytearray(path.read_bytes())
    for position in range(0, len(content), 3):
        content[position] ^= 0x10
        path.write_bytes(content)
        content[position] ^= 0x10
        try:
            arrays, history, _ = checkpoints.read(path, OWNER, 2)
        except ValueError:
            continue
        assert history == [EPOCH, EPOCH]
        for stored, array in zip(arrays, ARRAYS, strict=True):
            np.testing.assert_array_equal(stored, array)


def test_an_array_that_was_replaced_is_refused(path):
    contents = members(path)
    zeros = io.BytesIO()
    np.save(zeros, np.zeros((2, 3), np.float32))
    pack(path, contents | {"arr_0.npy": zeros.getvalue()})
    with pytest.raises(ValueError, match="its array 0 is not the one that was saved"):
        checkpoints.read(path, OWNER, 2)


def test_a_history_that_was_edited_is_refused(path):
    contents = members(path)
    edited = contents["about.json"].replace(b"0.25", b"0.99")
    assert edited != contents["about.json"]
    pack(path, contents | {"about.json": edited})
    assert "its history is not the one that was saved" in refused(path)


def test_one_without_an_owner_as_older_versions_wrote_them_is_refused(path):
    with path.open("wb") as file:
        np.savez(file, *ARRAYS, history=np.array(json.dumps([EPOCH])))
    refused(path)


def test_no_file_and_a_folder_in_its_place_are_no_checkpoint(tmp_path):
    refused(tmp_path / "nothing.npz")
    refused(tmp_path)


def test_a_folder_that_was_deleted_is_made_again(tmp_path):
    path = tmp_path / "checkpoints" / "run.npz"
    checkpoints.write(path, State(ARRAYS, [EPOCH], {}), OWNER)
    assert checkpoints.read_history(path, OWNER, 1) == [EPOCH]


# What only the model knows.

CLASSES, IMAGES = 10, 40


@pytest.fixture(scope="module")
def split():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (IMAGES, 32, 32, 3), dtype=np.uint8)
    return Split(images, np.arange(IMAGES, dtype=np.int32) % CLASSES)


def make_training(split):
    space = load_space("cnn")
    return KerasTraining(space, space.baseline, 0, split)


@pytest.fixture(scope="module")
def trained(split):
    """A run after an epoch."""
    training = make_training(split)
    training.train_epoch(split)
    return training.save()


def change(number, value):
    def damage(arrays, history):
        arrays[number].reshape(-1)[0] = value

    return damage


def add_epochs(arrays, history):
    history += history * 2


def add_metric(arrays, history):
    history[0]["f1"] = 0.5


def drop_metric(arrays, history):
    del history[0]["categorical_accuracy"]


def widen(arrays, history):
    arrays[0] = arrays[0].astype(np.float64)


def turn(arrays, history):
    arrays[0] = arrays[0].T


def add_array(arrays, history):
    arrays.append(np.zeros(3))


DAMAGES = {
    "a weight that is no number": change(0, np.nan),
    "an infinite weight": change(0, np.inf),
    "a moment that is no number": change(-1, np.nan),
    "epochs that the optimizer has not seen": add_epochs,
    "a metric more": add_metric,
    "a metric less": drop_metric,
    "another precision": widen,
    "another shape": turn,
    "an array more": add_array,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_what_the_run_cannot_have_saved_is_refused_and_changes_nothing(damage, split, trained):
    arrays = [array.copy() for array in trained.arrays]
    history = [dict(each) for each in trained.history]
    damage(arrays, history)
    training = make_training(split)
    before = training.model.get_weights()
    with pytest.raises(ValueError, match="this run cannot continue from there"):
        training.restore(State(arrays, history, {}))
    assert training.history == []
    for one, other in zip(before, training.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_weights_that_are_no_numbers_belong_to_a_run_that_diverged(split):
    training = make_training(split)
    bias = training.model.trainable_variables[-1]
    bias.assign(np.full(bias.shape, np.nan, np.float32))
    training.train_epoch(split)
    again = make_training(split)
    again.restore(training.save())
    assert checkpoints.has_diverged(again.history[-1])


# What a search does with them.


@pytest.fixture
def setup(archives):
    return make_setup(archives)


def poison(array):
    return np.full_like(array, np.nan) if array.dtype.kind == "f" else array


def train(workers, run):
    """The epochs that a worker told of a run, and its outcome."""
    workers.submit(run)
    events = []
    while workers.running:
        events += workers.events()
    return [each.epochs for each in events if each.kind == "epoch"], events[-1].outcome


@pytest.mark.timeout(600)
def test_what_is_not_the_runs_costs_its_epochs_and_it_ends_alike(setup, tmp_path):
    values = setup.space.complete({"blocks": 1, "pool_size_1": 3})
    run = Run("search", 1, 1, 0, 5, values, 2, tmp_path / "run.npz")
    other = replace(run, trial=2, root=2, seed=6, checkpoint=tmp_path / "other.npz")
    owner = run.owner | setup.owner
    with Workers(1, setup) as workers:
        told, calm = train(workers, run)
        assert told == [1, 2]
        assert train(workers, replace(other, epochs=1))[0] == [1]
        assert train(workers, run)[0] == []
        whole = checkpoints.read(run.checkpoint, owner, 2)

        def write(arrays=whole.arrays, history=whole.history[:1], owner=owner):
            checkpoints.write(run.checkpoint, State(arrays, history, {}), owner)

        def copy():
            shutil.copy(other.checkpoint, run.checkpoint)

        damages = [
            copy,
            lambda: write(owner=owner | {"seed": 6}),
            lambda: write(owner=owner | {"images": "others"}),
            lambda: write(history=whole.history * 25),
            lambda: write([poison(array) for array in whole.arrays]),
            lambda: run.checkpoint.write_bytes(b"no archive"),
        ]
        for damage in damages:
            train(workers, replace(other, epochs=1))
            damage()
            told, outcome = train(workers, run)
            assert told == [1, 2]
            assert outcome.weights_sha256 == calm.weights_sha256


def test_a_folder_in_the_place_of_a_checkpoint_is_one_line(setup, tmp_path):
    run = Run("search", 1, 1, 0, 5, setup.space.baseline, 1, tmp_path / "run.npz")
    run.checkpoint.mkdir()
    with (
        Workers(1, setup) as workers,
        pytest.raises(InputError, match=r"^cannot write .*run.npz: Is a directory"),
    ):
        train(workers, run)


ONE_TRIAL = {"max_epochs": 100, "train_images": 64, "tuner": "random", "max_trials": 1}


def test_a_search_that_was_stopped_counts_its_checkpoint_and_no_other(
    small_space, archives, tmp_path
):
    """Another project's first trial has the same values, the baseline's, and another seed."""
    folders = {seed: tmp_path / f"seed-{seed}" for seed in (0, 1)}
    for seed, folder in folders.items():
        search(small_space, archives, project=folder, seed=seed, time_limit=0.001, **ONE_TRIAL)
    project = open_project(folders[0])
    assert 1 <= read_standing(project).runs[0].epochs < 100
    shutil.copy(*(open_project(folders[n]).checkpoint_path("search", 0, 0) for n in (1, 0)))
    assert read_standing(project).runs[0].epochs == 0
    assert read_checkpoint(project, "search", 0, 0, 100) == []


def test_a_run_that_diverged_ends_alike_from_its_checkpoint(archives, tmp_path):
    """Killed after the epoch was saved and before its end was written down."""
    text = load_space("cnn_open").text.replace('optimizer = "adam"', 'optimizer = "sgd"')
    text = text.replace("learning_rate = 1e-5", "learning_rate = 10.0", 1)
    space = parse_space(text[: text.index("[hyperparameters")] + UNITS, "wild", "wild.toml")
    settings = {"tuner": "random", "max_trials": 1, "max_epochs": 5, "train_images": 540}
    calm = search(space, archives, project=tmp_path / "calm", **settings)
    record = calm.ended("search")[0]
    assert record.collapsed
    assert record.metrics["loss"][-1] is None
    assert record.epochs < 5
    shutil.copytree(calm.folder, tmp_path / "killed")
    killed = open_project(tmp_path / "killed")
    _leave_at_its_end(killed, record, load_data(archives))
    assert read_standing(open_project(killed.folder)).runs[0].epochs == record.epochs
    again = search(space, archives, project=tmp_path / "killed", **settings).ended("search")[0]
    assert without_seconds(again) == without_seconds(record)


UNITS = """
[hyperparameters.blocks]
type = "Int"
min_value = 1
max_value = 2
default = 1

[hyperparameters.l2]
per = "block"
type = "Choice"
values = [0.5, 1.0]
default = 1.0

[hyperparameters.units]
type = "Int"
min_value = 32
max_value = 64
default = 64
"""


def without_seconds(record):
    metrics = {name: each for name, each in record.metrics.items() if name != "seconds"}
    return {name: each for name, each in record.as_json().items() if name != "seconds"} | {
        "metrics": metrics
    }


def _leave_at_its_end(project, record, data):
    """Leave the project's only run with its last checkpoint and no record of its end."""
    lines = project.journal_path.read_text().splitlines(keepends=True)
    kept = [line for line in lines if json.loads(line)["event"] in ("journal", "trial", "begin")]
    project.journal_path.write_text("".join(kept))
    index, holdout = split_holdout(data.train.labels, project.settings.train_images)
    setup = Setup(
        space=project.space,
        arrays=share_arrays(data),
        fingerprint=data.fingerprint,
        train_index=index,
        validate_on=holdout,
        test_at_end=False,
    )
    path = project.checkpoint_path("search", 0, 0)
    with Workers(1, setup) as workers:
        train(workers, Run("search", 0, 0, 0, record.seed, record.values, 5, path))
    assert path.exists()
