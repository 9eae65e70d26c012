"""The spaces in search_spaces/: found, read, and checked against what their family can build."""

from pathlib import Path
from typing import Any

from ..errors import CONTROLS, InputError, nearest
from ..space.hyperparameters import Hyperparameter
from ..space.protocol import WITH_MOMENTUM
from ..space.reading import check_named, read_space
from ..space.space import Space
from ..space.space_file import read_space_file
from .domain import TRAINING, Domain
from .families import FAMILIES


def spaces_folder() -> Path:
    """Where the spaces are: in the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "search_spaces"
    return inside if inside.is_dir() else package.parent / "search_spaces"


def space_names() -> list[str]:
    """The names of the spaces there are, sorted."""
    return sorted(path.stem for path in spaces_folder().glob("*.toml"))


def copy_space(name: str | Path, target: Path) -> Space:
    """Write the file of a space to `target`, to be changed there; returns the copy as a space.

    Raises:
        InputError: no such space, a target that is no .toml or that is there already, or one that
            cannot be written.
    """
    text = load_space(name).text
    if target.suffix != ".toml":
        raise InputError(f"cannot copy to {target}: a space file ends in .toml")
    _check_stem(target)
    try:
        # Mode "x" refuses what is there, links included.
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise InputError(
            f"{target} is there already, and is left alone: copy to another name"
        ) from None
    except OSError as error:
        raise InputError(f"cannot copy to {target}: {error.strerror}") from None
    return load_space(target)


def load_space(name: str | Path) -> Space:
    """The space of this name in search_spaces/, or of this path to a .toml file.

    Raises:
        InputError: no such space, or a file that is not a valid one; the message names the file,
            the table and the key.
    """
    path = Path(name)
    if path.suffix == ".toml":
        shown = str(name)
        _check_stem(path)
    else:
        known = space_names()
        if str(name) not in known:
            raise InputError(
                f"no space '{name}' in search_spaces/ (found: {', '.join(known)})."
                f"{nearest(str(name), known)}"
            )
        path = spaces_folder() / f"{name}.toml"
        shown = f"search_spaces/{path.name}"
    return parse_space(read_space_file(path, shown), path.stem, shown)


def _check_stem(path: Path) -> None:
    if path.stem.startswith(".") or CONTROLS.search(path.stem):
        raise InputError(
            f"a space is named by its file: '{path.stem}' must not begin with a dot or have "
            f"control characters"
        )


def parse_space(text: str, name: str, shown: str) -> Space:
    """The space in the TOML `text`; `shown` is what errors call the file.

    Raises:
        InputError: it is not a valid one, or its family cannot build what it declares.
    """
    space = read_space(text, name, shown)
    _check_family(space, shown)
    check_named(space, shown)
    return space


def _check_family(space: Space, shown: str) -> None:
    """Refuse hyperparameters, parents and values that the model family does not know.

    Args:
        space: one whose tables are valid, each for itself.
        shown: what errors call its file.

    Raises:
        InputError: the message names the file, the table and the fix.
    """
    if space.model not in FAMILIES:
        raise InputError(
            f"{shown} model: '{space.model}' is none of {', '.join(FAMILIES)}."
            f"{nearest(space.model, FAMILIES)}"
        )
    family = FAMILIES[space.model].DOMAINS | TRAINING
    for name, given in space.hyperparameters.items():
        table = f"{shown} [hyperparameters.{name}]"
        domain: Domain | None = family.get(name)
        if domain is None:
            raise InputError(
                f"{table}: the model '{space.model}' has no hyperparameter '{name}'."
                f"{nearest(name, family)}"
            )
        if domain.per != given.per:
            raise InputError(
                f'{table}: per = "{domain.per or given.per}" must '
                f"{'be given' if domain.per else 'not be given'} for '{name}'"
            )
        if given.per and f"{given.per}s" not in space.hyperparameters:
            raise InputError(
                f'{table}: per = "{given.per}" needs a [hyperparameters.{given.per}s], which says '
                f"how many there are"
            )
        for value in given.extremes:
            if refusal := domain.refusal(value):
                raise InputError(f"{table}: {value!r} {refusal}")
        if name == "class_weight" and space.task.on_dial:
            raise InputError(f"{table}: '{space.data}' has no classes to be weighted")
        if name == "minute_weight" and len(space.task.heads) < 2:
            raise InputError(f'{table}: it weighs the second of two heads (target = "heads")')
        _check_parent(space, given, table)
    _check_momentum(space, shown)


def _check_momentum(space: Space, shown: str) -> None:
    """Refuse a momentum that is searched where the optimizer may be one that takes none."""
    if "momentum" not in space.hyperparameters:
        return
    given = space.hyperparameters["momentum"]
    optimizers: list[Any] = [space.protocol.optimizer]
    if "optimizer" in space.hyperparameters:
        optimizers = space.hyperparameters["optimizer"].extremes
        if given.parent_name == "optimizer":
            optimizers = list(given.parent_values or [])
    if others := [name for name in optimizers if name not in WITH_MOMENTUM]:
        raise InputError(
            f"{shown} [hyperparameters.momentum]: the optimizer '{others[0]}' has none; give it "
            f'parent_name = "optimizer" and parent_values of {" and ".join(WITH_MOMENTUM)}'
        )


def _check_parent(space: Space, given: Hyperparameter, table: str) -> None:
    """Refuse a parent that is no hyperparameter of the file, and values that it never has."""
    if given.parent_name is None:
        return
    parent = space.hyperparameters.get(given.parent_name)
    if parent is None or parent.per:
        raise InputError(
            f"{table}: parent_name '{given.parent_name}' is no hyperparameter of this file that "
            f"all blocks share.{nearest(given.parent_name, space.hyperparameters)}"
        )
    if parent.parent_name:
        raise InputError(
            f"{table}: parent_name '{given.parent_name}' has a parent itself, "
            f"'{parent.parent_name}': only one level is possible"
        )
    for value in given.parent_values or []:
        if not parent.allows(value):
            raise InputError(
                f"{table}: parent_values has {value!r}, which '{given.parent_name}' never is "
                f"({parent.describe()})"
            )
    for each in ("block", "layer"):
        if given is space.hyperparameters.get(f"{each}s"):
            raise InputError(f"{table} has no parent: all that is per {each} depends on it")
