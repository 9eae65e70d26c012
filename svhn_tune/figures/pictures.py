"""Pictures of the model to hand in, and of the test images that confirm's runs get wrong.

They are read from pictures.npz, which confirm wrote: the report imports no Keras.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context

from ..console import say_count
from ..files import read_arrays
from ..project.project import Project
from ..space.dial import say_time
from .style import INK, STYLE, WIDTH, Chart, show_image, show_sheet

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Arrays = dict[str, np.ndarray]
ROW = 0.66  # inches: of feature maps


@rc_context(STYLE)
def draw_hardest(project: Project) -> Chart | None:
    """The test images that most runs get wrong: the true class, the wrong one, the share wrong."""
    arrays = read_arrays(project.pictures_path)
    images = arrays.get("hard_images", np.empty(0))
    if not len(images):
        return None
    columns = 6
    rows = math.ceil(len(images) / columns)
    has_words = max(len(str(name)) for name in arrays.get("classes", ["0"])) > 2
    chart = Chart(0.8 + (1.4 if has_words else 1.25) * rows)
    panels = chart.subplots(rows, columns, squeeze=False)
    for axes in panels.flat:
        axes.axis("off")
    answers, shares = arrays["hard_answers"], arrays["hard_shares"]
    for axes, image, label, answer, share in zip(
        panels.flat, images, arrays["hard_labels"], answers, shares, strict=False
    ):
        show_image(axes, image)
        title = [f"{_name(arrays, label)},", f"said {_name(arrays, answer)}"]
        # Digits have room beside each other, the names of objects below.
        title = title if has_words else [" ".join(title)]
        text = "\n".join([*title, f"{100 * share:.0f} % wrong"])
        axes.set_title(text, fontsize=7.5 if has_words else 9, loc="center")
    runs = int(arrays["hard_runs"])
    chart.headline(
        project,
        f"The label, what most of the wrong runs said instead, and how many of "
        f"{say_count(runs, 'run')} that did not collapse are wrong",
    )
    return chart


def _name(arrays: Arrays, label: int) -> str:
    names = arrays.get("classes", np.empty(0))
    return str(names[label]) if label < len(names) else str(label)


@rc_context(STYLE)
def draw_weights(project: Project) -> Chart | None:
    """A picture a unit of each confirmed network without convolutions: its best run's weights.

    Each channel of a picture goes from its lowest weight to its highest, as PW04 asks.
    """
    arrays = read_arrays(project.pictures_path)
    found = [
        (int(trial), int(epochs), arrays[f"weights_{trial}_{epochs}"])
        for trial, epochs in (
            key.split("_")[1:] for key in sorted(arrays) if key.startswith("weights_")
        )
    ]
    if not found:
        return None
    widths = [5 if weights.shape[-1] <= 10 else 12 for *_, weights in found]
    rows = [math.ceil(each.shape[-1] / n) for (*_, each), n in zip(found, widths, strict=True)]
    heights = [0.5 + WIDTH / n * 1.15 * row for n, row in zip(widths, rows, strict=True)]
    chart = Chart(0.4 + sum(heights))
    parts: Any = chart.subfigures(len(found), 1, height_ratios=heights, squeeze=False)[:, 0]
    for part, (trial, epochs, weights), columns, row in zip(
        parts, found, widths, rows, strict=True
    ):
        units, shown = str(arrays[f"of_{trial}_{epochs}"]), weights.shape[-1]
        told = "each class" if units == "class" else f"{shown} of {units} units of the first layer"
        title = f"trial {trial:03d}, {say_count(epochs, 'epoch')}: {told}"
        part.suptitle(title, x=0.01, ha="left", fontsize=9)
        panels = part.subplots(row, columns, squeeze=False)
        for axes in panels.flat:
            axes.axis("off")
        for number, axes in zip(range(shown), panels.flat, strict=False):
            show_image(axes, stretch_channels(weights[..., number]))
            if units == "class":
                axes.set_title(_name(arrays, number), fontsize=9, loc="center")
    chart.headline(project, "Weights as pictures, each channel from its lowest to its highest")
    return chart


def stretch_channels(weights: np.ndarray) -> np.ndarray:
    """Weights (height, width, channels) as 0 to 1, each channel by itself; a flat one is grey."""
    low, high = weights.min(axis=(0, 1)), weights.max(axis=(0, 1))
    flat = high == low
    return np.where(flat, 0.5, (weights - low) / np.where(flat, 1, high - low))


@rc_context(STYLE)
def draw_filters(project: Project) -> Chart | None:
    """Each filter as a picture of its own weights: grey is zero, colours are channels."""
    arrays = read_arrays(project.pictures_path)
    filters = arrays.get("model_filters")
    if filters is None:
        return None
    kept = np.argsort(-np.abs(filters).max(axis=(0, 1, 2)), kind="stable")[:64]
    columns = 8 if len(kept) <= 32 else 12
    rows = math.ceil(len(kept) / columns)
    chart = Chart(0.5 + WIDTH / columns * rows)
    largest = np.abs(filters).max() or 1.0
    weights = filters[..., sorted(kept)] / largest
    shown = weights if weights.shape[2] == 3 else weights.mean(axis=2, keepdims=True)
    show_sheet(chart.subplots(), np.clip(0.5 + shown / 2, 0, 1), columns, cmap="gray", vmax=1)
    height, width, *_ = filters.shape
    count = filters.shape[-1]
    some = f"{len(kept)} of {count}" if len(kept) < count else f"all {count}"
    chart.headline(
        project,
        f"First layer of trial {int(arrays['trial']):03d}: {some} filters of {height} x {width}, "
        f"largest weight {largest:.2g}",
    )
    return chart


@rc_context(STYLE)
def draw_feature_maps(project: Project) -> Chart | None:
    """One test image, and below it the channels of each block that vary most over it."""
    arrays = read_arrays(project.pictures_path)
    blocks = arrays.get("model_blocks", np.empty(0))
    if not len(blocks):
        return None
    columns = 8
    tables = [arrays[f"model_maps_{number}"] for number in range(len(blocks))]
    rows = [math.ceil(maps.shape[-1] / columns) for maps in tables]
    chart = Chart(0.6 + 1.0 + sum(0.42 + ROW * each for each in rows))
    parts: Any = chart.subfigures(
        1 + len(blocks), 1, height_ratios=[1.0, *(0.42 + ROW * each for each in rows)]
    )
    _draw_image(parts[0].subplots(1, columns), arrays)
    for part, name, maps, channels in zip(
        parts[1:], blocks, tables, arrays["model_channels"], strict=True
    ):
        height, width, shown = maps.shape
        some = f"{shown} of {channels}" if shown < channels else f"all {channels}"
        part.suptitle(f"{name}: {some} channels, {height} x {width}", x=0.01, ha="left", fontsize=9)
        # Of the brightest percent, mostly at the borders, one could see nothing else.
        brightest = float(np.percentile(maps, 99)) or float(maps.max()) or 1.0
        show_sheet(part.subplots(), maps[:, :, None], columns, cmap="viridis", vmax=brightest)
    chart.headline(
        project,
        f"What trial {int(arrays['trial']):03d} makes of a test image of "
        f"{say_label(project, arrays['model_label'])}, which it takes for "
        f"{say_label(project, arrays['model_predicted'], '')}",
    )
    return chart


def say_label(project: Project, label: Any, kind: str = "class ") -> str:
    """`class 7`, or a time of the dial."""
    return say_time(label) if project.space.task.on_dial else f"{kind}{int(label)}"


def _draw_image(panels: "np.ndarray", arrays: Arrays) -> None:
    for axes in panels:
        axes.axis("off")
    first: Axes = panels[0]
    show_image(first, arrays["model_image"])
    first.set_title("the image", fontsize=9, color=INK)
