"""What a project answers to the questions of its space, in the form that each asks for.

A question's numbers are of its configurations' confirm runs of the longest length that it has.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from ..journal.record_types import RunRecord
from ..project.project import Project
from ..space.questions import Question
from ..statistics.samples import ENOUGH, mean, summarize
from .choices import left_out
from .confirmed import summarize_confirmed
from .invocation import join_command, name_project

# Of each configuration, by the form of the answer: what the texts ask for.
RUNS = {"file": 1, "means_sd": 5, "means": 10, "best": 10}
Runs = list[list[RunRecord]]  # of each configuration, in the question's order


@dataclass
class Answer:
    """A question's answer so far.

    `answer` is None until every configuration has a run; `notes` say what it rests on, what is
    missing and whether the best is shown to be better. `file` is that of the answer, of "file".
    """

    question: int
    title: str
    answer: str | None = None
    complete: bool = False
    epochs: int | None = None
    notes: list[str] = field(default_factory=list)
    file: str | None = None
    configurations: list[dict[str, Any]] = field(default_factory=list)


def read_answers(project: Project) -> list[dict[str, Any]]:
    """An `Answer` for each question of the project's space, as `status --json` prints it."""
    return [asdict(_answer(project, question)) for question in project.space.questions]


def find_asked(project: Project, question: Question) -> list[int | None]:
    """The root of each configuration that a question names; None where it is not proposed yet."""
    proposals = project.proposals()
    return [
        next((each.trial for each in proposals if each.values == values), None)
        for values in project.space.asked_by(question)
    ]


def _answer(project: Project, question: Question) -> Answer:
    roots = find_asked(project, question)
    groups = project.confirm_runs()
    found = Answer(question.number, question.title)
    lengths = [epochs for root, epochs in groups if root in roots]
    if not lengths:
        option = ["--question", str(question.number)]
        command = join_command("confirm", *option, *name_project(project))
        found.notes = [f"no run yet: {command}"]
        return found
    found.epochs = epochs = max(lengths)
    runs: Runs = [[] if root is None else groups.get((root, epochs), []) for root in roots]
    objective = project.space.objective
    found.configurations = [
        {
            "trial": root,
            "runs": len(each),
            "mean": mean([objective.count(run.score) for run in each]) if each else None,
            "parameters": each[0].parameters if each else None,
        }
        for root, each in zip(roots, runs, strict=True)
    ]
    out = left_out(project, epochs, question.number)
    staying = [index for index, root in enumerate(roots) if root not in out]
    asked = project.space.epochs_of(question.number)
    missing = _list_missing(asked, epochs, runs, staying, RUNS[question.answer])
    found.complete = not missing
    told = f"incomplete: {', '.join(missing)}"
    found.notes = [told if missing else f"from {_count_runs(runs, staying)} of {epochs} epochs"]
    if all(runs):
        _fill_in(project, question, found, runs, staying)
    return found


def _count_runs(runs: Runs, staying: list[int]) -> str:
    counts = {len(runs[index]) for index in staying}
    number = " to ".join(map(str, sorted({min(counts), max(counts)})))
    each = " each" if len(staying) > 1 else ""
    return f"{number} run{'' if counts == {1} else 's'}{each}"


def _list_missing(
    asked: int, epochs: int, runs: Runs, staying: list[int], wanted: int
) -> list[str]:
    """What the text asks for, beside what there is."""
    missing = []
    none = [index for index, each in enumerate(runs) if not each]
    if none:
        missing.append(f"no run of {_name(none)} yet")
    begun = [index for index in staying if runs[index]]
    short = [index for index in begun if len(runs[index]) < wanted]
    if short:
        of_all = "" if short == staying else f" of {_name(short)}"
        fewest = min(len(runs[index]) for index in short)
        missing.append(f"{fewest} of {wanted} runs{of_all}")
    if epochs != asked:
        missing.append(f"{epochs} of {asked} epochs")
    return missing


def _name(indices: list[int]) -> str:
    plural = "s" if len(indices) > 1 else ""
    return f"configuration{plural} {', '.join(map(str, indices))}"


def _fill_in(
    project: Project, question: Question, found: Answer, runs: Runs, staying: list[int]
) -> None:
    """The answer in its form, once every configuration has a run."""
    objective = project.space.objective
    means = [each["mean"] for each in found.configurations]
    if question.answer == "means":
        found.answer = ", ".join(map(objective.say, means))
    elif question.answer == "means_sd":
        found.answer = ", ".join(_say_spread(project, each) for each in runs)
        best = objective.best(staying, lambda index: means[index])
        found.notes += _judge_best(project, found, best, staying)
    elif question.answer == "best":
        best = objective.best(staying, lambda index: means[index])
        parameters = found.configurations[best]["parameters"]
        found.answer = f"{best}, {objective.say(means[best])}, {parameters}"
        found.notes += _judge_best(project, found, best, staying)
        out = [index for index in range(len(means)) if index not in staying]
        found.notes += [
            f"configuration {index} was left out with {objective.say(means[index])}, the better "
            f"mean, of {_count_runs(runs, [index])}"
            for index in out
            if objective.sort_key(means[index]) < objective.sort_key(means[best])
        ]
    else:
        every = [run for each in runs for run in each]
        _fill_in_file(project, found, objective.best(every, lambda run: run.score))


def _say_spread(project: Project, runs: list[RunRecord]) -> str:
    """Mean and standard deviation of a configuration's runs; one run has none."""
    objective = project.space.objective
    scores = [objective.count(run.score) for run in runs]
    summary = summarize(scores, highest=objective.highest)
    spread = "no SD" if summary.sd is None else objective.say(summary.sd)
    return f"{objective.say(summary.mean)} ± {spread}"


def _fill_in_file(project: Project, found: Answer, best: RunRecord) -> None:
    path = project.model_path(best.root, best.run, best.planned_epochs)
    found.file = str(path)
    found.answer = f"{best.parameters}, {project.space.objective.say(best.score)}"
    runs = found.configurations[0]["runs"]
    others = f", the best of {runs} runs" if runs > 1 else ""
    shown = path.relative_to(project.folder)
    found.notes.append(f"the {project.space.objective.title} is that of the file{others}: {shown}")
    if not path.exists():
        found.notes.append("the file is not there any more")


def _judge_best(project: Project, found: Answer, best: int, staying: list[int]) -> list[str]:
    """Whether the best is shown to be better, and what its runs say that did not choose it."""
    trials = [each["trial"] for each in found.configurations]
    entry = next(
        entry
        for entry in summarize_confirmed(project)
        if (entry.trial, entry.epochs) == (trials[best], found.epochs)
    )
    verdicts = {
        trial: each.verdict for trial, each in entry.comparisons.items() if each.p is not None
    }
    others = [index for index in staying if index != best]
    untold = [str(index) for index in others if trials[index] not in verdicts]
    ties = [str(index) for index in others if verdicts.get(trials[index], "better") != "better"]
    notes = []
    if ties:
        notes.append(f"a tie: {best} is not shown to be better than {', '.join(ties)}")
    if untold:
        notes.append(f"no verdict on {', '.join(untold)}: it needs {ENOUGH} fresh runs of each")
    if others and not ties and not untold:
        chosen = "" if len(staying) == len(trials) else " that was chosen"
        notes.append(f"{best} is better than every other{chosen}")
    fresh = entry.fresh_scores
    if entry.used and fresh:
        number = f"{len(fresh)} run{'s' if len(fresh) > 1 else ''}"
        told = project.space.objective.tell(entry.mean_fresh)
        notes.append(f"{told} is the mean of the {number} that did not choose it")
    return notes
