"""What a person sees while runs train. The library tells it what happens; it decides nothing."""

import sys

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from .journal import Record
from .project import Project
from .workers import Run


class Progress:
    """Silent: the base of those that show something."""

    def begin(self, project: Project, trials: int, epochs: int) -> None:
        """So many trials (or runs) and epochs are planned in all, those done before included."""

    def begin_run(self, run: Run) -> None:
        """A run begins, or goes on."""

    def end_epoch(self, run: Run, epochs: int, metrics: dict[str, float]) -> None:
        """A run has trained `epochs` epochs; `metrics` are those of the last."""

    def end_run(self, project: Project, record: Record) -> None:
        """A run has ended, and its record is in the journal."""

    def note(self, text: str) -> None:
        """Something that a person must know, such as why it stops."""

    def end(self, project: Project) -> None:
        """Nothing more will be told."""


class LineProgress(Progress):
    """A plain line a run, for logs and pipes."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)

    def end_run(self, project: Project, record: Record) -> None:
        """Print the run's line."""
        self._console.print(describe_end(project, record))

    def note(self, text: str) -> None:
        """Print the text."""
        self._console.print(text)


class BarProgress(LineProgress):
    """A live bar of the epochs done, above which each run's line scrolls by."""

    def __init__(self) -> None:
        super().__init__()
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.completed:.0f}/{task.total:.0f} epochs"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            # Rich's 30 s are less than an epoch: the time left is that of all epochs so far.
            speed_estimate_period=1e6,
        )

    def begin(self, project: Project, trials: int, epochs: int) -> None:
        """Show the bar."""
        self._trials = trials
        done = project.status()["epochs_trained"]
        self._task = self._bar.add_task(self._says(project), total=epochs, completed=done)
        self._bar.start()

    def end_epoch(self, run: Run, epochs: int, metrics: dict[str, float]) -> None:
        """Advance the bar."""
        self._bar.advance(self._task)

    def end_run(self, project: Project, record: Record) -> None:
        """Print the run's line above the bar, and the new best in it."""
        super().end_run(project, record)
        self._bar.update(self._task, description=self._says(project))

    def end(self, project: Project) -> None:
        """Take the bar away."""
        self._bar.stop()

    def _says(self, project: Project) -> str:
        status = project.status()
        trials = status["trials"]
        done = trials["completed"] + trials["failed"]
        best = status["best"]
        return f"trial {done}/{self._trials}" + (f"  best {best['score']:.4f}" if best else "")


def describe_end(project: Project, record: Record) -> str:
    """`trial 007  val_categorical_accuracy 0.8730 (best 0.8810, trial 003)  12 epochs  ...`."""
    name: str = project.space.protocol.objective
    notes = [f"trial {record['trial']:03d}"]
    if record["stage"] == "confirm":
        name = f"test_{name.removeprefix('val_')}"
        notes[0] += f" run {record['run']:02d}"
    text = f"{name} {record['score']:.4f}"
    if record["stage"] == "search" and (ranking := project.ranking()):
        text += f" (best {ranking[0]['score']:.4f}, trial {ranking[0]['trial']:03d})"
    notes += [text, f"{record['epochs']} epochs", f"{record['seconds']:.1f} s"]
    if record["status"] == "failed":
        notes.append(f"FAILED: {record['reason']}")
    elif record["collapsed"]:
        notes.append("COLLAPSED")
    return "  ".join([*notes, project.space.changes(record["values"])])


def make_progress() -> Progress:
    """A bar on a terminal, lines elsewhere."""
    return BarProgress() if sys.stderr.isatty() else LineProgress()
