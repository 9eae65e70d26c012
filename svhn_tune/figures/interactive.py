"""The score as a plotly figure: what lies under the pointer, zoom, a legend; and how such look.

Names and values are escaped: plotly takes text for HTML. `layout.meta["switch"]` has what a page
may put across instead: a list of a name, a title of the axis, and the places of each trace.
"""

import textwrap
from html import escape
from typing import Any

from matplotlib.colors import to_hex

from ..console import say_count
from ..journal.record_types import RunRecord
from ..project.project import Project
from ..summary.curves import list_completed, list_scores
from ..summary.wording import with_provenance
from .search import follow_best, say_best, spans_decades, sum_costs
from .style import INK, color_epochs, name_score

GRID = "rgba(118, 118, 118, 0.25)"


def explore_score(project: Project) -> Any:
    """Every trial's score and the best so far, against hours or epochs; None without a score."""
    records = list_completed(project)
    if not records:
        return None
    costs = {unit: sum_costs(project, unit) for unit in ("hours", "epochs")}
    colors = {
        n: to_hex(each) for n, each in color_epochs(r.planned_epochs for r in records).items()
    }
    traces, places = [], []
    for epochs, color in colors.items():
        some = [r for r in records if r.planned_epochs == epochs and not r.collapsed]
        traces.append(_dot(project, some, say_count(epochs, "epoch"), color, epochs))
        places.append([[spent[r.trial] for r in some] for spent, _ in costs.values()])
    if collapsed := [record for record in records if record.collapsed]:
        shades = [colors[record.planned_epochs] for record in collapsed]
        traces.append(_dot(project, collapsed, "collapsed", shades, "collapsed"))
        places.append([[spent[r.trial] for r in collapsed] for spent, _ in costs.values()])
    lines = [follow_best(project, records, spent) for spent, _ in costs.values()]
    for same in zip(*lines, strict=True):
        epochs, _, scores = same[0]
        traces.append(_step(project, scores, colors[epochs], epochs))
        places.append([across for _, across, _ in same])
    for trace, across in zip(traces, places, strict=True):
        trace["x"] = across[0]
    names = [label.split()[0] for _, label in costs.values()]
    switch = [
        {"name": name, "title": label, "x": [across[place] for across in places]}
        for place, (name, (_, label)) in enumerate(zip(names, costs.values(), strict=True))
    ]
    return make_figure(
        traces,
        make_layout(project, say_best(project, len(records)), 420)
        | {
            "meta": {"switch": switch},
            "xaxis": make_axis(costs["hours"][1], rangemode="tozero"),
            "yaxis": _score_axis(project, name_score(project), list_scores(records)),
        },
    )


def _dot(
    project: Project, records: list[RunRecord], name: str, color: Any, group: Any
) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "legendgroup": str(group),
        "y": list_scores(records),
        "text": [_describe(project, record) for record in records],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": color, "size": 8, "opacity": 0.8}
        | ({"symbol": "x-thin", "line": {"color": color, "width": 2}} if group == name else {}),
    }


def _step(project: Project, scores: list[float], color: str, epochs: int) -> dict[str, Any]:
    form = project.space.objective.form
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"best after {say_count(epochs, 'epoch')}",
        "legendgroup": str(epochs),
        "showlegend": False,
        "y": scores,
        "line": {"color": color, "shape": "hv", "width": 2},
        "hovertemplate": (
            f"best so far after {say_count(epochs, 'epoch')}: %{{y:{form}}}<extra></extra>"
        ),
    }


def _describe(project: Project, record: RunRecord) -> str:
    """What a run is, in lines of HTML."""
    lines = [
        f"trial {record.root:03d}: {project.space.objective.say(record.score)} after "
        + say_count(record.epochs, "epoch")
        + ", collapsed" * record.collapsed,
        f"{record.seconds / 60:,.1f} minutes, {record.file_bytes:,} bytes",
        *textwrap.wrap(project.space.changes(record.values), 60),
    ]
    return "<br>".join(map(escape, lines))


def _score_axis(project: Project, title: str, scores: list[float]) -> dict[str, Any]:
    return make_axis(title) | ({"type": "log"} if spans_decades(project, scores) else {})


def make_axis(title: str, **given: Any) -> dict[str, Any]:
    """An axis for plotly, of this title; `given` is what else it is told."""
    return {
        "title": {"text": escape(title)},
        "gridcolor": GRID,
        "linecolor": INK,
        "zeroline": False,
        "automargin": True,
    } | given


def make_layout(project: Project, title: str, height: int) -> dict[str, Any]:
    """What surrounds the axes, for plotly; `height` is in pixels."""
    return {
        "title": {"text": escape(with_provenance(project, title)), "font": {"size": 14}},
        "font": {"color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 60, "r": 20, "t": 60, "b": 60},
        "height": height,
        "hovermode": "closest",
        "legend": {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": INK, "activecolor": INK},
    }


def make_figure(traces: list[dict[str, Any]], layout: dict[str, Any]) -> Any:
    """A `plotly.graph_objects.Figure` of these traces."""
    from plotly import graph_objects

    return graph_objects.Figure(traces, layout)
