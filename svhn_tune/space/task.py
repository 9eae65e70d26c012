"""What is asked of a model, from the space file alone: no image is read, no family known."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Task:
    """Images of this shape in, a probability for each of `classes` out.

    Args:
        height, width, channels: of an image.
        classes: how many.
        channels_first: whether the network gets (channels, height, width).
    """

    height: int
    width: int
    channels: int
    classes: int
    channels_first: bool = False

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """One image as the network gets it."""
        if self.channels_first:
            return (self.channels, self.height, self.width)
        return (self.height, self.width, self.channels)

    def arrange(self, images: "np.ndarray") -> "np.ndarray":
        """Images (N, height, width, channels) as the network gets them: a view, not a copy."""
        return images.transpose(0, 3, 1, 2) if self.channels_first else images


# The images and classes of every source of data there is.
SOURCES = {
    "svhn": Task(height=32, width=32, channels=3, classes=10),
    "cifar10": Task(height=32, width=32, channels=3, classes=10),
    "fashion_mnist": Task(height=28, width=28, channels=1, classes=10),
}
