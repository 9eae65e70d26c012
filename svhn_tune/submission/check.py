"""May this .keras file be handed in? One rule after the other, each with what was seen.

The limit and the protocol come from the space. Keras is imported only after the file has turned
out to be an archive.
"""

import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.dataset import Data
from ..errors import InputError
from ..project.project import Project
from ..project.results import open_project
from ..space.space import Space
from .archive import Archive, find_code, read_archive
from .portable import NEWEST, OLDEST, find_first_version

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Check:
    """One rule: whether the file keeps it, as far as is known, and what was seen."""

    name: str
    ok: bool
    detail: str


def check_submission(path: str | Path, space: Space, data: Data | None = None) -> dict[str, Any]:
    """May this file be handed in under the rules of `space`?

    A rule that cannot be judged is kept, and its detail begins with "not known".

    Args:
        path: a .keras file. In a project's folder, how it was trained is checked, too.
        space: gives the limit and the protocol.
        data: gives the shape of the images and the classes, and its test set is classified.

    Returns:
        {"ok", "file_bytes", "limit_bytes", "checks": [{"name", "ok", "detail"}]}.

    Raises:
        InputError: there is no such file, or it is no .keras archive.
    """
    path = Path(path)
    archive = read_archive(path)
    size, limit = path.stat().st_size, int(space.limits.file_size)
    model, loads = _load(path, archive)
    checks = [
        Check("archive", True, f"a .keras archive, written by Keras {archive.keras_version}"),
        Check("file size", size <= limit, f"{size:,} bytes, the limit is {limit:,}"),
        loads,
        _check_versions(archive),
    ]
    if model is not None:
        from .rules import check_model

        checks += check_model(model, space, data)
        checks.append(_check_training(path, model, space))
    return {
        "ok": all(check.ok for check in checks),
        "file_bytes": size,
        "limit_bytes": limit,
        "checks": [asdict(check) for check in checks],
    }


def _load(path: Path, archive: Archive) -> tuple["keras.Model | None", Check]:
    """The model, and whether it loads here; code that the file brings along is never run."""
    if code := find_code(archive.config):
        return None, Check("loads", False, f"not tried: it would run code for {', '.join(code)}")
    import keras

    try:
        with warnings.catch_warnings():
            # Keras says so of a file without the optimizer's state, which no rule asks for.
            warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
            model = keras.models.load_model(path, safe_mode=True)
    except Exception as error:  # whatever Keras says of a file is the answer
        return None, Check("loads", False, f"Keras {keras.__version__}: {_reason(error)}")
    if not isinstance(model, keras.Model):
        return None, Check("loads", False, f"it holds no model, but {type(model).__name__}")
    return model, Check("loads", True, f"in Keras {keras.__version__}")


def _reason(error: Exception) -> str:
    """The line of Keras's message that says why."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("Exception encountered: ")]
    return (told or lines or [type(error).__name__])[0].removeprefix("Exception encountered: ")


def _check_versions(archive: Archive) -> Check:
    first, why = find_first_version(archive.config)
    oldest, newest = (".".join(map(str, version)) for version in (OLDEST, NEWEST))
    name = "Keras versions"
    if first is None:
        return Check(name, True, f"not known, by its configuration: it holds {', '.join(why)}")
    if first == OLDEST:
        return Check(name, True, f"{oldest} and later, by its configuration")
    since = f"{first[0]}.{first[1]} and later" if first <= NEWEST else f"later than {newest}"
    return Check(
        name, False, f"{since}, by its configuration: Keras {oldest} refuses {', '.join(why)}"
    )


def _check_training(path: Path, model: "keras.Model", space: Space) -> Check:
    from .save import hash_weights

    name = "training"
    try:
        project = _find_project(path)
    except InputError as error:
        return Check(name, True, f"not known: {error}")
    if project is None:
        return Check(name, True, "not known: the file is not in a project's folder")
    weights = hash_weights(model)
    runs = [run for run in project.ended("confirm") if run.get("weights_sha256") == weights]
    if not runs:
        return Check(name, True, f"not known: no run in {project.folder} ended with these weights")
    run, asked = runs[-1], space.protocol
    batch_size = project.space.protocol.batch_size
    detail = (
        f"{run['epochs']} epochs in batches of {batch_size} (trial {run['trial']:03d}, run "
        f"{run['run']}); {asked.epochs} in batches of {asked.batch_size} are asked"
    )
    return Check(name, (run["epochs"], batch_size) == (asked.epochs, asked.batch_size), detail)


def _find_project(path: Path) -> Project | None:
    """The project whose submission.keras, or one of whose models/, the file is."""
    for folder in list(path.resolve().parents)[:2]:
        if (folder / "journal.jsonl").is_file():
            return open_project(folder)
    return None
