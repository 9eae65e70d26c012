"""How much of the image one output of a layer sees, from the list of layers alone."""

from collections.abc import Sequence
from typing import NamedTuple

from ..space.task import Task
from .layer_types import LAYER_TYPES, Layer, count_places, name_inputs


def measure_receptive_fields(layers: Sequence[Layer], task: Task) -> list[tuple[int, int]]:
    """Height and width, in pixels, of what one output of each layer depends on.

    As usual it is that of an output far from the edges: near them a part of it is padding, and it
    may be larger than the image. From Flatten on it is what all positions see together, which is
    the image without the edge that "valid" padding and uneven pools leave over.

    Args:
        layers: with windows that fit on the image.
        task: gives the height and width of the images.
    """
    height, width = (_follow_side(layers, length) for length in (task.height, task.width))
    return [*zip(height, width, strict=True)]


class _Sight(NamedTuple):
    """What the outputs of a layer see of the height, or of the width, of an image.

    Output `i` sees the pixels from `start + i * step`, `field` of them.
    """

    outputs: int
    start: int
    step: int
    field: int


def _follow_side(layers: Sequence[Layer], length: int) -> list[int]:
    """The field of each layer along a side of the image of `length` pixels."""
    image = _Sight(outputs=length, start=0, step=1, field=1)
    sights: dict[str, _Sight] = {}
    for layer, inputs in name_inputs(layers):
        read = [sights[name] for name in inputs] or [image]
        sights[layer.name] = _see_through(layer, _add(read), length)
    return [sight.field for sight in sights.values()]


def _add(read: list[_Sight]) -> _Sight:
    """What those see together that are added, place by place: of all the same step."""
    start = min(sight.start for sight in read)
    end = max(sight.start + sight.field for sight in read)
    return read[0]._replace(start=start, field=end - start)


def _see_through(layer: Layer, read: _Sight, length: int) -> _Sight:
    """What a layer's output sees: all that the outputs in its window see."""
    window = LAYER_TYPES[layer.type].window(layer.arguments)
    if window is not None:
        padded = (window.size - 1) // 2 * read.step if window.is_padded else 0
        return _Sight(
            outputs=count_places(window, read.outputs),
            start=read.start - padded,
            step=read.step * window.stride,
            field=read.field + (window.size - 1) * read.step,
        )
    if layer.type == "Flatten":
        end = read.start + (read.outputs - 1) * read.step + read.field
        return read._replace(field=min(end, length) - max(read.start, 0))
    return read
