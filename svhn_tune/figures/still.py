"""The parallel coordinates as a drawing: for paper, and where the interactive ones cannot run."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INCHES_PER_AXIS = 0.5


def draw_still(interactive: Any) -> "Figure":
    """A drawing of a plotly figure of parallel coordinates: its axes, its lines, their colours."""
    import numpy as np
    from matplotlib.collections import LineCollection
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    trace = interactive.data[0]
    axes = [dimension for dimension in trace.dimensions if dimension.visible is not False]
    bounds = [_bounds(dimension) for dimension in axes]
    values = np.array([dimension.values for dimension in axes], float)
    low, high = np.array(bounds).T[:, :, None]
    heights = (values - low) / np.where(high > low, high - low, 1)

    figure = Figure(figsize=(max(6.5, INCHES_PER_AXIS * len(axes)), 4), layout="constrained")
    plot = figure.subplots()
    colors = np.broadcast_to(np.asarray(trace.line.color, float), values.shape[1:])
    order = np.argsort(colors)
    lines = LineCollection(
        [np.column_stack([range(len(axes)), each]) for each in heights.T[order]],
        linewidths=0.8,
        alpha=0.6,
        cmap=LinearSegmentedColormap.from_list("trace", list(trace.line.colorscale)),
    )
    lines.set_array(colors[order])
    lines.set_clim(trace.line.cmin, trace.line.cmax)
    plot.add_collection(lines)
    for place, (dimension, (least, greatest)) in enumerate(zip(axes, bounds, strict=True)):
        _draw_axis(plot, place, dimension, least, greatest)
    plot.set(xlim=(-0.5, len(axes) - 0.3), ylim=(-0.05, 1.05), yticks=[])
    plot.set_xticks(range(len(axes)), [d.label for d in axes], rotation=55, ha="right")
    plot.spines[:].set_visible(False)
    return figure


def _bounds(dimension: Any) -> tuple[float, float]:
    if dimension.range is not None:
        return float(dimension.range[0]), float(dimension.range[1])
    return float(min(dimension.values)), float(max(dimension.values))


def _draw_axis(plot: Any, place: int, dimension: Any, least: float, greatest: float) -> None:
    plot.axvline(place, 0.045, 0.955, color=plot.xaxis.label.get_color(), linewidth=0.8)
    span = greatest - least or 1
    if dimension.tickvals is None:
        ticks = [(0.0, f"{least:.4g}"), (1.0, f"{greatest:.4g}")]
    else:
        texts = dimension.ticktext if dimension.ticktext is not None else dimension.tickvals
        ticks = [
            ((float(value) - least) / span, str(text))
            for value, text in zip(dimension.tickvals, texts, strict=True)
        ]
    for height, text in ticks:
        plot.text(place + 0.04, height, text, fontsize=7, va="center")
