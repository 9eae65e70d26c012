"""What to do next with a project: in words, and as a command that is whole."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..journal.record_types import BeginRecord, ChoiceRecord
from ..project.project import Project
from ..project.results import RESULTS
from ..project.transfer import latest_call
from ..statistics.samples import ENOUGH
from .answers import read_answers
from .choices import BASELINE
from .confirmed import summarize_confirmed
from .invocation import count_top, join_command, name_data, name_project, name_space
from .standing import Standing

TOP, RUNS = 3, 10  # of confirm, by default


@dataclass(frozen=True)
class Step:
    """What to do, and the command that does it; None where there is nothing to type."""

    text: str
    command: str | None = None


def list_steps(project: Project, standing: Standing, page: bool = True) -> list[Step]:
    """What comes next.

    Args:
        project: as it stands.
        standing: of it, with the process that is at work on it.
        page: whether to name the report, which the report itself and what writes it need not.
    """
    if standing.process is not None:
        looks = join_command("status", *name_project(project))
        return [Step(f"wait for the {standing.title}, which is at work; how far it is says", looks)]
    steps = list(_list_steps(project, standing))
    if standing.budget_left is not None and standing.budget_left <= 0:
        told = "the budget is spent, so add --budget with more hours to"
        steps = [
            replace(step, text=f"{told} {step.text}") if _trains(step) else step for step in steps
        ]
    return [*steps, _open_page(project)] if page and project.confirm_runs() else steps


def _trains(step: Step) -> bool:
    return step.command is not None and step.command.split()[3] in ("search", "confirm")


def _list_steps(project: Project, standing: Standing) -> Iterator[Step]:
    trained, begin = latest_call(project)
    if begin is not None and begin.stage == "confirm" and _is_unfinished(trained, begin):
        text = f"go on with {standing.title}, which has stopped"
        yield Step(text, repeat_confirm(project, begin))
        return
    is_search = begin is None or begin.stage == "search"
    planned, running = standing.trials_planned, len(project.proposals()) > standing.trials
    # Halving finds as runs end how many it trains: more than planned may be left.
    if is_search and (running or (planned is not None and standing.trials < planned)):
        text = "go on with the search, which has stopped"
        if planned is None and project.ranking():
            text = "go on with the search, if you have the hours for it"
        yield Step(text, repeat_search(project))
        if planned is not None or not project.ranking():
            return
    if project.space.questions:
        yield from _list_questions(project)
    elif not project.confirm_runs():
        yield from _begin_confirm(project)
    else:
        yield from _finish(project)


def _is_unfinished(project: Project, begin: BeginRecord) -> bool:
    groups = project.confirm_runs().items()
    done = {(root, run.run, epochs) for (root, epochs), runs in groups for run in runs}
    return any((run.root, run.run, run.epochs) not in done for run in begin.runs)


def _list_questions(project: Project) -> Iterator[Step]:
    for each in read_answers(project):
        if not each["complete"]:
            number = str(each["question"])
            command = join_command("confirm", "--question", number, *name_project(project))
            yield Step(f"train what question {number} asks for", command)
            return
    yield from _check(project)


def _begin_confirm(project: Project) -> Iterator[Step]:
    completed = len(project.ranking())
    if not completed:
        text = "no trial has completed: search more" if project.proposals() else "search"
        yield Step(text, repeat_search(project))
        return
    top = ["--top", str(min(TOP, completed))]
    command = join_command("confirm", *top, *name_project(project))
    yield Step("train the best of the search from fresh seeds, on all training images", command)


def _finish(project: Project) -> Iterator[Step]:
    """What is missing of confirm; else what is done with the file."""
    entries = summarize_confirmed(project)
    longest = [entry for entry in entries if entry.epochs == entries[0].epochs]
    staying = [entry for entry in longest if not entry.left_out]
    asked = project.space.protocol.epochs
    roots = {entry.trial for entry in staying}
    top = _count_top(project, roots, longest[0].epochs)
    arguments = ["--top", str(top), *name_project(project)]
    if longest[0].epochs != asked:
        # No runs of that length are there to choose by: the search's ranking chooses.
        ranked = [record.root for record in project.ranking()]
        places = [ranked.index(root) + 1 for root in roots - {BASELINE} if root in ranked]
        arguments[1] = str(max(places, default=1))
        text = f"for a file to hand in, train for all {asked} epochs"
        yield Step(text, join_command("confirm", *arguments))
    elif not all(entry.enough for entry in staying):
        runs = max(RUNS, ENOUGH + max(len(entry.used) for entry in staying))
        arguments += [] if runs == RUNS else ["--runs", str(runs)]
        text = f"to tell configurations apart, train {runs} runs of each"
        yield Step(text, join_command("confirm", *arguments))
    else:
        yield from _check(project)


def _check(project: Project) -> Iterator[Step]:
    files = [each["file"] for each in read_answers(project) if each["file"]]
    for file in files or [str(project.submission_path)]:
        space = name_space(project)
        option = [] if space == "cnn" else ["--space", space]
        yield Step("check the file before you hand it in", join_command("check", file, *option))


def _open_page(project: Project) -> Step:
    page = project.folder / "report.html"
    if page.exists():
        return Step(f"open the report in a browser: {page}")
    return Step("write the report", join_command("report", *name_project(project)))


def _count_top(project: Project, roots: set[int], epochs: int) -> int:
    """How many of the best are these configurations: of confirm, if it has chosen among its own."""
    if any(
        isinstance(record, ChoiceRecord) and (record.epochs, record.question) == (epochs, None)
        for record in project.records
    ):
        # The baseline has no part in that choice.
        return max(len(roots - {BASELINE}), 1)
    return count_top(project, roots)


def repeat_search(project: Project) -> str:
    """The command that goes on with a project's search: it keeps its other settings itself."""
    arguments = ["--space", name_space(project), "--data", project.settings.data.source]
    if project.folder != RESULTS / project.space.name:
        is_named = project.folder == RESULTS / project.name
        arguments += ["--project", project.name if is_named else str(project.folder)]
    return join_command("search", *arguments)


def repeat_confirm(project: Project, begin: BeginRecord) -> str:
    """The command that goes on with what a call of confirm had begun."""
    roots = {run.root for run in begin.runs}
    runs = 1 + max(run.run for run in begin.runs)
    arguments = []
    if begin.question is not None:
        arguments += ["--question", str(begin.question)]
        asked = next(e for e in read_answers(project) if e["question"] == begin.question)
        if len(roots) < len(asked["configurations"]):
            arguments += ["--top", str(len(roots))]
    else:
        top = _count_top(project, roots, begin.runs[0].epochs)
        arguments += ["--top", str(top)] + ([] if BASELINE in roots else ["--no-baseline"])
    if runs != RUNS:
        arguments += ["--runs", str(runs)]
    epochs = begin.runs[0].epochs
    if epochs != project.space.epochs_of(begin.question):
        arguments += ["--epochs", str(epochs)]
    if begin.data is not None:
        arguments += ["--data", name_data(begin.data)]
    return join_command("confirm", *arguments, *name_project(project))
