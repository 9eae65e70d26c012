"""What pydantic finds wrong with a space file -> one line that names the table and the key."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from ..errors import nearest
from .hyperparameters import TYPES, Declaration
from .table import Table

# Where a value may have several types, pydantic complains once for each.
KINDS = ("bool", "int", "float", "str")


def say_unknown(name: str, space: str, declarations: Iterable[Declaration]) -> str:
    """Which hyperparameters there are in a space, where it has none of that name."""
    groups: dict[str, list[Declaration]] = {}
    for each in declarations:
        own = each.name.rpartition("_")[0] if each.hyperparameter.per else each.name
        groups.setdefault(own, []).append(each)
    known = {
        own: group[0].name + (f" … _{len(group)}" if len(group) > 1 else "")
        for own, group in groups.items()
    }
    told = f"no hyperparameter '{name}' in the space '{space}'"
    if name in known:
        return f"{told}: it has one per {groups[name][0].hyperparameter.per}, {known[name]}"
    names = [each.name for group in groups.values() for each in group]
    return f"{told}.{nearest(name, names)} It has {', '.join(known.values())}"


def describe_complaint(error: ValidationError, known: Mapping[str, type[Table]]) -> str:
    """The most telling of pydantic's complaints as `[table] key: what is wrong`.

    Args:
        error: of a whole space.
        known: the tables by name, and the file itself under "".
    """
    complaints = error.errors()
    unknown = [found for found in complaints if found["type"] == "extra_forbidden"]
    found = (unknown or complaints)[0]
    place = found["loc"]
    if place[0] == "hyperparameters" and place[2:] and place[2] in TYPES:
        place = place[:2] + place[3:]
    is_kind = len(place) > 3 and place[-1] in KINDS
    *tables, key = map(str, place[:-1] if is_kind else place)
    if is_kind:
        where = tables if key.isdecimal() else [*tables, key]
        told = f"{found['input']!r} is no finite number and no word"
        return f"[{'.'.join(where[:-1])}] {where[-1]}: {told}"
    table = f"[{'.'.join(tables)}] " if tables else ""
    message = found["msg"].removeprefix("Value error, ")
    match found["type"]:
        case "extra_forbidden":
            return f"{table}has no key '{key}'.{nearest(key, _known_keys(found, known))}"
        case "missing":
            return f"{table}{key} is missing"
        case "union_tag_not_found":
            return f"{table.rstrip('] ')}.{key}] needs a type, one of {', '.join(TYPES)}"
        case "union_tag_invalid":
            given = found["ctx"]["tag"]
            return (
                f"{table.rstrip('] ')}.{key}] type: '{given}' is none of {', '.join(TYPES)}."
                f"{nearest(given, TYPES)}"
            )
        case "value_error" if isinstance(found["input"], dict):
            return f"[{'.'.join([*tables, key])}]: {message}"
        case _:
            return f"{table}{key}: {message} (got {found['input']!r})"


def _known_keys(found: Any, known: Mapping[str, type[Table]]) -> list[str]:
    place = found["loc"]
    table = TYPES[place[2]] if place[0] == "hyperparameters" else known.get(place[0], known[""])
    return [key for key in table.model_fields if key not in ("name", "text")]
