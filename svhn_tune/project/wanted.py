"""What a person asks of a search, with its defaults, and whether it fits the space and the data."""

from importlib.util import find_spec
from typing import Any, TypedDict

import numpy as np

from ..data import Data
from ..data.dataset import split_holdout
from ..engines.devices import choose_engine
from ..errors import InputError, nearest
from ..journal.numbers import check_numbers
from ..models.size import check_listed
from ..space.space import Space
from ..space.task import Task
from .project import Project

TUNERS = ("halving", "hyperband", "bayesian", "tpe", "random")


class Wanted(TypedDict, total=False):
    """The settings of a search, each as it was given; what is missing or None takes its default.

    Args:
        tuner: "halving" (default), "hyperband", "bayesian", "tpe" (which needs Optuna) or "random".
        max_epochs: of the longest trials; the protocol's by default.
        factor: of halving and Hyperband, 3 by default.
        max_trials: how many configurations; of halving by default as many as there is time for, or
            100; of the others 50. Hyperband's follow from its rounds. May be raised later.
        max_cost: of a model's epoch, in times of the baseline's; by default what the space says,
            and of halving what follows from the hours.
        seed: of the whole search, 0 by default.
        train_images: train on a stratified subset of this many; by default on all.
        validate_on: "holdout" or "test"; the protocol's by default.
        engine: "tensorflow", "jax" or "auto" (default): jax where JAX sees a GPU; a search that was
            begun goes on with its own.
    """

    tuner: str | None
    max_epochs: int | None
    factor: int | None
    max_trials: int | None
    max_cost: float | None
    seed: int | None
    train_images: int | None
    validate_on: str | None
    engine: str | None


def complete_settings(space: Space, data: Data, wanted: Wanted) -> dict[str, Any]:
    """The settings of a new search: those that are given, and defaults.

    Raises:
        InputError: they do not fit each other, the space or the data.
    """
    given = _read_given(wanted)
    defaults: dict[str, Any] = {
        "tuner": "halving",
        "max_epochs": space.protocol.epochs,
        "factor": 3,
        "max_trials": None if given.get("tuner", "halving") == "halving" else 50,
        "max_cost": space.limits.cost,
        "seed": 0,
        "train_images": None,
        "validate_on": space.protocol.validation,
    }
    settings = defaults | given
    _check_space(space, data)
    _check_tuner(settings["tuner"])
    settings["engine"] = choose_engine(settings.get("engine"))
    if settings["tuner"] == "hyperband" and "max_trials" in given:
        raise InputError(
            f"max_trials={given['max_trials']} does not apply to hyperband, whose rounds follow "
            f"from max_epochs and factor: leave it out, or choose another tuner"
        )
    if settings["tuner"] not in ("halving", "hyperband") and "factor" in given:
        raise InputError(
            f"factor={given['factor']} applies to halving and hyperband, not to {settings['tuner']}"
        )
    if settings["validate_on"] not in ("holdout", "test"):
        raise InputError(f"validate_on={settings['validate_on']} must be 'holdout' or 'test'")
    images = settings["train_images"]
    share, groups = space.protocol.validation_split, space.task.group(data.train.labels)
    available, fewest = len(split_holdout(groups, share=share)[0]), len(set(groups.tolist()))
    if images is not None and not fewest <= images <= available:
        raise InputError(
            f"train_images={images} must be from {fewest} to {available:,}, the images that are "
            f"not held out"
        )
    split_holdout(groups, images, share)
    return settings


def _read_given(wanted: Wanted) -> dict[str, Any]:
    """The settings that are given, checked each for itself."""
    if unknown := set(wanted) - set(Wanted.__annotations__):
        name = min(unknown)
        raise InputError(f"no setting '{name}' of a search.{nearest(name, Wanted.__annotations__)}")
    given = {name: value for name, value in check_numbers(wanted).items() if value is not None}
    if given.get("engine") == "auto":
        del given["engine"]
    return given


def _check_space(space: Space, data: Data) -> None:
    task = space.task
    asked = (task.height, task.width, task.channels)
    classes = task.classes if task.on_dial else len(data.classes)
    if data.image_shape != asked or classes != task.classes:
        raise InputError(
            f"{data.source} has images of {'x'.join(map(str, data.image_shape))} in "
            f"{len(data.classes)} classes; the space '{space.name}' is for "
            f"{'x'.join(map(str, asked))} {_say_labels(task)}"
        )
    found = [split.labels for split in (data.train, data.test)]
    low, high = min(map(np.min, found)), max(map(np.max, found))
    if task.on_dial and not 0 <= low <= high < task.labels:
        raise InputError(
            f"{data.source} has labels from {low} to {high}; the space '{space.name}' is for "
            f"minutes around a dial, 0 to {task.labels - 1}"
        )
    check_listed(space)
    if not space.declarations:
        raise InputError(
            f"{space.name}.toml has no hyperparameters, so there is nothing to search: add a table "
            f"such as [hyperparameters.units] with type, min_value, max_value and default"
        )


def _say_labels(task: Task) -> str:
    return "with minutes around a dial" if task.on_dial else f"in {task.classes}"


def _check_tuner(tuner: str) -> None:
    if tuner not in TUNERS:
        raise InputError(f"no tuner '{tuner}' (there are {', '.join(TUNERS)})")
    if tuner == "tpe" and find_spec("optuna") is None:
        raise InputError("the tuner 'tpe' needs Optuna: pip install 'svhn_tune[tpe]'")


def resume(
    project: Project, space: Space, data: Data, wanted: Wanted, budget: float | None
) -> None:
    """Take up a project's search again, with a budget or a number of trials that may be new.

    Raises:
        InputError: it would not be the search that was begun.
    """
    given = _read_given(wanted)
    _refuse_changes(project, space, data, given)
    _check_tuner(project.settings.tuner)
    choose_engine(project.settings.engine)
    if given.get("max_trials", 0) > (project.settings.max_trials or 0):
        project.update_settings(max_trials=given["max_trials"])
    if budget:
        project.update_settings(budget=budget)


def _refuse_changes(project: Project, space: Space, data: Data, given: dict[str, Any]) -> None:
    """A resumed search must be the one that was begun."""
    away = "pass --project for a new one, or --overwrite to drop this one"
    settings, folder, trials = project.settings, project.folder, len(project.proposals())
    if space.searched != project.space.searched:
        raise InputError(
            f"{folder} was searched with another space file ('{settings.space}', sha256 "
            f"{settings.space_sha256[:8]}, now '{space.name}', {space.sha256[:8]}): {away} "
            f"({trials} trials)"
        )
    if data.fingerprint != settings.data.fingerprint:
        raise InputError(
            f"{folder} was searched on other data ({settings.data.name}, fingerprint "
            f"{settings.data.fingerprint[:8]}, now {data.name}, "
            f"{data.fingerprint[:8]}): {away}"
        )
    for name, value in given.items():
        begun = getattr(settings, name)
        if value != begun and not (name == "max_trials" and value > (begun or 0)):
            raise InputError(
                f"{folder} was begun with {name}={begun}, not {value}: leave the option "
                f"out to go on, or {away}"
            )
