"""What is asked of a model, from the space file alone: no image is read, no family known."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .dial import DIAL
from .targets import Classes, Head, Target

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Task:
    """Images of this shape in, what the `target` asks for out.

    Args:
        height, width, channels: of an image.
        classes: how many the labels have; None where they are minutes around a dial.
        channels_first: whether the network gets (channels, height, width).
        asked: of labels on a dial, how the network is asked for them.
    """

    height: int
    width: int
    channels: int
    classes: int | None
    channels_first: bool = False
    asked: Target | None = None

    @property
    def on_dial(self) -> bool:
        """Whether labels are minutes around a dial, and errors are measured around it."""
        return self.classes is None

    @property
    def target(self) -> Target:
        """What labels become, and outputs."""
        if self.asked is not None:
            return self.asked
        assert self.classes is not None, "a dial's task is asked for something"
        return Classes(self.classes)

    @property
    def heads(self) -> tuple[Head, ...]:
        """The outputs of the network."""
        return self.target.heads

    @property
    def reported(self) -> tuple[str, ...]:
        """What Keras reports of an epoch: the metrics of the model, and its losses."""
        if len(self.heads) > 1:
            return ("loss", *(f"{head.name}_loss" for head in self.heads))
        if self.heads[0].activation == "softmax":
            return ("categorical_accuracy", "loss")
        return ("loss",)

    @property
    def labels(self) -> int:
        """How many labels there are, whole numbers from 0."""
        return DIAL if self.classes is None else self.classes

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """One image as the network gets it."""
        if self.channels_first:
            return (self.channels, self.height, self.width)
        return (self.height, self.width, self.channels)

    def arrange(self, images: "np.ndarray") -> "np.ndarray":
        """Images (N, height, width, channels) as the network gets them: a view, not a copy."""
        return images.transpose(0, 3, 1, 2) if self.channels_first else images

    def decode(self, outputs: Any) -> "np.ndarray":
        """What a model gives, an array (N, units) or a list of one a head, as predictions (N,)."""
        import numpy as np

        given = outputs if isinstance(outputs, list | tuple) else [outputs]
        return self.target.decode([np.asarray(each) for each in given])

    def group(self, labels: "np.ndarray") -> "np.ndarray":
        """What labels (N,) are stratified by: the class, or of a dial the hour."""
        return labels // 60 if self.on_dial else labels


# The images and classes of every source of data there is.
SOURCES = {
    "svhn": Task(height=32, width=32, channels=3, classes=10),
    "cifar10": Task(height=32, width=32, channels=3, classes=10),
    "fashion_mnist": Task(height=28, width=28, channels=1, classes=10),
    "clocks": Task(height=75, width=75, channels=1, classes=None),
    "clocks_150": Task(height=150, width=150, channels=1, classes=None),
}
