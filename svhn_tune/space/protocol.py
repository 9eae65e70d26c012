"""How every run of a space trains, and how the network gets its images."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, model_validator

from ..bounds import MAX_EPOCHS
from .table import Table

Optimizer = Literal["adam", "adamw", "sgd", "rmsprop"]
OPTIMIZERS: tuple[str, ...] = get_args(Optimizer)
WITH_MOMENTUM = ("sgd", "rmsprop")  # that take a momentum


class Protocol(Table):
    """How every run trains, and what it is scored by. Rates are Keras's, epochs are whole.

    `validation_split` is that of Keras's `fit`, but stratified: every run, confirm's too, trains on
    the rest. Without it search holds out a few images, and confirm trains on all. With `test_curve`
    confirm evaluates the test set after each epoch, too, to be shown; nothing is chosen by that.
    `loss` is that of the output, of two heads that of the second; None for the target's own.
    """

    epochs: int = Field(ge=1, le=MAX_EPOCHS)
    batch_size: int = Field(32, ge=1, le=65_536)
    optimizer: Optimizer = "adam"
    learning_rate: float = Field(gt=0, le=10)
    momentum: float = Field(0.0, ge=0, le=0.999)
    loss: (
        Literal["categorical_crossentropy", "mean_squared_error", "mean_absolute_error", "huber"]
        | None
    ) = None
    objective: Literal["val_categorical_accuracy", "val_loss", "val_minutes"] = (
        "val_categorical_accuracy"
    )
    validation: Literal["holdout", "test"] = "holdout"
    validation_split: float | None = Field(None, ge=0.01, le=0.9)
    test_curve: bool = False
    min_epochs: int = Field(1, ge=1)

    @model_validator(mode="after")
    def _round_fits(self) -> "Protocol":
        if self.min_epochs > self.epochs:
            raise ValueError(
                f"min_epochs <= epochs must hold, but got {self.min_epochs} and {self.epochs}"
            )
        if self.momentum and self.optimizer not in WITH_MOMENTUM:
            raise ValueError(
                f"momentum is of {' and '.join(WITH_MOMENTUM)}; optimizer '{self.optimizer}' has "
                f"none"
            )
        return self

    def with_values(self, values: Mapping[str, Any]) -> "Protocol":
        """The protocol of one trial: what its values vary of it is theirs."""
        varied = {name: values[name] for name in VARIED if name in values}
        if varied.get("optimizer", self.optimizer) not in WITH_MOMENTUM:
            varied["momentum"] = 0.0
        return self.model_copy(update=varied)


# What a space may declare as hyperparameters.
VARIED = ("optimizer", "learning_rate", "momentum")


class Input(Table):
    """How the network gets its images: `channels` "last" or "first", and divided by `scale`."""

    channels: Literal["first", "last"] = "last"
    scale: Annotated[float, Field(ge=1, le=255)] = 1.0
