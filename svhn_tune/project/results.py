"""The projects in results/: found, created, deleted."""

import json
import shutil
from pathlib import Path
from typing import Any

from ..errors import InputError, nearest
from ..files import write_atomically
from ..space.space import Space
from .journal import create_journal
from .lock import hold
from .project import Project

RESULTS = Path("results")


def project_folder(name: str | Path) -> Path:
    """A project's folder, from its name in results/ or its path."""
    path = Path(name)
    return path if len(path.parts) > 1 else RESULTS / path


def create_project(folder: Path, space: Space, settings: dict[str, Any]) -> Project:
    """A new project's folder with its space, settings and empty journal.

    Raises:
        InputError: the folder cannot be written, or another process has just made a project of it.
    """
    try:
        for name in ("checkpoints", "models"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        with hold(folder):
            if (folder / "journal.jsonl").exists():
                raise InputError(
                    f"another process has just created {folder}: the same command goes on with it"
                )
            write_atomically(folder / "space.toml", space.text)
            write_atomically(folder / "project.json", json.dumps(settings, indent=2) + "\n")
            create_journal(folder / "journal.jsonl")
    except OSError as error:
        raise InputError(f"cannot write the project {folder}: {error.strerror}") from None
    return Project(folder)


def delete_project(folder: Path) -> None:
    """Remove a project's folder and all in it.

    Raises:
        InputError: it holds no project, another process is at work on it, or it cannot be written.
    """
    if not (folder / "journal.jsonl").exists():
        raise InputError(
            f"{folder} holds no project, so --overwrite will not delete it: leave --overwrite out, "
            f"or pass another --project"
        )
    with hold(folder):
        shutil.rmtree(folder)


def open_project(name: str | Path | None = None) -> Project:
    """A project by its name in results/ or its folder; by default the only, or the latest, one.

    Raises:
        InputError: there is none, or its files are damaged.
    """
    known = {path.parent.name: path for path in RESULTS.glob("*/journal.jsonl")}
    if name is None:
        if not known:
            raise InputError(f"no project in {RESULTS}/: run `python -m svhn_tune search` first")
        return Project(max(known.values(), key=lambda path: path.stat().st_mtime).parent)
    folder = project_folder(name)
    if not (folder / "journal.jsonl").is_file():
        found = f" (found: {', '.join(sorted(known))})" if known else ""
        raise InputError(f"no project '{name}' in {RESULTS}/{found}.{nearest(str(name), known)}")
    return Project(folder)
