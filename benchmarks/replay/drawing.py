"""The figure: the score of what each contestant chose, against core-seconds."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from .tables import CHOSEN, Row, interval

# The parts are told in the table; the figure compares the whole.
LEFT_OUT = ("halving", "...", "variant")


def draw(figures: dict[str, list[Row]], path: Path) -> None:
    """One panel for each, with 95 % intervals, as a PNG."""
    columns = min(len(figures), 2)
    height = (len(figures) + columns - 1) // columns
    drawing, panels = plt.subplots(
        height, columns, figsize=(7.5 * columns, 5 * height), squeeze=False, layout="constrained"
    )
    colours = [plt.get_cmap("tab20")(place) for place in range(20)]
    for panel, (title, rows) in zip(panels.flat, figures.items(), strict=False):
        shown = [row for row in rows if row.name == CHOSEN or not row.name.startswith(LEFT_OUT)]
        for place, row in enumerate(shown):
            ours = row.name == CHOSEN
            # A little apart, so that intervals do not hide one another.
            apart = 1 + 0.012 * (place - len(shown) / 2)
            points = [
                (budget * apart, scores.mean(), interval(scores))
                for budget, scores in zip(row.budgets, row.scores, strict=True)
                if len(scores)
            ]
            panel.errorbar(
                *zip(*points, strict=True),
                color="black" if ours else colours[place % len(colours)],
                linewidth=2.5 if ours else 1.2,
                marker="o",
                markersize=3,
                label=row.name,
                zorder=3 if ours else 2,
            )
        panel.set(title=title, xscale="log", xlabel="core-seconds", ylabel="accuracy, full length")
        panel.grid(alpha=0.3)
    named = panels.flat[0].get_legend_handles_labels()
    drawing.legend(*named, loc="outside lower center", ncols=5, fontsize=8)
    for panel in list(panels.flat)[len(figures) :]:
        panel.remove()
    drawing.savefig(path, dpi=120)
    plt.close(drawing)
