"""How much of the image one output of a layer sees, from the list of layers alone."""

from collections.abc import Sequence

from ..space.task import Task
from .layer_types import LAYER_TYPES, Layer, count_places


def measure_receptive_fields(layers: Sequence[Layer], task: Task) -> list[tuple[int, int]]:
    """Height and width, in pixels, of what one output of each layer depends on.

    As usual it is that of an output far from the edges: near them a part of it is padding, and it
    may be larger than the image. From Flatten on it is what all positions see together, which is
    the image without the edge that "valid" padding and uneven pools leave over.

    Args:
        layers: with windows that fit on the image.
        task: gives the height and width of the images.
    """
    fields: list[tuple[int, int]] = []
    sides = [_Side(length) for length in (task.height, task.width)]
    for layer in layers:
        for side in sides:
            side.see_through(layer)
        fields.append((sides[0].field, sides[1].field))
    return fields


class _Side:
    """What one output sees of the height, or of the width, of an image of `length` pixels.

    Output `i` of the layer so far sees the pixels from `start + i * step`, `field` of them.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._outputs = length
        self._start = 0
        self._step = 1
        self.field = 1

    def see_through(self, layer: Layer) -> None:
        """Add a layer: its output sees what those of the layer before in its window saw."""
        window = LAYER_TYPES[layer.type].window(layer.arguments)
        if window is not None:
            if window.is_padded:
                self._start -= (window.size - 1) // 2 * self._step
            self._outputs = count_places(window, self._outputs)
            self.field += (window.size - 1) * self._step
            self._step *= window.stride
        elif layer.type == "Flatten":
            end = self._start + (self._outputs - 1) * self._step + self.field
            self.field = min(end, self._length) - max(self._start, 0)
