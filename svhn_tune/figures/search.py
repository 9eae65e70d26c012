"""The search as it went: the best score against what it cost, and who was promoted.

Hyperband, in each bracket: who began, who was promoted, and where they got to.
"""

from collections.abc import Iterable
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.lines import Line2D

from ..console import say_count
from ..journal.record_types import RunRecord
from ..project.project import Project
from ..summary.curves import list_completed, list_longest, list_scores
from .style import (
    INK,
    MANY,
    STYLE,
    Chart,
    color_epochs,
    name_number,
    name_score,
    space_labels,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMED = 3  # of the trials that reach a bracket's last round


@rc_context(STYLE)
def draw_score(project: Project, against: str) -> Chart | None:
    """Every trial's score and the best so far, against "hours" or "epochs" of the whole search.

    A score after 4 epochs says little of one after 100. The best so far is that of the longest
    trained until then, as in the project's ranking, so its line begins anew where one is longer.
    """
    records = list_completed(project)
    if not records:
        return None
    spent, label = sum_costs(project, against)
    colors = color_epochs(record.planned_epochs for record in records)
    chart = Chart(3.6)
    axes = chart.subplots()
    plot_scores(axes, [(spent[r.trial], r) for r in records], colors)
    for epochs, places, scores in follow_best(project, records, spent):
        axes.step(places, scores, where="post", color=colors[epochs])
    axes.set(xlabel=label, ylabel=name_score(project))
    axes.set_xlim(left=0)
    scale_scores(axes, project, records)
    explain_dots(chart, records, colors)
    chart.headline(project, say_best(project, len(records)))
    return chart


def say_best(project: Project, trials: int) -> str:
    """The best score of so many trials, and of how long a training."""
    best = list_longest(project)[0]
    return (
        f"Best of {say_count(trials, 'trial')}: {project.space.objective.tell(best.score)} after "
        f"{say_count(best.epochs, 'epoch')} (trial {best.root:03d})"
    )


def sum_costs(project: Project, against: str) -> tuple[dict[int, float], str]:
    """Trial -> what all runs had cost together when it ended, and what that is called."""
    ended = project.ended("search")
    if against == "epochs":
        costs = [float(r.epochs - r.initial_epoch) for r in ended]
        unit, label = 1.0, "epochs of training, all trials together"
    else:
        costs = [r.seconds for r in ended]
        unit, name = (3600.0, "hours") if sum(costs) > 2 * 3600 else (60.0, "minutes")
        label = f"{name} of training, all trials together"
    totals = accumulate(cost / unit for cost in costs)
    return {record.trial: total for record, total in zip(ended, totals, strict=True)}, label


def plot_scores(axes: "Axes", dots: list[tuple[float, RunRecord]], colors: dict[int, Any]) -> None:
    """One dot per run in its colour of epochs, at the given place; a cross if it collapsed."""
    for collapsed in (False, True):
        some = [(place, r) for place, r in dots if r.collapsed == collapsed]
        axes.scatter(
            [place for place, _ in some],
            list_scores(r for _, r in some),
            s=26,
            c=[colors[r.planned_epochs] for _, r in some] or None,
            marker="x" if collapsed else "o",
            linewidths=1.2 if collapsed else 0,
            alpha=0.75,
            rasterized=len(some) > MANY,
            zorder=3,
        )


def explain_dots(
    chart: Chart, records: list[RunRecord], colors: dict[int, Any], title: str | None = None
) -> None:
    """A legend below: the colour of each number of epochs, and the cross of a collapsed run."""
    style: dict[str, Any] = {"linestyle": "none", "marker": "o", "markeredgewidth": 0}
    handles = [
        Line2D([], [], color=color, label=say_count(epochs, "epoch"), **style)
        for epochs, color in colors.items()
    ]
    if any(record.collapsed for record in records):
        cross = style | {"marker": "x", "markeredgewidth": 1.2}
        handles.append(Line2D([], [], color=INK, label="collapsed", **cross))
    chart.legend(
        handles=handles,
        title=title,
        alignment="left",
        loc="outside lower left",
        ncols=4,
        handletextpad=0.2,
    )


def scale_scores(axes: "Axes", project: Project, records: list[RunRecord]) -> None:
    """Losses that differ by more than a factor of 20 on a logarithmic axis."""
    if spans_decades(project, list_scores(records)):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(name_number)


def spans_decades(project: Project, scores: list[float]) -> bool:
    """Whether these are losses that differ by more than a factor of 20."""
    return not project.space.objective.higher_is_better and max(scores) > 20 * min(scores) > 0


def follow_best(
    project: Project, records: list[RunRecord], spent: dict[int, float]
) -> list[tuple[int, list[float], list[float]]]:
    """The best among the longest trained so far: a line for each length, to where the next begins.

    Args:
        project: whose objective says what is better.
        records: runs that have a score, as they ended.
        spent: what all runs had cost together when a trial ended.

    Returns:
        Epochs, places across and scores of each line, to be drawn as steps.
    """
    best = project.space.objective.best
    lines: list[tuple[int, list[float], list[float]]] = []
    for record, score in zip(records, list_scores(records), strict=True):
        epochs = record.planned_epochs
        if not lines or epochs > lines[-1][0]:
            lines.append((epochs, [], []))
        if epochs == lines[-1][0]:
            _, places, scores = lines[-1]
            places.append(spent[record.trial])
            scores.append(best([score, *scores], float))
    ends = [following[1][0] for _, following in pairwise(lines)] + [max(spent.values())]
    for (_, places, scores), end in zip(lines, ends, strict=True):
        places.append(end)
        scores.append(scores[-1])
    return lines


@rc_context(STYLE)
def draw_rounds(project: Project) -> Chart | None:
    """One panel per bracket: score against round, a line for each promoted run.

    Halving has no brackets, so one panel.
    """
    proposals = {record.trial: record for record in project.proposals()}
    runs = [r for r in list_completed(project) if proposals[r.trial].round is not None]
    if not runs:
        return None
    brackets: dict[int | None, dict[int, list[RunRecord]]] = {}
    for run in runs:
        proposal = proposals[run.trial]
        rounds = brackets.setdefault(proposal.bracket, {})
        rounds.setdefault(proposal.round or 0, []).append(run)
    colors = color_epochs(run.planned_epochs for run in runs)
    chart = Chart(4.2)
    panels = chart.subplots(
        1,
        len(brackets),
        sharey=True,
        squeeze=False,
        width_ratios=[len(r) for r in brackets.values()],
    )[0]
    for axes, (bracket, rounds) in zip(panels, brackets.items(), strict=True):
        _draw_bracket(axes, bracket, rounds, colors)
    scale_scores(panels[0], project, runs)
    for axes, rounds in zip(panels, brackets.values(), strict=True):
        # A configuration goes by the number of its first trial.
        known = set(project.search_runs())
        last = [run for run in rounds[max(rounds)] if run.root in known]
        _name_best(axes, project, last, max(rounds))
    panels[0].set_ylabel(name_score(project))
    explain_dots(
        chart, runs, colors, "under each round: its last epoch, and how many trials reached it"
    )
    promoted = sum(proposals[run.trial].parent is not None for run in runs)
    where = "" if None in brackets else f" in {say_count(len(brackets), 'bracket')}"
    begun = sum(proposals[run.trial].begins_new for run in runs)
    told = f"{begun} configurations began{where}; {promoted} times one was promoted"
    if again := len(runs) - promoted - begun:
        told += f"; {say_count(again, 'second run')} of what led"
    chart.headline(project, told)
    return chart


def _draw_bracket(
    axes: "Axes", bracket: int | None, rounds: dict[int, list[RunRecord]], colors: dict[int, Any]
) -> None:
    dots = [(float(number), run) for number, runs in rounds.items() for run in runs]
    plot_scores(axes, dots, colors)
    scores: dict[int, list[tuple[int, RunRecord]]] = {}
    for number in sorted(rounds):
        for run in rounds[number]:
            scores.setdefault(run.root, []).append((number, run))
    for path in scores.values():
        axes.plot(
            [number for number, _ in path],
            list_scores(run for _, run in path),
            color=colors[path[-1][1].planned_epochs],
            linewidth=1,
            alpha=0.6,
            rasterized=len(scores) > MANY,
        )
    ticks = [f"{rounds[number][0].planned_epochs}\n{len(rounds[number])}" for number in rounds]
    axes.set_xticks(list(rounds), ticks, fontsize=7 if len(rounds) > 4 else 9)
    axes.set_xlim(min(rounds) - 0.4, max(rounds) + 0.6)
    if bracket is not None:
        axes.set_title(f"bracket {bracket}" if len(rounds) > 1 else str(bracket))
    axes.grid(axis="x", visible=False)


def _name_best(axes: "Axes", project: Project, last: Iterable[RunRecord], place: int) -> None:
    """The trial numbers of the best of a bracket's last round, beside their dots."""
    sort_key = project.space.objective.sort_key
    best = sorted(last, key=lambda run: sort_key(run.score))[:NAMED]
    scores = list_scores(best)
    for run, score, height in zip(best, scores, space_labels(axes, scores), strict=True):
        axes.annotate(
            f"{run.root:03d}",
            (place, score),
            xytext=(place + 0.12, height),
            color=INK,
            fontsize=8,
            va="center",
        )
