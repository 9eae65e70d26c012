"""The commands: each is one library call. The only place that prints errors for people."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.exceptions import TyperException

from .errors import InputError
from .options import (
    AsJson,
    Budget,
    DataFolder,
    Epochs,
    Factor,
    MaxEpochs,
    MaxTrials,
    ProjectName,
    Quiet,
    Runs,
    Seed,
    SpaceName,
    TimeLimit,
    Top,
    TrainImages,
    Tuner,
    ValidateOn,
    WorkerCount,
    default_workers,
    parse_assignment,
    parse_duration,
)

INTERRUPTED = 130  # what typer, too, makes of a KeyboardInterrupt

app = typer.Typer(
    help="From a search space to a .keras file that can be handed in.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.command()
def search(
    space: SpaceName = "cnn",
    data: DataFolder = None,
    tuner: Tuner = None,
    max_epochs: MaxEpochs = None,
    factor: Factor = None,
    max_trials: MaxTrials = None,
    workers: WorkerCount = None,
    seed: Seed = None,
    train_images: TrainImages = None,
    validate_on: ValidateOn = None,
    time_limit: TimeLimit = None,
    budget: Budget = None,
    project: Annotated[
        str | None,
        typer.Option(help="A name in results/, or a folder. [default: the space's name]"),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Delete the project first.")] = False,
    quiet: Quiet = False,
) -> None:
    """Search a space. The same command again goes on where it was."""
    limit, hours = parse_duration(time_limit), parse_duration(budget)
    from .progress import make_progress
    from .space import load_space

    loaded = load_space(space)
    found = _load_data(data, quiet)
    from .search import search as run_search
    from .tables import print_status

    done = run_search(
        loaded,
        found,
        tuner=tuner,
        max_epochs=max_epochs,
        factor=factor,
        max_trials=max_trials,
        workers=workers or default_workers(),
        seed=seed,
        train_images=train_images,
        validate_on=validate_on,
        time_limit=limit,
        budget=hours,
        project=project,
        overwrite=overwrite,
        progress=None if quiet else make_progress(),
    )
    print_status(done)
    _try_report(done, quiet)


@app.command()
def confirm(
    top: Top = 3,
    runs: Runs = 10,
    epochs: Epochs = None,
    baseline: Annotated[
        bool, typer.Option("--baseline/--no-baseline", help="Retrain the baseline as a control.")
    ] = True,
    project: ProjectName = None,
    data: Annotated[
        str | None, typer.Option(help="Where the search's data are, if they moved.")
    ] = None,
    workers: WorkerCount = None,
    time_limit: TimeLimit = None,
    budget: Budget = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Retrain the best trials from fresh seeds on all training images; again adds runs."""
    limit, hours = parse_duration(time_limit), parse_duration(budget)
    from .confirm import confirm as run_confirm
    from .progress import make_progress
    from .project import open_project
    from .tables import print_confirmed

    opened = open_project(project)
    if opened.settings["data"]["synthetic"] and not quiet:
        _note("the data are the built-in digits, not SVHN")
    done = run_confirm(
        opened,
        data,
        top=top,
        runs=runs,
        epochs=epochs,
        baseline=baseline,
        workers=workers or default_workers(),
        time_limit=limit,
        budget=hours,
        progress=None if quiet else make_progress(),
    )
    if as_json:
        _print_json(done.status())
    else:
        print_confirmed(done)
    _try_report(done, quiet)


@app.command()
def plan(
    space: SpaceName = "cnn",
    data: DataFolder = None,
    budget: Budget = None,
    tuner: Tuner = None,
    max_epochs: MaxEpochs = None,
    factor: Factor = None,
    max_trials: MaxTrials = None,
    workers: WorkerCount = None,
    seed: Seed = None,
    train_images: TrainImages = None,
    validate_on: ValidateOn = None,
    top: Top = 3,
    runs: Runs = 10,
    epochs: Epochs = None,
    as_json: AsJson = False,
) -> None:
    """What search and confirm will cost on this machine, and what fits a budget."""
    seconds = parse_duration(budget)
    from .space import load_space

    loaded = load_space(space)
    found = _load_data(data)
    from .plan import plan as make_plan
    from .tables import print_plan

    document = make_plan(
        loaded,
        found,
        workers=workers or default_workers(),
        budget=seconds,
        tuner=tuner,
        max_epochs=max_epochs,
        factor=factor,
        max_trials=max_trials,
        seed=seed,
        train_images=train_images,
        validate_on=validate_on,
        top=top,
        runs=runs,
        epochs=epochs,
    )
    if as_json:
        _print_json(document)
    else:
        print_plan(loaded, document)


@app.command()
def status(project: ProjectName = None, as_json: AsJson = False) -> None:
    """Where the project stands."""
    from .project import open_project
    from .tables import print_status

    opened = open_project(project)
    if as_json:
        _print_json(opened.status())
    else:
        print_status(opened)


@app.command()
def report(project: ProjectName = None) -> None:
    """Write results/<project>/report.html again, for a browser."""
    from .project import open_project
    from .report import write_report

    print(write_report(open_project(project)))


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="A .keras file.")],
    space: SpaceName = "cnn",
    data: Annotated[
        str | None, typer.Option(help="Classify the test set of this folder, or of 'builtin'.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """May this file be handed in? Exit status 1 if not."""
    from .space import load_space

    loaded = load_space(space)
    if not file.is_file():
        raise InputError(f"no file {file}")
    found = None if data is None else _load_data(data)
    from .check import check_submission
    from .tables import print_check

    result = check_submission(file, loaded, found)
    if as_json:
        _print_json(result)
    else:
        print_check(file, result)
    if not result["ok"]:
        raise typer.Exit(1)


@app.command()
def describe(
    space: SpaceName = "cnn",
    trial: Annotated[int | None, typer.Option(help="A trial of the space's project.")] = None,
    assign: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE; may be given again.")
    ] = None,
    project: ProjectName = None,
    as_json: AsJson = False,
) -> None:
    """Layers, shapes, parameters and bytes of a model, without building it."""
    from .describe import describe_values
    from .space import load_space
    from .tables import print_description

    if trial is not None:
        from .project import open_project

        opened = open_project(project or Path(space).stem)
        loaded, base = opened.space, opened.values(trial)
    else:
        loaded = load_space(space)
        base = loaded.baseline
    chosen = dict(map(parse_assignment, assign or []))
    description = describe_values(loaded, loaded.complete(chosen, base))
    if as_json:
        _print_json(description)
    else:
        print_description(loaded, description)


@app.command()
def export(
    target: Annotated[Path, typer.Argument(help="The file, or for tensorboard the folder.")],
    to: Annotated[str, typer.Option(help="optuna (an SQLite storage) or tensorboard (logs).")],
    project: ProjectName = None,
) -> None:
    """Write the project for Optuna's dashboard or TensorBoard."""
    from .exports import export as run_export
    from .project import open_project

    shown_by = run_export(open_project(project), to, target)
    print(f"wrote {target}; to look at it: {shown_by}")


@app.command()
def spaces(as_json: AsJson = False) -> None:
    """The spaces there are."""
    from .space import load_space, space_names
    from .tables import print_spaces

    loaded = [load_space(name) for name in space_names()]
    if as_json:
        _print_json(
            [
                {
                    "name": space.name,
                    "title": space.title,
                    "hyperparameters": len(space.declarations),
                }
                for space in loaded
            ]
        )
    else:
        print_spaces(loaded)


@app.command()
def data(
    folder: DataFolder = None,
    sheet: Annotated[Path, typer.Option(help="Where the contact sheet goes.")] = Path(
        "contact_sheet.png"
    ),
    as_json: AsJson = False,
) -> None:
    """What data is found; writes a contact sheet to look at."""
    found = _load_data(folder)
    from .data.sheet import write_contact_sheet
    from .tables import print_data

    write_contact_sheet(found, sheet)
    summary = {
        "name": found.name,
        "fingerprint": found.fingerprint,
        "synthetic": found.synthetic,
        "source": found.source,
        "classes": list(found.classes),
        "train": found.train.counts(len(found.classes)),
        "test": found.test.counts(len(found.classes)),
        "contact_sheet": str(sheet),
    }
    if as_json:
        _print_json(summary)
    else:
        print_data(summary)


def _load_data(where: str | None, quiet: bool = False) -> Any:
    from .data import load_data

    found = load_data(where)
    if found.synthetic and not quiet:
        _note(
            "the data are the built-in digits, not SVHN"
            + ("" if where else " (no archives in ./data; --data DIR for yours)")
        )
    return found


def _try_report(project: Any, quiet: bool = False) -> None:
    """Write the report of what search or confirm did, whose results stand in any case."""
    try:
        from .report import write_report

        path = write_report(project)
        if not quiet:
            _note(f"the report is {path}")
    except Exception as error:
        reason = str(error) if isinstance(error, InputError) else repr(error)
        _note(
            f"the report could not be written, all results are saved: {reason}; "
            f"`python -m svhn_tune report --project {project.folder}` tries again"
        )


def _note(text: str) -> None:
    print(f"note: {text}", file=sys.stderr)


def _print_json(document: Any) -> None:
    print(json.dumps(document, indent=2))


def _interrupt(*_: Any) -> NoReturn:
    # Ending takes less than a second; a second Ctrl-C would only tear it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> NoReturn:
    """Run the command line; every error a person can make is one line and exit status 2."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        code = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except (InputError, TyperException) as error:
        text = error.format_message() if isinstance(error, TyperException) else str(error)
        # A library's message within ours may have several lines.
        print("error:", *map(str.strip, text.splitlines()), file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        code = INTERRUPTED
    if code == INTERRUPTED:
        print("stopped; what was trained is saved: the same command goes on", file=sys.stderr)
    sys.exit(code or 0)
