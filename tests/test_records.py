"""What the journal keeps of a run that has no number for its score."""

import json
from pathlib import Path

import numpy as np
import pytest

from svhn_tune.records import run_record
from svhn_tune.runs import Event, Outcome, Run, Setup
from svhn_tune.space import load_space, parse_space

NAN = float("nan")


def record(objective, history, initial_epoch=0, diverged=False):
    """The record of a run of 12 epochs that ended with this history."""
    text = load_space("cnn").text.replace("val_categorical_accuracy", objective)
    space = parse_space(text, "cnn", "cnn.toml")
    setup = Setup(space, Path("."), "0" * 64, 10, None, "test", False)
    run = Run("search", 1, 0, 0, 0, space.baseline, 12, Path("none.npz"))
    outcome = Outcome(history, diverged, 1, np.arange(9, dtype=np.uint8), {}, "CPU", "0")
    return run_record(Event("done", run, outcome=outcome), initial_epoch, space, setup)


def epoch(loss=1.0, val_loss=2.0, accuracy=0.5):
    return {
        "loss": loss,
        "seconds": 0.1,
        "val_loss": val_loss,
        "val_categorical_accuracy": accuracy,
    }


@pytest.mark.parametrize("value", [NAN, float("inf")])
def test_a_validation_loss_that_is_no_number_is_scored_worst_and_can_be_written(value):
    written = record("val_loss", [epoch(), epoch(val_loss=value)])
    assert written["score"] == 1e9
    assert json.dumps(written, allow_nan=False)
    assert record("val_loss", [epoch(), epoch()])["score"] == 2.0
    assert record("val_categorical_accuracy", [epoch(val_loss=value)])["score"] == 0.5


def test_one_that_diverged_before_it_was_promoted_has_trained_no_epochs_since():
    written = record("val_loss", [epoch(), epoch(loss=NAN)], initial_epoch=4, diverged=True)
    assert (written["initial_epoch"], written["epochs"]) == (2, 2)
    assert written["metrics"] == {}
    assert written["seconds"] == 0
