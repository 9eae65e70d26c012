"""Learning curves: of the search's top trials, and of the confirm runs of each configuration."""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.lines import Line2D

from ..journal.record_types import RunRecord
from ..project.project import Project
from ..space.objective import OBJECTIVES, Objective
from ..summary.curves import Series, list_longest, list_scores, stitch_curves
from .style import CYCLE, INK, STYLE, Chart, space_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TOP = 5


def draw_losses(project: Project) -> Chart | None:
    """The same of the loss; None where that is the objective, and drawn already."""
    loss = OBJECTIVES["val_loss"]
    return None if project.space.objective == loss else draw_curves(project, loss)


@rc_context(STYLE)
def draw_curves(project: Project, objective: Objective | None = None) -> Chart | None:
    """A panel of the search's top trials, whole runs, and a panel of the longest confirm runs.

    They are of the space's objective, or of another one.

    Confirm looks at the test set once, after the last epoch, and has training only until then,
    unless the space's protocol has a validation split or asks for the test curve.
    """
    objective = objective or project.space.objective
    roots = [record.root for record in list_longest(project)[:TOP]]
    curves = {root: stitch_curves(project, root) for root in roots}
    curves = {root: each for root, each in curves.items() if objective.validated in each}
    groups = longest_confirmed(project, objective)
    if not curves and not groups:
        return None
    colors = color_roots([*curves, *groups])
    panels = int(bool(curves)) + int(bool(groups))
    chart = Chart(0.9 + 2.9 * panels)
    places = list(chart.subplots(panels, 1, squeeze=False)[:, 0])
    if curves:
        _draw_search(places[0], project, objective, curves, colors)
    if groups:
        _draw_confirm(places[-1], project, objective, groups, colors)
    for axes in places:
        axes.set_xlim(left=0)
        axes.set_xlabel("epoch")
    has_training = is_trained(objective)
    _explain(chart, project, has_training, bool(curves), bool(groups))
    shown = [f"the search's top {len(curves)}"] * bool(curves) + ["confirm"] * bool(groups)
    of = "Training and validation" if has_training else "Validation"
    chart.headline(project, f"{of}: {' and '.join(shown)}")
    return chart


def is_trained(objective: Objective) -> bool:
    """Whether there is a curve of it of training images, as its model trains."""
    return objective.in_training == objective.metric


def color_roots(roots: list[int]) -> dict[int, str]:
    """One colour per configuration, the same in both panels."""
    known = list(dict.fromkeys(roots))
    return {root: CYCLE[place % len(CYCLE)] for place, root in enumerate(known)}


def longest_confirmed(project: Project, objective: Objective) -> dict[int, list[RunRecord]]:
    """The runs of each configuration's longest confirm that have a curve of the objective."""
    groups = project.confirm_runs()
    longest = max((epochs for _, epochs in groups), default=0)
    of_length = {root: runs for (root, epochs), runs in groups.items() if epochs == longest}
    kept = {
        root: [run for run in runs if count_epochs(objective, [run])]
        for root, runs in of_length.items()
    }
    return {root: runs for root, runs in kept.items() if runs}


def count_epochs(objective: Objective, runs: list[RunRecord]) -> int:
    """The length of their longest curve of the objective: of training, validation or test."""
    names = (objective.metric, objective.validated, objective.tested)
    return max(len(run.metrics.get(name, [])) for run in runs for name in names)


def _draw_search(
    axes: "Axes",
    project: Project,
    objective: Objective,
    curves: dict[int, dict[str, Series]],
    colors: dict[int, str],
) -> None:
    """Validation solid, training dashed, over all rounds that a run went through."""
    ends = {}
    for root, each in curves.items():
        for name, style in ((objective.validated, "-"), (objective.metric, "--")):
            values = np.array(each.get(name, []), float)
            axes.plot(
                np.arange(1, len(values) + 1), values, style, color=colors[root], linewidth=1.4
            )
            if name == objective.validated and np.isfinite(values).any():
                ends[root] = (len(values), float(values[np.isfinite(values)][-1]))
    _name_ends(axes, {root: f"{root:03d}" for root in ends}, ends, colors)
    axes.set(title="search", ylabel=objective.title)


def _draw_confirm(
    axes: "Axes",
    project: Project,
    objective: Objective,
    groups: dict[int, list[RunRecord]],
    colors: dict[int, str],
) -> None:
    """Means over runs, lowest to highest; and the test scores after the last epoch.

    Training dashed; validation solid and test dotted, where the space's protocol has them.
    """
    ends: dict[int, tuple[int, float]] = {}
    for place, (root, runs) in enumerate(groups.items()):
        length = count_epochs(objective, runs)
        named = {objective.metric: "--", objective.validated: "-", objective.tested: ":"}
        for name, style in named.items():
            kept = [run.metrics[name] for run in runs if run.metrics.get(name)]
            end = _draw_runs(axes, kept, length, style, colors[root])
            if end is not None:
                ends.setdefault(root, (length, end))
        if root not in ends:
            continue
        scores = list_scores(runs)
        if objective != project.space.objective:
            tested = [run.test.get(objective.metric) for run in runs]
            scores = [each for each in tested if each is not None]
        beside = length * (1.01 + 0.012 * place)
        axes.plot([beside] * len(scores), scores, "o", color=colors[root], alpha=0.8, markersize=4)
    names = {root: f"{root:03d}" + ", baseline" * (root == 0) for root in ends}
    _name_ends(axes, names, ends, colors, 1.02 + 0.012 * len(ends))
    counts = sorted({len(runs) for runs in groups.values()})
    title = f"confirm, {' to '.join(map(str, {counts[0], counts[-1]}))} runs each"
    axes.set(title=title, ylabel=objective.title)


def _draw_runs(
    axes: "Axes", runs: list[Series], length: int, style: str, color: str
) -> float | None:
    """The mean of runs and all between the lowest and the highest; the mean's end."""
    epochs, table = tabulate_runs(runs, length)
    if not len(epochs):
        return None
    axes.plot(epochs, np.nanmean(table, axis=0), style, color=color, linewidth=1.4)
    low, high = np.nanmin(table, axis=0), np.nanmax(table, axis=0)
    axes.fill_between(epochs, low, high, color=color, alpha=0.2, linewidth=0)
    return float(np.nanmean(table, axis=0)[-1])


def tabulate_runs(runs: list[Series], length: int) -> tuple[np.ndarray, np.ndarray]:
    """A metric of runs: the epochs in which any has it, (E,), and all of it there, (runs, E)."""
    table = np.full((len(runs), length), np.nan)
    for row, values in zip(table, runs, strict=True):
        row[: len(values)] = np.array(values, float)
    seen = np.isfinite(table).any(axis=0)
    return np.arange(1, length + 1)[seen], table[:, seen]


def _name_ends(
    axes: "Axes",
    names: dict[int, str],
    ends: dict[int, tuple[int, float]],
    colors: dict[int, str],
    margin: float = 1.02,
) -> None:
    """Trial numbers to the right of the curves' ends, in their colours."""
    if not ends:
        return
    right = max(length for length, _ in ends.values())
    heights = space_labels(axes, [height for _, height in ends.values()], 16)
    for root, height in zip(ends, heights, strict=True):
        axes.text(right * margin, height, names[root], color=colors[root], fontsize=9, va="center")
    axes.set_xlim(right=right * (margin + 0.027 * max(map(len, names.values()))))


def _explain(
    chart: Chart, project: Project, has_training: bool, has_search: bool, has_confirm: bool
) -> None:
    handles = []
    if has_training:
        handles.append(Line2D([], [], color=INK, linestyle="--", label="training"))
    protocol = project.space.protocol
    if has_search or protocol.validation_split is not None:
        on_test = ", on the test set" * (project.settings.validate_on == "test")
        handles.append(Line2D([], [], color=INK, label=f"validation{on_test}"))
    if has_confirm and protocol.test_curve:
        handles.append(Line2D([], [], color=INK, linestyle=":", label="test, to be shown alone"))
    if has_confirm:
        handles.append(Line2D([], [], color=INK, alpha=0.3, linewidth=8, label="lowest to highest"))
        handles.append(
            Line2D([], [], color=INK, linestyle="none", marker="o", markersize=4, label="test")
        )
    chart.legend(handles=handles, loc="outside lower left", ncols=3)
