"""The first layer's filters channel by channel, and one filter's maps through all layers.

They are read from pictures.npz, which confirm wrote: the report imports no Keras.
"""

import math

import numpy as np
from matplotlib import rc_context

from ..errors import InputError
from ..files import read_arrays
from ..project.project import Project
from .style import INK, STYLE, WIDTH, Chart

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
    columns = min(shown, COLUMNS)
    groups = math.ceil(shown / columns)
    chart = Chart(0.6 + groups * (0.2 + channels * WIDTH / COLUMNS))
    panels = chart.subplots(groups * channels, columns, squeeze=False)
    names = ["red", "green", "blue"] if channels == 3 else [f"{n + 1}" for n in range(channels)]
    largest = np.abs(filters).max() or 1.0
    for axes in panels.flat:
        axes.set(xticks=[], yticks=[])
        axes.set_frame_on(False)
    for number in range(shown):
        group, column = divmod(number, columns)
        panels[group * channels, column].set_title(f"{number + 1}", fontsize=9, loc="center")
        for channel, name in enumerate(names):
            axes = panels[group * channels + channel, column]
            weights = filters[:, :, channel, number]
            axes.imshow(weights, cmap="gray", vmin=-largest, vmax=largest)
            if column == 0:
                axes.set_ylabel(name, fontsize=9)
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
    image.imshow(arrays["model_image"])
    image.set_title("the image", fontsize=8, loc="center", color=INK)
    for axes, (name, maps) in zip(panels, shown.items(), strict=False):
        axes.imshow(maps, cmap="viridis")
        axes.set_title(f"{name}\n{maps.shape[0]} x {maps.shape[1]}", fontsize=8, loc="center")
    chart.headline(
        project,
        f"Filter {number} through the layers of trial {int(arrays['trial']):03d}, for a test image "
        f"of class {int(arrays['model_label'])}; each map has its own scale",
    )
    return chart


def _choose(tables: list[np.ndarray]) -> int:
    """Of the filters that all layers have, the one whose maps vary most, in shares of a layer's."""
    fewest = min(maps.shape[-1] for maps in tables)
    spreads = np.array([maps.std(axis=(0, 1))[:fewest] for maps in tables])
    shares = spreads / np.maximum(spreads.max(axis=1, keepdims=True), np.finfo(float).tiny)
    return int(shares.sum(axis=0).argmax()) + 1
