"""What a person is told while runs train. The library tells it what happens; it decides nothing."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console

from ..console import say_count
from ..journal.record_types import RunRecord
from ..project.project import Project
from ..summary.standing import Standing
from ..training.runs import Key, Run

Seconds = Callable[[], float | None]


class Progress:
    """Silent: the base of those that show something."""

    def begin(
        self, project: Project, standing: Standing, time_left: Seconds, budget_left: Seconds
    ) -> None:
        """A search or a confirm begins, from `standing`.

        `time_left` and `budget_left` give seconds, or None where that is not known, or no budget.
        They may be called from the thread of these methods only.
        """

    def begin_run(self, run: Run) -> None:
        """A run begins, or goes on."""

    def place_runs(self, nodes: Mapping[Key, str]) -> None:
        """The runs in training are on these nodes of a cluster now."""

    def end_epoch(self, run: Run, epochs: int, metrics: dict[str, float]) -> None:
        """A run has trained `epochs` epochs; `metrics` are those of the last."""

    def end_run(self, project: Project, record: RunRecord) -> None:
        """A run has ended, and its record is in the journal."""

    def note(self, text: str) -> None:
        """Something that a person must know, such as why it stops."""

    def end(self) -> None:
        """Nothing more will be told: all is done, or an error or Ctrl-C ends it."""


@contextmanager
def shown(
    progress: Progress,
    project: Project,
    standing: Standing,
    time_left: Seconds,
    budget_left: Seconds,
) -> Iterator[None]:
    """Begin, and end however it ends: a terminal is never left with half a picture."""
    progress.begin(project, standing, time_left, budget_left)
    try:
        yield
    finally:
        progress.end()


class LineProgress(Progress):
    """One plain line per run, for logs and pipes."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)

    def end_run(self, project: Project, record: RunRecord) -> None:
        """Print the run's line."""
        self._console.print("  ".join(describe_end(project, record)))

    def note(self, text: str) -> None:
        """Print the text."""
        self._console.print(text)


def describe_end(project: Project, record: RunRecord) -> tuple[str, str]:
    """Which run has ended (`trial 007`), and its score, epochs, seconds and values."""
    name = project.space.objective.validated
    who = f"trial {record.root:03d}"
    if record.stage == "confirm":
        name = project.space.objective.tested
        who += f" run {record.run:02d}"
    say = project.space.objective.say
    text = f"{name} {say(record.score)}"
    if record.stage == "search" and (ranking := project.ranking()):
        text += f" (best {say(ranking[0].score)}, trial {ranking[0].root:03d})"
    notes = [text, say_count(record.epochs, "epoch"), f"{record.seconds:.1f} s"]
    if record.status == "failed":
        notes.append(f"FAILED: {record.reason}")
    elif record.collapsed:
        notes.append("COLLAPSED")
    return who, "  ".join([*notes, project.space.changes(record.values)])
