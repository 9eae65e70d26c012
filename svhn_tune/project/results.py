"""The projects in results/: found, created, deleted."""

import os
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError, nearest, shorten
from ..files import write_atomically
from ..journal.lines import create_journal
from ..journal.settings import Settings, write_settings
from ..space.space import Space
from ..submission.verdict import Origin, TrainedRun
from .lock import hold
from .ownership import JOURNAL, find_obstacle, holds_project, is_own_project, remove_files
from .project import Project

RESULTS = Path("results")


def project_folder(name: str | Path) -> Path:
    """A project's folder, from its name in results/ or its path.

    What has a separator in it, or begins with `.` or `~`, is a path from the working directory, as
    is every `Path`; any other text is a name.

    Raises:
        InputError: it names no folder that could be a project's.
    """
    text = str(name)
    is_path = text.startswith((".", "~")) or os.sep in text or (os.altsep or os.sep) in text
    if not isinstance(name, Path) and not is_path:
        path = RESULTS / text
    else:
        try:
            path = Path(text).expanduser()
        except RuntimeError:
            raise InputError(
                f"there is no home folder {text}: write ./{text} for a folder of that name"
            ) from None
    parts = list(path.parts)
    while parts and parts[0] == "..":
        parts.pop(0)
    if not text or not path.name or ".." in parts or path.name == "..":
        raise InputError(
            f"'{text}' is no name of a project, nor the path of its folder: pass a name in "
            f"{RESULTS}/, or a path such as ./{path.name if path.name.strip('.') else 'cnn'}"
        )
    if any(each < " " for each in text) or text.encode("utf-8", "ignore").decode() != text:
        raise InputError(
            f"the project's name {shorten(text)} has a character that no name should have: pass "
            f"one of ordinary letters"
        )
    return path


def create_project(
    folder: Path, space: Space, settings: Settings, beside: Sequence[Path] = ()
) -> Project:
    """A new project's folder with its space, settings and empty journal.

    Args:
        folder: new or empty.
        space: what is searched.
        settings: of the search.
        beside: files that may be in the folder all the same.

    Raises:
        InputError: the folder holds something else, cannot be written, or another process has just
            made a project of it.
    """
    try:
        if not beside and not holds_project(folder):
            _refuse_to_share(folder, space.text)
        for name in ("checkpoints", "models"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        with hold(folder):
            if holds_project(folder):
                raise InputError(
                    f"another process has just created {folder}: the same command goes on with it"
                )
            write_atomically(folder / "space.toml", space.text)
            write_settings(folder / "project.json", settings)
            create_journal(folder / JOURNAL)
    except OSError as error:
        raise InputError(f"cannot write the project {folder}: {error.strerror}") from None
    return Project(folder)


def _refuse_to_share(folder: Path, text: str) -> None:
    obstacle = find_obstacle(folder, text)
    if obstacle is not None:
        raise InputError(
            f"{folder} holds no project, but holds {obstacle.name}: a project goes into a new or "
            f"an empty folder; pass another --project"
        )


def delete_project(folder: Path) -> list[Path]:
    """Delete what a project wrote into its folder; returns what is left there.

    The folder and its lock stay, for the project that comes.

    Raises:
        InputError: it holds no project, is a link, has a link or a folder in place of one of the
            project's files, is in use by another process, or cannot be written.
    """
    if folder.is_symlink():
        raise InputError(
            f"{folder} is a link to {os.readlink(folder)}: --overwrite will not delete through it; "
            f"pass that folder as --project"
        )
    try:
        if not is_own_project(folder):
            raise InputError(
                f"{folder} holds no project, so --overwrite will not delete it: leave --overwrite "
                f"out, or pass another --project"
            )
        with hold(folder):
            return remove_files(folder)
    except OSError as error:
        raise InputError(f"cannot delete the project {folder}: {error.strerror}") from None


def list_projects() -> list[Path]:
    """The folders of the projects in results/."""
    return [path.parent for path in RESULTS.glob(f"*/{JOURNAL}") if path.is_file()]


def open_project(name: str | Path | None = None) -> Project:
    """A project by its name in results/ or its folder; by default the only, or the latest, one.

    Raises:
        InputError: there is none, or its files are damaged.
    """
    known = {folder.name: folder / JOURNAL for folder in list_projects()}
    if name is None:
        if not known:
            raise InputError(f"no project in {RESULTS}/: run `python -m svhn_tune search` first")
        return Project(max(known.values(), key=lambda path: path.stat().st_mtime).parent)
    folder = project_folder(name)
    if not holds_project(folder):
        found = f" (found: {', '.join(sorted(known))})" if known else ""
        raise InputError(f"no project '{name}' in {RESULTS}/{found}.{nearest(str(name), known)}")
    return Project(folder)


def find_origin(file: Path) -> Origin | None:
    """The project whose submission.keras, or one of whose models/, a file is; None if none has it.

    Args:
        file: a .keras file.
    """
    for folder in list(file.resolve().parents)[:2]:
        if (folder / JOURNAL).is_file():
            return _describe_origin(folder)
    return None


def _describe_origin(folder: Path) -> Origin:
    try:
        project = Project(folder)
    except InputError as error:
        return Origin(str(folder), problem=str(error))
    runs = {
        run.weights_sha256: TrainedRun(run.root, run.run, run.epochs, run.values)
        for run in project.ended("confirm")
        if run.weights_sha256
    }
    return Origin(str(folder), project.space.protocol.batch_size, runs)
