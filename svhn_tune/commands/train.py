"""search, confirm and plan: what trains, and what that costs."""

from typing import Annotated, Any

import typer

from .options import (
    AsJson,
    Budget,
    Cluster,
    DataFolder,
    Engine,
    Epochs,
    GpusPerRun,
    ProjectName,
    Question,
    Quiet,
    Runs,
    SpaceName,
    TimeLimit,
    Top,
    TopOfQuestion,
    WorkerCount,
    choose_workers,
    parse_duration,
    with_search_settings,
)
from .output import load_data, note, print_json, try_report


@with_search_settings
def search(
    space: SpaceName = "cnn",
    data: DataFolder = None,
    workers: WorkerCount = None,
    time_limit: TimeLimit = None,
    budget: Budget = None,
    project: Annotated[
        str | None,
        typer.Option(help="A name in results/, or a folder. [default: the space's name]"),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Delete what the project wrote first.")] = False,
    cluster: Cluster = None,
    gpus_per_run: GpusPerRun = None,
    quiet: Quiet = False,
    wanted: Any = None,
) -> None:
    """Search a space. The same command again goes on where it was."""
    limit, hours = parse_duration(time_limit), parse_duration(budget)
    count = choose_workers(workers, cluster)
    from ..models.spaces import load_space
    from ..progress.live import make_progress

    loaded = load_space(space)
    found = load_data(data, loaded.data, quiet)
    from ..stages.search import search as run_search
    from .tables import print_status

    done = run_search(
        loaded,
        found,
        workers=count,
        cluster=cluster,
        gpus_per_run=gpus_per_run,
        time_limit=limit,
        budget=hours,
        project=project,
        overwrite=overwrite,
        progress=None if quiet else make_progress(),
        **wanted,
    )
    print_status(done)
    try_report(done, quiet)


def confirm(
    top: TopOfQuestion = None,
    question: Question = None,
    runs: Runs = 10,
    epochs: Epochs = None,
    baseline: Annotated[
        bool, typer.Option("--baseline/--no-baseline", help="Retrain the baseline as a control.")
    ] = True,
    project: ProjectName = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="Where the search's data are, if they moved; or other images, to train the same "
            "configurations on: cifar10, or cifar10:DIR."
        ),
    ] = None,
    workers: WorkerCount = None,
    time_limit: TimeLimit = None,
    budget: Budget = None,
    engine: Engine = None,
    cluster: Cluster = None,
    gpus_per_run: GpusPerRun = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Retrain the best trials from fresh seeds on all training images; again adds runs."""
    limit, hours = parse_duration(time_limit), parse_duration(budget)
    count = choose_workers(workers, cluster)
    from ..progress.live import make_progress
    from ..project.results import open_project
    from ..stages.confirm import confirm as run_confirm
    from ..summary.status import status as read_status
    from .tables import print_confirmed

    opened = open_project(project)
    data_settings = opened.settings.data
    if data_settings.synthetic and not quiet:
        note(f"the data are the {data_settings.name}")
    done = run_confirm(
        opened,
        data,
        top=top,
        question=question,
        runs=runs,
        epochs=epochs,
        baseline=baseline,
        workers=count,
        cluster=cluster,
        gpus_per_run=gpus_per_run,
        time_limit=limit,
        budget=hours,
        engine=engine,
        progress=None if quiet else make_progress(),
    )
    if as_json:
        print_json(read_status(done))
    else:
        print_confirmed(done)
    try_report(done, quiet)


@with_search_settings
def plan(
    space: SpaceName = "cnn",
    data: DataFolder = None,
    budget: Budget = None,
    workers: WorkerCount = None,
    top: Top = 3,
    runs: Runs = 10,
    epochs: Epochs = None,
    cluster: Cluster = None,
    gpus_per_run: GpusPerRun = None,
    as_json: AsJson = False,
    wanted: Any = None,
) -> None:
    """What search and confirm will cost on this machine, and what fits a budget."""
    seconds = parse_duration(budget)
    count = choose_workers(workers, cluster)
    from ..models.spaces import load_space

    loaded = load_space(space)
    found = load_data(data, loaded.data)
    from ..cost.plan import plan as make_plan
    from .tables import print_plan

    document = make_plan(
        loaded,
        found,
        workers=count,
        cluster=cluster,
        gpus_per_run=gpus_per_run,
        budget=seconds,
        top=top,
        runs=runs,
        epochs=epochs,
        note=note,
        **wanted,
    )
    if as_json:
        print_json(document)
    else:
        print_plan(loaded, document)
