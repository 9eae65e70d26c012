"""The hyperparameters a space file can declare, under KerasTuner's own argument names.

Each knows which values it allows; none knows the model, the protocol or KerasTuner.
"""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from .table import Table

# Values of one hyperparameter: TPE goes through all that its step makes.
MAX_STEPS, MAX_CHOICES = 100_000, 1_000


def _is_alike(value: Any, kind: type) -> bool:
    """Whether a value is of this type; a whole number counts as a decimal one, True as neither."""
    return type(value) is kind or (kind is float and type(value) is int)


class _Hyperparameter(Table):
    per: Literal["block", "layer"] | None = None
    parent_name: str | None = None
    parent_values: list[bool | int | float | str] | None = Field(None, min_length=1)
    defaults: list[bool | int | float | str] | None = Field(None, min_length=1)

    @model_validator(mode="after")
    def _parent_is_whole(self) -> "_Hyperparameter":
        if (self.parent_name is None) != (self.parent_values is None):
            raise ValueError("parent_name and parent_values go together")
        if self.per and self.parent_name is not None:
            raise ValueError(
                f'per = "{self.per}" and parent_name exclude each other: the {self.per} is the '
                f"parent"
            )
        return self

    @model_validator(mode="after")
    def _defaults_are_allowed(self) -> "_Hyperparameter":
        if self.defaults and not self.per:
            raise ValueError('defaults are for per = "block" or "layer", one of each')
        if self.defaults and isinstance(self, Fixed):
            raise ValueError("defaults are not for type 'Fixed', which has one value for all")
        for value in self.defaults or []:
            if not self.allows(value):
                raise ValueError(
                    f"defaults has {value!r}, which is not allowed ({self.describe()})"
                )
        return self

    def at(self, number: int) -> Self:
        """That of the `number`th block or layer, from 1, which may have a default of its own."""
        if self.defaults and number <= len(self.defaults):
            return self.model_copy(update={"default": self.defaults[number - 1]})
        return self

    def allows(self, value: Any) -> bool:
        """Whether the space allows this value."""
        raise NotImplementedError

    def describe(self) -> str:
        """What is allowed, for an error: `min_value 1, max_value 5`."""
        keys = self.model_dump(include={"min_value", "max_value", "values", "value"})
        return ", ".join(f"{key} {value}" for key, value in keys.items()) or "true or false"


class _Range(_Hyperparameter):
    min_value: float
    max_value: float
    step: float | None = Field(None, gt=0)
    sampling: Literal["linear", "log", "reverse_log"] = "linear"
    default: float

    @model_validator(mode="after")
    def _range_is_ordered(self) -> "_Range":
        if self.min_value > self.max_value:
            raise ValueError(
                f"min_value <= max_value must hold, but got {self.min_value:g} and "
                f"{self.max_value:g}"
            )
        if not self.min_value <= self.default <= self.max_value:
            raise ValueError(
                f"default {self.default:g} is outside {self.min_value:g} to {self.max_value:g}"
            )
        if self.sampling != "linear" and self.min_value <= 0:
            raise ValueError(f"sampling '{self.sampling}' needs min_value above 0")
        if self.sampling != "linear" and self.step is not None and self.step <= 1:
            raise ValueError(
                f"sampling '{self.sampling}' multiplies by step, which must be above 1"
            )
        if self._count_steps() > MAX_STEPS:
            raise ValueError(
                f"from {self.min_value:g} to {self.max_value:g} there are more than {MAX_STEPS:,} "
                f"values: make step larger, or leave it out"
            )
        return self

    def _count_steps(self) -> float:
        """How many values a step makes, about; infinitely many where a logarithm cannot tell."""
        if self.sampling == "linear":
            return (self.max_value - self.min_value) / self.step if self.step else 0
        ratio = self.max_value / self.min_value
        if math.isinf(ratio):
            return ratio
        return math.log(ratio) / math.log(self.step) if self.step else 0

    @property
    def extremes(self) -> list[Any]:
        """The values that the model family must accept."""
        return [self.min_value, self.max_value, self.default]

    def allows(self, value: Any) -> bool:
        """Whether the space allows this value."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and self.min_value <= value <= self.max_value


class Int(_Range):
    """A whole number: `kt.HyperParameters.Int`."""

    type: Literal["Int"]
    min_value: int
    max_value: int
    step: int | None = Field(None, ge=1)
    default: int

    def allows(self, value: Any) -> bool:
        """Whether the space allows this value."""
        return super().allows(value) and isinstance(value, int)


class Float(_Range):
    """A real number: `kt.HyperParameters.Float`."""

    type: Literal["Float"]


class Choice(_Hyperparameter):
    """One of a list: `kt.HyperParameters.Choice`. Numbers are ordered, words are not."""

    type: Literal["Choice"]
    values: list[int | float | str] = Field(min_length=1, max_length=MAX_CHOICES)
    ordered: bool | None = None
    default: int | float | str

    @field_validator("default")
    @classmethod
    def _default_is_alike(cls, default: Any, info: ValidationInfo) -> Any:
        """A default of 0 among decimal values is 0.0: an oracle would take 0 for another value."""
        kind = type(info.data.get("values", [default])[0])
        return float(default) if kind is float and type(default) is int else default

    @model_validator(mode="after")
    def _values_are_alike(self) -> "Choice":
        if len({type(value) for value in self.values}) > 1:
            raise ValueError(
                f"values {self.values} must be all whole numbers, all decimal ones (0.0, not 0) "
                f"or all words"
            )
        value, times = Counter(self.values).most_common(1)[0]
        if times > 1:
            raise ValueError(f"values has {value!r} {times} times")
        if self.ordered and isinstance(self.values[0], str):
            raise ValueError("ordered = true is for numbers; words have no order")
        return self

    @model_validator(mode="after")
    def _default_is_a_choice(self) -> "Choice":
        if not self.allows(self.default):
            raise ValueError(f"default {self.default!r} is none of values {self.values}")
        return self

    @property
    def extremes(self) -> list[Any]:
        """The values that the model family must accept."""
        return self.values

    def allows(self, value: Any) -> bool:
        """Whether the space allows this value."""
        return _is_alike(value, type(self.values[0])) and value in self.values


class Boolean(_Hyperparameter):
    """True or false: `kt.HyperParameters.Boolean`."""

    type: Literal["Boolean"]
    default: bool

    @property
    def extremes(self) -> list[Any]:
        """The values that the model family must accept."""
        return [self.default]

    def allows(self, value: Any) -> bool:
        """Whether the space allows this value."""
        return isinstance(value, bool)


class Fixed(_Hyperparameter):
    """One value, not searched: `kt.HyperParameters.Fixed`."""

    type: Literal["Fixed"]
    value: bool | int | float | str

    @property
    def default(self) -> Any:
        """The one value."""
        return self.value

    @property
    def extremes(self) -> list[Any]:
        """The values that the model family must accept."""
        return [self.value]

    def allows(self, value: Any) -> bool:
        """Whether the space allows this value."""
        return _is_alike(value, type(self.value)) and bool(value == self.value)


TYPES: dict[str, type[Table]] = {
    "Int": Int,
    "Float": Float,
    "Choice": Choice,
    "Boolean": Boolean,
    "Fixed": Fixed,
}
Hyperparameter = Annotated[Int | Float | Choice | Boolean | Fixed, Field(discriminator="type")]


class Declaration(Table):
    """One hyperparameter under its full name, active while every parent has one of its values."""

    name: str
    hyperparameter: Hyperparameter
    parents: dict[str, list[Any]]

    def is_active(self, values: Mapping[str, Any]) -> bool:
        """Whether the hyperparameter is active with these values."""
        return all(values.get(name) in allowed for name, allowed in self.parents.items())
