"""Which runs a choice was made on, and whom it left out: no fresh evidence about the chosen."""

from ..journal.record_types import ChoiceRecord, RunRecord
from ..project.project import Project

BASELINE = 0  # the first trial of every search


def _choices(project: Project, epochs: int) -> list[ChoiceRecord]:
    return [r for r in project.records if isinstance(r, ChoiceRecord) and r.epochs == epochs]


def used_runs(project: Project, epochs: int) -> set[tuple[int, int]]:
    """The runs, as (root, run), on whose scores a choice was made."""
    return {(root, run) for choice in _choices(project, epochs) for root, run in choice.used}


def left_out(project: Project, epochs: int, question: int | None = None) -> set[int]:
    """The roots that the last choice, or one before it, did not choose.

    Choices of a question are among its configurations, and only those of that question count;
    without one, only choices among all that is confirmed.
    """
    choices = [r for r in _choices(project, epochs) if r.question == question]
    if not choices:
        return set()
    return {root for choice in choices for root, _ in choice.used} - set(choices[-1].chosen)


def left_out_of_all(project: Project, epochs: int, groups: dict[int, list[RunRecord]]) -> set[int]:
    """The roots that some choice left out, none chose, and nobody trained again since."""
    last = {choice.question: choice.chosen for choice in _choices(project, epochs)}
    out = {root for question in last for root in left_out(project, epochs, question)}
    used = used_runs(project, epochs)
    fresh = {root for root, runs in groups.items() if any((root, r.run) not in used for r in runs)}
    return out - {root for chosen in last.values() for root in chosen} - fresh
