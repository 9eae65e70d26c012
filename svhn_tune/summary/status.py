"""Where a project stands, and its search or confirm, read from its journal, checkpoints and lock.

So any process can look on. What a call sets out to do is in the journal as {"event": "begin",
"stage", "began", "workers", "trials", "epochs", "stops", "runs"}, and how long it still takes in
its "session" records (cost/budget.py). What replays the journal passes over both.
"""

import time
from dataclasses import replace
from typing import Any

from ..files import count_bytes
from ..project.checkpoints import read_checkpoint
from ..project.journal import Record
from ..project.lock import find_holder
from ..project.project import Project
from .answers import read_answers
from .confirmed import describe_handed_in, list_test_set_uses, summarize_confirmed
from .samples import mean
from .standing import Best, RunStanding, Standing

BEST = ("trial", "score", "epochs", "values")


def status(project: Project) -> dict[str, Any]:
    """Where the project stands, as `status --json` prints it."""
    ranking = project.ranking()
    runs = project.ended("search") + project.ended("confirm")
    best = {key: ranking[0][key] for key in BEST} if ranking else None
    return {
        "project": project.name,
        "space": project.space.name,
        "space_sha256": project.space.sha256,
        "data": project.settings["data"],
        "trials": count_trials(project),
        "epochs_trained": sum(max(r["epochs"] - r["initial_epoch"], 0) for r in runs),
        "seconds_trained": sum(r["seconds"] for r in runs),
        "seconds_spent": project.seconds_spent(),
        "budget_seconds": project.settings.get("budget"),
        "disk_bytes": count_bytes(project.folder),
        "progress": read_standing(project).as_dict(),
        "best": best,
        "confirm": summarize_confirmed(project),
        "answers": read_answers(project),
        "handed_in": describe_handed_in(project),
        "test_set_used_to_choose": list_test_set_uses(project),
        "submission": str(project.submission_path) if project.submission_path.exists() else None,
    }


def count_trials(project: Project) -> dict[str, int]:
    """How many trials are completed, running and failed, and how many of them collapsed."""
    ended = project.ended("search")
    failed = sum(record["status"] == "failed" for record in ended)
    return {
        "completed": len(ended) - failed,
        "running": len(project.proposals()) - len(ended),
        "failed": failed,
        "collapsed": sum(record["collapsed"] for record in ended),
    }


def read_standing(project: Project) -> Standing:
    """Where the latest call's stage stands now, and which process is at work on it."""
    begins = [record for record in project.records if record["event"] == "begin"]
    if not begins:
        return read_begun(project, {"stage": "search", "trials": None, "epochs": None})
    begin = begins[-1]
    standing = read_begun(project, begin, find_holder(project.folder))
    if standing.process is None:
        return replace(standing, stops=None)
    untold = _seconds_untold(project, begin)
    seconds = _last_told(project, begin).get("seconds_left")
    if seconds is not None:
        seconds = max(seconds - untold, 0.0)
    budget_left = standing.budget_left
    if budget_left is not None:
        budget_left -= untold
    return replace(standing, seconds_left=seconds, budget_left=budget_left)


def _seconds_untold(project: Project, begin: Record) -> float:
    """Seconds that the call at work has spent since it last wrote them down."""
    last = _last_told(project, begin)
    return time.time() - last["began"] - last.get("seconds", 0.0)


def _last_told(project: Project, begin: Record) -> Record:
    """The last record with the time of a call, or of its beginning."""
    return [each for each in project.records if each["event"] == "session" or each is begin][-1]


def find_best(project: Project, stage: str, epochs: int | None = None) -> Best | None:
    """The best trial of a stage so far; in confirm, of the runs of so many epochs."""
    if stage == "search":
        ranking = project.ranking()
        if not ranking:
            return None
        best, score, runs = ranking[0], ranking[0]["score"], None
    else:
        groups = [group for (_, each), group in project.confirm_runs().items() if each == epochs]
        if not groups:
            return None
        choose = max if project.space.protocol.direction == "max" else min
        group = choose(groups, key=_mean_score)
        best, score, runs = group[-1], _mean_score(group), len(group)
    changes = project.space.changes(best["values"])
    return Best(best["trial"], score, best["epochs"], runs, changes)


def _mean_score(group: list[Record]) -> float:
    return mean([record["score"] for record in group])


def read_begun(project: Project, begin: Record, process: int | None = None) -> Standing:
    """The standing of the stage that a call began, with `process` at work on it."""
    is_search = begin["stage"] == "search"
    ended = project.ended("search") if is_search else _ended_confirm(project, begin)
    planned = begin["epochs"]
    if planned is not None:
        # A run whose loss is no number ends early.
        planned -= sum(r["planned_epochs"] - max(r["epochs"], r["initial_epoch"]) for r in ended)
    unfinished = _unfinished_search(project) if is_search else _unfinished_confirm(begin, ended)
    workers = 0 if process is None else begin["workers"]
    # Runs are begun in order: the first that have not ended are those in training.
    runs = [_look_at(project, begin, run, n < workers) for n, run in enumerate(unfinished)]
    budget = project.settings.get("budget")
    return Standing(
        stage=begin["stage"],
        objective=project.space.protocol.objective,
        trials=len(ended),
        trials_planned=begin["trials"],
        ended_epochs=sum(max(r["epochs"] - r["initial_epoch"], 0) for r in ended),
        epochs_planned=planned,
        best=find_best(project, begin["stage"], None if is_search else begin["runs"][0]["epochs"]),
        runs=tuple(run for run in runs if is_search or run.training or run.metrics),
        process=process,
        stops=begin.get("stops"),
        budget_left=None if budget is None else budget - project.seconds_spent(),
    )


def _ended_confirm(project: Project, begin: Record) -> list[Record]:
    """The records of the planned runs; one that failed in an earlier call is planned again."""
    planned = {(run["root"], run["run"], run["epochs"]) for run in begin["runs"]}
    records = project.records
    began = next((n for n, record in enumerate(records) if record is begin), len(records))
    return [
        record
        for n, record in enumerate(records)
        if record["event"] == "run"
        and record["stage"] == "confirm"
        and (record["root"], record["run"], record["planned_epochs"]) in planned
        and (record["status"] == "completed" or n > began)
    ]


def _unfinished_search(project: Project) -> list[Record]:
    ended = {record["trial"] for record in project.ended("search")}
    return [
        proposal | {"root": project.root(proposal["trial"]), "run": 0}
        for proposal in project.proposals()
        if proposal["trial"] not in ended
    ]


def _unfinished_confirm(begin: Record, ended: list[Record]) -> list[Record]:
    over = {(record["root"], record["run"]) for record in ended}
    return [
        run | {"initial_epoch": 0} for run in begin["runs"] if (run["root"], run["run"]) not in over
    ]


def _look_at(project: Project, begin: Record, run: Record, training: bool) -> RunStanding:
    """A run as its checkpoint has it."""
    history = read_checkpoint(project, begin["stage"], run["root"], run["run"], run["epochs"])
    return RunStanding(
        trial=run["trial"],
        root=run["root"],
        run=None if begin["stage"] == "search" else run["run"],
        initial=run["initial_epoch"],
        epochs=max(len(history), run["initial_epoch"]),
        planned=run["epochs"],
        metrics=history[-1] if history else {},
        training=training,
    )
