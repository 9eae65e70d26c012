"""The picture of a standing, in a terminal or a notebook. It draws; it reads and asks nothing."""

import time

from rich.console import Console, ConsoleOptions, RenderResult
from rich.jupyter import JupyterMixin
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ..console import format_seconds, make_table, say_count
from ..summary.standing import Best, RunStanding, Standing

# Lines that the best trial's values may take, and those of the picture beside its runs.
VALUE_LINES = 3
OTHER_LINES = 10
# Below this width a run has no bar.
NARROW = 60


class Picture(JupyterMixin):
    """Trials and epochs done of planned, time and budget left, the best so far, one line per run.

    Args:
        standing: what is drawn. Its times count down from the moment that this is made.
        is_live: keep to the height of the terminal.
    """

    def __init__(self, standing: Standing, *, is_live: bool = False) -> None:
        self._standing = standing
        self._is_live = is_live
        self._made = time.monotonic()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        standing = self._standing
        _, planned = standing.in_all or (0, 0)
        if _has_bars(console) and planned:
            yield _draw_bar(standing.epochs, planned)
        yield Text(f"{standing.title}: {_describe_counts(standing)}")
        if times := self._describe_times():
            yield Text(times)
        if standing.best is not None:
            yield from _draw_best(standing, standing.best, console, options.max_width)
        runs = [run for run in standing.runs if run.training] or list(standing.runs)
        if not runs:
            return
        room = max(options.size.height - OTHER_LINES, 2) if self._is_live else len(runs)
        shown = runs if len(runs) <= room else runs[: room - 1]
        yield _draw_runs(standing, shown, console, options.max_width)
        if len(shown) < len(runs):
            yield Text(f"and {len(runs) - len(shown)} more")

    def _describe_times(self) -> str:
        passed = time.monotonic() - self._made
        times = {"time": self._standing.seconds_left, "budget": self._standing.budget_left}
        told = [
            f"{name} left {format_seconds(max(seconds - passed, 0.0))}"
            for name, seconds in times.items()
            if seconds is not None
        ]
        if self._standing.stops is not None:
            limit = max(self._standing.stops - time.time(), 0.0)
            told.append(f"stops in {format_seconds(limit)}")
        return ", ".join(told)


def _has_bars(console: Console) -> bool:
    """A log or a pipe is told in numbers."""
    return console.is_terminal or console.is_jupyter


def _describe_counts(standing: Standing) -> str:
    name = "trial" if standing.stage == "search" else "run"
    if standing.in_all is None:
        return f"{say_count(standing.trials, name)}, {say_count(standing.epochs, 'epoch')}"
    trials, epochs = standing.in_all
    return f"{name}s {standing.trials:,} of {trials:,}, epochs {standing.epochs:,} of {epochs:,}"


def _draw_bar(epochs: int, planned: int) -> Table:
    grid = Table.grid(padding=(0, 1), expand=True)
    grid.add_column(ratio=1)
    grid.add_column(justify="right", no_wrap=True)
    done = f"{100 * epochs // planned} %"
    grid.add_row(ProgressBar(planned, epochs), done)
    return grid


def _draw_best(standing: Standing, best: Best, console: Console, width: int) -> RenderResult:
    """What the best is, then its values, in so many lines."""
    epochs = say_count(best.epochs, "epoch")
    if standing.stage == "search":
        told = f"{standing.objective.validated} {standing.objective.say(best.score)} after {epochs}"
        if best.runs > 1:
            told += f", the mean of {say_count(best.runs, 'run')}"
        name = "best so far"
    else:
        told = (
            f"{standing.objective.metric} on the test set {standing.objective.say(best.score)}, "
            f"the mean of {say_count(best.runs, 'run')} of {epochs}"
        )
        name = "best mean so far"
    yield Text(f"{name}: trial {best.trial:03d}, {told}")
    lines = Text(best.changes).wrap(console, max(width - 2, 1))
    for number, line in enumerate(lines[:VALUE_LINES], start=1):
        line.rstrip()
        if number == VALUE_LINES < len(lines):
            line.append(" …")
        line.truncate(width - 2, overflow="ellipsis")
        yield Text("  ").append_text(line)


def _draw_runs(standing: Standing, runs: list[RunStanding], console: Console, width: int) -> Table:
    heading = standing.objective.validated
    if standing.stage == "confirm":
        heading = f"training {standing.objective.in_training}"
    bars = _has_bars(console) and width >= NARROW
    on_nodes = any(run.node for run in runs)
    table = make_table("trial", "epochs", heading, *["node"] * on_nodes, *[""] * bars)
    table.columns[2].no_wrap = False
    for run in runs:
        cells: list[str | ProgressBar] = [
            f"{run.root:03d}" if run.run is None else f"{run.root:03d} run {run.run:02d}",
            f"{run.epochs}/{run.planned}",
            _read_metric(standing, run),
        ]
        if on_nodes:
            cells.append(run.node or "-")
        if bars:
            cells.append(ProgressBar(run.planned, run.epochs))
        table.add_row(*cells)
    if bars:
        # The ^C that a terminal echoes must not begin another line.
        table.width = width - len("^C^C^C^C")
        table.columns[-1].ratio = 1
    return table


def _read_metric(standing: Standing, run: RunStanding) -> str:
    objective = standing.objective
    if standing.stage == "search":
        return objective.say(run.metrics.get(objective.validated))
    name = objective.in_training
    return f"{run.metrics[name]:.4f}" if name in run.metrics else "-"
