"""The live picture: what happens changes a standing, which a terminal or a notebook shows."""

import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from ..journal.record_types import RunRecord
from ..project.checkpoints import read_checkpoint
from ..project.project import Project
from ..summary.begun import find_best
from ..summary.standing import Standing
from ..training.runs import Key, Run
from .picture import Picture
from .progress import LineProgress, Progress, Seconds, describe_end

# Times are asked for, and a notebook is drawn again, once in so many seconds.
EVERY = 1.0


class Terminal:
    """The picture at the foot of a terminal; what is printed scrolls by above it.

    Args:
        console: a terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(
            console=console, refresh_per_second=1, transient=True, redirect_stdout=False
        )

    def show(self, standing: Standing) -> None:
        """Draw this from now on."""
        self._live.update(Picture(standing, is_live=True))
        if not self._live.is_started:
            self._live.start()

    def print(self, *parts: str) -> None:
        """Print a line; what does not fit goes on below the last part."""
        grid = Table.grid(padding=(0, 2))
        grid.add_row(*parts)
        self._console.print(grid)

    def close(self) -> None:
        """Take the picture away."""
        self._live.stop()


class Notebook:
    """The picture in a cell's output, drawn again in its place; lines are printed below it."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._drawn = 0.0
        self._standing: Standing | None = None

    def show(self, standing: Standing) -> None:
        """Draw this, unless the last one was drawn a moment ago."""
        from IPython.display import display

        self._standing = standing
        if self._handle is None:
            self._handle = display(Picture(standing), display_id=True)
        elif time.monotonic() - self._drawn > EVERY:
            self._handle.update(Picture(standing))
        else:
            return
        self._drawn = time.monotonic()

    def print(self, *parts: str) -> None:
        """Print a line."""
        print(*parts, sep="  ")

    def close(self) -> None:
        """Leave the last picture there."""
        if self._handle is not None and self._standing is not None:
            self._handle.update(Picture(self._standing))


class LiveProgress(Progress):
    """A picture of how it stands, always the newest, and one line per run.

    Args:
        screen: shows both.
    """

    def __init__(self, screen: Terminal | Notebook) -> None:
        self._screen = screen

    def begin(
        self, project: Project, standing: Standing, time_left: Seconds, budget_left: Seconds
    ) -> None:
        """Show where it begins."""
        self._project, self._standing = project, standing
        self._time_left, self._budget_left = time_left, budget_left
        self._asked = 0.0
        self._show()

    def begin_run(self, run: Run) -> None:
        """Add the run, with what its checkpoint has of it."""
        history = read_checkpoint(self._project, run.stage, run.root, run.run, run.epochs)
        self._standing = self._standing.with_begun(run, history)
        self._show()

    def place_runs(self, nodes: Mapping[Key, str]) -> None:
        """Show on which node each run is."""
        self._standing = self._standing.with_nodes(nodes)
        self._show()

    def end_epoch(self, run: Run, epochs: int, metrics: dict[str, float]) -> None:
        """Show what the run's epoch brought."""
        self._standing = self._standing.with_epoch(run, epochs, metrics)
        self._show()

    def end_run(self, project: Project, record: RunRecord) -> None:
        """Print the run's line, and show the new best."""
        stage = record.stage
        best = find_best(project, stage, record.planned_epochs if stage == "confirm" else None)
        self._standing = self._standing.with_ended(record, best)
        self._screen.print(*describe_end(project, record))
        self._show()

    def note(self, text: str) -> None:
        """Print the text."""
        self._screen.print(text)

    def end(self) -> None:
        """Take the picture away; a notebook keeps the last."""
        self._screen.close()

    def _show(self) -> None:
        if time.monotonic() - self._asked > EVERY:
            self._asked = time.monotonic()
            self._standing = replace(
                self._standing, seconds_left=self._time_left(), budget_left=self._budget_left()
            )
        self._screen.show(self._standing)


def make_progress() -> Progress:
    """A live picture on a terminal or in a notebook, plain lines elsewhere."""
    console = Console(stderr=True, highlight=False, markup=False)
    if console.is_jupyter:
        return LiveProgress(Notebook())
    # A dumb terminal cannot take back what it shows.
    if sys.stderr.isatty() and not console.is_dumb_terminal:
        return LiveProgress(Terminal(console))
    return LineProgress()
