"""Tables on stdout for people: what the commands print. No number is made here."""

from pathlib import Path
from typing import Any

from rich.console import Console

from ..console import format_seconds
from ..console import make_console as _console
from ..console import make_table as _table
from ..errors import one_line
from ..progress.picture import Picture
from ..project.project import Project
from ..space.space import Space
from ..summary.standing import Standing
from ..summary.status import read_standing
from ..summary.status import status as read_status
from ..summary.wording import say_cap, say_score
from .confirm_table import print_answers, print_class_weights, print_summaries


def _data_line(project: Project) -> str:
    settings = project.settings
    validated = "the test set" if settings.validate_on == "test" else "held-out training images"
    return f"{settings.data.name}; search validates on {validated}"


def print_status(project: Project) -> None:
    """Counts, the best trials, and what was confirmed."""
    console = _console()
    status = read_status(project)
    trials = status["trials"]
    console.print(f"{project.folder}: space '{project.space.name}', {_data_line(project)}")
    standing = read_standing(project)
    begun = "unfinished" if standing.process is None else "running"
    console.print(
        f"{trials['completed']} trials completed ({trials['collapsed']} collapsed), "
        f"{trials['running']} {begun}, {trials['failed']} failed; "
        f"{status['epochs_trained']:,} epochs in "
        f"{status['seconds_trained'] / 60:.1f} minutes of training; "
        f"{status['disk_bytes'] / 2**20:,.1f} MiB on disk"
    )
    if status["cap"] is not None:
        console.print(say_cap(**status["cap"]))
    if (budget := status["budget_seconds"]) is not None:
        console.print(f"budget {format_seconds(budget)}, of search and confirm together")
    print_standing(console, standing)
    ranking = project.ranking()[:5]
    if ranking:
        objective = project.space.objective.validated
        table = _table("trial", "epochs", objective, "bytes", "changes from the baseline")
        table.columns[-1].justify = "left"
        table.columns[-1].no_wrap = False
        for record in ranking:
            table.add_row(
                f"{record.trial:03d}",
                f"{record.epochs}",
                say_score(record.score),
                f"{record.file_bytes:,}",
                project.space.changes(record.values),
            )
        console.print(table)
    if status["confirm"]:
        print_summaries(console, project, status)
    elif ranking and not status["answers"]:
        console.print(f"next: python -m svhn_tune confirm --top {min(3, len(ranking))}")
    print_answers(console, project, status)


def print_standing(console: Console, standing: Standing) -> None:
    """Who is at work on it, if anyone, and the picture that a search or a confirm shows."""
    if standing.process is not None:
        who = f"the process {standing.process}" if standing.process else "another process"
        console.print(f"{standing.stage} is running in {who}")
    elif standing.epochs_left > 0:
        console.print(f"{standing.stage} has stopped: the same command goes on")
    console.print(Picture(standing))


def print_confirmed(project: Project) -> None:
    """The summary of each confirmed configuration, then the best run: confusion and classes."""
    console = _console()
    console.print(f"{project.folder}: {_data_line(project)}")
    status = read_status(project)
    if not status["confirm"]:
        console.print("no run is finished yet: the same command goes on")
        return
    print_summaries(console, project, status)
    best = project.best_confirmed()
    assert best is not None
    console.print(
        f"\nbest run: trial {best.trial:03d}, run {best.run}, {say_score(best.score)}; "
        f"rows: true class; columns: predicted class"
    )
    confusion = best.confusion or []
    table = _table("class", *[str(index) for index in range(len(confusion))], "accuracy")
    for index, row in enumerate(confusion):
        total = sum(row)
        share = f"{row[index] / total:.3f}" if total else "-"
        table.add_row(str(index), *[str(count) for count in row], share)
    console.print(table)
    print_class_weights(console, project)
    print_answers(console, project, status)
    asked = project.space.protocol.epochs
    if best.planned_epochs not in project.space.epochs_asked(best.values):
        console.print(f"trained for {best.planned_epochs} epochs; the space asks for {asked}")
    if not status["answers"]:
        console.print(f"to hand in: {project.submission_path}")
    for each in status["answers"]:
        if each["file"]:
            console.print(f"to hand in for question {each['question']}: {each['file']}")


def print_check(path: Path, result: dict[str, Any]) -> None:
    """One line per rule: kept, broken, or not known."""
    console = _console()
    for check in result["checks"]:
        known = not check["detail"].startswith("not known")
        mark = ("ok" if known else "?") if check["ok"] else "FAIL"
        console.print(f"{mark:4}  {check['name']}: {check['detail']}")
    console.print(f"{one_line(str(path))} {'may' if result['ok'] else 'may NOT'} be handed in")


def print_description(space: Space, description: dict[str, Any]) -> None:
    """The layers as a table, then parameters and bytes, or why it is infeasible."""
    console = _console()
    table = _table("layer", "type", "output shape", "receptive field", "parameters", "bytes")
    table.columns[1].justify = "left"
    for layer in description["layers"]:
        table.add_row(
            layer["name"],
            layer["type"],
            "x".join(map(str, layer["output_shape"])),
            "x".join(map(str, layer["receptive_field"])),
            f"{layer['parameters']:,}",
            f"{layer['bytes']:,}",
        )
    console.print(table)
    for reason in description["reasons"]:
        console.print(f"infeasible: {reason}")
    if description["feasible"]:
        console.print(
            f"{description['parameters']:,} parameters, a file of at most "
            f"{description['file_bytes']:,} of {space.limits.file_size:,} bytes"
        )


def print_convolutions(explained: dict[str, Any]) -> None:
    """Each layer's output with the formulas of its height and width."""
    print(f"input  {'x'.join(map(str, explained['input']))}")
    for layer in explained["layers"]:
        print(one_line(layer["words"]))
        for formula in layer["formulas"]:
            print(f"  {formula}")
        maps = f"{layer['maps']} activation map{'s' * (layer['maps'] > 1)}"
        kept = "as high and wide as the input" if layer["preserves"] else "not the input's size"
        if not layer["preserves"] and layer["same_size"]:
            kept += f"; {layer['same_size']} would keep it"
        print(f"  output {'x'.join(map(str, layer['output']))}: {maps}, {kept}")
        print(f"  {layer['parameters']:,} parameters")


def print_plan(space: Space, plan: dict[str, Any]) -> None:
    """What an epoch, search and confirm cost; with a budget, what fits it."""
    console = _console()
    search, confirm = plan["search"], plan["confirm"]
    epochs = [f"{seconds:.1f} s {name}" for name, seconds in plan["seconds_per_epoch"].items()]
    console.print(f"space '{space.name}', {plan['workers']} workers; an epoch: {', '.join(epochs)}")
    if plan["cap"] is not None:
        console.print(say_cap(**plan["cap"]))
    table = _table("stage", "trainings", "epochs", "time")
    for name, count, stage in (
        ("search", search["trials"], search),
        ("confirm", confirm["runs"], confirm),
    ):
        table.add_row(name, f"{count:,}", f"{stage['epochs']:,}", format_seconds(stage["seconds"]))
    total = search["seconds"] + confirm["seconds"]
    table.add_row("both", "", "", format_seconds(total))
    console.print(table)
    console.print("confirm is of models of mean cost: which will be the best is not known yet")
    budget = plan["budget_seconds"]
    if budget is None:
        return
    console.print(
        f"budget {format_seconds(budget)}: this {'fits' if plan['fits'] else 'does NOT fit'}"
    )
    if not plan["advice"]:
        console.print("what fits: nothing")
    for choice in plan["advice"]:
        options = {"max-epochs": choice["max_epochs"], "factor": choice["factor"]}
        given = "".join(f" --{name} {value}" for name, value in options.items() if value)
        search = f"search{given or ' in the hours that are left'}"
        console.print(
            f"what fits: {search}, then confirm --top {choice['top']} --runs {choice['runs']}: "
            f"{format_seconds(choice['seconds'])}"
        )


def print_spaces(spaces: list[Space]) -> None:
    """One line per space."""
    table = _table("space", "hyperparameters", "title")
    table.columns[-1].justify = "left"
    for space in spaces:
        table.add_row(space.name, str(len(space.declarations)), space.title)
    _console().print(table)


def print_data(summary: dict[str, Any]) -> None:
    """Where the data come from, counts per class, and the contact sheet."""
    console = _console()
    console.print(f"{summary['name']} ({summary['source']})")
    console.print(f"fingerprint {summary['fingerprint']}")
    table = _table("class", "train", "test")
    for label, train, test in zip(
        summary["classes"], summary["train"], summary["test"], strict=True
    ):
        table.add_row(str(label), f"{train:,}", f"{test:,}")
    table.add_row("all", f"{sum(summary['train']):,}", f"{sum(summary['test']):,}")
    console.print(table)
    console.print(f"contact sheet: {summary['contact_sheet']}")
