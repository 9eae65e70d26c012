"""How figures look: colours that stand on light and dark pages, letters that a phone can show.

A chart has no background. All that is no data is drawn in `INK`, a grey of the same contrast on
white and on black (4.5 : 1), so that a chart can be read on either as it is; a page that has its
own colour of letters may put it in place of `INK`, which no data use.
"""

import io
import textwrap
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import matplotlib
from cycler import cycler
from matplotlib.figure import Figure

from ..project.project import Project
from ..summary.wording import say_provenance

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.backend_bases import RendererBase

INK = "#767676"
# Okabe and Ito's, which the colour-blind can tell apart, but for black and yellow: each of those
# vanishes on one of the two grounds.
BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY = (
    "#0072b2",
    "#e69f00",
    "#009e73",
    "#d55e00",
    "#cc79a7",
    "#56b4e9",
)
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, VERMILION, SKY)
WIDTH = 5.4  # inches: at 96 pixels each half of a wide page; letters shrink to 64 % on a phone
MANY = 300  # dots; more of them are a picture inside the drawing
DPI = 144
STYLE: dict[Any, Any] = {
    "figure.facecolor": "none",
    "figure.dpi": 96,
    "savefig.dpi": DPI,
    "savefig.facecolor": "none",
    "savefig.edgecolor": "none",
    "savefig.bbox": None,
    "axes.facecolor": "none",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=CYCLE),
    "figure.titlesize": 11,
    "font.family": "sans-serif",
    "font.size": 10,
    "grid.alpha": 0.25,
    "grid.color": INK,
    "grid.linewidth": 0.6,
    "image.interpolation": "nearest",
    "legend.fontsize": 9,
    "legend.frameon": False,
    "legend.labelcolor": INK,
    "legend.title_fontsize": 9,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "butt",  # an interval ends where it ends
    "lines.markersize": 5,
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,
    "text.usetex": False,
    **dict.fromkeys(("xtick.color", "ytick.color", "xtick.labelcolor", "ytick.labelcolor"), INK),
    **dict.fromkeys(("xtick.labelsize", "ytick.labelsize"), 9),
    **dict.fromkeys(("xtick.major.width", "ytick.major.width"), 0.8),
}


class Chart(Figure):
    """A matplotlib figure in this style, which a notebook shows by itself.

    Args:
        height: in inches.
        width: in inches.
    """

    def __init__(self, height: float, width: float = WIDTH) -> None:
        with matplotlib.rc_context(STYLE):
            super().__init__(figsize=(width, height), layout="constrained")

    def savefig(self, fname: Any, *args: Any, **kwargs: Any) -> None:
        """Save in this style; the arguments are those of matplotlib's own `savefig`."""
        with matplotlib.rc_context(STYLE):
            super().savefig(fname, *args, **kwargs)

    def draw(self, renderer: "RendererBase") -> None:
        """Draw in this style: ticks are made as late as that."""
        with matplotlib.rc_context(STYLE):
            super().draw(renderer)

    def headline(self, project: Project, text: str) -> None:
        """What the chart shows, in words, and below it what must be said of its numbers."""
        width = int(self.get_size_inches()[0] * 11.3)
        lines = textwrap.wrap(text, width) + textwrap.wrap(say_provenance(project), width)
        self.suptitle("\n".join(lines), x=0.01, ha="left")

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """The chart for a notebook: sharp, and as wide as its letters are meant for."""
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=2 * DPI)
        width, height = (round(side * DPI * 2 / 3) for side in self.get_size_inches())
        return buffer.getvalue(), {"width": width, "height": height}


def color_epochs(lengths: Iterable[int]) -> dict[int, Any]:
    """A colour for each number of epochs: viridis, without its ends, which vanish on a ground."""
    ordered = sorted(set(lengths))
    if len(ordered) == 1:
        return {ordered[0]: BLUE}
    shade = matplotlib.colormaps["viridis"]
    return {
        length: shade(0.3 + 0.46 * place / (len(ordered) - 1))
        for place, length in enumerate(ordered)
    }


def name_score(project: Project, stage: str = "search") -> str:
    """What the scores of a stage are, for an axis: `validation accuracy`, `test loss`."""
    of_test = stage == "confirm" or project.settings.validate_on == "test"
    return f"{'test' if of_test else 'validation'} {project.space.objective.title}"


def show_image(axes: "Axes", image: "np.ndarray") -> None:
    """An image (height, width, channels), of bytes or of 0 to 1: of one channel it is grey."""
    whitest = 255 if image.dtype.kind in "iu" else 1
    axes.imshow(image, cmap="gray", vmin=0, vmax=whitest)


def show_sheet(axes: "Axes", pictures: "np.ndarray", columns: int, cmap: str, vmax: float) -> None:
    """Pictures (height, width, 1 or 3 channels, count) in rows of as many columns.

    They are one picture with gaps: axes for each of them take most of a second for sixty.
    """
    import numpy as np

    # Of a few points, a gap of one would be as wide as they are.
    larger = max(1, 16 // min(pictures.shape[:2]))
    pictures = pictures.repeat(larger, axis=0).repeat(larger, axis=1)
    height, width, channels, count = pictures.shape
    tall, wide = height - -height // 8, width - -width // 8
    rows = -(-count // columns)
    # Transparent, between them and behind the last row's end.
    sheet = np.full((rows * tall, columns * wide, channels), np.nan)
    for number in range(count):
        top, left = number // columns * tall, number % columns * wide
        sheet[top : top + height, left : left + width] = pictures[..., number]
    axes.axis("off")
    if channels == 3:
        seen = ~np.isnan(sheet[..., :1])
        axes.imshow(np.concatenate([np.nan_to_num(sheet), seen], axis=-1))
    else:
        axes.imshow(sheet[..., 0], cmap=cmap, vmin=0, vmax=vmax)


def space_labels(axes: "Axes", heights: list[float], lines: int = 22) -> list[float]:
    """The heights of labels beside these heights, moved apart where they would overlap.

    Args:
        axes: whose limits count; they are not changed.
        heights: in the units of the vertical axis.
        lines: how many labels fit one above another.
    """
    scale = axes.yaxis.get_transform()
    low, high = scale.transform(axes.get_ylim())
    wanted = scale.transform(heights)
    placed: dict[int, float] = {}
    for index in sorted(range(len(heights)), key=lambda index: -wanted[index]):
        lowest = min(placed.values(), default=float("inf"))
        placed[index] = min(wanted[index], lowest - (high - low) / lines)
    return scale.inverted().transform([placed[index] for index in range(len(heights))]).tolist()


def name_value(value: Any) -> str:
    """A value as a label: `1e-05`, `same`, `true`."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def name_number(value: float, _place: float) -> str:
    """The number at a tick of a logarithmic axis, without matplotlib's formulas."""
    return f"{value:g}"
