"""Commands as a person types them: which project, which space, how many of the best."""

import shlex

from ..errors import InputError
from ..journal.other_data import OtherData
from ..models.spaces import load_space
from ..project.project import Project
from ..project.results import RESULTS, list_projects
from .choices import BASELINE

PROGRAM = ["python", "-m", "svhn_tune"]


def join_command(*arguments: str) -> str:
    """A command as a person types it."""
    return shlex.join([*PROGRAM, *arguments])


def name_project(project: Project) -> list[str]:
    """The option that says which project is meant; none where it is the only one."""
    if list_projects() == [project.folder]:
        return []
    is_named = project.folder == RESULTS / project.name
    return ["--project", project.name if is_named else str(project.folder)]


def name_space(project: Project) -> str:
    """The space's name where it is still that space, else the copy that the project keeps."""
    try:
        known = load_space(project.space.name).sha256 == project.space.sha256
    except InputError:
        known = False
    return project.space.name if known else str(project.folder / "space.toml")


def name_data(other: OtherData) -> str:
    """What `--data` takes for the images of another source, from where they were."""
    return f"{other.source}:{other.where}"


def count_top(project: Project, roots: set[int]) -> int:
    """How many of the search's best, with the baseline beside them, are these configurations."""
    ranking = [record.root for record in project.ranking()]
    for top in range(1, len(ranking) + 1):
        if {*ranking[:top], BASELINE} == {*roots, BASELINE}:
            return top
    return max(len(roots - {BASELINE}), 1)
