"""The learning curves as a plotly figure: those of the drawing, and more in the legend."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..journal.record_types import RunRecord
from ..project.project import Project
from ..space.objective import OBJECTIVES, Objective
from ..summary.curves import Series, list_longest, stitch_curves
from .curves import TOP, color_roots, count_epochs, is_trained, longest_confirmed, tabulate_runs
from .interactive import make_axis, make_figure, make_layout

MORE = 10  # of the search's curves, hidden until their name in the legend is clicked
FEW = 10  # epochs, each of which gets a tick


def explore_losses(project: Project) -> Any:
    """The same of the loss; None where that is the objective, and shown already."""
    loss = OBJECTIVES["val_loss"]
    return None if project.space.objective == loss else explore_curves(project, loss)


def explore_curves(project: Project, objective: Objective | None = None) -> Any:
    """The learning curves of the search's top trials and of confirm; None where there are none.

    They are of the space's objective, or of another one. Ten more of the search are in the legend,
    to be shown by a click.
    """
    objective = objective or project.space.objective
    records = list_longest(project)[: TOP + MORE]
    curves = {record.root: stitch_curves(project, record.root) for record in records}
    curves = {root: each for root, each in curves.items() if objective.validated in each}
    groups = longest_confirmed(project, objective)
    if not curves and not groups:
        return None
    colors = color_roots([*list(curves)[:TOP], *groups, *list(curves)[TOP:]])
    panel = "2" if curves and groups else ""
    traces: list[dict[str, Any]] = []
    for place, (root, each) in enumerate(curves.items()):
        hidden = {} if place < TOP or root in groups else {"visible": "legendonly"}
        for trace in _draw_search(objective, each, root, colors[root]):
            traces.append(trace | hidden | _name(root, traces))
    for root, runs in groups.items():
        scores = [run.score for run in runs]
        if objective != project.space.objective:
            scores = [run.test.get(objective.metric) for run in runs]
        for trace in _draw_confirm(objective, runs, scores, root, colors[root]):
            axes = {"xaxis": f"x{panel}", "yaxis": f"y{panel}"}
            traces.append(trace | axes | _name(root, traces))
    return make_figure(traces, _lay_out(project, objective, curves, bool(groups)))


def _name(root: int, before: list[dict[str, Any]]) -> dict[str, Any]:
    """What the legend says of a trace: a configuration has one entry, of its first."""
    return {
        "type": "scatter",
        "name": f"trial {root:03d}" + ", baseline" * (root == 0),
        "legendgroup": str(root),
        "showlegend": all(trace["legendgroup"] != str(root) for trace in before),
    }


def _draw_search(
    objective: Objective, curves: dict[str, Series], root: int, color: str
) -> Iterator[dict[str, Any]]:
    for metric, what, dash in (
        (objective.validated, "validation", "solid"),
        (objective.metric, "training", "dash"),
    ):
        values = curves.get(metric, [])
        if not values:
            continue
        yield {
            "mode": "lines",
            "x": list(range(1, len(values) + 1)),
            "y": values,
            "line": {"color": color, "dash": dash, "width": 2},
            "hovertemplate": _say_point(objective, root, what),
        }


def _draw_confirm(
    objective: Objective,
    runs: list[RunRecord],
    scores: list[float | None],
    root: int,
    color: str,
) -> Iterator[dict[str, Any]]:
    """Means, all between the lowest and the highest, and the test scores after the last epoch.

    Of training; of validation and of the test set where the space's protocol has their curves.
    """
    length = count_epochs(objective, runs)
    for name, what, dash in (
        (objective.metric, "training", "dash"),
        (objective.validated, "validation", "solid"),
        (objective.tested, "test", "dot"),
    ):
        kept = [run.metrics[name] for run in runs if run.metrics.get(name)]
        epochs, table = tabulate_runs(kept, length)
        if not len(epochs):
            continue
        across = epochs.tolist()
        low, high = np.nanmin(table, axis=0).tolist(), np.nanmax(table, axis=0).tolist()
        yield {
            "mode": "lines",
            "x": across,
            "y": np.nanmean(table, axis=0).tolist(),
            "line": {"color": color, "dash": dash, "width": 2},
            "hovertemplate": _say_point(objective, root, f"{what}, mean of {len(kept)} runs"),
        }
        yield {
            "mode": "lines",
            "x": across + across[::-1],
            "y": high + low[::-1],
            "fill": "toself",
            "fillcolor": color,
            "opacity": 0.2,
            "line": {"width": 0},
            "hoverinfo": "skip",
        }
    yield {
        "mode": "markers",
        "x": [length] * len(scores),
        "y": scores,
        "marker": {"color": color, "size": 7, "opacity": 0.8},
        "hovertemplate": _say_point(objective, root, "test, a run"),
    }


def _say_point(objective: Objective, root: int, what: str) -> str:
    point = f"epoch %{{x}}: %{{y:{objective.form}}}"
    return f"trial {root:03d}, {what}<br>{point}<extra></extra>"


def _lay_out(
    project: Project,
    objective: Objective,
    curves: dict[int, dict[str, Series]],
    has_confirm: bool,
) -> dict[str, Any]:
    """The search above confirm, each with its own epochs, or the one that there is."""
    title = objective.title
    parts = [f"the search's top {min(TOP, len(curves))}"] * bool(curves)
    parts += ["confirm"] * has_confirm
    longest = max((len(each[objective.validated]) for each in curves.values()), default=0)
    search = make_axis("epoch", rangemode="tozero")
    if 0 < longest <= FEW:
        search["dtick"] = 1
    of = "Training and validation" if is_trained(objective) else "Validation"
    headline = f"{of}: {' and '.join(parts)}"
    if len(parts) == 1:
        axes = {"xaxis": search, "yaxis": make_axis(title)}
        return make_layout(project, headline, 460) | axes
    return make_layout(project, headline, 700) | {
        "xaxis": search | {"anchor": "y"},
        "yaxis": make_axis(f"{title}, search", domain=[0.57, 1.0]),
        "xaxis2": make_axis("epoch", rangemode="tozero", anchor="y2"),
        "yaxis2": make_axis(f"{title}, confirm", domain=[0.0, 0.43]),
    }
