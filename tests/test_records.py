"""records: what the journal keeps of a run that ended."""

import math
from pathlib import Path

import numpy as np
import pytest

from svhn_tune.journal.record_types import from_json
from svhn_tune.models.spaces import load_space, parse_space
from svhn_tune.project.records import run_record
from svhn_tune.training.runs import Event, Outcome, Run, Setup


def end(objective, history, test=None, epochs=2, initial_epoch=0):
    """The record of a run that brought this history, in search, or with `test` in confirm."""
    text = load_space("cnn").text.replace('"val_categorical_accuracy"', f'"{objective}"')
    space = parse_space(text, "cnn", "cnn.toml")
    outcome = Outcome(
        history=history,
        diverged=not math.isfinite(history[-1]["loss"]),
        parameters=7,
        predicted=np.array([1, 2], np.uint8),
        test=test or {},
        device="CPU",
        weights_sha256="0",
    )
    stage = "search" if test is None else "confirm"
    run = Run(stage, 0, 0, 0, 2, space.baseline, epochs, Path("none.npz"))
    setup = Setup(space, Path(), "0", None, "test", test is not None)
    return run_record(Event("done", run, outcome=outcome), initial_epoch, space, setup)


def epoch(loss, val_loss, accuracy=0.5):
    return {
        "loss": loss,
        "seconds": 1.0,
        "val_loss": val_loss,
        "val_categorical_accuracy": accuracy,
    }


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_on_other_images_that_is_no_number_is_no_score(loss):
    record = end("val_loss", [epoch(2.0, 2.0), epoch(1.0, loss)])
    assert (record.score, record.collapsed, record.status) == (None, True, "completed")
    assert record.metrics["val_loss"] == [2.0, None]
    confirmed = end("val_loss", [epoch(2.0, 2.0)] * 2, {"loss": loss, "categorical_accuracy": 0.5})
    assert (confirmed.score, confirmed.collapsed) == (None, True)


def test_what_is_written_is_what_can_be_read():
    calm = end("val_loss", [epoch(2.0, 2.0), epoch(1.0, 1.5)])
    assert (calm.score, calm.collapsed) == (1.5, False)
    short = end("val_categorical_accuracy", [epoch(math.nan, math.nan, 0.1)])
    assert (short.score, short.collapsed, short.epochs) == (None, True, 1)
    for record in (calm, short):
        assert from_json(record.as_json()) == record


def test_one_that_diverged_before_it_was_promoted_has_trained_no_epochs_since():
    history = [epoch(1.0, 2.0), epoch(math.nan, 2.0)]
    written = end("val_loss", history, epochs=12, initial_epoch=4)
    assert (written.initial_epoch, written.epochs) == (2, 2)
    assert written.metrics == {}
    assert written.seconds == 0
