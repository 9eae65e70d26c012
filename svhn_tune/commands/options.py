"""The options that several commands share, and what their texts mean."""

import json
import os
import re
from collections.abc import Callable
from functools import wraps
from inspect import Signature, signature
from typing import Annotated, Any

import typer

from ..bounds import MAX_ACTORS, MAX_COST, MAX_EPOCHS, MAX_HOURS, MAX_RUNS, MAX_TRIALS
from ..engines.devices import check_workers, list_gpus
from ..errors import InputError

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
SpaceName = Annotated[
    str, typer.Option("--space", help="A name in search_spaces/, or a path to a .toml.")
]
DataFolder = Annotated[
    str | None,
    typer.Option(
        "--data",
        help="A folder with the files, 'builtin', or SOURCE:DIR. [default: ./data, else builtin]",
    ),
]
ProjectName = Annotated[
    str | None, typer.Option("--project", help="A name in results/, or a folder. [default: latest]")
]
WorkerCount = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        max=MAX_ACTORS,
        help="Runs side by side. [default: one per core, or GPU; all of a cluster]",
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        help="A Ray cluster: auto, HOST:PORT or ray://HOST:PORT. [default: this machine]",
    ),
]
GpusPerRun = Annotated[
    float | None,
    typer.Option(
        "--gpus-per-run", help="Of the cluster's GPUs: 0.25 is four runs on one. [default: CPUs]"
    ),
]
Budget = Annotated[
    str | None,
    typer.Option("--budget", help="For search and confirm together, such as 30h. [default: none]"),
]
TimeLimit = Annotated[
    str | None,
    typer.Option("--time-limit", help="Stop cleanly after 90s, 20m or 8h. [default: none]"),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", help="No progress and no notes: the result, or one error.")
]
Tuner = Annotated[
    str | None,
    typer.Option(help="halving, hyperband, bayesian, tpe or random. [default: halving]"),
]
MaxEpochs = Annotated[
    int | None, typer.Option(max=MAX_EPOCHS, help="Of the longest trials. [default: the space's]")
]
Factor = Annotated[
    int | None,
    typer.Option(
        max=MAX_EPOCHS, help="Of halving and hyperband: one of so many goes on. [default: 3]"
    ),
]
MaxTrials = Annotated[
    int | None,
    typer.Option(
        max=MAX_TRIALS,
        help="Configurations. [default: as time allows, else 100; other tuners 50]",
    ),
]
MaxCost = Annotated[
    float | None,
    typer.Option(
        max=MAX_COST,
        help="Of a model's epoch, in times of the baseline's. [default: as the hours allow]",
    ),
]
Seed = Annotated[int | None, typer.Option(help="Of the whole search. [default: 0]")]
TrainImages = Annotated[
    int | None, typer.Option(help="Train on a stratified subset. [default: all]")
]
Engine = Annotated[
    str | None,
    typer.Option("--engine", help="auto, tensorflow or jax. [default: jax where it sees a GPU]"),
]
ValidateOn = Annotated[str | None, typer.Option(help="holdout or test. [default: the space's]")]
Top = Annotated[int, typer.Option(max=MAX_RUNS, help="How many of the best trials.")]
TopOfQuestion = Annotated[
    int | None,
    typer.Option(
        "--top", max=MAX_RUNS, help="How many of the best. [default: 3; a question's all]"
    ),
]
Question = Annotated[
    int | None,
    typer.Option(help="Retrain what a question of the space names, and nothing beside it."),
]
Runs = Annotated[int, typer.Option(max=MAX_RUNS, help="Of each, earlier ones included.")]
Epochs = Annotated[
    int | None, typer.Option(max=MAX_EPOCHS, help="Of each run. [default: the space's]")
]


def read_search_settings(
    tuner: Tuner = None,
    max_epochs: MaxEpochs = None,
    factor: Factor = None,
    max_trials: MaxTrials = None,
    max_cost: MaxCost = None,
    seed: Seed = None,
    train_images: TrainImages = None,
    validate_on: ValidateOn = None,
    engine: Engine = None,
) -> dict[str, Any]:
    """The options of `Wanted` (project/wanted.py), by name."""
    return locals()


def with_search_settings(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the options of a search, which it gets together as `wanted`."""
    shared = signature(read_search_settings).parameters
    own = [each for each in signature(command).parameters.values() if each.name != "wanted"]

    @wraps(command)
    def run(**given: Any) -> None:
        wanted = read_search_settings(**{name: given.pop(name) for name in shared})
        command(**given, wanted=wanted)

    parameters = [*own, *shared.values()]
    run.__annotations__ = {each.name: each.annotation for each in parameters}
    run.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return run


def parse_assignments(texts: list[str]) -> dict[str, Any]:
    """The values by name of `NAME=VALUE`s; what is no JSON is a string."""
    values: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.partition("=")
        if not (name and value):
            raise InputError(f"--set {text} must be NAME=VALUE, such as kernel_size_1=5")
        if name in values:
            raise InputError(f"--set {name} is given twice: {values[name]!r} and {value}")
        try:
            values[name] = json.loads(value)
        except (ValueError, RecursionError):
            values[name] = value
    return values


def parse_duration(text: str | None) -> float | None:
    """Seconds of `90s`, `20m` or `8h`; None of None."""
    if text is None:
        return None
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smh])", text)
    if match is None:
        raise InputError(f"the duration '{text}' must read 90s, 20m or 8h")
    seconds = float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2]]
    if seconds > 3600 * MAX_HOURS:
        raise InputError(f"the duration '{text}' must be at most {MAX_HOURS}h")
    return seconds


def choose_workers(asked: int | None, cluster: str | None) -> int | None:
    """As many as are asked for; None, of a cluster, for all that it has room for."""
    if cluster is None:
        return check_workers(asked or default_workers())
    return asked


def default_workers() -> int:
    """One worker for each GPU that this process may use; without one, for each core."""
    if gpus := list_gpus():
        return len(gpus)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
