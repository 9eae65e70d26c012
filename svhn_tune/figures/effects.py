"""Score against the value of each hyperparameter: a chart each, two side by side."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context

from ..console import say_count
from ..journal.record_types import RunRecord
from ..project.project import Project
from ..space.hyperparameters import Declaration, Float, Int
from ..summary.curves import list_longest, list_scores
from .search import explain_dots, scale_scores
from .style import INK, MANY, STYLE, Chart, color_epochs, name_number, name_score, name_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS, WIDTH = 2, 4.6  # inches: on a phone letters keep three quarters of their size
FIRST = 6  # of all that varied, before the others


@rc_context(STYLE)
def draw_effects(project: Project, names: list[str]) -> Chart | None:
    """One dot per configuration, after its longest training, for each of these hyperparameters.

    One that is active only for some values of others is shown for those only.

    Args:
        project: whose trials are drawn.
        names: of hyperparameters that varied, in the order of the panels.
    """
    if not names:
        return None
    records = list_longest(project)
    known = {declaration.name: declaration for declaration in project.space.declarations}
    varied = [known[name] for name in names]
    colors = color_epochs(record.planned_epochs for record in records)
    rows = math.ceil(len(varied) / COLUMNS)
    chart = Chart(1.75 * rows + 0.9, WIDTH)
    panels = chart.subplots(rows, COLUMNS, sharey=True, squeeze=False)
    for axes in panels.flat[len(varied) :]:
        axes.remove()
    is_many = len(records) * len(varied) > 10 * MANY
    for axes, declaration in zip(panels.flat, varied, strict=False):
        _draw_effect(axes, declaration, records[::-1], colors, is_many)
    for axes in panels[:, 0]:
        axes.set_ylabel(name_score(project), fontsize=8)
    scale_scores(panels[0, 0], project, records)
    explain_dots(chart, records, colors)
    warning = "; dots of different colours are not comparable" if len(colors) > 1 else ""
    count = say_count(len(records), "configuration")
    chart.headline(project, f"{count} at the end of their longest training{warning}")
    return chart


def _draw_effect(
    axes: "Axes",
    declaration: Declaration,
    records: list[RunRecord],
    colors: dict[int, Any],
    is_many: bool,
) -> None:
    active = [record for record in records if declaration.name in record.values]
    places = _place_values(axes, declaration, active)
    scores = np.array(list_scores(active))
    collapsed = np.array([record.collapsed for record in active], bool)
    shades = np.array([colors[record.planned_epochs] for record in active], object)
    for some, marker in ((collapsed, "x"), (~collapsed, "o")):
        axes.scatter(
            places[some],
            scores[some],
            s=20,
            c=list(shades[some]) or None,
            marker=marker,
            linewidths=0 if marker == "o" else 1,
            alpha=0.75,
            rasterized=is_many,
        )
    axes.set_title(declaration.name, color=INK)
    axes.grid(axis="x", visible=False)


def _place_values(axes: "Axes", declaration: Declaration, records: list[RunRecord]) -> np.ndarray:
    """Where each run's value lies across, (N,); sets the ticks. Few values are spread a little."""
    given = declaration.hyperparameter
    values = [record.values[declaration.name] for record in records]
    if isinstance(given, Int | Float) and len(set(values)) > 8:
        if given.sampling == "log":
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter(name_number)
            axes.xaxis.set_minor_formatter("")
        return np.array(values, float)
    known = given.values if given.type == "Choice" else sorted(set(values))
    ticks = {value: place for place, value in enumerate(known)}
    names = [name_value(value) for value in known]
    letters = max(map(len, names)) * len(names)
    if letters > 60:
        names = [name.replace("_", "_\n") for name in names]
    axes.set_xticks(range(len(known)), names)
    axes.set_xlim(-0.6, len(known) - 0.4)
    if letters > 22:
        axes.tick_params(axis="x", rotation=90 if letters > 60 else 45, labelsize=8)
    # Spread by the golden ratio: even, and the same every time.
    spread = (np.arange(len(values)) * 0.618034 % 1 - 0.5) * 0.5
    return np.array([ticks[value] for value in values]) + spread
