"""The one loop of search and confirm: hand out runs, tell what happens, write down what ends."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ..cost.budget import Budget
from ..cost.forecast import Forecast
from ..journal.record_types import RunRecord
from ..progress.progress import Progress, shown
from ..project.nodes import write_nodes
from ..project.project import Project
from ..summary.standing import Standing
from ..summary.wording import say_resumed
from ..training.pool import Pool
from ..training.runs import Event, Key, Run

# Seconds that a time limit or a spent budget is noticed late.
WAKE = 1.0


@dataclass(frozen=True)
class Call:
    """One call of search or confirm on an open, locked project.

    Args:
        project: what the runs are of.
        workers: what trains them.
        deadline: of `time.monotonic()`, at which the runs in training are saved and stop.
        budget: of the project.
        forecast: of this call.
        progress: told what happens.
        began: when the call did, of `time.monotonic()`.
    """

    project: Project
    workers: Pool
    deadline: float | None
    budget: Budget
    forecast: Forecast
    progress: Progress
    began: float = field(default_factory=time.monotonic)

    @property
    def share_left(self) -> float:
        """Which share of the time of this stage is left: 1 where nothing limits it."""
        if self.deadline is None or math.isinf(self.deadline):
            return self.budget.share_left
        whole, left = self.deadline - self.began, self.deadline - time.monotonic()
        return min(left / max(whole, WAKE), self.budget.share_left)

    @property
    def is_over(self) -> bool:
        """Whether no run may be begun, or go on."""
        late = self.deadline is not None and time.monotonic() > self.deadline
        return late or self.budget.is_spent


def drive(
    call: Call,
    standing: Standing,
    next_runs: Callable[[int], Sequence[Run]],
    end_run: Callable[[Event], RunRecord],
) -> None:
    """Train what `next_runs` hands out, until there is no more or time is up.

    Whatever the time limit, each worker trains an epoch or two seconds, which are saved, so that
    repeated calls get further.

    Args:
        call: what is trained on what, and for how long.
        standing: where the stage stands as the call begins.
        next_runs: the next run to train where so many threads are free, or those that differ from
            it in their seed alone, to be trained together; none where one in training must end
            first, or none is left.
        end_run: writes down a run that ended or failed; returns its record.
    """
    workers, budget = call.workers, call.budget
    write_nodes(call.project.folder, {})
    is_over = False
    nodes: dict[Key, str] = {}
    with shown(
        call.progress, call.project, standing, call.forecast.seconds_left, lambda: budget.left
    ):
        if resumed := say_resumed(standing):
            call.progress.note(resumed)
        while True:
            while not is_over and (free := workers.free) and (runs := next_runs(free)):
                for run in runs:
                    call.forecast.begin_run(run)
                    call.progress.begin_run(run)
                workers.submit(*runs)
            if not workers.running:
                break
            if workers.nodes != nodes:
                nodes = dict(workers.nodes)
                write_nodes(call.project.folder, nodes)
                call.progress.place_runs(nodes)
            if is_over := is_over or call.is_over:
                workers.pause()
            for event in workers.events(timeout=WAKE):
                _tell(call, event, end_run)
            budget.keep()
            is_over = is_over or call.is_over
        write_nodes(call.project.folder, {})
        if budget.left is not None:
            call.progress.note(budget.describe())


def _tell(call: Call, event: Event, end_run: Callable[[Event], RunRecord]) -> None:
    if event.kind == "epoch":
        call.forecast.end_epoch(event.run, event.epochs)
        call.progress.end_epoch(event.run, event.epochs, event.metrics)
    elif event.kind in ("done", "failed"):
        record = end_run(event)
        call.forecast.end_run(event.run)
        call.progress.end_run(call.project, record)
    call.budget.tick()
