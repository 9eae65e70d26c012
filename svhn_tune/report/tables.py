"""The tables of the page: what a cell shows, and what it is sorted by."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..journal.record_types import RunRecord
from ..project.project import Project
from ..statistics.samples import Summary
from ..summary.architectures import list_architectures
from ..summary.wording import with_provenance


@dataclass(frozen=True)
class Column:
    """A title; numbers stand to the right, words to the left."""

    title: str
    is_number: bool = True


@dataclass(frozen=True)
class Cell:
    """What is shown, and the number it is sorted by; None sorts by the text, or is missing."""

    text: str
    value: float | None = None


@dataclass(frozen=True)
class Table:
    """A table of the page. `name` is its HTML id, `caption` says what the numbers are of."""

    name: str
    caption: str
    columns: list[Column]
    rows: list[list[Cell]]


MISSING = Cell("-")


def name_trial(trial: int) -> Cell:
    """`008`, as everywhere."""
    return Cell(f"{trial:03d}", trial)


def show_number(value: float | None, form: str) -> Cell:
    """A number in the given form; one that is not there is a dash."""
    return MISSING if value is None else Cell(f"{value:{form}}", value)


def show_minutes(seconds: float | None) -> Cell:
    """Seconds as minutes with two decimals."""
    return show_number(None if seconds is None else seconds / 60, ",.2f")


def list_trials(project: Project) -> Table:
    """All trials in the order in which they were proposed."""
    objective = project.space.objective.validated
    columns = [
        Column("trial"),
        Column("score"),
        Column("epochs"),
        Column("from epoch"),
        Column("status", is_number=False),
        Column("bytes"),
        Column("minutes"),
        Column("seed"),
        Column("differs from the baseline in", is_number=False),
    ]
    caption = with_provenance(
        project,
        f"Every trial; the score is {objective} after its last epoch; a trial that went on later "
        f"has a row again, from the epoch where it had stopped, whose minutes are those since; one "
        f"that led was trained again from other seeds, under numbers of their own",
    )
    return Table("trials", caption, columns, list(_trial_rows(project)))


def _trial_rows(project: Project) -> Iterator[list[Cell]]:
    ended = {record.trial: record for record in project.ended("search")}
    roots = project.roots()
    for proposal in project.proposals():
        end = ended.get(proposal.trial)
        scored = end if end and end.status == "completed" else None
        first = proposal.initial_epoch
        yield [
            name_trial(roots[proposal.trial]),
            show_number(scored.score if scored else None, project.space.objective.form),
            show_number(scored.epochs if scored else proposal.epochs, "d"),
            show_number(first, "d") if first else MISSING,
            Cell(_say_status(end)),
            show_number(end.file_bytes if end else None, ",d"),
            show_minutes(scored.seconds if scored else None),
            show_number(end.seed if end else None, "d"),
            Cell(project.space.changes(proposal.values)),
        ]


def _say_status(end: RunRecord | None) -> str:
    if end is None:
        return "running"
    if end.status == "failed":
        return f"failed: {end.reason}"
    return "collapsed" if end.collapsed else "completed"


def list_answers(project: Project, answers: list[dict[str, Any]]) -> Table | None:
    """What the project answers to the questions of its space; None before it confirms for any."""
    if not any(each["epochs"] for each in answers):
        return None
    columns = [
        Column("question"),
        Column("asked", is_number=False),
        Column("answer", is_number=False),
        Column("what it rests on", is_number=False),
    ]
    rows = [
        [
            Cell(str(each["question"]), each["question"]),
            Cell(each["title"]),
            Cell(each["answer"] or "-"),
            Cell("; ".join(each["notes"])),
        ]
        for each in answers
    ]
    caption = with_provenance(project, "Answers to the questions of the space")
    return Table("answers", caption, columns, rows)


def list_confirm_runs(project: Project) -> Table | None:
    """Every run of confirm with its seed; None where there is none."""
    runs = sorted(project.ended("confirm"), key=lambda run: (run.root, run.run))
    if not runs:
        return None
    objective = project.space.objective.metric
    columns = [
        Column("trial"),
        Column("run"),
        Column("seed"),
        Column("epochs"),
        Column("score"),
        Column("status", is_number=False),
        Column("bytes"),
        Column("minutes"),
    ]
    rows = []
    for run in runs:
        is_scored = run.status == "completed"
        rows.append(
            [
                name_trial(run.root),
                show_number(run.run, "d"),
                show_number(run.seed, "d"),
                show_number(run.epochs, "d"),
                show_number(run.score if is_scored else None, project.space.objective.form),
                Cell(_say_status(run)),
                show_number(run.file_bytes, ",d"),
                show_minutes(run.seconds if is_scored else None),
            ]
        )
    caption = f"Every run of confirm; the score is {objective} on the test set after its last epoch"
    name = "confirm-runs"
    if project.other is not None:
        name += f"-{project.other.fingerprint[:8]}"
        caption += f"; on {project.other.name}"
    return Table(name, with_provenance(project, caption), columns, rows)


def tabulate_architectures(project: Project) -> Table | None:
    """PW04's Table 1 of what confirm trained; None where it has trained nothing."""
    on_dial = project.space.task.on_dial
    columns = [
        Column("CNN"),
        Column("architecture", is_number=False),
        *map(Column, ["error in minutes"] if on_dial else ["acc. train %", "acc. test %"]),
        Column("runs"),
        Column("epochs"),
        Column("parameters"),
        Column("trial"),
    ]
    rows = [
        [
            Cell(str(each.number), each.number),
            Cell(each.words),
            *(
                [_show_score(project, each.test)]
                if on_dial
                else [_show_percent(each.train), _show_percent(each.test)]
            ),
            show_number(each.runs, "d"),
            show_number(each.epochs, "d"),
            show_number(each.parameters, ",d"),
            name_trial(each.trial),
        ]
        for each in list_architectures(project)
    ]
    caption = (
        f"Every architecture that confirm trained, and its {project.space.objective.title}: the "
        f"mean of its runs, with their standard deviation"
    )
    if not on_dial:
        caption += "; of training as it went in the last epoch, dropout included"
    return Table("table-1", with_provenance(project, caption), columns, rows) if rows else None


def _show_score(project: Project, summary: Summary | None) -> Cell:
    if summary is None:
        return MISSING
    say = project.space.objective.say
    spread = "" if summary.sd is None else f" ± {say(summary.sd)}"
    return Cell(f"{say(summary.mean)}{spread}", summary.mean)


def _show_percent(summary: Summary | None) -> Cell:
    if summary is None:
        return MISSING
    spread = "" if summary.sd is None else f" ± {100 * summary.sd:.1f}"
    return Cell(f"{100 * summary.mean:.1f}{spread}", summary.mean)
