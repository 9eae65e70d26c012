"""The first layer's filters channel by channel, and one filter's maps through all layers.

They are read from pictures.npz, which confirm wrote: the report imports no Keras.
"""

import math

import numpy as np
from matplotlib import rc_context

from ..errors import InputError
from ..files import read_arrays
from ..project.project import Project
from .pictures import say_label
from .style import INK, STYLE, WIDTH, Chart, show_image

MOST = 48  # filters by channel, of the first layer
COLUMNS = 12
MAPS = 6  # in a row


@rc_context(STYLE)
def draw_filters_by_channel(project: Project) -> Chart | None:
    """The first layer's weights as grey pictures, a row for each channel of the images."""
    arrays = read_arrays(project.pictures_path)
    filters = arrays.get("model_filters")
    if filters is None:
        return None
    height, width, channels, count = filters.shape
    shown = min(count, MOST)
    groups = math.ceil(shown / COLUMNS)
    chart = Chart(0.6 + groups * (0.4 + channels * WIDTH / (COLUMNS + 1)))
    names = ["red", "green", "blue"] if channels == 3 else [f"{n + 1}" for n in range(channels)]
    largest = np.abs(filters).max() or 1.0
    # A picture for each row of filters, not one for each filter: forty of those take a second.
    for group, axes in enumerate(chart.subplots(groups, 1, squeeze=False).flat):
        first = COLUMNS * group
        sheet = np.full((channels * (height + 1), COLUMNS * (width + 1)), np.nan)
        numbers = range(first, min(first + COLUMNS, shown))
        for number in numbers:
            for channel in range(channels):
                top, left = channel * (height + 1), (number - first) * (width + 1)
                sheet[top : top + height, left : left + width] = filters[:, :, channel, number]
        axes.imshow(sheet, cmap="gray", vmin=-largest, vmax=largest)
        axes.set_xticks(
            [(number - first) * (width + 1) + (width - 1) / 2 for number in numbers],
            [f"{number + 1}" for number in numbers],
        )
        rows = [channel * (height + 1) + (height - 1) / 2 for channel in range(channels)]
        axes.set_yticks(rows, names)
        axes.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
        axes.grid(False)
        axes.set_frame_on(False)
    some = f"the first {shown} of {count}" if shown < count else f"all {count}"
    chart.headline(
        project,
        f"First layer of trial {int(arrays['trial']):03d}: {some} filters of {height} x {width}, "
        f"a row for each channel",
    )
    return chart


@rc_context(STYLE)
def draw_filter_through_layers(project: Project, number: int | None = None) -> Chart | None:
    """What one filter of each layer makes of a test image, from the first layer to the last.

    Args:
        project: its pictures.
        number: of the filter in each layer, from 1; the one whose maps vary most if it is None.

    Raises:
        InputError: no layer has that many filters.
    """
    arrays = read_arrays(project.pictures_path)
    layers = arrays.get("model_layers", np.empty(0))
    if not len(layers):
        return None
    tables = [arrays[f"model_layer_maps_{place}"] for place in range(len(layers))]
    most = max(maps.shape[-1] for maps in tables)
    number = _choose(tables) if number is None else number
    if not 1 <= number <= most:
        raise InputError(f"filter {number}: there are maps of the filters 1 to {most}")
    # Layers of fewer filters have none of this number.
    shown = {
        str(name): maps[:, :, number - 1]
        for name, maps in zip(layers, tables, strict=True)
        if maps.shape[-1] >= number
    }
    rows = math.ceil((1 + len(shown)) / MAPS)
    chart = Chart(0.6 + 1.45 * rows)
    image, *panels = chart.subplots(rows, MAPS, squeeze=False).flat
    for axes in (image, *panels):
        axes.axis("off")
    show_image(image, arrays["model_image"])
    image.set_title("the image", fontsize=8, loc="center", color=INK)
    for axes, (name, maps) in zip(panels, shown.items(), strict=False):
        axes.imshow(maps, cmap="viridis")
        axes.set_title(f"{name}\n{maps.shape[0]} x {maps.shape[1]}", fontsize=8, loc="center")
    chart.headline(
        project,
        f"Filter {number} through the layers of trial {int(arrays['trial']):03d}, for a test image "
        f"of {say_label(project, arrays['model_label'])}; each map has its own scale",
    )
    return chart


def _choose(tables: list[np.ndarray]) -> int:
    """Of the filters that all layers have, the one whose maps vary most, in shares of a layer's."""
    fewest = min(maps.shape[-1] for maps in tables)
    spreads = np.array([maps.std(axis=(0, 1))[:fewest] for maps in tables])
    shares = spreads / np.maximum(spreads.max(axis=1, keepdims=True), np.finfo(float).tiny)
    return int(shares.sum(axis=0).argmax()) + 1
