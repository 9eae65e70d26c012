"""project.json: what a search was asked, on which data, and with which versions.

Each of its fields is declared once, here.
"""

import errno
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from ..bounds import MAX_COST, MAX_EPOCHS, MAX_TRIALS
from ..errors import InputError, cannot_write, say_invalid
from ..files import parse_json, write_atomically
from ..models.spaces import parse_space
from ..space.space import Space
from .numbers import RANGES
from .other_data import StrictTable
from .record_types import MOST_SECONDS

_Seconds = Annotated[list[Annotated[float, Field(ge=0)]], Field(min_length=5, max_length=5)]


class DataSettings(StrictTable):
    """Which data were searched: the fingerprint is of their bytes, `source` where they were."""

    name: str
    fingerprint: str
    synthetic: bool
    source: str


class Cap(StrictTable):
    """How much an epoch of a model may cost, and the estimate by which that is known.

    Frozen as the search begins, so that it proposes alike on any machine that goes on with it.

    Args:
        most: in times of what an epoch of the baseline costs.
        most_for_points: the same, for the space's points to evaluate; None where `most` holds for
            them, too.
        share: what a run of full length may take of the hours; None where `most` was given.
        left_out: which share of the feasible models costs more.
        train, rest: seconds for each of `train_units` and of `rest_units` (models/work.py).
        images, validation: trained on and evaluated in each epoch.
    """

    most: Annotated[float, Field(ge=1, le=MAX_COST)]
    most_for_points: Annotated[float, Field(ge=1)] | None = None
    share: Annotated[float, Field(gt=0, le=1)] | None
    left_out: Annotated[float, Field(ge=0, le=1)]
    train: _Seconds
    rest: _Seconds
    images: Annotated[int, Field(ge=1)]
    validation: Annotated[int, Field(ge=0)]

    def seconds(self, space: Space, values: Mapping[str, Any]) -> float:
        """The estimate for an epoch of the model of feasible `values`, on one core."""
        # Imported late: numpy, which `status` need not wait for.
        from ..models.work import measure_work, rest_units, train_units

        work = measure_work(space, values)
        trained = train_units(work, self.images, space.protocol.batch_size)
        return float(trained @ self.train + rest_units(work, self.validation) @ self.rest)

    def as_dict(self) -> dict[str, Any]:
        """What plan, status and report say of it."""
        return self.model_dump(include={"most", "most_for_points", "share", "left_out"})

    def times(self, space: Space, values: Mapping[str, Any]) -> float:
        """How many times the baseline's epoch it costs."""
        return self.seconds(space, values) / self.seconds(space, space.baseline)

    def make_test(self, space: Space) -> Callable[[Mapping[str, Any]], bool]:
        """A function that says whether a search may propose the model of feasible values."""
        baseline, points = self.seconds(space, space.baseline), space.points

        def is_affordable(values: Mapping[str, Any]) -> bool:
            most = self.most
            if self.most_for_points is not None and values in points:
                most = self.most_for_points
            return self.seconds(space, values) <= most * baseline

        return is_affordable


class Settings(StrictTable):
    """What a project was begun with. `budget` is in seconds; `max_trials` and it may change.

    Without `max_trials`, which halving may lack, time ends the search.
    """

    tuner: Literal["halving", "hyperband", "bayesian", "tpe", "random"]
    max_epochs: Annotated[int, Field(ge=1, le=MAX_EPOCHS)]
    factor: Annotated[int, Field(ge=2, le=MAX_EPOCHS)]
    max_trials: Annotated[int, Field(ge=1, le=MAX_TRIALS)] | None
    seed: Annotated[int, Field(ge=RANGES["seed"][0], le=RANGES["seed"][1])]
    train_images: Annotated[int, Field(ge=1)] | None
    validate_on: Literal["holdout", "test"]
    engine: Literal["tensorflow", "jax"] = "tensorflow"
    cap: Cap | None = None
    budget: Annotated[float, Field(ge=0, le=MOST_SECONDS)] | None = None
    space: Annotated[str, Field(min_length=1)]
    space_sha256: str
    data: DataSettings
    versions: dict[str, str] = Field(default_factory=dict)
    machine: str = ""

    @property
    def max_cost(self) -> float | None:
        """What an epoch may cost, in times of the baseline's; None for no such limit."""
        return None if self.cap is None else self.cap.most

    @property
    def tuning(self) -> dict[str, Any]:
        """What decides which trials are proposed, beside the cap on what they cost."""
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
