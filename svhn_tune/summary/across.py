"""Several projects side by side: the best that each has confirmed on the same images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import InputError
from ..project.project import Project
from ..statistics.comparison import Comparison, compare
from .confirmed import Confirmed, summarize_confirmed


@dataclass(frozen=True)
class Contender:
    """The best configuration that a project has confirmed, by the mean of its longest runs.

    `asked` is what its networks are asked for: a clock's `target`, or the space's name. `against`
    compares it with the first of all, and is None for that.
    """

    project: Project
    asked: str
    entry: Confirmed
    parameters: int
    against: Comparison | None = None

    def as_dict(self) -> dict[str, Any]:
        """It as `compare --json` prints it."""
        return {
            "project": self.project.name,
            "asked": self.asked,
            "objective": self.project.space.objective.metric,
            "data": self.project.settings.data.name,
            "parameters": self.parameters,
            "against_first": None if self.against is None else self.against.as_dict(),
            **{name: each for name, each in self.entry.as_dict().items() if name in PRINTED},
        }


PRINTED = (
    *("trial", "epochs", "runs", "mean", "sd", "ci95", "min", "max", "scores", "fresh_scores"),
    *("collapsed", "seconds", "file_bytes"),
)


def compare_projects(projects: Sequence[Project]) -> list[Contender]:
    """The best of each project, the best of all first, each compared with that one.

    Runs that a choice was made on are counted in the means, not in the comparisons.

    Raises:
        InputError: fewer than two projects, one of them twice, or one without confirmed runs; or
            they are scored otherwise than one another, or on other images.
    """
    _check_alike(projects)
    found = []
    for project in projects:
        entries = summarize_confirmed(project)
        if not entries:
            raise InputError(
                f"{project.folder} has no confirmed run to compare: first `python -m svhn_tune "
                f"confirm --project {project.name}`"
            )
        best = entries[0]
        runs = project.confirm_runs()[best.root, best.epochs]
        asked = project.space.target or project.space.name
        found.append(Contender(project, asked, best, max(run.parameters or 0 for run in runs)))
    objective = projects[0].space.objective
    found.sort(key=lambda each: objective.sort_key(each.entry.summary.mean))
    rows = compare(
        [each.entry.fresh_scores for each in found],
        higher_is_better=objective.higher_is_better,
        highest=objective.highest,
    )
    return [replace(each, against=row[0]) for each, row in zip(found, rows, strict=True)]


def _check_alike(projects: Sequence[Project]) -> None:
    if len(projects) < 2:
        raise InputError("compare needs two projects or more")
    first, *others = projects
    folders = [project.folder.resolve() for project in projects]
    for project in projects:
        if folders.count(project.folder.resolve()) > 1:
            raise InputError(f"compare was given {project.folder} twice")
    for other in others:
        for name, one, another in (
            ("scored by", first.space.objective.metric, other.space.objective.metric),
            ("of", first.settings.data.name, other.settings.data.name),
            ("of images", first.settings.data.fingerprint, other.settings.data.fingerprint),
        ):
            if one != another:
                raise InputError(
                    f"{first.folder} is {name} {one[:60]}, {other.folder} {name} {another[:60]}: "
                    f"their scores cannot be compared"
                )
