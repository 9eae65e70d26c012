"""The journal's records as types: each checked for itself when it is read.

consistency.py compares a line with those before it. A line that has passed both is what svhn_tune
itself would have written, so nobody who reads it need check it again.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from ..bounds import MAX_EPOCHS, MAX_RUNS
from ..errors import say_invalid, shorten
from .lines import Line
from .other_data import OtherData, StrictTable
from .predictions import count_predictions

MOST_SECONDS = 1e12

Stage = Literal["search", "confirm"]
Number = Annotated[int, Field(ge=0, le=10**9)]
RunNumber = Annotated[int, Field(ge=0, lt=MAX_RUNS)]
Epochs = Annotated[int, Field(ge=1, le=MAX_EPOCHS)]
Threads = Annotated[int, Field(ge=1, le=4096)]
Sum = Annotated[int, Field(ge=0, le=10**15)]
Seconds = Annotated[float, Field(ge=0, le=MOST_SECONDS)]
Single = Annotated[float, Field(ge=-3.5e38, le=3.5e38)]  # what float32 holds
Values = dict[str, Any]  # the space says which


class _Line(StrictTable):
    """A line of the journal, told by its `event`."""

    event: str

    def as_json(self) -> Line:
        """The line as the journal has it: without the fields that it was not given."""
        return {"event": self.event, **self.model_dump(exclude_unset=True)}


class TrialRecord(_Line):
    """A trial that the oracle proposed: train `values` from `initial_epoch` to `epochs`.

    `parent` is the trial that it continues. One of a round above 0 that continues none trains its
    values again, from another seed.
    """

    event: Literal["trial"] = "trial"
    trial: Number
    values: Values
    initial_epoch: Annotated[int, Field(ge=0, lt=MAX_EPOCHS)]
    epochs: Epochs
    parent: Number | None
    bracket: Number | None
    round: Number | None
    threads: Threads = 1

    @property
    def begins_new(self) -> bool:
        """Whether no trial had its values before."""
        return self.parent is None and not self.round


class RunRecord(_Line):
    """A run that ended, as `run_record` writes it; `metrics` has one value per epoch it trained.

    `trained_by` are engines with their versions and, of JAX, how many seeds trained together; more
    than one where the run went on with another.

    One that failed, or whose loss became no finite number, has no score.
    """

    event: Literal["run"] = "run"
    stage: Stage
    trial: Number
    root: Number
    run: RunNumber
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    values: Values
    initial_epoch: Annotated[int, Field(ge=0, lt=MAX_EPOCHS)]
    epochs: Epochs
    planned_epochs: Epochs
    status: Literal["completed", "failed"]
    score: Single | None
    collapsed: bool
    metrics: dict[str, list[Single | None]]
    seconds: Seconds
    parameters: Sum | None
    file_bytes: Sum | None
    reason: str
    data_fingerprint: str | None = None
    train_images: Annotated[int, Field(ge=1)] | None
    versions: dict[str, str]
    device: str | None
    weights_sha256: str | None = None
    trained_by: list[str] = Field(default_factory=list)
    threads: Threads = 1
    test: dict[str, Single | None] = Field(default_factory=dict)
    predicted: str | None = None
    predicted_as: Literal["uint8", "uint16", "float32"] = "uint8"
    confusion: list[list[Number]] | None = None

    @property
    def trained(self) -> int:
        """Epochs that this run trained itself: none where it had diverged before."""
        return max(self.epochs - self.initial_epoch, 0)

    @property
    def spared(self) -> int:
        """Epochs of the plan that it did not train: a run whose loss is no number ends early."""
        return self.planned_epochs - max(self.epochs, self.initial_epoch)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.epochs > self.planned_epochs:
            raise ValueError(f"epochs={self.epochs} is above planned_epochs={self.planned_epochs}")
        if self.status == "completed":
            if None in (self.parameters, self.file_bytes):
                raise ValueError("a completed run has parameters and file_bytes")
            if self.epochs < self.planned_epochs and not self.collapsed:
                raise ValueError(
                    f"epochs={self.epochs} is below planned_epochs={self.planned_epochs}, but the "
                    f"run neither failed nor collapsed"
                )
            if self.score is None and not self.collapsed:
                raise ValueError("score=None of a run that neither failed nor collapsed")
        for name, values in self.metrics.items():
            if not values or len(values) != self.trained:
                raise ValueError(
                    f"metrics.{name} has {len(values)} values for {self.trained} trained epochs"
                )
        if any(value is None or value < 0 for value in self.metrics.get("seconds", [])):
            raise ValueError("metrics.seconds has a time below 0, or none")
        self._check_predicted()
        return self

    def _check_predicted(self) -> None:
        count = None
        if self.predicted is not None:
            count = count_predictions(self.predicted, self.predicted_as)
        if self.confusion is None:
            return
        if any(len(row) != len(self.confusion) for row in self.confusion):
            raise ValueError("confusion has not as many columns as rows")
        images = sum(map(sum, self.confusion))
        if images == 0 or count not in (None, images):
            raise ValueError(f"confusion is of {images} images, predicted of {count}")


class SessionRecord(_Line):
    """What a call has spent so far: the last one of a call (named by `began`) counts."""

    event: Literal["session"] = "session"
    stage: Stage
    began: Seconds
    workers: Annotated[int, Field(ge=1)]
    seconds: Seconds
    seconds_left: Annotated[float, Field(ge=-MOST_SECONDS, le=MOST_SECONDS)] | None = None


class PlannedRun(StrictTable):
    """A run that a call of confirm set out to train, with the others of its `cohort`, if any."""

    trial: Number
    root: Number
    run: RunNumber
    epochs: Epochs
    cohort: Number | None = None
    threads: Threads = 1


class BeginRecord(_Line):
    """What a call set out to do; `runs` are confirm's (of a `question`), none in search.

    `data` are those that confirm trains on, where they are not the search's.

    A search that time ends has set out to no number of trials and epochs.
    """

    event: Literal["begin"] = "begin"
    stage: Stage
    began: Seconds
    workers: Annotated[int, Field(ge=1)]
    trials: Sum | None
    epochs: Sum | None
    stops: float | None = None
    runs: list[PlannedRun]
    question: Number | None = None
    engine: str | None = None
    data: OtherData | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.data is not None and self.stage != "confirm":
            raise ValueError(f"data in a {self.stage}")
        if (self.stage == "confirm") != bool(self.runs):
            raise ValueError(f"runs has {len(self.runs)} entries in a {self.stage}")
        if len({run.epochs for run in self.runs}) > 1:
            raise ValueError("runs differ in epochs")
        wanted = (len(self.runs), sum(run.epochs for run in self.runs))
        if self.runs and (self.trials, self.epochs) != wanted:
            raise ValueError(
                f"trials={self.trials} and epochs={self.epochs}, where runs has {wanted[0]} and "
                f"{wanted[1]}"
            )
        if len({(run.root, run.run) for run in self.runs}) < len(self.runs):
            raise ValueError("runs has an entry twice")
        return self


class ChoiceRecord(_Line):
    """The roots that confirm chose, and the runs as [root, run] on whose scores it did.

    With `question`, it chose among the configurations that the question names.
    """

    event: Literal["choice"] = "choice"
    epochs: Epochs
    question: Number | None = None
    chosen: Annotated[list[Number], Field(min_length=1)]
    used: Annotated[
        list[Annotated[list[Number], Field(min_length=2, max_length=2)]], Field(min_length=1)
    ]


Record = TrialRecord | RunRecord | SessionRecord | BeginRecord | ChoiceRecord
_TYPES: dict[str, type[Record]] = {
    "trial": TrialRecord,
    "run": RunRecord,
    "session": SessionRecord,
    "begin": BeginRecord,
    "choice": ChoiceRecord,
}


def from_json(line: Line) -> Record:
    """A line of the journal with its type.

    Raises:
        ValueError: it is none; the message names the field, its value and what is wrong.
    """
    event = line["event"]
    found = _TYPES.get(event) if isinstance(event, str) else None
    if found is None:
        raise ValueError(f"event={shorten(event)} is none of {', '.join(_TYPES)}")
    try:
        return found.model_validate(line)
    except ValidationError as error:
        raise ValueError(say_invalid(error)) from None
