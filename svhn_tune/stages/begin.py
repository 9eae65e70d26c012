"""What a call sets out to do, written down as it begins, so that `status` can say how far it is."""

import math
import time
from collections.abc import Sequence
from typing import Any

from ..journal.record_types import BeginRecord, PlannedRun, Stage
from ..project.project import Project
from ..summary.begun import read_begun
from ..summary.standing import Standing
from ..training.runs import Run


def record_begin(
    project: Project,
    stage: Stage,
    workers: int,
    trials: int | None,
    epochs: int | None,
    runs: Sequence[Run] = (),
    deadline: float | None = None,
    question: int | None = None,
    engine: str | None = None,
    together: Sequence[Sequence[Run]] = (),
) -> Standing:
    """Write down that a call begins, if anything is left to train, and return where it begins.

    Args:
        project: open and locked.
        stage: "search" or "confirm".
        workers: how many runs train side by side, each on a thread.
        trials, epochs: planned in all, those done before included; None where time ends it.
        runs: all runs of confirm, in the order in which they are trained.
        deadline: of `time.monotonic()`, if the call has a time limit.
        question: whose configurations confirm trains, if it was asked for one's.
        engine: that trains confirm's runs.
        together: those that train together, in the order in which they are trained.
    """
    stops = None
    if deadline is not None and not math.isinf(deadline):
        stops = time.time() + deadline - time.monotonic()
    asked: dict[str, Any] = {} if question is None else {"question": question}
    asked |= {} if project.other is None else {"data": project.other}
    asked |= {} if engine is None else {"engine": engine}
    cohorts = {run.key: {"cohort": n} for n, cohort in enumerate(together) for run in cohort}
    threads = {run.key: {"threads": run.threads} for run in runs if run.threads > 1}
    record = BeginRecord(
        stage=stage,
        began=time.time(),
        workers=workers,
        trials=trials,
        epochs=epochs,
        stops=stops,
        runs=[
            PlannedRun(
                trial=run.trial,
                root=run.root,
                run=run.run,
                epochs=run.epochs,
                **cohorts.get(run.key, {}),
                **threads.get(run.key, {}),
            )
            for run in runs
        ],
        **asked,
    )
    standing = read_begun(project, record)
    if trials is None or standing.trials < trials:
        project.record(record)
    return standing
