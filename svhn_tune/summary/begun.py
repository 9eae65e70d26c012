"""Where a search or confirm stands, read from the project's journal, checkpoints and lock.

So any process can look on. What a call sets out to do is in the journal as {"event": "begin",
"stage", "began", "workers", "trials", "epochs", "stops", "runs"}, and how long it still takes in
its "session" records (cost/budget.py). What replays the journal passes over both.
"""

import time
from dataclasses import replace
from itertools import accumulate

from ..journal.record_types import BeginRecord, RunRecord, SessionRecord
from ..project.checkpoints import read_checkpoint
from ..project.lock import find_holder
from ..project.nodes import read_nodes
from ..project.project import Project
from ..project.transfer import latest_call
from ..statistics.samples import mean
from .standing import Best, RunStanding, Standing


def read_standing(project: Project) -> Standing:
    """Where the latest call's stage stands now, and which process is at work on it."""
    project, begin = latest_call(project)
    if begin is None:
        return read_begun(project, None)
    standing = read_begun(project, begin, find_holder(project.folder))
    if standing.process is None:
        return replace(standing, stops=None)
    if nodes := read_nodes(project.folder):
        standing = standing.with_nodes(nodes)
    last = _last_told(project, begin)
    told = last if isinstance(last, SessionRecord) else None
    # Seconds that the call at work has spent since it last wrote them down.
    untold = time.time() - last.began - (told.seconds if told else 0.0)
    seconds = told.seconds_left if told else None
    if seconds is not None:
        seconds = max(seconds - untold, 0.0)
    budget_left = standing.budget_left
    if budget_left is not None:
        budget_left -= untold
    return replace(standing, seconds_left=seconds, budget_left=budget_left)


def _last_told(project: Project, begin: BeginRecord) -> SessionRecord | BeginRecord:
    """The last record with the time of a call, or of its beginning."""
    return [r for r in project.records if isinstance(r, SessionRecord) or r is begin][-1]


def find_best(project: Project, stage: str, epochs: int | None = None) -> Best | None:
    """The best trial of a stage so far; in confirm, of the runs of so many epochs."""
    if stage == "search":
        ranking = project.ranking()
        if not ranking:
            return None
        best, score = ranking[0], ranking[0].score
        runs = len(project.search_runs()[best.root])
    else:
        groups = [group for (_, each), group in project.confirm_runs().items() if each == epochs]
        if not groups:
            return None
        objective = project.space.objective
        means = [mean([objective.count(run.score) for run in group]) for group in groups]
        group, score = objective.best(zip(groups, means, strict=True), lambda pair: pair[1])
        best, runs = group[-1], len(group)
    changes = project.space.changes(best.values)
    return Best(best.root, score, best.epochs, runs, changes)


def read_begun(project: Project, begin: BeginRecord | None, process: int | None = None) -> Standing:
    """The standing of the stage that a call began, with `process` at work on it.

    Without a record of it, that of a search of which nothing is planned.
    """
    confirm = begin if begin is not None and begin.stage == "confirm" else None
    ended = project.ended("search") if confirm is None else _ended_confirm(project, confirm)
    unfinished = (
        _unfinished_search(project) if confirm is None else _unfinished_confirm(confirm, ended)
    )
    # Those with the same place train together.
    cohorts = {(run.root, run.run): run.cohort for run in (begin.runs if begin else ())}
    groups = [cohorts.get((run.root, run.run or 0)) for run in unfinished]
    places = [n if group is None else ~group for n, group in enumerate(groups)]
    workers = 0 if process is None or begin is None else begin.workers
    training = _find_training(project, dict(zip(places, unfinished, strict=True)), workers)
    runs = [
        _look_at(project, run, place in training)
        for run, place in zip(unfinished, places, strict=True)
    ]
    budget = project.settings.budget
    epochs = begin.epochs if begin else None
    return Standing(
        stage="search" if confirm is None else "confirm",
        objective=project.space.objective,
        trials=len(ended),
        trials_planned=begin.trials if begin else None,
        ended_epochs=sum(run.trained for run in ended),
        epochs_planned=epochs and epochs - sum(run.spared for run in ended),
        best=find_best(project, "search")
        if confirm is None
        else find_best(project, "confirm", confirm.runs[0].epochs),
        runs=tuple(run for run in runs if confirm is None or run.training or run.metrics),
        process=process,
        stops=begin.stops if begin else None,
        budget_left=None if budget is None else budget - project.seconds_spent(),
        on=project.other.name if project.other else None,
    )


def _find_training(project: Project, runs: dict[int, RunStanding], workers: int) -> set[int]:
    """The places of the runs in training: the first ones for which there are threads.

    Runs are begun in order, of confirm that of its plan, of search the longest first.
    """
    if not workers:
        return set()
    # Imported late: NumPy, which the status of a project at rest does without.
    from ..models.work import measure_work

    def measure(run: RunStanding) -> int:
        values = project.values(run.trial)
        return measure_work(project.space, values).rough_cost * (run.planned - run.initial)

    first = sorted(
        runs, key=lambda place: 0 if runs[place].run is not None else -measure(runs[place])
    )
    taken = accumulate(min(runs[place].threads, workers) for place in first)
    return {place for place, threads in zip(first, taken, strict=True) if threads <= workers}


def _ended_confirm(project: Project, begin: BeginRecord) -> list[RunRecord]:
    """The records of the planned runs; one that failed in an earlier call is planned again."""
    planned = {(run.root, run.run, run.epochs) for run in begin.runs}
    records = project.records
    began = next((n for n, record in enumerate(records) if record is begin), len(records))
    return [
        record
        for n, record in enumerate(records)
        if isinstance(record, RunRecord)
        and record.stage == "confirm"
        and (record.root, record.run, record.planned_epochs) in planned
        and (record.status == "completed" or n > began)
    ]


def _unfinished_search(project: Project) -> list[RunStanding]:
    ended = {record.trial for record in project.ended("search")}
    roots = project.roots()
    return [
        RunStanding(
            trial=each.trial,
            root=roots[each.trial],
            run=None,
            initial=each.initial_epoch,
            epochs=0,
            planned=each.epochs,
            metrics={},
            threads=each.threads,
        )
        for each in project.proposals()
        if each.trial not in ended
    ]


def _unfinished_confirm(begin: BeginRecord, ended: list[RunRecord]) -> list[RunStanding]:
    over = {(record.root, record.run) for record in ended}
    return [
        RunStanding(run.trial, run.root, run.run, 0, 0, run.epochs, {}, threads=run.threads)
        for run in begin.runs
        if (run.root, run.run) not in over
    ]


def _look_at(project: Project, run: RunStanding, training: bool) -> RunStanding:
    """A run as its checkpoint has it."""
    stage = "search" if run.run is None else "confirm"
    history = read_checkpoint(project, stage, run.root, run.run or 0, run.planned)
    return replace(
        run,
        epochs=max(len(history), run.initial),
        metrics=history[-1] if history else {},
        training=training,
    )
