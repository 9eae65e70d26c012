"""What a network reads off the test clocks: predicted against true time, and the worst clocks.

Both are read from pictures.npz, which confirm wrote of its best run.
"""

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context

from ..files import read_arrays
from ..project.project import Project
from ..space.dial import DIAL, measure_apart, say_time
from .style import BLUE, INK, ORANGE, STYLE, VERMILION, Chart, name_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FAR = 60  # minutes: those are shown apart
STEP = DIAL // 4
SHARES = (1, 2, 5, 10, 30, 60, 180, 360)
COLUMNS = 3


@rc_context(STYLE)
def draw_times(project: Project) -> Chart | None:
    """Each test clock's true time and what the best run reads, and how many are how far off."""
    arrays = read_arrays(project.pictures_path)
    if "dial_labels" not in arrays:
        return None
    labels, predicted = arrays["dial_labels"], arrays["dial_predicted"].astype(float)
    apart = measure_apart(labels, predicted)
    chart = Chart(7.4)
    above, below = chart.subplots(2, 1, height_ratios=[2.6, 1])
    _draw_against(above, labels, unroll(labels, predicted), apart)
    _draw_shares(below, apart)
    chart.headline(
        project,
        f"Trial {int(arrays['trial']):03d}, the best run: {apart.mean():.1f} minutes off on "
        f"average, half of the {len(labels):,} test clocks by at most {np.median(apart):.1f}",
    )
    return chart


def unroll(labels: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Predicted times (N,) in the turn of the dial that is nearest to the true ones: -360 to 1080.

    A clock at 11:55 that is read as 0:05 is at 725 minutes, ten above its label.
    """
    return labels + (predicted - labels + DIAL / 2) % DIAL - DIAL / 2


def _draw_against(
    axes: "Axes", labels: np.ndarray, predicted: np.ndarray, apart: np.ndarray
) -> None:
    axes.plot([0, DIAL], [0, DIAL], color=INK, linewidth=0.8)
    for mask, color, name in (
        (apart <= FAR, BLUE, "up to an hour off"),
        (apart > FAR, VERMILION, "more than an hour off"),
    ):
        axes.plot(
            labels[mask],
            predicted[mask],
            linestyle="none",
            marker="o",
            markersize=2.4,
            markeredgewidth=0,
            alpha=0.6,
            color=color,
            rasterized=True,
            label=f"{name}: {mask.mean():.1%}",
        )
    ends = min(-30.0, float(predicted.min()) - 20), max(DIAL + 30.0, float(predicted.max()) + 20)
    lowest = math.ceil(ends[0] / STEP) * STEP
    turns = np.arange(lowest, ends[1] + 1, STEP)
    axes.set_xticks(
        range(0, DIAL + 1, STEP), [_name_hour(each) for each in range(0, DIAL + 1, STEP)]
    )
    axes.set_yticks(turns, [_name_hour(each) for each in turns])
    axes.set(xlim=(-8, DIAL + 8), ylim=ends, xlabel="true time", ylabel="predicted time")
    axes.legend(loc="upper left", markerscale=2.5, handletextpad=0.2)


def _name_hour(minutes: float) -> str:
    return f"{round(minutes) // 60 % 12 or 12}:00"


def _draw_shares(axes: "Axes", apart: np.ndarray) -> None:
    ordered = np.sort(apart)
    shares = 100 * np.arange(1, len(ordered) + 1) / len(ordered)
    axes.step(np.maximum(ordered, 0.5), shares, where="post", color=BLUE)
    axes.set_xscale("log")
    axes.set_xticks(SHARES, [name_number(each, 0) for each in SHARES])
    axes.minorticks_off()
    axes.set(
        xlim=(0.9, 400), ylim=(0, 103), xlabel="minutes off, at most", ylabel="% of the clocks"
    )


@rc_context(STYLE)
def draw_worst(project: Project) -> Chart | None:
    """The clocks that the best run reads worst, each beside a dial with both times."""
    arrays = read_arrays(project.pictures_path)
    images = arrays.get("worst_images", np.empty(0))
    if not len(images):
        return None
    rows = math.ceil(len(images) / COLUMNS)
    chart = Chart(0.6 + 1.25 * rows)
    panels = chart.subplots(rows, 2 * COLUMNS, squeeze=False)
    for axes in panels.flat:
        axes.axis("off")
    pairs = panels.reshape(-1, 2)
    for (left, right), image, place in zip(pairs, images, arrays["worst_places"], strict=False):
        true, read = float(arrays["dial_labels"][place]), float(arrays["dial_predicted"][place])
        left.imshow(image.squeeze(-1), cmap="gray", vmin=0, vmax=255)
        left.set_title(f"is {say_time(true)}", fontsize=9, color=BLUE)
        right.set_title(f"read {say_time(read)}", fontsize=9, color=ORANGE)
        _draw_dial(right, true, read)
    chart.headline(
        project,
        f"Trial {int(arrays['trial']):03d}, the best run: the clocks that it reads worst",
    )
    return chart


def _draw_dial(axes: "Axes", true: float, read: float) -> None:
    """A dial with 12 above, and the hands of both times."""
    turns = np.linspace(0, 2 * np.pi, 61)
    axes.plot(np.sin(turns), np.cos(turns), color=INK, linewidth=0.8)
    for turn in turns[:-1:5]:
        axes.plot(*_ray(turn, 0.88, 1.0), color=INK, linewidth=0.8)
    for minutes, color in ((true, BLUE), (read, ORANGE)):
        axes.plot(*_ray(minutes / DIAL * 2 * np.pi, 0, 0.5), color=color, linewidth=2.6)
        axes.plot(*_ray(minutes % 60 / 60 * 2 * np.pi, 0, 0.84), color=color, linewidth=1.4)
    axes.set(aspect="equal", xlim=(-1.08, 1.08), ylim=(-1.08, 1.08))


def _ray(turn: float, start: float, end: float) -> tuple[list[float], list[float]]:
    sine, cosine = math.sin(turn), math.cos(turn)
    return [start * sine, end * sine], [start * cosine, end * cosine]
