"""How every run of a space trains, and how the network gets its images."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ..bounds import MAX_EPOCHS
from .hyperparameters import Table


class Protocol(Table):
    """How every run trains, and what it is scored by. Rates are Keras's, epochs are whole.

    `validation_split` is that of Keras's `fit`, but stratified: every run, confirm's too, trains on
    the rest. Without it search holds out a few images, and confirm trains on all. With `test_curve`
    confirm evaluates the test set after each epoch, too, to be shown; nothing is chosen by that.
    `loss` is that of the output, of two heads that of the second; None for the target's own.
    """

    epochs: int = Field(ge=1, le=MAX_EPOCHS)
    batch_size: int = Field(32, ge=1, le=65_536)
    optimizer: Literal["adam", "adamw", "sgd", "rmsprop"] = "adam"
    learning_rate: float = Field(gt=0, le=10)
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
        return self


class Input(Table):
    """How the network gets its images: `channels` "last" or "first", and divided by `scale`."""

    channels: Literal["first", "last"] = "last"
    scale: Annotated[float, Field(ge=1, le=255)] = 1.0
