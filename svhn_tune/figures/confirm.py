"""Confirm's runs as dots: how far apart runs of one configuration lie, and how far their means.

And its confusion matrices: means over the runs of a configuration, in percent of each class.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..console import say_count
from ..journal.record_types import RunRecord
from ..project.project import Project
from ..summary.confirmed import (
    Confirmed,
    average_confusion,
    compare_class_weights,
    summarize_confirmed,
)
from .style import BLUE, INK, ORANGE, STYLE, VERMILION, Chart, name_score

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# From nothing, so that the page shows through: light or dark.
SHADES = LinearSegmentedColormap.from_list("share", [to_rgba(BLUE, 0), to_rgba(BLUE)])


@rc_context(STYLE)
def draw_confirmed(project: Project) -> Chart | None:
    """One row per configuration: its runs, their mean and 95 % interval, and what the search said.

    Runs that a choice was made on are hollow: they are no fresh evidence.
    """
    entries = summarize_confirmed(project)
    if not entries:
        return None
    chart = Chart(1.8 + 0.72 * len(entries))
    axes = chart.subplots()
    groups = [project.confirm_runs()[entry.root, entry.epochs] for entry in entries]
    for row, (entry, runs) in enumerate(zip(entries, groups, strict=True)):
        _draw_entry(axes, row, entry, runs)
    axes.set_yticks(range(len(entries)), [_name_entry(project, entry) for entry in entries])
    for label, entry in zip(axes.get_yticklabels(), entries, strict=True):
        label.set_fontweight("bold" if entry.tied_with_best else "normal")
    axes.set_ylim(len(entries) - 0.45, -0.55)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(f"{name_score(project, 'confirm')}, after the last epoch")
    axes.xaxis.set_major_locator(MaxNLocator(6))
    seen = [run.score for runs in groups for run in runs]
    seen += [entry.search_score for entry in entries if _is_comparable(entry)]
    _limit_scores(axes, project, entries, [score for score in seen if score is not None])
    _explain(chart, entries)
    chart.headline(project, _say_best(project, entries))
    return chart


def _draw_entry(axes: "Axes", row: int, entry: Confirmed, runs: list[RunRecord]) -> None:
    # Two lanes: the runs above, what they amount to below, so that no dot hides the interval.
    color = ORANGE if entry.baseline else BLUE
    summary, below = entry.summary, row + 0.2
    if summary.ci95 is not None:
        low, high = summary.ci95
        axes.plot([low, high], [below, below], color=color, alpha=0.4, linewidth=8, zorder=2)
    axes.plot([summary.mean] * 2, [below - 0.13, below + 0.13], color=color, linewidth=2, zorder=3)
    spread = [row - 0.16 + 0.1 * (place % 3 - 1) for place in range(len(runs))]
    for height, run in zip(spread, runs, strict=True):
        if run.score is None:
            continue
        is_used = run.run in entry.used
        axes.plot(
            run.score,
            height,
            marker="X" if run.collapsed else "o",
            markersize=6,
            color=VERMILION if run.collapsed else color,
            markerfacecolor="none" if is_used else None,
            markeredgewidth=1.2 if is_used else 0,
            linestyle="none",
            zorder=4,
        )
    if entry.search_score is not None and _is_comparable(entry):
        axes.plot(
            entry.search_score,
            below,
            marker="D",
            markersize=5,
            markerfacecolor="none",
            color=INK,
            zorder=4,
        )


def _is_comparable(entry: Confirmed) -> bool:
    """Whether the search trained it as long as confirm: else its score is of another scale."""
    return entry.search_score is not None and entry.search_epochs == entry.epochs


def _name_entry(project: Project, entry: Confirmed) -> str:
    name = f"trial {entry.trial:03d}" + (", baseline" if entry.baseline else "")
    out = ", not chosen" if entry.left_out else ""
    runs = say_count(entry.summary.n, "run")
    label = f"{name}\n{runs} of {say_count(entry.epochs, 'epoch')}{out}"
    if entry.search_score is None or _is_comparable(entry):
        return label
    epochs = say_count(entry.search_epochs or 0, "epoch")
    return f"{label}\nsearch: {project.space.objective.say(entry.search_score)}, {epochs}"


def _limit_scores(
    axes: "Axes", project: Project, entries: list[Confirmed], known: list[float]
) -> None:
    """No further than twice the runs' own range: the interval of two runs can be far wider."""
    if not known:
        return
    margin = max((max(known) - min(known)) / 2, 0.005 * max(map(abs, known)), 1e-4)
    ends = [end for entry in entries for end in entry.summary.ci95 or ()]
    low = max(min([*known, *ends]), min(known) - margin)
    high = min(max([*known, *ends]), max(known) + margin)
    axes.set_xlim(low - margin / 8, high + margin / 8)
    if not project.space.objective.higher_is_better:
        axes.invert_xaxis()  # the better to the right


def _explain(chart: Chart, entries: list[Confirmed]) -> None:
    none: dict[str, Any] = {"linestyle": "none", "color": INK}
    handles = [
        Line2D([], [], marker="o", markeredgewidth=0, label="a run", **none),
        Line2D([], [], marker="|", markersize=11, markeredgewidth=2, label="mean", **none),
        Line2D([], [], color=INK, alpha=0.35, linewidth=8, label="95 % interval"),
    ]
    hollow: dict[str, Any] = {"markerfacecolor": "none", **none}
    if any(map(_is_comparable, entries)):
        handles.append(Line2D([], [], marker="D", label="the search's score", **hollow))
    if any(entry.used for entry in entries):
        handles.append(Line2D([], [], marker="o", label="used to choose", **hollow))
    if any(entry.collapsed for entry in entries):
        crossed: dict[str, Any] = none | {"color": VERMILION}
        handles.append(Line2D([], [], marker="X", markeredgewidth=0, label="collapsed", **crossed))
    if any(entry.baseline for entry in entries):
        handles.append(Line2D([], [], marker="s", label="baseline", linestyle="none", color=ORANGE))
    chart.legend(handles=handles, loc="outside lower left", ncols=3, handletextpad=0.4)


def _say_best(project: Project, entries: list[Confirmed]) -> str:
    best = entries[0]
    tied = sum(e.tied_with_best and e.epochs == best.epochs for e in entries)
    name = f"trial {best.trial:03d}" + (" (the baseline)" if best.baseline else "")
    score = project.space.objective.tell(best.summary.mean)
    told = f"Best mean: {name}, {score} of {say_count(best.summary.n, 'run')}"
    if tied == 0:
        return f"{told}: too few to tell configurations apart"
    return told + (f", tied with {say_count(tied - 1, 'other')}" if tied > 1 else "")


@rc_context(STYLE)
def draw_confusion(project: Project) -> Chart | None:
    """The baseline's and the best's, and the best without and with class weights, side by side."""
    panels = _choose_panels(project)
    if not panels:
        return None
    rows = math.ceil(len(panels) / 2)
    chart = Chart(3.0 * rows + 0.75)
    # Square panels end up beside where the layout has put them, and their titles with them.
    chart.set_layout_engine("constrained", w_pad=0.12)
    places = chart.subplots(rows, 2, squeeze=False)
    for axes in places.flat[len(panels) :]:
        axes.remove()
    for axes, (title, confusion) in zip(places.flat, panels.items(), strict=False):
        _draw_matrix(axes, title, confusion)
    chart.headline(project, "Test images of each true class, percent predicted as each class")
    return chart


def _choose_panels(project: Project) -> dict[str, Sequence[Sequence[float]]]:
    """Title -> mean confusion matrix; a configuration that is asked for twice is there once."""
    entries = summarize_confirmed(project)
    longest = [e for e in entries if e.epochs == entries[0].epochs]
    baseline = next((e for e in longest if e.baseline), None)
    shown: dict[int, tuple[str, Confirmed]] = {}
    for name, entry in (("baseline", baseline), ("best mean", longest[0] if longest else None)):
        if entry is not None:
            known = shown.get(entry.trial)
            shown[entry.trial] = (f"{known[0]} and {name}" if known else name, entry)
    if len(shown) == 1 and len(longest) > 1:
        other = next(entry for entry in longest if entry.trial not in shown)
        shown[other.trial] = ("best mean of the others", other)
    panels = {}
    for name, entry in shown.values():
        found = average_confusion(project, entry)
        if found is not None:
            panels[_title(name, entry.trial, found["runs"])] = found["confusion"]
    for each in compare_class_weights(project):
        if each["trial"] not in shown:
            gamma = each["class_weight"]
            kind = f"class weights {gamma:g}" if gamma else "no class weights"
            panels[_title(f"best with {kind}", each["trial"], each["runs"])] = each["confusion"]
    return panels


def _title(name: str, trial: int, runs: int) -> str:
    return f"trial {trial:03d}, {say_count(runs, 'run')}:\n{name}"


def _draw_matrix(axes: "Axes", title: str, confusion: Sequence[Sequence[float]]) -> None:
    counts = np.array(confusion, float)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(100 * counts, totals, out=np.zeros_like(counts), where=totals > 0)
    # The power shows mistakes of a few percent.
    axes.imshow((shares / 100) ** 0.7, cmap=SHADES, vmin=0, vmax=1)
    classes = range(len(counts))
    for true in classes:
        for predicted in classes:
            share = shares[true, predicted]
            if share >= 0.5:
                axes.text(
                    predicted,
                    true,
                    f"{share:.0f}",
                    ha="center",
                    va="center",
                    fontsize=7,
                    color="white" if share > 40 else INK,
                )
    axes.set(xticks=classes, yticks=classes, xlabel="predicted class", ylabel="true class")
    axes.tick_params(length=0)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_title(title, fontsize=9)
