"""A run inside a worker: it stops within an epoch, and ends as if it had not."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import softmax_engine

from svhn_tune import load_data
from svhn_tune.data.cache import share_arrays
from svhn_tune.engines import checkpoints
from svhn_tune.models.spaces import load_space
from svhn_tune.training import breaks
from svhn_tune.training.execution import Executor
from svhn_tune.training.runs import Run, Setup

EPOCHS = 2


@pytest.fixture
def setup(archives, monkeypatch):
    """As confirm has it; every piece of a run is a question, and none is too early to stop."""
    monkeypatch.setattr(softmax_engine, "PART", 64)
    monkeypatch.setattr(breaks, "GRACE", -1.0)
    data = load_data(archives)
    return Setup(
        space=load_space("cnn"),
        arrays=share_arrays(data),
        fingerprint=data.fingerprint,
        train_index=None,
        validate_on=None,
        test_at_end=True,
    )


@pytest.fixture
def run(setup, tmp_path):
    return Run("confirm", 1, 1, 0, 5, setup.space.baseline, EPOCHS, tmp_path / "run.npz")


@pytest.fixture
def calm(setup, run, tmp_path):
    """The outcome of the run if it is never stopped."""
    return execute(setup, replace(run, checkpoint=tmp_path / "calm.npz"))[-1].outcome


def execute(setup, run, should_pause=lambda: False):
    """What a fresh worker tells of the run."""
    told = []
    Executor(setup).execute([run], told.append, should_pause)
    return told


def read(setup, run):
    return checkpoints.read(run.checkpoint, run.owner | setup.owner, run.epochs)


def same(one, other):
    def known(outcome):
        history = [epoch | {"seconds": 0} for epoch in outcome.history]
        return history, outcome.test, outcome.predicted.tolist(), outcome.weights_sha256

    return known(one) == known(other)


def test_a_run_that_is_stopped_at_each_piece_of_its_work_ends_alike(setup, run, calm):
    within, epochs = [], []
    while (told := execute(setup, run, lambda: True))[-1].kind == "paused":
        epochs += [event.epochs for event in told[:-1]]
        state = read(setup, run)
        within.append(set(state.within))
    assert epochs == [1, 2]
    assert same(told[-1].outcome, calm)
    assert sum("batches" in names for names in within) == 2 * (600 // 32 // softmax_engine.CHUNK)
    assert any("evaluated" in names for names in within)
    assert any({"predicted", "test"} <= names for names in within)


def test_a_run_is_saved_within_an_epoch_once_a_minute_is_over(setup, run, calm, monkeypatch):
    monkeypatch.setattr(breaks, "MINUTE", breaks.SLACK + 0.01)
    monkeypatch.setattr(breaks, "MOST", 1e9)
    monkeypatch.setenv(softmax_engine.SLOWNESS, "0.004")
    seen = set()

    def look():
        if run.checkpoint.exists():
            state = read(setup, run)
            seen.add((len(state.history), state.within.get("batches", 0)))
        return False

    assert same(execute(setup, run, look)[-1].outcome, calm)
    assert any(batches for epochs, batches in seen if epochs == 0)
    assert any(batches for epochs, batches in seen if epochs == 1)


def test_epochs_are_told_in_order_once_they_are_on_the_disk_where_saving_is_dear(
    setup, run, monkeypatch
):
    monkeypatch.setattr(breaks, "SHARE", 1e-9)
    many, told = replace(run, epochs=20), []

    def tell(event):
        owner = many.owner | setup.owner
        assert len(checkpoints.read_history(many.checkpoint, owner, 20)) >= event.epochs
        told.append((event.kind, event.epochs))

    Executor(setup).execute([many], tell, lambda: False)
    assert told == [*(("epoch", number + 1) for number in range(20)), ("done", 0)]


def stop_within(setup, run):
    assert [event.kind for event in execute(setup, run, lambda: True)] == ["paused"]
    state = read(setup, run)
    assert state.history == []
    assert state.within["batches"]
    return state


def rewrite(path, change):
    """Another `about.json` in the checkpoint, as some version may have written it."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    about = json.loads(contents[checkpoints.ABOUT].partition(b"\n")[2])
    change(about)
    text = json.dumps(about)
    contents[checkpoints.ABOUT] = f"{checkpoints._digest(text)}\n{text}".encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def cut_short(setup, run):
    content = run.checkpoint.read_bytes()
    run.checkpoint.write_bytes(content[: len(content) // 2])


def edit(setup, run):
    rewrite(run.checkpoint, lambda about: about["within"].update(batches=8))


def forget_the_place(setup, run):
    rewrite(run.checkpoint, lambda about: about.pop("within"))


def give_to_another(setup, run):
    checkpoints.write(run.checkpoint, read(setup, run), run.owner | setup.owner | {"seed": 6})


def lose_an_array(setup, run):
    state = read(setup, run)
    state = state._replace(arrays=state.arrays[:-1])
    checkpoints.write(run.checkpoint, state, run.owner | setup.owner)


@pytest.mark.parametrize(
    "damage", [cut_short, edit, forget_the_place, give_to_another, lose_an_array]
)
def test_a_damaged_checkpoint_within_an_epoch_costs_the_epoch_and_the_run_ends_alike(
    damage, setup, run, calm
):
    stop_within(setup, run)
    damage(setup, run)
    told = execute(setup, run)
    assert [event.epochs for event in told] == [1, 2, 0]
    assert same(told[-1].outcome, calm)


def test_the_checkpoint_of_an_earlier_version_is_gone_on_from(setup, run, calm):
    """They were written at an epoch's end, and did not say where else."""
    execute(setup, replace(run, epochs=1))
    rewrite(run.checkpoint, lambda about: about.pop("within"))
    told = execute(setup, run)
    assert [event.epochs for event in told] == [2, 0]
    assert same(told[-1].outcome, calm)


def test_a_run_within_an_epoch_is_not_taken_for_one_that_ended_before_it(setup, run):
    while not read(setup, run).history if run.checkpoint.exists() else True:
        execute(setup, run, lambda: True)
    execute(setup, run, lambda: True)
    state = read(setup, run)
    assert len(state.history) == 1
    assert state.within["batches"]
    with pytest.raises(ValueError, match="it went on after the 1 epochs of the run"):
        checkpoints.read(run.checkpoint, run.owner | setup.owner, 1)
    assert np.isfinite(state.history[0]["loss"])
