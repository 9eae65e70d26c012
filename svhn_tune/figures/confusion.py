"""Confusion matrices: means over the confirm runs of a configuration, in percent of each class."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import LinearSegmentedColormap, to_rgba

from ..summary.confirmed import Entry, average_confusion, compare_class_weights, summarize_confirmed
from .style import BLUE, INK, STYLE, Chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..project.project import Project

# From nothing, so that the page shows through: light or dark.
SHADES = LinearSegmentedColormap.from_list("share", [to_rgba(BLUE, 0), to_rgba(BLUE)])


@rc_context(STYLE)
def draw_confusion(project: "Project") -> Chart | None:
    """The baseline's and the best's, and the best without and with class weights, side by side."""
    panels = _choose_panels(project)
    if not panels:
        return None
    rows = math.ceil(len(panels) / 2)
    chart = Chart(3.35 * rows + 0.4)
    places = chart.subplots(rows, 2, squeeze=False)
    for axes in places.flat[len(panels) :]:
        axes.remove()
    for axes, (title, confusion) in zip(places.flat, panels.items(), strict=False):
        _draw_matrix(axes, title, confusion)
    chart.headline(project, "Test images of each true class, percent predicted as each class")
    return chart


def _choose_panels(project: "Project") -> dict[str, Sequence[Sequence[float]]]:
    """Title -> mean confusion matrix; a configuration that is asked for twice is there once."""
    entries = summarize_confirmed(project)
    longest = [e for e in entries if e["epochs"] == entries[0]["epochs"]]
    recommended = next((e for e in longest if e["recommended"]), longest[0] if longest else None)
    baseline = next((e for e in longest if e["baseline"]), None)
    shown: dict[int, tuple[str, Entry]] = {}
    for name, entry in (("baseline", baseline), ("recommended", recommended)):
        if entry is not None:
            known = shown.get(entry["trial"])
            shown[entry["trial"]] = (f"{known[0]} and {name}" if known else name, entry)
    if len(shown) == 1 and len(longest) > 1:
        other = next(entry for entry in longest if entry["trial"] not in shown)
        shown[other["trial"]] = ("best mean of the others", other)
    panels = {}
    for name, entry in shown.values():
        found = average_confusion(project, entry)
        if found is not None:
            panels[_title(name, entry["trial"], found["runs"])] = found["confusion"]
    for each in compare_class_weights(project):
        if each["trial"] not in shown:
            gamma = each["class_weight"]
            kind = f"class weights {gamma:g}" if gamma else "no class weights"
            panels[_title(f"best with {kind}", each["trial"], each["runs"])] = each["confusion"]
    return panels


def _title(name: str, trial: int, runs: int) -> str:
    return f"trial {trial:03d}, {runs} runs:\n{name}"


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
