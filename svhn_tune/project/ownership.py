"""Which files of a folder a project wrote, told by their names: nothing else is ever deleted.

A project writes no links: none is followed, and none is deleted.
"""

import re
from pathlib import Path

from ..errors import InputError
from ..files import parse_json
from ..journal.settings import make_valid_settings
from .nodes import NAME as NODES

JOURNAL = "journal.jsonl"
# Deleted in this order: what is left of a project by a kill is still known as one.
TOP = (
    NODES,
    *("report.html", "trials.csv", "runs.csv", "confirm.csv", "architectures.csv"),
    *("submission.keras", "pictures.npz", "space.toml", "project.json", JOURNAL),
)
LOCK = (".lock", ".pid")
FOLDERS = {
    "checkpoints": r"(search|confirm)-\d{4,}-\d{2,}(-epochs-\d+)?(-on-[\da-f]{8})?\.npz",
    "models": r"trial-\d{4,}-run-\d{2,}-epochs-\d+\.(keras|npz)",
}
NAMES = {".": "|".join(map(re.escape, (*TOP, ".pid")))} | FOLDERS
# Of an atomic write, and of Keras's own that comes before it.
TEMPORARY = r"\.({name})\.\d+\.tmp|\.trial-[-a-z\d]+\.\d+\.keras"


def holds_project(folder: Path) -> bool:
    """Whether a project is in the folder: it has a journal.

    Raises:
        InputError: the folder cannot be read.
    """
    try:
        return (folder / JOURNAL).is_file()
    except OSError as error:
        raise InputError(f"cannot read the project {folder}: {error.strerror}") from None


def is_own_project(folder: Path) -> bool:
    """Whether svhn_tune wrote the folder's journal, or the settings beside it."""
    journal = folder / JOURNAL
    if not _is_plain(journal):
        return False
    with journal.open("rb") as file:
        first = _parse(file.readline(1000))
    if isinstance(first, dict) and first.get("event") == "journal":
        return True
    return _has_settings(folder)


def _parse(content: bytes) -> object:
    try:
        return parse_json(content)
    except ValueError:
        return None


def _has_settings(folder: Path) -> bool:
    path = folder / "project.json"
    try:
        make_valid_settings(_parse(path.read_bytes()) if _is_plain(path) else None)
    except (OSError, InputError):
        return False
    return True


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def find_obstacle(folder: Path, text: str) -> Path | None:
    """What in a folder keeps a new project out; None in a new or empty one.

    What a kill left of a project that was being created is no obstacle: empty folders, settings,
    and a space.toml with this `text`.
    """
    if not folder.is_dir():
        return None
    for path in sorted(folder.iterdir()):
        if path.name in FOLDERS and _is_folder(path) and not any(path.iterdir()):
            continue
        if _is_plain(path) and _is_rest(path, text):
            continue
        return path
    return None


def _is_rest(path: Path, text: str) -> bool:
    match path.name:
        case ".lock":
            return path.stat().st_size == 0
        case ".pid":
            return path.read_bytes()[:20].strip().isdigit()
        case "space.toml":
            return path.read_bytes() == text.encode()
        case "project.json":
            return _has_settings(path.parent)
        case _:
            return _is_temporary(path, ".")


def remove_files(folder: Path) -> list[Path]:
    """Delete what the project in `folder` wrote, but for its lock; returns what is left beside it.

    Raises:
        InputError: a link, or a folder, has a name of the project's; nothing is deleted.
        OSError: a file cannot be deleted.
    """
    own: list[Path] = []
    left: list[Path] = []
    for where in NAMES:
        for path in _list(folder, where):
            name = path.name
            if where == "." and (name in LOCK or (name in FOLDERS and _is_folder(path))):
                continue
            known = bool(re.fullmatch(NAMES[where], name)) or (where == "." and name in FOLDERS)
            if known and not _is_plain(path):
                raise InputError(
                    f"{path} has the name of a file of the project, but is a link or a folder: "
                    f"move it away, or pass another --project"
                )
            (own if known or _is_temporary(path, where) else left).append(path)
    own.sort(key=lambda path: TOP.index(path.name) if path.name in TOP else -1)
    for path in own:
        path.unlink(missing_ok=True)
    return sorted(left)


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files of the project's atomic writes that kills left behind."""
    for where in NAMES:
        for path in _list(folder, where):
            if _is_temporary(path, where):
                path.unlink(missing_ok=True)


def _list(folder: Path, where: str) -> list[Path]:
    """What is in a project's folder, or in one of those below it, unless that is a link."""
    if where == ".":
        return sorted(folder.iterdir())
    return sorted((folder / where).iterdir()) if _is_folder(folder / where) else []


def _is_temporary(path: Path, where: str) -> bool:
    known = re.fullmatch(TEMPORARY.format(name=NAMES[where]), path.name)
    return known is not None and _is_plain(path)
