"""Hyperband as it went: in each bracket, who began, who was promoted, and where they got to."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context

from ..project.journal import Record
from ..summary.history import list_completed
from .search import explain_dots, plot_scores, scale_scores
from .style import INK, MANY, STYLE, Chart, color_epochs, name_score, space_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..project.project import Project

NAMED = 3  # of the trials that reach a bracket's last round


@rc_context(STYLE)
def draw_rounds(project: "Project") -> Chart | None:
    """A panel a bracket: score against round, a line for each promoted run."""
    proposals = {record["trial"]: record for record in project.proposals()}
    runs = [r for r in list_completed(project) if proposals[r["trial"]]["bracket"] is not None]
    if not runs:
        return None
    brackets: dict[int, dict[int, list[Record]]] = {}
    for run in runs:
        proposal = proposals[run["trial"]]
        rounds = brackets.setdefault(proposal["bracket"], {})
        rounds.setdefault(proposal["round"], []).append(run)
    colors = color_epochs(run["planned_epochs"] for run in runs)
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
        _name_best(axes, project, rounds[max(rounds)], max(rounds))
    panels[0].set_ylabel(name_score(project))
    explain_dots(
        chart, runs, colors, "under each round: its last epoch, and n, how many trials reached it"
    )
    promoted = sum(proposals[run["trial"]]["parent"] is not None for run in runs)
    chart.headline(
        project,
        f"{len(runs) - promoted} configurations began in {len(brackets)} "
        f"bracket{'s' * (len(brackets) > 1)}; {promoted} times one was promoted",
    )
    return chart


def _draw_bracket(
    axes: "Axes", bracket: int, rounds: dict[int, list[Record]], colors: dict[int, Any]
) -> None:
    dots = [(float(number), run) for number, runs in rounds.items() for run in runs]
    plot_scores(axes, dots, colors)
    scores: dict[int, list[tuple[int, Record]]] = {}
    for number in sorted(rounds):
        for run in rounds[number]:
            scores.setdefault(run["root"], []).append((number, run))
    for path in scores.values():
        axes.plot(
            [number for number, _ in path],
            [run["score"] for _, run in path],
            color=colors[path[-1][1]["planned_epochs"]],
            linewidth=1,
            alpha=0.6,
            rasterized=len(scores) > MANY,
        )
    ticks = [f"{rounds[number][0]['planned_epochs']}\nn={len(rounds[number])}" for number in rounds]
    axes.set_xticks(list(rounds), ticks)
    axes.set_xlim(min(rounds) - 0.4, max(rounds) + 0.6)
    axes.set_title(f"bracket {bracket}" if len(rounds) > 1 else str(bracket))
    axes.grid(axis="x", visible=False)


def _name_best(axes: "Axes", project: "Project", last: Iterable[Record], place: int) -> None:
    """The trial numbers of the best of a bracket's last round, beside their dots."""
    sign = -1 if project.space.protocol.direction == "max" else 1
    best = sorted(last, key=lambda run: sign * run["score"])[:NAMED]
    heights = space_labels(axes, [run["score"] for run in best])
    for run, height in zip(best, heights, strict=True):
        axes.annotate(
            f"{run['trial']:03d}",
            (place, run["score"]),
            xytext=(place + 0.12, height),
            color=INK,
            fontsize=8,
            va="center",
        )
