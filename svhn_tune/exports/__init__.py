"""A project in the formats of other tools. The journal stays the truth: nothing is read back."""

from pathlib import Path

from ..errors import InputError
from ..project.project import Project

FORMATS = ("optuna", "tensorboard")


def export(project: Project, to: str, target: str | Path) -> str:
    """Write a project to `target`, whole or not at all; returns the command that shows it.

    Args:
        project: what was searched and confirmed.
        to: "optuna" for an SQLite storage of Optuna, "tensorboard" for a folder of logs.
        target: the file or folder, which must not be there yet.

    Raises:
        InputError: no such format, `target` is there or cannot be written, or the format's package
            is not installed.
    """
    target = Path(target)
    if to not in FORMATS:
        raise InputError(f"no format '{to}' to export to (there are {', '.join(FORMATS)})")
    if target.exists():
        raise InputError(f"{target} is there already: give another name, or delete it first")
    try:
        if to == "tensorboard":
            from .tensorboard import write_logs

            write_logs(project, target)
            return f"tensorboard --logdir {target}"
        from .optuna import write_storage

        write_storage(project, target)
        return f"optuna-dashboard sqlite:///{target}"
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror}") from None
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise InputError(
            "--to optuna needs Optuna, which is not installed: pip install 'optuna>=4.5,<6', "
            "or install svhn_tune with its extra 'tpe'"
        ) from None
