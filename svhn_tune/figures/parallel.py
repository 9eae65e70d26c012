"""All configurations at once: lines through one axis per hyperparameter, which can be brushed.

And the same as a drawing: for paper, and where the interactive ones cannot run.
"""

import textwrap
from html import escape, unescape
from typing import Any

import matplotlib
import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap

from ..console import say_count
from ..journal.record_types import RunRecord
from ..project.project import Project
from ..space.hyperparameters import Declaration, Float, Int
from ..summary.curves import list_longest, list_scores
from ..summary.wording import with_provenance
from .style import INK, STYLE, Chart, name_score, name_value

FEW = 10  # values of a whole number that get a tick each
NOWHERE = "off"
AXES = 8  # of hyperparameters: with score and epochs, what a page of 1,200 pixels has room for
INCHES_PER_AXIS = 0.95


def draw_parallel(project: Project, names: list[str]) -> Any:
    """A `plotly.graph_objects.Figure`, or None where no two configurations differ.

    The score comes first, then the epochs, then the first eight of the hyperparameters. One that is
    not active in a configuration has its own place at the axis's foot. Names and values are
    escaped: plotly takes text for HTML.

    Args:
        project: whose configurations are drawn.
        names: of the hyperparameters that varied, the most important first.
    """
    from plotly import graph_objects

    if not names:
        return None
    records = list_longest(project)
    known = {declaration.name: declaration for declaration in project.space.declarations}
    scores = list_scores(records)
    trained = [record.epochs for record in records]
    dimensions = [
        {"label": name_score(project), "values": scores},
        _place_words("epochs", trained, sorted(set(trained))),
        *(_make_dimension(known[name], records) for name in names[:AXES]),
    ]
    lines = graph_objects.Parcoords(
        dimensions=dimensions,
        line={
            "color": scores,
            "colorscale": _viridis(),
            "reversescale": not project.space.objective.higher_is_better,
            "cmin": min(scores),
            "cmax": max(scores),
        },
        unselected={"line": {"color": INK, "opacity": 0.08}},
        labelfont={"color": INK, "size": 12},
        tickfont={"color": INK, "size": 11},
        rangefont={"color": INK, "size": 10},
        labelangle=-30,
        labelside="bottom",
    )
    title = f"{say_count(len(records), 'configuration')} at the end of their longest training"
    if len(names) > AXES:
        title += f"; the {AXES} of {len(names)} hyperparameters that matter most"
    return graph_objects.Figure(
        lines,
        {
            "title": {"text": escape(with_provenance(project, title)), "font": {"size": 14}},
            "font": {"color": INK},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 110, "r": 60, "t": 60, "b": 100},
            "height": 460,
        },
    )


def _viridis() -> list[tuple[float, str]]:
    """As in the charts: without its ends, which vanish on a light or a dark ground."""
    shade = matplotlib.colormaps["viridis"]
    places = np.linspace(0, 1, 9)
    return [(p, matplotlib.colors.to_hex(shade(0.3 + 0.46 * p))) for p in places.tolist()]


def _make_dimension(declaration: Declaration, records: list[RunRecord]) -> dict[str, Any]:
    """An axis: of numbers (logarithmic where the space samples so), else one tick per value."""
    given, name = declaration.hyperparameter, declaration.name
    values = [record.values.get(name) for record in records]
    known = {value for value in values if value is not None}
    if isinstance(given, Int | Float) and len(known) > FEW:
        return _place_numbers(name, values, given.sampling == "log")
    return _place_words(
        name, values, list(given.values) if given.type == "Choice" else sorted(known)
    )


def _place_words(name: str, values: list[Any], known: list[Any]) -> dict[str, Any]:
    ticks = [NOWHERE, *known] if None in values else known
    places = {value: place for place, value in enumerate(ticks)}
    return {
        "label": escape(name),
        "values": [places[NOWHERE if value is None else value] for value in values],
        "tickvals": list(range(len(ticks))),
        "ticktext": [escape(name_value(value)) for value in ticks],
        "range": [0, max(len(ticks) - 1, 1)],
    }


def _place_numbers(name: str, values: list[Any], is_log: bool) -> dict[str, Any]:
    numbers = np.array([np.nan if value is None else float(value) for value in values])
    if is_log:
        numbers = np.log10(numbers)
    low, high = float(np.nanmin(numbers)), float(np.nanmax(numbers))
    ticks = np.linspace(low, high, 5).tolist()
    names = [f"{10**tick if is_log else tick:.3g}" for tick in ticks]
    if np.isnan(numbers).any():
        foot = low - (high - low) / 6
        numbers = np.where(np.isnan(numbers), foot, numbers)
        ticks, names, low = [foot, *ticks], [NOWHERE, *names], foot
    return {
        "label": escape(name),
        "values": numbers.tolist(),
        "tickvals": ticks,
        "ticktext": names,
        "range": [low, high],
    }


@matplotlib.rc_context(STYLE)
def draw_still(interactive: Any) -> Chart:
    """A drawing of a plotly figure of parallel coordinates: its axes, its lines, their colours."""
    trace = interactive.data[0]
    axes = [dimension for dimension in trace.dimensions if dimension.visible is not False]
    bounds = [_bounds(dimension) for dimension in axes]
    values = np.array([dimension.values for dimension in axes], float)
    low, high = np.array(bounds).T[:, :, None]
    heights = (values - low) / np.where(high > low, high - low, 1)

    figure = Chart(4.2, max(6.4, INCHES_PER_AXIS * len(axes)))
    plot = figure.subplots()
    plot.grid(visible=False)
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
    names = [textwrap.fill(unescape(d.label).replace("_", "_ "), 12) for d in axes]
    plot.set_xticks(range(len(axes)), [name.replace("_ ", "_") for name in names])
    plot.tick_params(axis="x", length=0)
    plot.spines[:].set_visible(False)
    title = textwrap.wrap(unescape(interactive.layout.title.text or ""), 100)
    figure.suptitle("\n".join(title), x=0.01, ha="left")
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
            ((float(value) - least) / span, unescape(str(text)).replace("_", "_\n"))
            for value, text in zip(dimension.tickvals, texts, strict=True)
        ]
    for height, text in ticks:
        plot.text(place + 0.05, height, text, fontsize=8, va="center")
