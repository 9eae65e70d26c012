"""Confirm's runs as dots: how far apart runs of one configuration lie, and how far their means."""

from typing import TYPE_CHECKING, Any

from matplotlib import rc_context
from matplotlib.lines import Line2D

from ..project.journal import Record
from ..summary.confirmed import Entry, summarize_confirmed
from ..summary.history import NO_SCORE
from .style import BLUE, INK, ORANGE, STYLE, VERMILION, Chart, name_score

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..project.project import Project


@rc_context(STYLE)
def draw_confirmed(project: "Project") -> Chart | None:
    """A row a configuration: its runs, their mean and 95 % interval, and what the search said.

    Runs that a choice was made on are hollow: they are no fresh evidence.
    """
    entries = summarize_confirmed(project)
    if not entries:
        return None
    chart = Chart(1.7 + 0.55 * len(entries))
    axes = chart.subplots()
    for row, entry in enumerate(entries):
        runs = project.confirm_runs()[project.root(entry["trial"]), entry["epochs"]]
        _draw_entry(axes, row, entry, runs)
    axes.set_yticks(range(len(entries)), [_name_entry(project, entry) for entry in entries])
    for label, entry in zip(axes.get_yticklabels(), entries, strict=True):
        label.set_fontweight("bold" if entry["recommended"] else "normal")
    axes.set_ylim(len(entries) - 0.45, -0.55)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel(f"{name_score(project, 'confirm')}, after the last epoch")
    _limit_scores(axes, project, entries)
    _explain(chart, entries)
    chart.headline(project, _say_recommended(entries))
    return chart


def _draw_entry(axes: "Axes", row: int, entry: Entry, runs: list[Record]) -> None:
    color = ORANGE if entry["baseline"] else BLUE
    if entry["ci95"] is not None:
        low, high = entry["ci95"]
        axes.plot([low, high], [row, row], color=color, alpha=0.35, linewidth=9, zorder=2)
    axes.plot([entry["mean"]] * 2, [row - 0.24, row + 0.24], color=color, linewidth=2, zorder=3)
    spread = [row + 0.13 * (place % 3 - 1) for place in range(len(runs))]
    for height, run in zip(spread, runs, strict=True):
        if run["score"] >= NO_SCORE:
            continue
        is_used = run["run"] in entry["used"]
        axes.plot(
            run["score"],
            height,
            marker="X" if run["collapsed"] else "o",
            markersize=6,
            color=VERMILION if run["collapsed"] else color,
            markerfacecolor="none" if is_used else None,
            markeredgewidth=1.2 if is_used else 0,
            linestyle="none",
            zorder=4,
        )
    said = entry["search_score"]
    if said is not None and said < NO_SCORE:
        axes.plot(
            said, row + 0.32, marker="D", markersize=5, markerfacecolor="none", color=INK, zorder=4
        )


def _name_entry(project: "Project", entry: Entry) -> str:
    name = f"trial {entry['trial']:03d}" + (", baseline" if entry["baseline"] else "")
    out = ", not chosen" if entry["left_out"] else ""
    return f"{name}\n{entry['runs']} runs of {entry['epochs']} epochs{out}"


def _limit_scores(axes: "Axes", project: "Project", entries: list[Entry]) -> None:
    """No further than twice the runs' own range: the interval of two runs can be far wider."""
    seen = [score for e in entries for score in [*e["scores"], e["search_score"]]]
    known = [score for score in seen if score is not None and score < NO_SCORE]
    if not known:
        return
    margin = max((max(known) - min(known)) / 2, 0.005 * max(map(abs, known)), 1e-4)
    ends = [end for e in entries if e["ci95"] for end in e["ci95"] if end < NO_SCORE]
    low = max(min([*known, *ends]), min(known) - margin)
    high = min(max([*known, *ends]), max(known) + margin)
    axes.set_xlim(low - margin / 8, high + margin / 8)
    if project.space.protocol.direction == "min":
        axes.invert_xaxis()  # the better to the right


def _explain(chart: Chart, entries: list[Entry]) -> None:
    none: dict[str, Any] = {"linestyle": "none", "color": INK}
    handles = [
        Line2D([], [], marker="o", markeredgewidth=0, label="a run", **none),
        Line2D([], [], marker="|", markersize=11, markeredgewidth=2, label="mean", **none),
        Line2D([], [], color=INK, alpha=0.35, linewidth=8, label="95 % interval"),
    ]
    hollow: dict[str, Any] = {"markerfacecolor": "none", **none}
    if any(entry["search_score"] is not None for entry in entries):
        handles.append(Line2D([], [], marker="D", label="the search's score", **hollow))
    if any(entry["used"] for entry in entries):
        handles.append(Line2D([], [], marker="o", label="used to choose", **hollow))
    if any(entry["collapsed"] for entry in entries):
        crossed: dict[str, Any] = none | {"color": VERMILION}
        handles.append(Line2D([], [], marker="X", markeredgewidth=0, label="collapsed", **crossed))
    if any(entry["baseline"] for entry in entries):
        handles.append(Line2D([], [], marker="s", label="baseline", linestyle="none", color=ORANGE))
    chart.legend(handles=handles, loc="outside lower left", ncols=4, handletextpad=0.4)


def _say_recommended(entries: list[Entry]) -> str:
    best = next((entry for entry in entries if entry["recommended"]), None)
    if best is None:
        return "One run each says nothing of the spread: nothing can be recommended"
    tied = sum(e["tied_with_best"] and e["epochs"] == best["epochs"] for e in entries)
    name = f"trial {best['trial']:03d}" + (" (the baseline)" if best["baseline"] else "")
    tie = f", tied with {tied - 1} other{'s' * (tied > 2)}" if tied > 1 else ""
    return f"Recommended: {name}, mean {best['mean']:.4f} of {best['runs']} runs{tie}"
