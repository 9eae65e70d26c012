"""search_spaces/*.toml -> Space: read, validated, hashed.

A space says what is studied and under which rules. This module knows neither Keras nor KerasTuner:
models/cnn.py turns the declarations into `kt.HyperParameters`.
"""

import hashlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import ByteSize, Field, ValidationError, field_validator, model_validator

from ..bounds import MAX_EPOCHS
from ..errors import CONTROLS, InputError, nearest
from ..models.cnn import FAMILIES
from ..models.spaces import check_family
from .complaints import describe_complaint
from .hyperparameters import Declaration, Hyperparameter, Table
from .space_file import parse_tables, read_space_file


class Protocol(Table):
    """How every run trains, and what it is scored by. Rates are Keras's, epochs are whole."""

    epochs: int = Field(ge=1, le=MAX_EPOCHS)
    batch_size: int = Field(32, ge=1, le=65_536)
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"] = "adam"
    learning_rate: float = Field(gt=0, le=10)
    loss: Literal["categorical_crossentropy"] = "categorical_crossentropy"
    objective: Literal["val_categorical_accuracy", "val_loss"] = "val_categorical_accuracy"
    validation: Literal["holdout", "test"] = "holdout"
    min_epochs: int = Field(1, ge=1)

    @model_validator(mode="after")
    def _round_fits(self) -> "Protocol":
        if self.min_epochs > self.epochs:
            raise ValueError(
                f"min_epochs <= epochs must hold, but got {self.min_epochs} and {self.epochs}"
            )
        return self

    @property
    def direction(self) -> Literal["max", "min"]:
        """Whether a higher or a lower objective is better."""
        return "min" if self.objective == "val_loss" else "max"


class Limits(Table):
    """What a model must stay under. `file_size` is in bytes of the .keras file handed in."""

    file_size: ByteSize = Field(gt=0, le=2**40)


class Space(Table):
    """A space file: data, model, protocol, limits and hyperparameters.

    `name` is the file's stem, `text` the file as it was read; both are set by `load_space`.
    """

    name: str
    text: str
    title: str = Field(min_length=1, max_length=200)
    data: Literal["svhn"]
    model: Literal["cnn"]
    protocol: Protocol
    limits: Limits
    hyperparameters: dict[str, Hyperparameter]

    @field_validator("title")
    @classmethod
    def _title_is_a_line(cls, title: str) -> str:
        if CONTROLS.search(title):
            raise ValueError("control characters and line ends have no place in it")
        return title

    @cached_property
    def sha256(self) -> str:
        """The hash of the file's text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def declarations(self) -> list[Declaration]:
        """Every hyperparameter, `per = "block"` ones once a block, parents before children."""
        return sorted(self._declare(), key=lambda declaration: len(declaration.parents))

    def _declare(self) -> Iterator[Declaration]:
        blocks = self.hyperparameters.get("blocks")
        count = int(max(blocks.extremes)) if blocks else FAMILIES[self.model]["blocks"].default
        for name, given in self.hyperparameters.items():
            parents: dict[str, list[Any]] = {}
            if given.parent_name is not None:
                # KerasTuner makes all of [0, 0.5] whole.
                kind = type(self.hyperparameters[given.parent_name].default)
                parents[given.parent_name] = [kind(value) for value in given.parent_values or ()]
            if given.per is None:
                yield Declaration(name=name, hyperparameter=given, parents=parents)
                continue
            for block in range(1, count + 1):
                exists: dict[str, list[Any]] = {}
                if blocks:
                    exists["blocks"] = list(range(block, count + 1))
                yield Declaration(
                    name=f"{name}_{block}", hyperparameter=given, parents=parents | exists
                )

    @cached_property
    def baseline(self) -> dict[str, Any]:
        """The default values, active ones only (for `cnn`: question 1's model)."""
        return self.complete({})

    def complete(
        self, chosen: Mapping[str, Any], base: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The baseline with `chosen` values in it, active ones only.

        Args:
            chosen: values of active hyperparameters.
            base: values to begin with instead, such as a trial's; `chosen` may switch some off.

        Raises:
            InputError: a name that is not declared, a value that the space does not allow, or a
                value of a hyperparameter that the other values switch off.
        """
        given_values = {**(base or {}), **chosen}
        values: dict[str, Any] = {}
        for declaration in self.declarations:
            if declaration.is_active(values):
                name, given = declaration.name, declaration.hyperparameter
                values[name] = given_values.get(name, given.default)
                if not given.allows(values[name]):
                    raise InputError(
                        f"{name}={values[name]!r} is not in the space '{self.name}' "
                        f"({given.describe()})"
                    )
        known = {declaration.name: declaration for declaration in self.declarations}
        for name in chosen:
            if name not in known:
                raise InputError(
                    f"no hyperparameter '{name}' in the space '{self.name}'.{nearest(name, known)}"
                )
            if name not in values:
                parents = [f"{parent}={values.get(parent)}" for parent in known[name].parents]
                raise InputError(f"{name} is not active with {' and '.join(parents)}")
        return values

    def changes(self, values: Mapping[str, Any]) -> str:
        """What differs from the baseline, in words: `units=128 l2_1=0.001`."""
        defaults = {each.name: each.hyperparameter.default for each in self.declarations}
        changed = [f"{name}={value}" for name, value in values.items() if defaults[name] != value]
        return " ".join(changed) or "baseline"


def spaces_folder() -> Path:
    """Where the spaces are: in the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "search_spaces"
    return inside if inside.is_dir() else package.parent / "search_spaces"


def space_names() -> list[str]:
    """The names of the spaces there are, sorted."""
    return sorted(path.stem for path in spaces_folder().glob("*.toml"))


def load_space(name: str | Path) -> Space:
    """The space of this name in search_spaces/, or of this path to a .toml file.

    Raises:
        InputError: no such space, or a file that is not a valid one; the message names the file,
            the table and the key.
    """
    path = Path(name)
    if path.suffix == ".toml":
        shown = str(name)
        if path.stem.startswith(".") or CONTROLS.search(path.stem):
            raise InputError(
                f"a space is named by its file: '{path.stem}' must not begin with a dot or have "
                f"control characters"
            )
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


def parse_space(text: str, name: str, shown: str) -> Space:
    """The space in the TOML `text`; `shown` is what errors call the file."""
    tables = parse_tables(text, shown)
    if own := {"name", "text"} & set(tables):
        raise InputError(f"{shown} has no key '{min(own)}': a space is named by its file")
    try:
        space = Space.model_validate({"name": name, "text": text, **tables})
    except ValidationError as error:
        raise InputError(f"{shown} {describe_complaint(error, _TABLES)}") from None
    check_family(space, shown)
    return space


_TABLES: dict[str, type[Table]] = {"protocol": Protocol, "limits": Limits, "": Space}
