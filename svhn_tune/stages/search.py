"""Search: open or create a project, refuse what does not fit it, and run the loop on it.

The oracle and Keras are imported by search_loop.py, when all that can be refused is.
"""

import platform
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..cost.budget import Budget
from ..cost.forecast import Forecast
from ..data import Data, load_data
from ..data.cache import share_arrays
from ..data.dataset import split_holdout
from ..errors import InputError
from ..models.size import measure_size
from ..models.spaces import load_space
from ..progress.progress import Progress
from ..project.numbers import check_numbers
from ..project.ownership import holds_project
from ..project.project import Project
from ..project.results import create_project, delete_project, open_project, project_folder
from ..space.space import Space
from ..training.runs import Setup
from ..training.workers import Workers

TUNERS = ("hyperband", "bayesian", "tpe", "random")


def search(
    space: str | Path | Space = "cnn",
    data: str | Path | Data | None = None,
    *,
    tuner: str | None = None,
    max_epochs: int | None = None,
    factor: int | None = None,
    max_trials: int | None = None,
    workers: int = 1,
    seed: int | None = None,
    train_images: int | None = None,
    validate_on: str | None = None,
    time_limit: float | None = None,
    budget: float | None = None,
    project: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Project:
    """Search a space; the same call again goes on where the last one stopped.

    Args:
        space: a name in search_spaces/, a path to a .toml, or a `Space`.
        data: as for `load_data`, or a `Data`.
        tuner: "hyperband" (default), "bayesian", "tpe" (which needs Optuna) or "random".
        max_epochs: of the longest trials; the protocol's by default.
        factor: of Hyperband, 3 by default.
        max_trials: of the tuners other than Hyperband, 50 by default. May be raised later.
        workers: how many trials train side by side.
        seed: of the whole search, 0 by default.
        train_images: train on a stratified subset of this many; by default on all.
        validate_on: "holdout" or "test"; the protocol's by default.
        time_limit: stop at the end of the epochs in progress after this many seconds.
        budget: seconds for the whole project, this search and its confirm, over any number of
            calls; the search leaves what confirm will need. May be changed later.
        project: a name in results/ or a path; the space's name by default.
        overwrite: delete the project first: the files that it wrote, nothing beside them.
        progress: told what happens; silent by default.

    Raises:
        InputError: bad arguments, or a project that was searched otherwise.
    """
    deadline = None if time_limit is None else time.monotonic() + time_limit
    space = space if isinstance(space, Space) else load_space(space)
    data = data if isinstance(data, Data) else load_data(data)
    progress = progress or Progress()
    workers = check_numbers({"workers": workers})["workers"]
    wanted = {
        "tuner": tuner,
        "max_epochs": max_epochs,
        "factor": factor,
        "max_trials": max_trials,
        "seed": seed,
        "train_images": train_images,
        "validate_on": validate_on,
        "budget": budget,
    }
    folder = project_folder(space.name if project is None else project)
    opened = _open_or_create(folder, space, data, wanted, overwrite, progress)
    with opened.lock():
        opened.refresh()
        setup = _make_setup(opened, data)
        forecast = Forecast(opened, "search", data, lambda: loop.remaining.plan())
        budget_left = Budget(opened, "search", workers, data, forecast)
        with budget_left.clock(), Workers(workers, setup) as pool:
            # Imports Keras, as the workers do meanwhile: 4 s on each side, side by side.
            from .search_loop import SearchLoop

            loop = SearchLoop(opened, setup, pool, deadline, budget_left, forecast, progress)
            loop.run()
    return opened


def _open_or_create(
    folder: Path,
    space: Space,
    data: Data,
    wanted: dict[str, Any],
    overwrite: bool,
    progress: Progress,
) -> Project:
    given = {name: value for name, value in check_numbers(wanted).items() if value is not None}
    _check_space(space)
    if holds_project(folder) and not overwrite:
        project = open_project(folder)
        _refuse_changes(project, space, data, given)
        _check_tuner(project.settings["tuner"])
        if given.get("max_trials", 0) > project.settings["max_trials"]:
            project.update_settings(max_trials=given["max_trials"])
        if budget := given.get("budget"):
            project.update_settings(budget=budget)
        return project
    settings = make_settings(space, data, given)
    packages = ["svhn_tune", "keras", "keras-tuner", "tensorflow", "numpy"]
    packages += ["optuna"] if settings["tuner"] == "tpe" else []
    settings |= {
        "space": space.name,
        "space_sha256": space.sha256,
        "data": {
            "name": data.name,
            "fingerprint": data.fingerprint,
            "synthetic": data.synthetic,
            "source": data.source,
        },
        "versions": {name: version(name) for name in packages}
        | {"python": platform.python_version()},
        "machine": f"{platform.machine()}, {platform.system()} {platform.release()}",
    }
    left = delete_project(folder) if overwrite and folder.is_dir() and any(folder.iterdir()) else []
    if left:
        others = f" and {len(left) - 1} more" if len(left) > 1 else ""
        progress.note(f"--overwrite left {left[0]}{others}: the project did not write it")
    return create_project(folder, space, settings, beside=left)


def make_settings(space: Space, data: Data, wanted: dict[str, Any]) -> dict[str, Any]:
    """The settings of a new search: those `wanted` that are not None, and defaults.

    Raises:
        InputError: they do not fit each other, the space or the data.
    """
    defaults = {
        "tuner": "hyperband",
        "max_epochs": space.protocol.epochs,
        "factor": 3,
        "max_trials": 50,
        "seed": 0,
        "train_images": None,
        "validate_on": space.protocol.validation,
        "budget": None,
    }
    given = {name: value for name, value in check_numbers(wanted).items() if value is not None}
    settings = defaults | given
    _check_settings(settings, given, space, data)
    return settings


def _make_setup(project: Project, data: Data) -> Setup:
    train, holdout = split_holdout(data.train.labels, project.settings["train_images"])
    return Setup(
        space=project.space,
        arrays=share_arrays(data),
        fingerprint=data.fingerprint,
        train_index=train,
        validate_on="test" if project.settings["validate_on"] == "test" else holdout,
        test_at_end=False,
    )


def _check_settings(
    settings: dict[str, Any], given: dict[str, Any], space: Space, data: Data
) -> None:
    _check_space(space)
    _check_tuner(settings["tuner"])
    if settings["tuner"] == "hyperband" and "max_trials" in given:
        raise InputError(
            f"max_trials={given['max_trials']} does not apply to hyperband, whose rounds follow "
            f"from max_epochs and factor: leave it out, or choose another tuner"
        )
    if settings["tuner"] != "hyperband" and "factor" in given:
        raise InputError(
            f"factor={given['factor']} applies to hyperband only, not to {settings['tuner']}"
        )
    if settings["validate_on"] not in ("holdout", "test"):
        raise InputError(f"validate_on={settings['validate_on']} must be 'holdout' or 'test'")
    images = settings["train_images"]
    available = len(split_holdout(data.train.labels)[0])
    if images is not None and not len(data.classes) <= images <= available:
        raise InputError(
            f"train_images={images} must be from {len(data.classes)} to {available:,}, the images "
            f"that are not held out"
        )
    split_holdout(data.train.labels, images)
    if reasons := measure_size(space, space.baseline).reasons:
        raise InputError(f"the baseline of the space '{space.name}' is infeasible: {reasons[0]}")


def _check_space(space: Space) -> None:
    if not space.declarations:
        raise InputError(
            f"{space.name}.toml has no hyperparameters, so there is nothing to search: add a table "
            f"such as [hyperparameters.units] with type, min_value, max_value and default"
        )


def _check_tuner(tuner: str) -> None:
    if tuner not in TUNERS:
        raise InputError(f"no tuner '{tuner}' (there are {', '.join(TUNERS)})")
    if tuner == "tpe" and find_spec("optuna") is None:
        raise InputError("the tuner 'tpe' needs Optuna: pip install 'svhn_tune[tpe]'")


def _refuse_changes(project: Project, space: Space, data: Data, given: dict[str, Any]) -> None:
    """A resumed search must be the one that was begun."""
    away = "pass --project for a new one, or --overwrite to drop this one"
    settings, folder, trials = project.settings, project.folder, len(project.proposals())
    if space.sha256 != settings["space_sha256"]:
        raise InputError(
            f"{folder} was searched with another space file ('{settings['space']}', sha256 "
            f"{settings['space_sha256'][:8]}, now '{space.name}', {space.sha256[:8]}): {away} "
            f"({trials} trials)"
        )
    if data.fingerprint != settings["data"]["fingerprint"]:
        raise InputError(
            f"{folder} was searched on other data ({settings['data']['name']}, fingerprint "
            f"{settings['data']['fingerprint'][:8]}, now {data.name}, "
            f"{data.fingerprint[:8]}): {away}"
        )
    for name, value in given.items():
        if name == "budget":
            continue
        if value != settings[name] and not (name == "max_trials" and value > settings[name]):
            raise InputError(
                f"{folder} was begun with {name}={settings[name]}, not {value}: leave the option "
                f"out to go on, or {away}"
            )
