"""What confirm prints for people: the table, the answer, the confusion of the file."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rich.console import Console

from ..console import print_table, print_text, say_count
from ..project.project import Project
from ..space.objective import Objective
from ..summary.confirmed import Confirmed, compare_class_weights, summarize_confirmed
from ..summary.wording import (
    as_sentence,
    define_columns,
    describe_interval,
    describe_used,
    note_answer,
    say_answer,
    with_provenance,
)

CONFUSION = "rows: true class; columns: predicted class"
SEARCHED = "in the search: its score there, after so many epochs where they were others"


def print_summaries(console: Console, project: Project, status: dict[str, Any]) -> None:
    """A table for each number of epochs, the longest first, and the answer of the first."""
    objective = project.space.objective.metric
    entries = summarize_confirmed(project)
    for epochs, group in groupby(entries, key=lambda entry: entry.epochs):
        length = say_count(epochs, "epoch")
        heading = f"confirmed: {objective} on the test set, {length}, fresh seeds"
        console.print()
        print_text(console, with_provenance(project, heading))
        _print_table(console, project, list(group))
    longest = [entry for entry in entries if entry.epochs == entries[0].epochs]
    console.print()
    print_text(console, as_sentence(say_answer(project, longest, status)))
    for note in note_answer(project, longest, status):
        print_text(console, as_sentence(note))


def _print_table(console: Console, project: Project, entries: list[Confirmed]) -> None:
    titles = ["trial", "runs", "mean ± SD", "95 % interval", "against the baseline"]
    objective = project.space.objective
    rows = [_list_cells(objective, entry) for entry in entries]
    if any(entry.collapsed for entry in entries):
        titles.append("collapsed")
        rows = [[*row, str(entry.collapsed)] for row, entry in zip(rows, entries, strict=True)]
    titles.append("in the search")
    rows = [
        [*row, _say_searched(objective, entry)] for row, entry in zip(rows, entries, strict=True)
    ]
    print_table(console, titles, rows)
    for line in [f"{define_columns(entries)}; {SEARCHED}", *describe_used(project, entries)]:
        print_text(console, line, indent=2)


def _list_cells(objective: Objective, entry: Confirmed) -> list[str]:
    spread = "" if entry.summary.sd is None else f" ± {objective.say(entry.summary.sd)}"
    return [
        f"{entry.trial:03d}",
        str(entry.summary.n),
        f"{objective.say(entry.summary.mean)}{spread}",
        describe_interval(entry.summary.ci95, objective.form),
        _describe_against(entry, objective.form),
    ]


def _say_searched(objective: Objective, entry: Confirmed) -> str:
    """The search's score, and after how many epochs if it was not as many."""
    if entry.search_score is None:
        return "-"
    after = "" if entry.search_epochs == entry.epochs else f" after {entry.search_epochs}"
    return f"{objective.say(entry.search_score)}{after}"


def _describe_against(entry: Confirmed, form: str) -> str:
    """The difference with its interval and the verdict."""
    against = entry.against_baseline
    if entry.baseline:
        return "the baseline"
    if entry.left_out:
        return "not chosen"
    if against is None:
        return "-"
    told = f"{against.difference:+{form}}"
    if against.ci95 is None:
        return f"{told}, no verdict"
    return f"{told} ({describe_interval(against.ci95, f'+{form}')}) {against.verdict}"


def print_answers(console: Console, project: Project, status: dict[str, Any]) -> None:
    """The answer of each question of the space in its form, and what it rests on."""
    if status["answers"]:
        console.print()
        print_text(console, with_provenance(project, "answers to the questions of the space"))
    for each in status["answers"]:
        print_text(console, f"question {each['question']}: {each['title']}")
        for line in filter(None, [each["answer"], *each["notes"]]):
            print_text(console, line, indent=2)


def print_best_run(console: Console, project: Project, status: dict[str, Any]) -> None:
    """The confusion of the file that the answer names, where there are classes to confuse."""
    file, best = status["handed_in"], project.best_confirmed()
    if best is None or best.confusion is None:
        return
    console.print()
    print_text(console, f"trial {file['trial']:03d}'s run {file['run']}, {CONFUSION}")
    confusion = best.confusion
    accuracy = [row[index] / sum(row) if sum(row) else None for index, row in enumerate(confusion)]
    _print_confusion(console, confusion, accuracy)


def print_class_weights(console: Console, project: Project) -> None:
    """Confusion without and with class weights, where both are confirmed."""
    for word, each in zip(("without", "with"), compare_class_weights(project), strict=False):
        console.print()
        print_text(
            console,
            f"{word} class weights: trial {each['trial']:03d} (class_weight="
            f"{each['class_weight']}), means over {say_count(each['runs'], 'run')}, {CONFUSION}",
        )
        _print_confusion(console, each["confusion"], each["accuracy"])


def _print_confusion(
    console: Console, confusion: Sequence[Sequence[float]], accuracy: Sequence[float | None]
) -> None:
    titles = ["class", *[str(index) for index in range(len(confusion))], "accuracy"]
    rows = [
        [str(index), *[f"{count:.0f}" for count in row], "-" if share is None else f"{share:.3f}"]
        for index, (row, share) in enumerate(zip(confusion, accuracy, strict=True))
    ]
    print_table(console, titles, rows)
