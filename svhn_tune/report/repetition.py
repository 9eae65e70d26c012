"""How to repeat a project: the commands, and the versions, seeds and data that they ran with."""

from collections.abc import Iterator
from typing import Any

from ..journal.record_types import BeginRecord, RunRecord, SessionRecord
from ..project.project import Project
from ..project.transfer import list_others
from ..summary.answers import find_asked
from ..summary.invocation import count_top, join_command, name_data, name_space


def repeat_commands(project: Project) -> list[str]:
    """The commands that do the same again, in a project of another name."""
    again = ["--project", f"{project.name}-again"]
    return [
        join_command(*_search_arguments(project), *again),
        *[join_command(*each, *again) for each in _confirm_arguments(project)],
        *[
            join_command(*each, "--data", name_data(other.other), *again)
            for other in list_others(project)
            if other.other is not None
            for each in _confirm_arguments(other)
        ],
    ]


def _search_arguments(project: Project) -> list[str]:
    settings = project.settings
    tuner = settings.tuner
    own = {"hyperband": ["factor"], "halving": ["factor", "max_trials"]}.get(tuner, ["max_trials"])
    arguments = ["search", "--space", name_space(project), "--data", settings.data.source]
    arguments += ["--tuner", tuner]
    for name in ("max_epochs", *own, "max_cost", "seed", "train_images", "validate_on"):
        value = getattr(settings, name)
        if name == "max_trials" and value is None:
            # Time ended it: so many configurations it had by then.
            value = sum(proposal.begins_new for proposal in project.proposals())
        if value is not None:
            arguments += [f"--{name.replace('_', '-')}", str(value)]
    # Before there was a choice it was not recorded.
    if "engine" in settings.model_fields_set:
        arguments += ["--engine", settings.engine]
    return arguments + _worker_arguments(project, "search")


def _confirm_arguments(project: Project) -> list[list[str]]:
    """The confirms of the questions, then one for each number of epochs of what else was confirmed.

    Each in the order in which they were run first.
    """
    begins = [record for record in project.records if isinstance(record, BeginRecord)]
    asked = [begin for begin in begins if begin.question is not None]
    named = {(run.root, run.run, run.epochs) for begin in asked for run in begin.runs}
    engines = [begin.engine for begin in begins if begin.engine is not None]
    shared = ["--engine", engines[-1]] if engines else []
    shared += _worker_arguments(project, "confirm")
    calls = [*_question_arguments(project, asked)]
    runs: dict[int, dict[int, int]] = {}
    for (root, epochs), records in project.confirm_runs().items():
        if any((root, record.run, epochs) not in named for record in records):
            runs.setdefault(epochs, {})[root] = len(records)
    calls += [
        ["confirm", "--top", str(count_top(project, set(counts)))]
        + ["--runs", str(max(counts.values())), "--epochs", str(epochs)]
        + ([] if 0 in counts else ["--no-baseline"])
        for epochs, counts in runs.items()
    ]
    return [call + shared for call in calls]


def _question_arguments(project: Project, begins: list[BeginRecord]) -> Iterator[list[str]]:
    """A confirm for each question, number of its configurations and length, with the most runs."""
    named = {each.number: len(set(find_asked(project, each))) for each in project.space.questions}
    calls: dict[tuple[int | None, int, int], int] = {}
    for begin in begins:
        count = len({run.root for run in begin.runs})
        key = (begin.question, count, begin.runs[0].epochs)
        most = 1 + max(run.run for run in begin.runs)
        calls[key] = max(calls.get(key, 0), most)
    for (question, count, epochs), most in calls.items():
        top = [] if count == named.get(question or 0) else ["--top", str(count)]
        lengths = ["--runs", str(most), "--epochs", str(epochs)]
        yield ["confirm", "--question", str(question), *top, *lengths]


def _worker_arguments(project: Project, stage: str) -> list[str]:
    sessions = [record for record in project.records if isinstance(record, SessionRecord)]
    used = [session.workers for session in sessions if session.stage == stage]
    return ["--workers", str(used[-1])] if used else []


def list_facts(project: Project, status: dict[str, Any]) -> list[tuple[str, str]]:
    """What a repetition must have in common with the project, and what it took: name and value."""
    settings = project.settings
    runs = project.ended("search") + project.ended("confirm")
    facts = [
        ("project", str(project.folder)),
        ("space", f"{project.space.name} (sha256 {project.space.sha256})"),
        ("data", f"{settings.data.name} ({settings.data.source})"),
        ("data fingerprint", settings.data.fingerprint),
        *(
            ("other data", f"{each.name} ({name_data(each)}), fingerprint {each.fingerprint}")
            for each in (other.other for other in list_others(project))
            if each is not None
        ),
        ("seed of the search", str(settings.seed)),
        ("seeds of the runs", "in the tables above; every run has its own, made from the search's"),
        ("versions", _join(settings.versions)),
        ("trained by", "; ".join(sorted({each for r in runs for each in r.trained_by}))),
        ("machine", settings.machine or "not recorded"),
        ("devices", ", ".join(sorted({r.device for r in runs if r.device})) or "none yet"),
        ("time limit or budget", _say_budget(status)),
    ]
    return [(name, value) for name, value in facts if value] + _other_versions(project, runs)


def _join(versions: dict[str, str]) -> str:
    return ", ".join(f"{name} {each}" for name, each in versions.items()) or "not recorded"


def _say_budget(status: dict[str, Any]) -> str:
    budget = status["budget_seconds"]
    return f"budget of {budget / 3600:.2f} hours" if budget else ""


def _other_versions(project: Project, runs: list[RunRecord]) -> list[tuple[str, str]]:
    """The versions of runs that were not trained with the project's."""
    known = project.settings.versions
    others = {
        _join(run.versions)
        for run in runs
        if any(known.get(name) != each for name, each in run.versions.items())
    }
    return [("other versions of some runs", versions) for versions in sorted(others)]
