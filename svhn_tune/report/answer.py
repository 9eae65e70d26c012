"""What the page begins with: the answer in one sentence, and the table that it rests on."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from ..console import say_count
from ..project.project import Project
from ..summary.begun import read_standing
from ..summary.confirmed import Confirmed, summarize_confirmed
from ..summary.next_step import list_steps
from ..summary.wording import (
    as_sentence,
    define_columns,
    describe_interval,
    describe_used,
    note_answer,
    say_answer,
    say_order,
    with_provenance,
)
from .tables import (
    MISSING,
    Cell,
    Column,
    Table,
    list_answers,
    show_minutes,
    show_number,
)

SHOWN = 5  # of a search that nothing confirms yet
USES = {
    "search": "the search validated on it",
    "configurations": "confirm chose among configurations by their means on it",
    "file": "the best file is that of the run that is best on it",
}


@dataclass(frozen=True)
class Answer:
    """A sentence, tables (the first belongs to it), and what must be known to read them.

    `values` says of each trial in the tables what differs from the baseline.
    """

    sentence: str
    tables: list[Table]
    values: list[tuple[str, str]]
    notes: list[str]


def answer(project: Project, status: dict[str, Any]) -> Answer:
    """What the project says so far; `status` is the project's."""
    if status["confirm"]:
        return _answer_confirmed(project, status)
    if status["best"]:
        return _answer_searched(project, status)
    return Answer(_say_nothing_ended(status["trials"]), [], [], [])


def _answer_confirmed(project: Project, status: dict[str, Any]) -> Answer:
    entries = summarize_confirmed(project)
    groups = [list(group) for _, group in groupby(entries, key=lambda entry: entry.epochs)]
    longest = groups[0]
    notes = [line for group in groups for line in describe_used(project, group)]
    notes += [*note_answer(project, longest, status), *_say_uses(status), define_columns(longest)]
    tables = [_tabulate(project, group) for group in groups]
    tables += filter(None, [list_answers(project, status["answers"])])
    values = _say_values(project, [entry.trial for entry in entries])
    sentence = as_sentence(say_answer(project, longest, status))
    return Answer(sentence, tables, values, [*_as_sentences(notes), *_say_steps(project)])


def _say_steps(project: Project) -> list[str]:
    steps = list_steps(project, read_standing(project), page=False)
    # Without a full stop, for a command to be copied.
    return [f"Next: {step.text}" + (f": {step.command}" if step.command else "") for step in steps]


def _tabulate(project: Project, entries: list[Confirmed]) -> Table:
    objective = project.space.objective.metric
    columns = [
        Column("configuration", is_number=False),
        Column("mean ± SD"),
        Column("95 % interval"),
        Column("against the baseline"),
        Column("verdict", is_number=False),
        Column("bytes"),
        Column("minutes per run"),
        Column("runs"),
    ]
    epochs = entries[0].epochs
    after = say_count(epochs, "epoch")
    caption = f"Confirmed: {objective} on the test set after {after}, fresh seeds"
    rows = [_tabulate_entry(project, entry) for entry in entries]
    return Table(f"confirmed-{epochs}", with_provenance(project, caption), columns, rows)


def _tabulate_entry(project: Project, entry: Confirmed) -> list[Cell]:
    summary, objective = entry.summary, project.space.objective
    spread = "" if summary.sd is None else f" ± {objective.say(summary.sd)}"
    collapsed = f" ({entry.collapsed} collapsed)" if entry.collapsed else ""
    difference, verdict = _tabulate_verdict(entry, objective.form)
    return [
        Cell(f"trial {entry.trial:03d}", entry.trial),
        Cell(f"{objective.say(summary.mean)}{spread}", summary.mean),
        Cell(
            describe_interval(summary.ci95, objective.form),
            summary.ci95 and summary.ci95[0],
        ),
        difference,
        Cell(verdict),
        show_number(entry.file_bytes, ",d"),
        show_minutes(entry.seconds),
        Cell(f"{summary.n}{collapsed}", summary.n),
    ]


def _tabulate_verdict(entry: Confirmed, form: str) -> tuple[Cell, str]:
    against = entry.against_baseline
    if entry.baseline:
        return MISSING, "the baseline"
    if entry.left_out:
        return MISSING, "not chosen"
    if against is None:
        return MISSING, "not compared"
    told = f"{against.difference:+{form}}"
    if against.ci95 is None:
        return Cell(told, against.difference), "no verdict"
    interval = describe_interval(against.ci95, f"+{form}")
    return Cell(f"{told} ({interval})", against.difference), against.verdict


def _answer_searched(project: Project, status: dict[str, Any]) -> Answer:
    best, objective = status["best"], project.space.objective.validated
    score = project.space.objective.say(best["score"])
    completed = status["trials"]["completed"]
    count = best["runs"]
    of_runs = "from one run" if count == 1 else f"the mean of {say_count(count, 'run')}"
    sentence = (
        f"Nothing is confirmed yet: trial {best['trial']:03d} is the best of the search, with "
        f"{objective} {score} after {say_count(best['epochs'], 'epoch')}, {of_runs}"
    )
    notes = [
        f"it was chosen as the best of {say_count(completed, 'completed trial')}, so its score is "
        f"optimistic",
        *_say_uses(status),
    ]
    columns = [
        Column("configuration", is_number=False),
        Column(objective),
        Column("epochs"),
        Column("runs"),
        Column("bytes"),
        Column("minutes"),
    ]
    ranking, runs = project.ranking()[:SHOWN], project.search_runs()
    seconds = _sum_seconds(project)
    rows = [
        [
            Cell(f"trial {record.root:03d}", record.root),
            show_number(record.score, project.space.objective.form),
            show_number(record.epochs, "d"),
            show_number(len(runs[record.root]), "d"),
            show_number(record.file_bytes, ",d"),
            show_minutes(seconds[record.root]),
        ]
        for record in ranking
    ]
    caption = f"The best of the search, {say_order(ranking)}, by the mean of runs; not confirmed"
    table = Table("searched", with_provenance(project, caption), columns, rows)
    values = _say_values(project, [record.root for record in ranking])
    told = [*_as_sentences(notes), *_say_steps(project)]
    return Answer(as_sentence(sentence), [table], values, told)


def _say_values(project: Project, trials: list[int]) -> list[tuple[str, str]]:
    return [
        (f"trial {trial:03d}", project.space.changes(project.values(trial)))
        for trial in dict.fromkeys(trials)
    ]


def _sum_seconds(project: Project) -> dict[int, float]:
    """Seconds of each configuration, over all trials that went on with it."""
    seconds: dict[int, float] = {}
    for record in project.ended("search"):
        seconds[record.root] = seconds.get(record.root, 0.0) + record.seconds
    return seconds


def _say_uses(status: dict[str, Any]) -> list[str]:
    """What was chosen by looking at the test set."""
    uses = [USES[use] for use in status["test_set_used_to_choose"]]
    return [f"the test set was used to choose: {'; '.join(uses)}"] if uses else []


def _say_nothing_ended(trials: dict[str, int]) -> str:
    if trials["failed"]:
        return f"No trial has completed: {trials['failed']} failed, {trials['running']} running."
    if trials["running"]:
        return f"No trial has ended yet: {trials['running']} running."
    return "No trial was proposed yet."


def _as_sentences(texts: list[str]) -> list[str]:
    return [as_sentence(text) for text in texts]
