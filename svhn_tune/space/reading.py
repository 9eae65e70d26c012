"""The text of a space file -> Space: refused in one line where it does not fit itself."""

from pydantic import ValidationError

from ..errors import InputError
from .complaints import describe_complaint
from .objective import OF_DIAL
from .protocol import Input, Protocol
from .questions import Question
from .space import Limits, Rules, Space
from .space_file import parse_tables
from .table import Table
from .targets import FORMS, OF_CLASSES
from .task import SOURCES


def read_space(text: str, name: str, shown: str) -> Space:
    """The space in the TOML `text`, of whatever family; `shown` is what errors call the file.

    Raises:
        InputError: the text is not TOML, or a table is not valid for itself.
    """
    tables = parse_tables(text, shown)
    if own := {"name", "text"} & set(tables):
        raise InputError(f"{shown} has no key '{min(own)}': a space is named by its file")
    try:
        space = Space.model_validate({"name": name, "text": text, **tables})
    except ValidationError as error:
        raise InputError(f"{shown} {describe_complaint(error, _TABLES)}") from None
    _check_target(space, shown)
    return space


def _check_target(space: Space, shown: str) -> None:
    """Refuse a target, a loss or an objective that does not fit the space's data.

    Raises:
        InputError: the message names the file, the key and its value.
    """
    protocol, on_dial = space.protocol, SOURCES[space.data].on_dial
    if on_dial and space.target is None:
        raise InputError(f"{shown} target is missing: '{space.data}' needs one, {FORMS}")
    if not on_dial and space.target is not None:
        raise InputError(
            f"{shown} target: '{space.target}' is for clocks, not for the classes of "
            f"'{space.data}': leave it out"
        )
    if not on_dial and protocol.loss not in (None, OF_CLASSES):
        raise InputError(
            f"{shown} [protocol] loss: {protocol.loss} is not for classes, which are trained by "
            f"{OF_CLASSES}"
        )
    if on_dial != (protocol.objective == OF_DIAL):
        fits = f"scored by '{OF_DIAL}'" if on_dial else "not scored in minutes"
        raise InputError(
            f"{shown} [protocol] objective: networks on '{space.data}' are {fits} (got "
            f"'{protocol.objective}')"
        )
    try:
        _ = space.task
    except ValueError as error:
        raise InputError(f"{shown} target: {error}") from None


def check_named(space: Space, shown: str) -> None:
    """Refuse named values that the space does not allow, and a number that two questions have.

    Args:
        space: one that its family can build.
        shown: what errors call its file.

    Raises:
        InputError: the message names the file, the table and the value.
    """
    for place, chosen in enumerate(space.points_to_evaluate, start=1):
        try:
            space.complete(chosen)
        except InputError as error:
            raise InputError(f"{shown} [[points_to_evaluate]] {place}: {error}") from None
    numbers = [question.number for question in space.questions]
    for question in space.questions:
        table = f"{shown} [[questions]] {question.number}"
        if numbers.count(question.number) > 1:
            raise InputError(f"{table}: {numbers.count(question.number)} questions have the number")
        try:
            space.asked_by(question)
        except InputError as error:
            raise InputError(f"{table}: {error}") from None


_TABLES: dict[str, type[Table]] = {
    "": Space,
    "input": Input,
    "protocol": Protocol,
    "limits": Limits,
    "rules": Rules,
    "questions": Question,
}
