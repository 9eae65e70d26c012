"""How much of the image one output of a layer sees, from the list of layers alone."""

from collections.abc import Sequence

from .cnn import Layer


def measure_receptive_fields(
    layers: Sequence[Layer], input_shape: Sequence[int]
) -> list[tuple[int, int]]:
    """Height and width, in pixels, of what one output of each layer depends on.

    As usual it is that of an output far from the edges: near them a part of it is padding, and it
    may be larger than the image. From Flatten on it is what all positions see together, which is
    the image without the edge that "valid" padding and uneven pools leave over.

    Args:
        layers: with windows that fit on the image.
        input_shape: (height, width, channels) of the images.
    """
    fields: list[tuple[int, int]] = []
    sides = [_Side(length) for length in input_shape[:2]]
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
        match layer.type:
            case "Conv2D":
                window = layer.arguments["kernel_size"]
                if layer.arguments["padding"] == "same":
                    self._start -= (window - 1) // 2 * self._step
                else:
                    self._outputs -= window - 1
                self.field += (window - 1) * self._step
            case "MaxPooling2D":
                window = layer.arguments["pool_size"]
                self.field += (window - 1) * self._step
                self._outputs //= window
                self._step *= window
            case "Flatten":
                end = self._start + (self._outputs - 1) * self._step + self.field
                self.field = min(end, self._length) - max(self._start, 0)
            case _:
                pass
