"""A search (not its confirm) as a study of Optuna, in an SQLite file that optuna-dashboard opens.

A trial there is a configuration here: all its epochs are intermediate values of one trial, whose
number counts configurations; its attribute `trial` is the project's number.

COMPLETE: trained for all epochs of the search, collapsed or not. PRUNED: ended earlier, because
Hyperband has not promoted it; so `best_trial` is never one that a short training flattered. FAIL:
its worker died, or its loss became no number, so that it has no score. RUNNING: begun and not
ended.

The journal keeps durations, not dates: every trial seems to end at the moment of the export.
"""

import math
import tempfile
import warnings
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState

from ..files import write_atomically
from ..project.project import Project
from ..space.hyperparameters import Boolean, Choice, Fixed, Float, Hyperparameter, Int
from ..summary.curves import Curve, search_curves

ATTRIBUTES = (
    *("trial", "root", "seed", "epochs", "collapsed"),
    *("seconds", "parameters", "file_bytes"),
)


def write_storage(project: Project, path: Path) -> None:
    """Write the study to `path`; it is named as the project.

    Raises:
        OSError: it cannot be written.
    """
    # SQLite writes in pieces, so it does so elsewhere.
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.db"
        storage = optuna.storages.RDBStorage(f"sqlite:///{file}")
        try:
            _fill(storage, project)
        finally:
            storage.engine.dispose()
        write_atomically(path, file.read_bytes())


def _fill(storage: optuna.storages.BaseStorage, project: Project) -> None:
    objective, settings = project.space.objective, project.settings
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(
            storage=storage,
            study_name=project.name,
            direction="maximize" if objective.higher_is_better else "minimize",
        )
    finally:
        optuna.logging.set_verbosity(verbosity)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study.set_metric_names([objective.validated])
    study.set_user_attr("data", settings.data.name)
    study.set_user_attr("validate_on", settings.validate_on)
    study.set_user_attr("space", project.space.name)
    study.set_user_attr("space_sha256", project.space.sha256)
    study.set_user_attr("tuner", settings.tuner)
    study.add_trials([_make_trial(project, curve) for curve in search_curves(project)])


def _make_trial(project: Project, curve: Curve) -> FrozenTrial:
    declared = {each.name: each.hyperparameter for each in project.space.declarations}
    state = _state(project, curve)
    attributes = {name: getattr(curve, name) for name in ATTRIBUTES}
    objective = curve.metrics.get(project.space.objective.validated, [])
    trial = optuna.trial.create_trial(
        state=state,
        value=curve.score if state in (TrialState.COMPLETE, TrialState.PRUNED) else None,
        params={name: _value(declared[name], value) for name, value in curve.values.items()},
        distributions={name: _distribution(declared[name]) for name in curve.values},
        user_attrs={name: value for name, value in attributes.items() if value is not None},
        intermediate_values={
            epoch: math.nan if value is None else value
            for epoch, value in enumerate(objective, start=1)
        },
    )
    trial.datetime_start = (trial.datetime_complete or datetime.now()) - timedelta(
        seconds=curve.seconds
    )
    return trial


def _state(project: Project, curve: Curve) -> TrialState:
    if curve.status == "running":
        return TrialState.RUNNING
    if curve.status == "failed" or curve.score is None:
        return TrialState.FAIL
    whole = curve.planned_epochs >= project.settings.max_epochs
    return TrialState.COMPLETE if whole else TrialState.PRUNED


def _distribution(given: Hyperparameter) -> BaseDistribution:
    """What a space file declares, in Optuna's words, which has no steps on a logarithmic scale."""
    match given:
        case Int(sampling="linear", step=int(step)):
            high = given.min_value + (given.max_value - given.min_value) // step * step
            return IntDistribution(given.min_value, high, step=step)
        case Int():
            return IntDistribution(given.min_value, given.max_value, log=given.sampling == "log")
        case Float():
            return FloatDistribution(given.min_value, given.max_value, log=given.sampling == "log")
        case Choice():
            return CategoricalDistribution(given.values)
        case Boolean():
            return CategoricalDistribution([False, True])
        case Fixed():
            return CategoricalDistribution([given.value])


def _value(given: Hyperparameter, value: Any) -> Any:
    """The value; KerasTuner's steps may end a rounding beyond the range, which Optuna refuses."""
    if isinstance(given, Float):
        return min(max(value, given.min_value), given.max_value)
    return value
