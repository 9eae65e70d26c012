"""Search: open or create a project, refuse what does not fit it, and run the loop on it.

search_loop.py imports the oracle and Keras, once all that can be refused has been.
"""

import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Unpack

from ..cost.budget import Budget
from ..cost.cap import Hours, is_capped
from ..cost.forecast import Forecast
from ..cost.timing import measure_cap
from ..data import Data, load_data
from ..data.cache import share_arrays
from ..data.dataset import split_holdout
from ..engines.devices import module_of
from ..journal.numbers import check_numbers
from ..journal.settings import make_valid_settings
from ..machines.choice import open_machines
from ..models.spaces import load_space
from ..progress.progress import Progress
from ..project.ownership import holds_project
from ..project.project import Project
from ..project.results import create_project, delete_project, open_project, project_folder
from ..project.wanted import Wanted, complete_settings, resume
from ..space.space import Space
from ..training.pool import Machines
from ..training.runs import Setup
from .drive import Call


def search(
    space: str | Path | Space = "cnn",
    data: str | Path | Data | None = None,
    *,
    workers: int | None = None,
    time_limit: float | None = None,
    budget: float | None = None,
    project: str | Path | None = None,
    overwrite: bool = False,
    cluster: str | None = None,
    gpus_per_run: float | None = None,
    progress: Progress | None = None,
    **wanted: Unpack[Wanted],
) -> Project:
    """Search a space; the same call again goes on where the last one stopped.

    Args:
        space: a name in search_spaces/, a path to a .toml, or a `Space`.
        data: as for `load_data`, or a `Data`.
        workers: how many trials train side by side: 1, or as many as a cluster has room for.
        time_limit: stop after this many seconds, within an epoch if need be.
        budget: seconds for the whole project, this search and its confirm, over any number of
            calls; the search leaves what confirm will need. May be changed later.
        project: a name in results/ or a path; the space's name by default.
        overwrite: delete the project first: the files that it wrote, nothing beside them.
        cluster: a Ray cluster's address, or "auto"; this machine's processes by default.
        gpus_per_run: of the cluster's GPUs, such as 0.25; CPUs by default.
        progress: told what happens; silent by default.
        tuner: "halving" (default), "hyperband", "bayesian", "tpe" (which needs Optuna) or "random".
        max_epochs, factor, max_trials, max_cost, seed, train_images, validate_on, engine: see
            `Wanted` in project/wanted.py.

    Raises:
        InputError: bad arguments, or a project that was searched otherwise.
    """
    deadline = None if time_limit is None else time.monotonic() + time_limit
    space = space if isinstance(space, Space) else load_space(space)
    data = data if isinstance(data, Data) else load_data(data, space.data)
    progress = progress or Progress()
    workers = check_numbers({"workers": workers})["workers"]
    folder = project_folder(space.name if project is None else project)
    with open_machines(workers, cluster, gpus_per_run, progress.note) as machines:
        hours = Hours(machines.count, time_limit, budget)
        opened = _open_or_create(folder, space, data, wanted, hours, overwrite, progress, machines)
        with opened.lock():
            opened.refresh()
            _train(opened, data, deadline, progress, machines)
    return opened


def _train(
    project: Project, data: Data, deadline: float | None, progress: Progress, machines: Machines
) -> None:
    setup = _make_setup(project, data)
    forecast = Forecast(project, "search", data, lambda: loop.remaining.plan())
    budget = Budget(project, "search", machines.count, data, forecast)
    with budget.clock(), machines.open(setup) as pool:
        # Imports Keras, as the workers do meanwhile: 4 s on each side, side by side.
        from .search_loop import SearchLoop

        call = Call(project, pool, deadline, budget, forecast, progress)
        loop = SearchLoop(call, setup)
        loop.run()


def _open_or_create(
    folder: Path,
    space: Space,
    data: Data,
    wanted: Wanted,
    hours: Hours,
    overwrite: bool,
    progress: Progress,
    machines: Machines,
) -> Project:
    if holds_project(folder) and not overwrite:
        project = open_project(folder)
        resume(project, space, data, wanted, hours.budget)
        return project
    asked = complete_settings(space, data, wanted)
    if is_capped(asked, hours):
        progress.note("timing a few models, to know what each costs")
        asked["cap"] = measure_cap(space, data, asked, hours, machines)
    del asked["max_cost"]
    packages = ["svhn_tune", "keras", "keras-tuner", asked["engine"], "numpy"]
    packages += ["optuna"] if asked["tuner"] == "tpe" else []
    about = {
        "budget": hours.budget,
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
    settings = make_valid_settings(asked | about)
    left = delete_project(folder) if overwrite and folder.is_dir() and any(folder.iterdir()) else []
    if left:
        others = f" and {len(left) - 1} more" if len(left) > 1 else ""
        progress.note(f"--overwrite left {left[0]}{others}: the project did not write it")
    return create_project(folder, space, settings, beside=left)


def _make_setup(project: Project, data: Data) -> Setup:
    train, holdout = split_holdout(
        project.space.task.group(data.train.labels),
        project.settings.train_images,
        project.space.protocol.validation_split,
    )
    return Setup(
        space=project.space,
        arrays=share_arrays(data),
        fingerprint=data.fingerprint,
        train_index=train,
        validate_on="test" if project.settings.validate_on == "test" else holdout,
        test_at_end=False,
        engine=module_of(project.settings.engine),
    )
