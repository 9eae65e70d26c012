"""May this .keras file be handed in? One rule after the other, each with what was seen.

The limit and the protocol come from the space. Keras is imported only after the file has turned
out to be an archive.
"""

from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..data.dataset import Data
from ..errors import InputError, one_line
from ..project.project import Project
from ..project.results import open_project
from ..space.space import Space
from .archive import Archive, read_archive
from .loading import RefusedError, load_model, refuse
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
    checks = [
        _check_archive(path, archive),
        Check("file size", size <= limit, f"{size:,} bytes, the limit is {limit:,}"),
    ]
    try:
        refuse(archive, limit)
        # Keras is imported from here on.
        from .compiled import check_compiled, check_loaded_rate

        compiled = check_compiled(archive.config.get("compile_config"), space)
        sound = all(check.ok for check in compiled)
        model = load_model(path, archive, limit, compiled=sound)
    except RefusedError as refused:
        checks += [Check("loads", False, str(refused)), _check_versions(archive)]
    else:
        from .rules import check_model

        if sound and (other := check_loaded_rate(model.optimizer, space)):
            compiled = [other if check.name == other.name else check for check in compiled]
        checks += [
            Check("loads", True, f"in Keras {version('keras')}"),
            _check_versions(archive),
            *check_model(model, space, data),
            *compiled,
            _check_training(path, model, space),
        ]
    return {
        "ok": all(check.ok for check in checks),
        "file_bytes": size,
        "limit_bytes": limit,
        "checks": [asdict(check) | {"detail": one_line(check.detail)} for check in checks],
    }


def _check_archive(path: Path, archive: Archive) -> Check:
    """Keras loads only what is called .keras; what else is in it is none of the model."""
    seen = f"a .keras archive, written by Keras {archive.keras_version}"
    if archive.others:
        seen += f", with other things in it: {', '.join(archive.others)}"
    if path.suffix != ".keras":
        seen += ", whose name must end in .keras"
    return Check("archive", not archive.others and path.suffix == ".keras", seen)


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
