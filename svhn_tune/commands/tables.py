"""Tables on stdout for people: what the commands print. No number is made here."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from ..console import format_seconds, make_console, print_table, print_text, say_count
from ..errors import one_line
from ..progress.picture import Picture
from ..project.project import Project
from ..space.space import Space
from ..summary.begun import read_standing
from ..summary.next_step import list_steps
from ..summary.standing import Standing
from ..summary.status import status as read_status
from ..summary.wording import say_cap, say_collapsed, say_order
from .confirm_table import (
    print_answers,
    print_best_run,
    print_class_weights,
    print_summaries,
)
from .transfer_table import print_transfers


def _data_line(project: Project) -> str:
    settings = project.settings
    validated = "the test set" if settings.validate_on == "test" else "held-out training images"
    return f"{settings.data.name}; search validates on {validated}"


def print_status(project: Project) -> None:
    """Counts, what was confirmed or else the best trials, and what comes next."""
    console = make_console()
    status = read_status(project)
    print_text(console, f"{project.folder}: space '{project.space.name}', {_data_line(project)}")
    standing = read_standing(project)
    print_text(console, _say_counts(project, status, standing.process is not None))
    if status["cap"] is not None:
        print_text(console, say_cap(project.space.objective, **status["cap"]))
    if (budget := status["budget_seconds"]) is not None:
        print_text(console, f"budget {format_seconds(budget)}, of search and confirm together")
    if standing.process is not None:
        who = f"the process {standing.process}" if standing.process else "another process"
        print_text(console, f"{standing.title} is running in {who}")
    # The best is told below, once.
    console.print(Picture(replace(standing, best=None)))
    if status["confirm"]:
        print_summaries(console, project, status)
    else:
        _print_ranking(console, project)
    print_answers(console, project, status)
    print_transfers(console, project)
    _print_steps(console, project, standing)


def _say_counts(project: Project, status: dict[str, Any], is_running: bool) -> str:
    trials = status["trials"]
    counts = [f"{say_count(trials['completed'], 'trial')} completed"]
    if trials["collapsed"]:
        counts[0] += f" ({trials['collapsed']} collapsed: {say_collapsed(project)})"
    if trials["running"]:
        counts.append(f"{trials['running']} {'running' if is_running else 'unfinished'}")
    if trials["failed"]:
        counts.append(f"{trials['failed']} failed")
    told = [", ".join(counts)]
    if status["epochs_trained"]:
        epochs = say_count(status["epochs_trained"], "epoch")
        told.append(f"{epochs} of ended runs in {format_seconds(status['seconds_trained'])}")
    return "; ".join([*told, f"{status['disk_bytes'] / 2**20:,.1f} MiB on disk"])


def _print_ranking(console: Console, project: Project) -> None:
    """The best of the search."""
    ranking = project.ranking()[:5]
    if not ranking:
        return
    runs = project.search_runs()
    console.print()
    print_text(console, f"the best of the search, {say_order(ranking)}:")
    rows = [
        [
            f"{record.root:03d}",
            f"{record.epochs}",
            f"{len(runs[record.root])}",
            project.space.objective.say(record.score),
            f"{record.file_bytes:,}",
            project.space.changes(record.values),
        ]
        for record in ranking
    ]
    objective = project.space.objective.validated
    titles = ["trial", "epochs", "runs", objective, "bytes", "differs from the baseline in"]
    print_table(console, titles, rows, words=True)


def _print_steps(console: Console, project: Project, standing: Standing, page: bool = True) -> None:
    """What comes next; a command is one line, to be copied whole."""
    console.print()
    for step in list_steps(project, standing, page):
        print_text(console, f"next: {step.text}" + (":" if step.command else ""))
        if step.command:
            console.print(f"  {step.command}")


def print_confirmed(project: Project) -> None:
    """Confusion of the best run, the summary of each configuration, and what comes next."""
    console = make_console()
    print_text(console, f"{project.folder}: {_data_line(project)}")
    status = read_status(project)
    if status["confirm"]:
        print_best_run(console, project, status)
        print_class_weights(console, project)
        print_summaries(console, project, status)
        print_answers(console, project, status)
        for each in status["answers"]:
            if each["complete"] and each["file"]:
                console.print(f"to hand in for question {each['question']}: {each['file']}")
    elif not status["other_data"]:
        console.print("no run is finished yet")
    print_transfers(console, project)
    # The report is written now, and its path is told.
    _print_steps(console, project, read_standing(project), page=False)


def print_check(path: Path, result: dict[str, Any]) -> None:
    """One line per rule: kept, broken, or not known."""
    console = make_console()
    for check in result["checks"]:
        known = not check["detail"].startswith("not known")
        mark = ("ok" if known else "?") if check["ok"] else "FAIL"
        print_text(console, f"{mark:4}  {check['name']}: {check['detail']}", hang=len("FAIL  "))
    print_text(
        console, f"{one_line(str(path))} {'may' if result['ok'] else 'may NOT'} be handed in"
    )


def print_description(space: Space, description: dict[str, Any]) -> None:
    """The layers as a table, then parameters and bytes, or why it is infeasible."""
    console = make_console()
    titles = ["layer", "type", "output shape", "receptive field", "parameters", "bytes"]
    rows = [
        [
            layer["name"],
            layer["type"],
            "x".join(map(str, layer["output_shape"])),
            "x".join(map(str, layer["receptive_field"])),
            f"{layer['parameters']:,}",
            f"{layer['bytes']:,}",
        ]
        for layer in description["layers"]
    ]
    print_table(console, titles, rows, left=2)
    for reason in description["reasons"]:
        print_text(console, f"infeasible: {reason}")
    if description["feasible"]:
        print_text(
            console,
            f"{say_count(description['parameters'], 'parameter')}, a file of at most "
            f"{description['file_bytes']:,} of {space.limits.file_size:,} bytes",
        )


def print_convolutions(explained: dict[str, Any]) -> None:
    """Each layer's output with the formulas of its height and width."""
    print(f"input  {'x'.join(map(str, explained['input']))}")
    for layer in explained["layers"]:
        print(one_line(layer["words"]))
        for formula in layer["formulas"]:
            print(f"  {formula}")
        maps = say_count(layer["maps"], "activation map")
        kept = "as high and wide as the input" if layer["preserves"] else "not the input's size"
        if not layer["preserves"] and layer["same_size"]:
            kept += f"; {layer['same_size']} would keep it"
        print(f"  output {'x'.join(map(str, layer['output']))}: {maps}, {kept}")
        print(f"  {layer['parameters']:,} parameters")


def print_plan(space: Space, plan: dict[str, Any]) -> None:
    """What an epoch, search and confirm cost; with a budget, what fits it."""
    console = make_console()
    search, confirm = plan["search"], plan["confirm"]
    epochs = [f"{seconds:.1f} s {name}" for name, seconds in plan["seconds_per_epoch"].items()]
    workers = say_count(plan["workers"], "worker")
    timed = f"{workers}, timed with {plan['engine']}"
    print_text(console, f"space '{space.name}', {timed}; an epoch: {', '.join(epochs)}")
    if plan["cap"] is not None:
        print_text(console, say_cap(space.objective, **plan["cap"]))
    rows = [
        [name, f"{count:,}", f"{stage['epochs']:,}", format_seconds(stage["seconds"])]
        for name, count, stage in (
            ("search", search["trials"], search),
            ("confirm", confirm["runs"], confirm),
        )
    ]
    total = search["seconds"] + confirm["seconds"]
    rows.append(["both", "", "", format_seconds(total)])
    print_table(console, ["stage", "trainings", "epochs", "time"], rows)
    print_text(
        console, "confirm is of models of mean cost: which will be the best is not known yet"
    )
    budget = plan["budget_seconds"]
    if budget is None:
        return
    if plan["fits"]:
        print_text(console, f"budget {format_seconds(budget)}: all of this fits")
        return
    print_text(console, f"budget {format_seconds(budget)}: this does NOT fit")
    if not plan["advice"]:
        console.print("what fits: nothing")
    for choice in plan["advice"]:
        options = {"max-epochs": choice["max_epochs"], "factor": choice["factor"]}
        given = "".join(f" --{name} {value}" for name, value in options.items() if value)
        search = f"search{given or ' in the hours that are left'}"
        print_text(
            console,
            f"what fits: {search}, then confirm --top {choice['top']} --runs {choice['runs']}: "
            f"{format_seconds(choice['seconds'])}",
        )


def print_spaces(spaces: list[Space]) -> None:
    """One line per space."""
    rows = [[space.name, str(len(space.declarations)), space.title] for space in spaces]
    print_table(make_console(), ["space", "hyperparameters", "title"], rows, words=True)


def print_data(summary: dict[str, Any], sorted_by: str) -> None:
    """Where the data come from, counts by what images are sorted by, and the contact sheet."""
    console = make_console()
    print_text(console, f"{summary['name']} ({summary['source']})")
    console.print(f"fingerprint {summary['fingerprint']}")
    counts = zip(summary["classes"], summary["train"], summary["test"], strict=True)
    rows = [[str(label), f"{train:,}", f"{test:,}"] for label, train, test in counts]
    rows.append(["all", f"{sum(summary['train']):,}", f"{sum(summary['test']):,}"])
    print_table(console, [sorted_by, "train", "test"], rows)
    console.print(f"contact sheet: {summary['contact_sheet']}")
