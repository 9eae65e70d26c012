"""search_spaces/*.toml -> Space: what a file says, validated, hashed; reading.py reads it.

A space says what is studied and under which rules. This module knows no model family, and neither
Keras nor KerasTuner: models/spaces.py checks a space against its family, and models/hypermodel.py
turns the declarations into `kt.HyperParameters`.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import ByteSize, Field

from ..bounds import MAX_COST
from ..errors import InputError
from .complaints import say_unknown
from .hyperparameters import Declaration, Hyperparameter
from .objective import OBJECTIVES, Objective
from .protocol import Input, Protocol
from .questions import Question
from .table import Line, Table
from .targets import parse_target
from .task import SOURCES, Task


class Limits(Table):
    """What a model must stay under.

    `file_size` is in bytes of the .keras file handed in; `cost` in times of what an epoch of the
    baseline takes, None for no such limit.
    """

    file_size: ByteSize = Field(gt=0, le=2**40)
    cost: float | None = Field(None, ge=1, le=MAX_COST)


class Rules(Table):
    """What `check` asks of a model besides shapes, layers and protocol; None allows everything.

    `hidden_activations` are functions of `keras.activations`, `hidden_dense` the numbers of hidden
    dense layers.
    """

    hidden_activations: Annotated[list[str], Field(min_length=1)] | None = None
    hidden_dense: Annotated[list[int], Field(min_length=1)] | None = None


class Space(Table):
    """A space file: data, model, protocol, limits and hyperparameters.

    `target` is what the network is asked for, where labels are minutes around a dial. `name` is the
    file's stem, `text` the file as it was read; both are set by whoever read it.
    `points_to_evaluate` are what one would try without a search, each as what it changes of the
    baseline: the search trains them first, those that its limit on cost allows.
    """

    name: str
    text: str
    title: Line
    data: Literal["svhn", "cifar10", "fashion_mnist", "clocks", "clocks_150"]
    target: str | None = None
    model: str
    input: Input = Input()
    protocol: Protocol
    limits: Limits
    rules: Rules = Rules()
    hyperparameters: dict[str, Hyperparameter]
    questions: list[Question] = Field(default_factory=list)
    points_to_evaluate: list[dict[str, Any]] = Field(default_factory=list)

    @cached_property
    def sha256(self) -> str:
        """The hash of the file's text, in hexadecimal."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def searched(self) -> dict[str, Any]:
        """All that a search depends on: the file without its comments, title and rules."""
        return self.model_dump(exclude={"name", "text", "title", "rules"})

    @cached_property
    def task(self) -> Task:
        """Which images go in, and what is to come out.

        Raises:
            ValueError: there is no such target, or it does not fit the loss.
        """
        asked = self.target and parse_target(self.target, self.protocol.loss)
        is_first = self.input.channels == "first"
        return replace(SOURCES[self.data], channels_first=is_first, asked=asked or None)

    def on(self, source: str) -> "Space":
        """The space on the images of another source: its models are built for those."""
        return Space.model_validate(self.model_dump() | {"data": source})

    @property
    def objective(self) -> Objective:
        """What runs are scored by."""
        return OBJECTIVES[self.protocol.objective]

    @cached_property
    def declarations(self) -> list[Declaration]:
        """Every hyperparameter, parents before children; one of `per = "block"` once per block."""
        return sorted(self._declare(), key=lambda declaration: len(declaration.parents))

    def _declare(self) -> Iterator[Declaration]:
        for name, given in self.hyperparameters.items():
            parents: dict[str, list[Any]] = {}
            if given.parent_name is not None:
                # KerasTuner rounds every value of [0, 0.5] to a whole number.
                kind = type(self.hyperparameters[given.parent_name].default)
                parents[given.parent_name] = [kind(value) for value in given.parent_values or ()]
            if given.per is None:
                yield Declaration(name=name, hyperparameter=given, parents=parents)
                continue
            # One per block or layer there can be; the n-th is active where there are n or more.
            most = int(max(self.hyperparameters[f"{given.per}s"].extremes))
            for number in range(1, most + 1):
                exists = {f"{given.per}s": list(range(number, most + 1))}
                yield Declaration(
                    name=f"{name}_{number}",
                    hyperparameter=given.at(number),
                    parents=parents | exists,
                )

    @cached_property
    def baseline(self) -> dict[str, Any]:
        """The default values, active ones only (for `cnn`: question 1's model)."""
        return self.complete({})

    @cached_property
    def listed(self) -> list[dict[str, Any]]:
        """The values of the baseline and of all that the questions name, once each."""
        found = [self.baseline]
        for question in self.questions:
            found += [values for values in self.asked_by(question) if values not in found]
        return found

    @cached_property
    def points(self) -> list[dict[str, Any]]:
        """The values of `points_to_evaluate` that are not `listed`, once each.

        Raises:
            InputError: a value that the space does not allow.
        """
        found: list[dict[str, Any]] = []
        for chosen in self.points_to_evaluate:
            values = self.complete(chosen)
            if values not in [*self.listed, *found]:
                found.append(values)
        return found

    def epochs_of(self, number: int | None) -> int:
        """The epochs of a question's runs, or the protocol's."""
        found = next((each.epochs for each in self.questions if each.number == number), None)
        return found or self.protocol.epochs

    def epochs_asked(self, values: Mapping[str, Any]) -> set[int]:
        """The epochs that a run of these values may have: the protocol's, and its questions'."""
        asked = [each for each in self.questions if values in self.asked_by(each)]
        return {self.protocol.epochs} | {each.epochs for each in asked if each.epochs}

    def asked_by(self, question: Question) -> list[dict[str, Any]]:
        """The values of each configuration that a question names, in its order.

        Raises:
            InputError: a value that the space does not allow.
        """
        return [self.complete(chosen) for chosen in question.configurations]

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
                raise InputError(say_unknown(name, self.name, self.declarations))
            if name not in values:
                parents = [f"{parent}={values.get(parent)}" for parent in known[name].parents]
                raise InputError(f"{name} is not active with {' and '.join(parents)}")
        return values

    def changes(self, values: Mapping[str, Any]) -> str:
        """What differs from the baseline, in words: `units=128 l2_1=0.001`."""
        defaults = {each.name: each.hyperparameter.default for each in self.declarations}
        changed = [f"{name}={value}" for name, value in values.items() if defaults[name] != value]
        return " ".join(changed) or "baseline"
