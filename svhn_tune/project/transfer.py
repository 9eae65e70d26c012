"""A project on other data than its search's: what confirm trained there, and nothing mixed.

Such a project shares journal, folder and search with the one that it is made of; all that reads a
project reads it alike.
"""

from copy import copy

from ..journal.other_data import OtherData
from ..journal.record_types import BeginRecord
from ..journal.settings import DataSettings
from .project import Project


def on_data(project: Project, other: OtherData) -> Project:
    """The project on other data: its search, and the confirm runs on those, none on its own.

    Its space has their images, so that models are built for them.
    """
    found = copy(project)
    found.other = other
    found.space = project.space.on(other.source)
    data = DataSettings(**other.model_dump(exclude={"source", "where"}), source=other.where)
    found.settings = project.settings.model_copy(update={"data": data})
    return found


def list_others(project: Project) -> list[Project]:
    """The project on each of the other data that confirm has trained on, in that order."""
    begun = [record for record in project.journal if isinstance(record, BeginRecord)]
    found = {each.data.fingerprint: each.data for each in begun if each.data is not None}
    return [on_data(project, other) for other in found.values()]


def latest_call(project: Project) -> tuple[Project, BeginRecord | None]:
    """The project on the data of the latest call of search or confirm, and what it set out to do.

    None where there was no call yet.
    """
    begun = [record for record in project.journal if isinstance(record, BeginRecord)]
    if not begun:
        return project, None
    other = begun[-1].data
    return (project if other is None else on_data(project, other)), begun[-1]
