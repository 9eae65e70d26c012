"""project.json: what a search was asked, on which data, and with which versions.

Each of its fields is declared once, here.
"""

import errno
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..bounds import MAX_EPOCHS, MAX_TRIALS
from ..errors import InputError, cannot_write, say_invalid
from ..files import parse_json, write_atomically
from ..models.spaces import parse_space
from ..space.space import Space
from .numbers import RANGES
from .record_types import MOST_SECONDS


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class DataSettings(_Table):
    """Which data were searched: the fingerprint is of their bytes, `source` where they were."""

    name: str
    fingerprint: str
    synthetic: bool
    source: str


class Settings(_Table):
    """What a project was begun with. `budget` is in seconds; `max_trials` and it may change."""

    tuner: Literal["hyperband", "bayesian", "tpe", "random"]
    max_epochs: Annotated[int, Field(ge=1, le=MAX_EPOCHS)]
    factor: Annotated[int, Field(ge=2, le=MAX_EPOCHS)]
    max_trials: Annotated[int, Field(ge=1, le=MAX_TRIALS)]
    seed: Annotated[int, Field(ge=RANGES["seed"][0], le=RANGES["seed"][1])]
    train_images: Annotated[int, Field(ge=1)] | None
    validate_on: Literal["holdout", "test"]
    budget: Annotated[float, Field(ge=0, le=MOST_SECONDS)] | None = None
    space: Annotated[str, Field(min_length=1)]
    space_sha256: str
    data: DataSettings
    versions: dict[str, str] = {}
    machine: str = ""

    @property
    def tuning(self) -> dict[str, Any]:
        """What decides which trials are proposed: arguments of `make_oracle`."""
        return self.model_dump(include={"tuner", "seed", "max_epochs", "factor", "max_trials"})

    def as_json(self) -> dict[str, Any]:
        """The settings as the file has them."""
        return self.model_dump(exclude_unset=True)


def make_valid_settings(settings: Any) -> Settings:
    """The settings with their types.

    Raises:
        InputError: one is wrong; the message names the field, its value and what is wrong.
    """
    try:
        return Settings.model_validate(settings)
    except ValidationError as error:
        raise InputError(say_invalid(error)) from None


def read_settings(path: Path) -> Settings:
    """The settings in a project.json.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        _refuse_pipe(path)
        return make_valid_settings(parse_json(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise _not_whole(path, error) from None


def read_searched_space(path: Path, settings: Settings) -> Space:
    """The space of a project's space.toml, which is as it was when the search began.

    Raises:
        InputError: it is missing, damaged, or not the one that was searched.
    """
    try:
        _refuse_pipe(path)
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _not_whole(path, error) from None
    space = parse_space(text, settings.space, str(path))
    if space.sha256 != settings.space_sha256:
        raise InputError(
            f"{path} is not the file that was searched (sha256 {settings.space_sha256[:8]} in "
            f"project.json, now {space.sha256[:8]}): restore it from a copy, or pass another "
            f"--project"
        )
    return space


def _refuse_pipe(path: Path) -> None:
    """Reading one would never end."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "Not a file")


def _not_whole(path: Path, error: Exception) -> InputError:
    reason = error.strerror if isinstance(error, OSError) else error
    return InputError(
        f"{path.parent} is no whole project: its {path.name} is missing or damaged ({reason}); "
        f"restore it from a copy, or pass another --project"
    )


def write_settings(path: Path, settings: Settings) -> None:
    """Write a project.json, whole or not at all.

    Raises:
        InputError: it cannot be written.
    """
    try:
        write_atomically(path, json.dumps(settings.as_json(), indent=2) + "\n")
    except OSError as error:
        raise cannot_write(path, error.strerror) from None
