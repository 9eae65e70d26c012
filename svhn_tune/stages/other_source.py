"""Which images confirm trains on: those of the search or of another source, if models fit them."""

from pathlib import Path

from ..data import Data, load_data, split_where
from ..errors import InputError
from ..journal.other_data import OtherData
from ..models.size import measure_size
from ..project.project import Project
from ..space.task import SOURCES


def find_data(project: Project, data: str | Path | Data | None) -> tuple[Data, OtherData | None]:
    """The images that `--data` names, and which others they are: None for the search's own.

    Raises:
        InputError: no such files, or the same source's with other images in them.
    """
    expected, own = project.settings.data, project.space.data
    if not isinstance(data, Data):
        named, where = split_where(data)
        if named is not None and named != own:
            if SOURCES[named].on_dial != project.space.task.on_dial:
                raise InputError(
                    f"--data {named} cannot be trained on in {project.folder}: its labels are not "
                    f"of the kind of {own}'s, a time is no class"
                )
            return _find_other(load_data(where, named), named)
        data = load_data(where if data else expected.source, own)
    if data.fingerprint != expected.fingerprint:
        raise InputError(
            f"{project.folder} was searched on {expected.name}, fingerprint "
            f"{expected.fingerprint[:8]}, but {data.source} has {data.fingerprint[:8]}: pass "
            f"--data with the folder that has the search's data"
        )
    return data, None


def _find_other(data: Data, source: str) -> tuple[Data, OtherData]:
    return data, OtherData(
        source=source,
        where=data.source,
        name=data.name,
        fingerprint=data.fingerprint,
        synthetic=data.synthetic,
    )


def check_fit(project: Project, trials: list[int]) -> None:
    """Refuse a trial whose model cannot be built for the project's images, or is too large.

    Raises:
        InputError: the message names the first such trial, and why.
    """
    for trial in trials:
        if reasons := measure_size(project.space, project.values(trial)).reasons:
            raise InputError(
                f"trial {project.root(trial):03d} cannot be trained on {project.settings.data.name}"
                f" (--data {project.space.data}): {reasons[0]}; choose others, with a smaller --top"
                f" or --no-baseline"
            )
