"""Where a project stands, as `status` tells it: counts, its best, what it costs and leaves out."""

from typing import Any

from ..files import count_bytes
from ..journal.record_types import RunRecord
from ..project.project import Project
from .answers import read_answers
from .begun import read_standing
from .confirmed import summarize_confirmed
from .handed_in import describe_handed_in, list_test_set_uses
from .transfer import transfers


def status(project: Project) -> dict[str, Any]:
    """Where the project stands, as `status --json` prints it."""
    ranking = project.ranking()
    runs = project.ended("search") + project.ended("confirm")
    return {
        "project": project.name,
        "space": project.space.name,
        "space_sha256": project.space.sha256,
        "data": project.settings.data.model_dump(),
        "trials": count_trials(project),
        "epochs_trained": sum(run.trained for run in runs),
        "seconds_trained": sum(run.seconds for run in runs),
        "seconds_spent": project.seconds_spent(),
        "budget_seconds": project.settings.budget,
        "cap": describe_cap(project),
        "disk_bytes": count_bytes(project.folder),
        "progress": read_standing(project).as_dict(),
        "best": describe_best(project, ranking[0]) if ranking else None,
        "confirm": [entry.as_dict() for entry in summarize_confirmed(project)],
        "other_data": [each.as_dict() for each in transfers(project)],
        "answers": read_answers(project),
        "handed_in": describe_handed_in(project),
        "test_set_used_to_choose": list_test_set_uses(project),
        "submission": str(project.submission_path) if project.submission_path.exists() else None,
    }


def describe_cap(project: Project) -> dict[str, Any] | None:
    """What the search leaves out because it costs too much; None where it leaves out nothing.

    "nearest" is the best trial of those that cost more than half of the most: whether dearer models
    are worth their hours shows first there.
    """
    cap = project.settings.cap
    if cap is None:
        return None
    space = project.space
    near = [run for run in project.ranking() if cap.times(space, run.values) > cap.most / 2]
    return cap.as_dict() | {"nearest": describe_best(project, near[0]) if near else None}


def describe_best(project: Project, record: RunRecord) -> dict[str, Any]:
    """A configuration of the ranking, which goes by its first trial's number everywhere."""
    return {
        "trial": record.root,
        "score": record.score,
        "epochs": record.epochs,
        "runs": len(project.search_runs()[record.root]),
        "values": record.values,
    }


def count_trials(project: Project) -> dict[str, int]:
    """How many trials are completed, running and failed, and how many of them collapsed."""
    ended = project.ended("search")
    failed = sum(record.status == "failed" for record in ended)
    return {
        "completed": len(ended) - failed,
        "running": len(project.proposals()) - len(ended),
        "failed": failed,
        "collapsed": sum(record.collapsed for record in ended),
    }
