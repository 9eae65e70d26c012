"""The search as it went: the best score against what it cost, and who was promoted."""

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.lines import Line2D

from ..project.journal import Record
from ..summary.history import list_completed
from .style import INK, MANY, STYLE, Chart, color_epochs, name_number, name_score

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..project.project import Project


@rc_context(STYLE)
def draw_score(project: "Project", against: str) -> Chart | None:
    """Every trial's score and the best so far, against "hours" or "epochs" of the whole search.

    A score after 4 epochs says little of one after 100. The best so far is that of the longest
    trained until then, as in the project's ranking, so its line begins anew where one is longer.
    """
    records = list_completed(project)
    if not records:
        return None
    spent, label = _spend(project, against)
    colors = color_epochs(record["planned_epochs"] for record in records)
    chart = Chart(3.6)
    axes = chart.subplots()
    plot_scores(axes, [(spent[r["trial"]], r) for r in records], colors)
    _draw_best(axes, project, records, spent, colors)
    axes.set(xlabel=label, ylabel=name_score(project))
    axes.set_xlim(left=0)
    scale_scores(axes, project, records)
    explain_dots(chart, records, colors)
    best = project.ranking()[0]
    chart.headline(
        project,
        f"Best of {len(records)} trials: {best['score']:.4f} after {best['epochs']} epochs "
        f"(trial {best['trial']:03d})",
    )
    return chart


def _spend(project: "Project", against: str) -> tuple[dict[int, float], str]:
    """Trial -> what all runs had cost together when it ended, and what that is called."""
    ended = project.ended("search")
    if against == "epochs":
        costs = [float(r["epochs"] - r["initial_epoch"]) for r in ended]
        unit, label = 1.0, "epochs of training, all trials together"
    else:
        costs = [r["seconds"] for r in ended]
        unit, name = (3600.0, "hours") if sum(costs) > 2 * 3600 else (60.0, "minutes")
        label = f"{name} of training, all trials together"
    totals = accumulate(cost / unit for cost in costs)
    return {record["trial"]: total for record, total in zip(ended, totals, strict=True)}, label


def plot_scores(axes: "Axes", dots: list[tuple[float, Record]], colors: dict[int, Any]) -> None:
    """A dot a run in its colour of epochs, at the given place; a cross if it collapsed."""
    for collapsed in (False, True):
        some = [(place, r) for place, r in dots if r["collapsed"] == collapsed]
        axes.scatter(
            [place for place, _ in some],
            [r["score"] for _, r in some],
            s=26,
            c=[colors[r["planned_epochs"]] for _, r in some] or None,
            marker="x" if collapsed else "o",
            linewidths=1.2 if collapsed else 0,
            alpha=0.75,
            rasterized=len(some) > MANY,
            zorder=3,
        )


def explain_dots(
    chart: Chart, records: list[Record], colors: dict[int, Any], title: str | None = None
) -> None:
    """A legend below: the colour of each number of epochs, and the cross of a collapsed run."""
    style: dict[str, Any] = {"linestyle": "none", "marker": "o", "markeredgewidth": 0}
    handles = [
        Line2D([], [], color=color, label=f"{epochs} epochs", **style)
        for epochs, color in colors.items()
    ]
    if any(record["collapsed"] for record in records):
        cross = style | {"marker": "x", "markeredgewidth": 1.2}
        handles.append(Line2D([], [], color=INK, label="collapsed", **cross))
    chart.legend(
        handles=handles,
        title=title,
        alignment="left",
        loc="outside lower left",
        ncols=6,
        handletextpad=0.2,
    )


def scale_scores(axes: "Axes", project: "Project", records: list[Record]) -> None:
    """Losses that differ by more than a factor of 20 on a logarithmic axis."""
    scores = [record["score"] for record in records]
    if project.space.protocol.direction == "min" and max(scores) > 20 * min(scores) > 0:
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(name_number)


def _draw_best(
    axes: "Axes",
    project: "Project",
    records: list[Record],
    spent: dict[int, float],
    colors: dict[int, Any],
) -> None:
    """A step line of the best among the longest trained so far, one for each length."""
    choose = max if project.space.protocol.direction == "max" else min
    lines: list[tuple[int, list[float], list[float]]] = []
    for record in records:
        epochs, score = record["planned_epochs"], record["score"]
        if not lines or epochs > lines[-1][0]:
            lines.append((epochs, [], []))
        if epochs == lines[-1][0]:
            _, places, scores = lines[-1]
            places.append(spent[record["trial"]])
            scores.append(choose([score, *scores]))
    ends = [following[1][0] for _, following in pairwise(lines)] + [max(spent.values())]
    for (epochs, places, scores), end in zip(lines, ends, strict=True):
        axes.step([*places, end], [*scores, scores[-1]], where="post", color=colors[epochs])
