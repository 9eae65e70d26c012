"""What a space declares beside what its model family can build."""

from typing import TYPE_CHECKING

from ..errors import InputError, nearest
from ..space.hyperparameters import Hyperparameter
from .cnn import FAMILIES, Domain

if TYPE_CHECKING:
    from ..space.space import Space


def check_family(space: "Space", shown: str) -> None:
    """Refuse hyperparameters, parents and values that the model family does not know.

    Args:
        space: one whose tables are valid, each for itself.
        shown: what errors call its file.

    Raises:
        InputError: the message names the file, the table and the fix.
    """
    family = FAMILIES[space.model]
    for name, given in space.hyperparameters.items():
        table = f"{shown} [hyperparameters.{name}]"
        domain: Domain | None = family.get(name)
        if domain is None:
            raise InputError(
                f"{table}: the model '{space.model}' has no hyperparameter '{name}'."
                f"{nearest(name, family)}"
            )
        if domain.per_block != (given.per == "block"):
            raise InputError(
                f'{table}: per = "block" must '
                f"{'be given' if domain.per_block else 'not be given'} for '{name}'"
            )
        for value in given.extremes:
            if refusal := domain.refusal(value):
                raise InputError(f"{table}: {value!r} {refusal}")
        _check_parent(space, given, table)


def _check_parent(space: "Space", given: Hyperparameter, table: str) -> None:
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
    if given is space.hyperparameters.get("blocks"):
        raise InputError(f"{table} has no parent: all that is per block depends on it")
