"""May this .keras file be handed in? One rule after the other, each with what was seen.

The limit and the protocol come from the space. Keras is imported only after the file has turned
out to be an archive.
"""

from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..console import say_count
from ..data.dataset import Data
from ..errors import one_line
from ..space.space import Space
from .archive import Archive, read_archive
from .loading import RefusedError, load_model, refuse
from .portable import NEWEST, OLDEST, find_first_version
from .verdict import Check, Origin, TrainedRun

if TYPE_CHECKING:
    import keras


def check_submission(
    path: str | Path, space: Space, data: Data | None = None, origin: Origin | None = None
) -> dict[str, Any]:
    """May this file be handed in under the rules of `space`?

    A rule that cannot be judged is kept, and its detail begins with "not known".

    Args:
        path: a .keras file.
        space: gives the limit and the protocol.
        data: its test set is classified.
        origin: the project in whose folder the file is (project/results.py: `find_origin`): how it
            was trained is checked, too.

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
        from .compiled import check_compiled, check_loaded_rate, check_optimizer

        configuration: Any = archive.config.get("compile_config")
        compiled = check_compiled(configuration, space)
        sound = all(check.ok for check in compiled)
        model = load_model(path, archive, limit, compiled=sound)
    except RefusedError as refused:
        checks += [Check("loads", False, str(refused)), _check_versions(archive)]
    else:
        from .rules import check_model

        run = _find_run(model, origin)
        if sound:
            # By its trial's own optimizer and rate, where the trial is known.
            values = None if run is None else run.values
            found = check_optimizer(configuration["optimizer"], space, values)
            if found.ok:
                found = check_loaded_rate(model.optimizer, space, values) or found
            compiled = [found if check.name == found.name else check for check in compiled]
        checks += [
            Check("loads", True, f"in Keras {version('keras')}"),
            _check_versions(archive),
            *check_model(model, space, data),
            *compiled,
            _check_training(space, origin, run),
        ]
    return {
        "ok": all(check.ok for check in checks),
        "file_bytes": size,
        "limit_bytes": limit,
        "checks": [asdict(check) | {"detail": one_line(check.detail)} for check in checks],
    }


def _check_archive(path: Path, archive: Archive) -> Check:
    """Keras loads only files named .keras; members that it does not write are not the model's."""
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


def _find_run(model: "keras.Model", origin: Origin | None) -> TrainedRun | None:
    """The run that ended with the model's weights, where the project has one."""
    from .save import hash_weights

    return None if origin is None else (origin.runs or {}).get(hash_weights(model))


def _check_training(space: Space, origin: Origin | None, run: TrainedRun | None) -> Check:
    name = "training"
    if origin is None:
        return Check(name, True, "not known: the file is not in a project's folder")
    if origin.problem:
        return Check(name, True, f"not known: {origin.problem}")
    if run is None:
        return Check(name, True, f"not known: no run in {origin.folder} ended with these weights")
    epochs, batch_size = sorted(space.epochs_asked(run.values)), space.protocol.batch_size
    detail = (
        f"{say_count(run.epochs, 'epoch')} in batches of {origin.batch_size} "
        f"(trial {run.trial:03d}, run {run.run}); expected {' or '.join(map(str, epochs))} in "
        f"batches of {batch_size}"
    )
    kept = run.epochs in epochs and origin.batch_size == batch_size
    return Check(name, kept, detail)
