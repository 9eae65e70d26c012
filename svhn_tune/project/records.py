"""What the journal keeps of a run: enough to repeat it alone and get the same score."""

import base64
import math
from importlib.metadata import version
from typing import Any

import numpy as np

from ..engines.engine import JAX
from ..journal.record_types import RunRecord
from ..models.size import measure_size
from ..space.space import Space
from ..training.runs import Event, Outcome, Run, Setup

STAGES = {"search": 0, "confirm": 1}


def search_seed(seed: int, root: int) -> int:
    """The seed of the run that the trial `root` begins."""
    return _derive_seed("search", seed, root, 0)


def confirm_seed(seed: int, root: int, run: int) -> int:
    """The seed of confirm's run number `run` of a trial: never one of the search's."""
    return _derive_seed("confirm", seed, root, run)


def _derive_seed(stage: str, *numbers: int) -> int:
    """31 bits (Keras takes 32), the last of which is the stage's: the two never meet."""
    drawn = int(np.random.SeedSequence((STAGES[stage], *numbers)).generate_state(1)[0])
    return drawn >> 2 << 1 | STAGES[stage]


def run_record(event: Event, initial_epoch: int, space: Space, setup: Setup) -> RunRecord:
    """The journal's record of an ended run; metrics from `initial_epoch` on.

    The score is the objective at the last epoch: on the validation images in search, on the test
    set in confirm. A run whose loss is no finite number, or that failed, has none.
    """
    run, outcome = event.run, event.outcome
    names = ("stage", "trial", "root", "run", "seed", "values")
    known: dict[str, Any] = {name: getattr(run, name) for name in names} | {
        "initial_epoch": initial_epoch,
        "epochs": run.epochs,
        "score": None,
        "collapsed": False,
        "metrics": {},
        "seconds": 0.0,
        "parameters": None,
        "file_bytes": None,
        "device": None,
        "weights_sha256": None,
    }
    if run.threads > 1:
        known["threads"] = run.threads
    backend = "jax" if setup.engine == JAX else "tensorflow"
    if outcome is not None:
        known |= _describe_outcome(run, outcome, initial_epoch, space, setup)
    return RunRecord(
        planned_epochs=run.epochs,
        status="failed" if event.kind == "failed" else "completed",
        reason=event.reason,
        data_fingerprint=setup.fingerprint,
        train_images=None if setup.train_index is None else len(setup.train_index),
        versions={name: version(name) for name in ("keras", backend, "numpy")},
        **known,
    )


def _describe_outcome(
    run: Run, outcome: Outcome, initial_epoch: int, space: Space, setup: Setup
) -> dict[str, Any]:
    """What a run that trained adds to its record."""
    history = outcome.history[initial_epoch : run.epochs]
    objective = space.objective
    if setup.test_at_end:
        score = outcome.test[objective.metric]
    else:
        score = outcome.history[-1][objective.validated]
    # A finite loss in training does not make the one on other images finite.
    diverged = outcome.diverged or not math.isfinite(score)
    known: dict[str, Any] = {
        # A run that had diverged before it was promoted was not trained further.
        "initial_epoch": min(initial_epoch, len(outcome.history)),
        "epochs": len(outcome.history),
        # All images predicted as one class, or one minute: the run never learnt, or forgot.
        "collapsed": diverged or len(np.unique(np.round(outcome.predicted))) == 1,
        "metrics": _columns(history),
        "seconds": math.fsum(epoch["seconds"] for epoch in history),
        "parameters": outcome.parameters,
        "file_bytes": run.model_file.stat().st_size
        if run.model_file
        else measure_size(space, run.values).file_bytes,
        "device": outcome.device,
        "weights_sha256": outcome.weights_sha256,
        "trained_by": list(outcome.engines),
    }
    if not diverged:
        known["score"] = score
    if setup.test_at_end:
        known["test"] = {name: _finite(value) for name, value in outcome.test.items()}
        known["predicted"] = base64.b64encode(outcome.predicted.tobytes()).decode()
        # Of few classes a byte each, which needs no word.
        if outcome.predicted.dtype != np.uint8:
            known["predicted_as"] = str(outcome.predicted.dtype)
    return known


def decode_predicted(record: RunRecord) -> np.ndarray:
    """What a confirm run predicted of each test image, (N,): a class, or minutes on a dial."""
    return np.frombuffer(base64.b64decode(record.predicted or ""), record.predicted_as)


def _columns(history: list[dict[str, float]]) -> dict[str, list[Any]]:
    names = history[0] if history else ()
    return {name: [_finite(epoch[name]) for epoch in history] for name in names}


def _finite(value: float) -> float | None:
    """JSON has no NaN: null stands for it."""
    return value if math.isfinite(value) else None
