"""Runs for the pools of the tests, and what is asked of a pool again and again."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from svhn_tune import load_data
from svhn_tune.data.cache import share_arrays
from svhn_tune.engines import checkpoints
from svhn_tune.machines.choice import ThisMachine
from svhn_tune.models.spaces import load_space
from svhn_tune.training.runs import Run, Setup

# No machine is so fast, or its parent so slow, that such a run ends before it is paused.
ENDLESS = 10**9


def make_setup(archives, space="cnn", **changes):
    """64 images, which it is validated on, too."""
    data = load_data(archives)
    index = np.arange(64)
    given = {"train_index": index, "validate_on": index, "test_at_end": False} | changes
    return Setup(
        space=load_space(space), arrays=share_arrays(data), fingerprint=data.fingerprint, **given
    )


def make_run(setup, folder, number, epochs, **changes):
    run = Run(
        stage="confirm",
        trial=number,
        root=number,
        run=0,
        seed=number,
        values=setup.space.baseline,
        epochs=epochs,
        checkpoint=folder / "checkpoints" / f"{number}.npz",
        model_file=folder / f"{number}.keras",
    )
    return replace(run, **changes)


def train(pool, *runs):
    """All events until these runs, and those in training, have ended."""
    waiting, seen = list(runs), []
    while waiting or pool.running:
        while waiting and pool.free:
            pool.submit(waiting.pop(0))
        seen += pool.events(timeout=1)
    return seen


def wait_for_epoch(pool):
    """Until an epoch is told, which is on the disk."""
    told = []
    while not told:
        told = list(pool.events(timeout=1))
    assert {event.kind for event in told} == {"epoch"}


def pause(pool, setup, run):
    """Pause the one run of a pool; the epochs that it has behind it."""
    pool.pause()
    assert train(pool)[-1].kind == "paused"
    return len(checkpoints.read_history(run.checkpoint, run.owner | setup.owner, run.epochs))


def train_alone(setup, folder, *runs):
    """The hashes of the weights of runs that nothing disturbs, on this machine."""
    place = Path(folder) / "alone.npz"
    with ThisMachine(1).open(setup) as pool:
        told = train(pool, *(replace(run, checkpoint=place) for run in runs))
        return [event.outcome.weights_sha256 for event in told if event.outcome]
