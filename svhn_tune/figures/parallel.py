"""All configurations at once, as lines through an axis a hyperparameter that can be brushed."""

from html import escape
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np

from ..project.journal import Record
from ..space.hyperparameters import Declaration, Float, Int
from ..summary.history import list_longest, list_varied
from .style import INK, name_score, name_value

if TYPE_CHECKING:
    from ..project.project import Project

FEW = 10  # values of a whole number that get a tick each
NOWHERE = "off"


def draw_parallel(project: "Project") -> Any:
    """A `plotly.graph_objects.Figure`, or None where no two configurations differ.

    A hyperparameter that is not active in a configuration has its own place at the axis's foot.
    Names and values are escaped: plotly takes text for HTML.
    """
    from plotly import graph_objects

    records = list_longest(project)
    varied = list_varied(project, records)
    if not varied:
        return None
    scores = [record["score"] for record in records]
    trained = [record["epochs"] for record in records]
    dimensions = [_make_dimension(declaration, records) for declaration in varied]
    dimensions += [
        _place_words("epochs", trained, sorted(set(trained))),
        {"label": name_score(project), "values": scores},
    ]
    lines = graph_objects.Parcoords(
        dimensions=dimensions,
        line={
            "color": scores,
            "colorscale": _viridis(),
            "reversescale": project.space.protocol.direction == "min",
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
    title = f"{len(records)} configurations at the end of their longest training"
    if project.settings["data"]["synthetic"]:
        title += "; built-in digits, not SVHN"
    return graph_objects.Figure(
        lines,
        {
            "title": {"text": title, "font": {"size": 14}},
            "font": {"color": INK},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 60, "r": 60, "t": 60, "b": 110},
            "height": 460,
        },
    )


def _viridis() -> list[tuple[float, str]]:
    """As in the charts: without its ends, which vanish on a light or a dark ground."""
    shade = matplotlib.colormaps["viridis"]
    places = np.linspace(0, 1, 9)
    return [(p, matplotlib.colors.to_hex(shade(0.3 + 0.46 * p))) for p in places.tolist()]


def _make_dimension(declaration: Declaration, records: list[Record]) -> dict[str, Any]:
    """An axis: numbers as they are (logarithms where the space samples so), else a tick a value."""
    given, name = declaration.hyperparameter, declaration.name
    values = [record["values"].get(name) for record in records]
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
