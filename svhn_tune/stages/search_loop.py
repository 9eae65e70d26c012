"""The loop of a search: ask the oracle, hand out runs, tell the scores.

One thread owns the oracle and the journal. What a restart needs is in the journal alone: the oracle
is restored by asking and telling again in the journal's order.
"""

import time

import numpy as np

from ..cost.budget import Budget
from ..cost.forecast import Forecast
from ..cost.remaining import Remaining
from ..errors import InputError
from ..oracles.ask_tell import Oracle, Proposal, ask, make_oracle, tell
from ..progress.progress import Progress, shown
from ..project.journal import Record
from ..project.project import Project
from ..project.records import run_record, search_seed
from ..training.runs import Event, Run, Setup
from ..training.workers import Workers
from .begin import record_begin


class SearchLoop:
    """One invocation of a search over an open, locked project.

    Args:
        project: its journal is replayed, then appended to.
        setup: what the runs share.
        workers: what trains them.
        deadline: of `time.monotonic()`, after which the epochs in progress are the last.
        budget: of the project, of which confirm will need its part.
        forecast: of this call, from `remaining`.
        progress: told what happens.
    """

    def __init__(
        self,
        project: Project,
        setup: Setup,
        workers: Workers,
        deadline: float | None,
        budget: Budget,
        forecast: Forecast,
        progress: Progress,
    ) -> None:
        self.project = project
        self.progress = progress
        self.deadline = deadline
        self.budget = budget
        self.forecast = forecast
        self.setup = setup
        self.workers = workers
        self.settings = project.settings
        self.oracle = self._restore_oracle()
        self.remaining = Remaining(project, self.oracle)

    def run(self) -> None:
        """Train what was begun, then what the oracle proposes, until it stops or time is up."""
        if self.budget.is_spent:
            self.progress.note(self.budget.describe())
            return
        ended = {record["trial"] for record in self.project.ended("search")}
        waiting = [
            self._to_run(proposal)
            for proposal in self.project.proposals()
            if proposal["trial"] not in ended
        ]
        standing = record_begin(
            self.project,
            "search",
            self.workers.free,
            self.remaining.trials,
            self.remaining.epochs,
            deadline=self.deadline,
        )
        budget, left = self.budget, self.forecast.seconds_left
        with shown(self.progress, self.project, standing, left, lambda: budget.left):
            while not budget.is_spent:
                self._fill(waiting)
                if not self.workers.running:
                    break
                for event in self.workers.events():
                    self._handle(event)
                if self.deadline is not None and time.monotonic() > self.deadline:
                    break
            self._pause()
            # A bracket may have ended with fewer trials than it has room for.
            self._drop_checkpoints()
            if budget.left is not None:
                self.progress.note(budget.describe())

    def _fill(self, waiting: list[Run]) -> None:
        while self.workers.free:
            if waiting:
                run = waiting.pop(0)
            else:
                proposal = ask(self.oracle, self.settings["max_epochs"])
                if not isinstance(proposal, Proposal):
                    return
                record = _trial_record(proposal)
                self.project.record(record)
                run = self._to_run(record)
            self.forecast.begin_run(run)
            self.progress.begin_run(run)
            self.workers.submit(run)

    def _pause(self) -> None:
        self.workers.pause()
        while self.workers.running:
            for event in self.workers.events():
                self._handle(event)

    def _handle(self, event: Event) -> None:
        if event.kind == "epoch":
            self.forecast.end_epoch(event.run, event.epochs)
            self.progress.end_epoch(event.run, event.epochs, event.metrics)
        elif event.kind in ("done", "failed"):
            proposal = self._proposal(event.run.trial)
            record = run_record(event, proposal["initial_epoch"], self.project.space, self.setup)
            self.project.record(record)
            tell(self.oracle, event.run.trial, record["score"])
            self._drop_checkpoints()
            self.forecast.end_run(event.run)
            self.progress.end_run(self.project, record)
        self.budget.tick()

    def _proposal(self, trial: int) -> Record:
        return next(r for r in self.project.proposals() if r["trial"] == trial)

    def _to_run(self, proposal: Record) -> Run:
        root = self.project.root(proposal["trial"])
        return Run(
            stage="search",
            trial=proposal["trial"],
            root=root,
            run=0,
            seed=search_seed(self.settings["seed"], root),
            values=proposal["values"],
            epochs=proposal["epochs"],
            checkpoint=self.project.checkpoint_path("search", root, 0),
        )

    def _drop_checkpoints(self) -> None:
        """Delete what belongs to runs that can no longer be promoted."""
        running = set(self.oracle.ongoing_trials)
        live = {int(name.removeprefix("trial-")) for name in running} | self.oracle.promotable()
        roots = self.project.roots()
        keep = {self.project.checkpoint_path("search", roots[trial], 0) for trial in live}
        for root in set(roots.values()):
            path = self.project.checkpoint_path("search", root, 0)
            if path not in keep:
                path.unlink(missing_ok=True)

    def _restore_oracle(self) -> Oracle:
        """The oracle as it was after the journal's last line."""
        settings = self.settings
        oracle = make_oracle(
            self.project.space,
            settings["tuner"],
            seed=settings["seed"],
            max_epochs=settings["max_epochs"],
            factor=settings["factor"],
            max_trials=settings["max_trials"],
            recorded={r["trial"]: r["values"] for r in self.project.proposals()},
        )
        for record in self.project.records:
            if record["event"] == "trial":
                proposal = ask(oracle, settings["max_epochs"])
                if not isinstance(proposal, Proposal) or _trial_record(proposal) != record:
                    raise InputError(
                        f"{self.project.journal_path}: trial {record['trial']} cannot be proposed "
                        f"again by this version; use the versions in project.json"
                    )
            elif record["event"] == "run" and record["stage"] == "search":
                tell(oracle, record["trial"], record["score"])
        return oracle


def _trial_record(proposal: Proposal) -> Record:
    values = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in proposal.values.items()
    }
    return {"event": "trial", **vars(proposal), "values": values}
