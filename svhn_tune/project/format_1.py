"""Journals of format 1, in which a run that failed or diverged has the worst score, not null.

A project that was begun with one keeps it: what is read is upgraded, what is written downgraded.
"""

from ..space.objective import Objective
from .journal import Line


def upgrade(line: Line, objective: Objective) -> Line:
    """The line as it would be in a journal of today's format."""
    if line["event"] != "run" or line.get("score") != objective.worst:
        return line
    if line.get("status") != "failed" and line.get("collapsed") is not True:
        return line
    return line | {"score": None}


def downgrade(line: Line, objective: Objective) -> Line:
    """The line as format 1 has it."""
    if line["event"] != "run" or line["score"] is not None:
        return line
    return line | {"score": objective.worst}
