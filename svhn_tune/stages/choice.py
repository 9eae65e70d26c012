"""Whom confirm retrains: the top of the search, or, once more are confirmed than asked for, the
best of those by their means; and the baseline as a control.

A choice by the means is recorded with the runs that it was made on: they are no fresh evidence
about the chosen. The control takes part in no such choice, so its runs stay fresh.
"""

from ..errors import InputError
from ..project.project import Project
from ..project.record_types import ChoiceRecord
from ..summary.confirmed import BASELINE, left_out
from ..summary.samples import mean
from ..summary.status import count_trials


def choose(
    project: Project, top: int, epochs: int, baseline: bool
) -> tuple[list[int], ChoiceRecord | None]:
    """The latest trials of the configurations to retrain, and how confirm's own runs chose them.

    No runs did where the search's ranking chose: None. The same call gives the same configurations
    while their runs are added.

    Raises:
        InputError: fewer completed trials than `top`.
    """
    roots, used = _choose_by_means(project, top, epochs, baseline)
    ranking = project.ranking()
    if not roots:
        if len(ranking) < top:
            raise _too_few(project, top, len(ranking))
        roots = [record.root for record in ranking[:top]]
    known = _latest(project, epochs) | {record.root: record.trial for record in ranking}
    chosen = [known[root] for root in roots]
    if baseline and BASELINE not in roots:
        chosen.append(known.get(BASELINE, BASELINE))
    return chosen, ChoiceRecord(epochs=epochs, chosen=roots, used=used) if used else None


def _choose_by_means(
    project: Project, top: int, epochs: int, baseline: bool
) -> tuple[list[int], list[list[int]]]:
    """The roots, and the runs that decided; no runs where an earlier choice still stands."""
    groups = {root: runs for (root, each), runs in project.confirm_runs().items() if each == epochs}
    if baseline:
        groups.pop(BASELINE, None)
    out = left_out(project, epochs)
    staying = [root for root in groups if root not in out]
    if out and len(staying) == top:
        return staying, []
    candidates = staying if len(staying) > top else list(groups)
    if len(candidates) <= top:
        return [], []
    sign = -1 if project.space.protocol.direction == "max" else 1
    means = {root: mean([run.score for run in groups[root]]) for root in candidates}
    used = [[root, run.run] for root in candidates for run in groups[root]]
    return sorted(candidates, key=lambda root: (sign * means[root], root))[:top], used


def _latest(project: Project, epochs: int) -> dict[int, int]:
    runs = project.confirm_runs().items()
    return {root: records[-1].trial for (root, each), records in runs if each == epochs}


def _too_few(project: Project, top: int, completed: int) -> InputError:
    trials = count_trials(project)
    advice = f" or pass --top {completed}" if completed else ""
    return InputError(
        f"--top {top} needs {top} completed trials of different values; {project.folder} has "
        f"{completed} ({trials['running']} running, {trials['failed']} failed): search more{advice}"
    )
