"""Which values of a hyperparameter a model family can be built from."""

from dataclasses import dataclass
from typing import Any

from ..space.protocol import OPTIMIZERS

INITIALIZERS = (
    "glorot_uniform",
    "glorot_normal",
    "he_uniform",
    "he_normal",
    "lecun_uniform",
    "lecun_normal",
    "random_normal",
)
# Functions of `keras.activations` that Keras 3.10 knows, too.
ACTIVATIONS = ("relu", "tanh", "sigmoid", "elu", "selu", "gelu", "silu", "leaky_relu")


@dataclass(frozen=True)
class Domain:
    """Which values of a hyperparameter the model can be built from.

    Args:
        default: the value where a space does not declare the hyperparameter.
        low, high: the range of a number, both inclusive.
        choices: the words that are known, for a string.
        per: "block" or "layer" where each has its own, `name_1`, `name_2`, ...; how many there are
            is the hyperparameter `blocks` or `layers`.
    """

    default: Any
    low: float = 0
    high: float = float("inf")
    choices: tuple[str, ...] = ()
    per: str | None = None

    def refusal(self, value: Any) -> str | None:
        """Why `value` is out of the domain, in words; None if it is in it."""
        if self.choices:
            return None if value in self.choices else f"is none of {', '.join(self.choices)}"
        if isinstance(self.default, bool):
            return None if isinstance(value, bool) else "is neither true nor false"
        if isinstance(value, bool) or not isinstance(value, int | float):
            return "is not a number"
        if isinstance(self.default, int) and not isinstance(value, int):
            return "is not a whole number"
        if not self.low <= value <= self.high:
            return f"is outside {self.low:g} to {self.high:g}"
        return None


# What every family may vary of how a model is trained.
TRAINING = {
    "optimizer": Domain("adam", choices=OPTIMIZERS),
    "learning_rate": Domain(1e-5, low=1e-12, high=10.0),
    "momentum": Domain(0.0, high=0.999),
    "class_weight": Domain(0.0, high=1.0),
    # Of two heads, what the loss of the second counts beside that of the first.
    "minute_weight": Domain(1.0, low=0.001, high=1000),
}
