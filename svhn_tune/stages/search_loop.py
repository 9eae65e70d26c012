"""The loop of a search: ask the oracle, hand out runs, tell the scores.

One thread owns the oracle and the journal. What a restart needs is in the journal alone: the oracle
is restored by asking and telling again in the journal's order.
"""

import numpy as np

from ..bounds import MAX_TRIALS
from ..console import say_count
from ..cost.remaining import Remaining
from ..errors import InputError
from ..journal.record_types import RunRecord, TrialRecord
from ..oracles.ask_tell import Oracle, Proposal, ask, make_oracle, tell
from ..oracles.feasible import Values
from ..oracles.halving import CLOSING, Halving
from ..oracles.hyperband import Hyperband
from ..project.project import Project
from ..project.records import run_record, search_seed
from ..training.runs import Event, Run, Setup
from .begin import record_begin
from .drive import Call, drive
from .threads import SearchThreads, count_places

# Of the last trials at random, so many for each worker are proposed at once: the longest begin.
AHEAD = 4


class SearchLoop:
    """One invocation of a search over an open, locked project.

    Args:
        call: its project's journal is replayed, then appended to.
        setup: what the runs share.
    """

    def __init__(self, call: Call, setup: Setup) -> None:
        self.call = call
        self.project = call.project
        self.setup = setup
        self.settings = call.project.settings
        # Where time ends the search, no number of configurations does.
        self.is_endless = (
            (call.deadline is not None or self.settings.budget is not None)
            and self.settings.tuner == "halving"
            and self.settings.max_trials is None
        )
        self.oracle = restore_oracle(self.project, self.is_endless)
        self.remaining = Remaining(self.project, self.oracle, self.is_endless)
        self._waiting: list[Run] = []
        assert setup.train_index is not None
        images = len(setup.train_index)
        self.threads = SearchThreads(self.project.space, images, self.remaining.trials)
        for record in self.project.records:
            self.threads.follow(record)

    def run(self) -> None:
        """Train what was begun, then what the oracle proposes, until it stops or time is up."""
        if self.call.budget.is_spent:
            self.call.progress.note(self.call.budget.describe())
            return
        ended = {record.trial for record in self.project.ended("search")}
        self._waiting = self._line_up(
            [each for each in self.project.proposals() if each.trial not in ended]
        )
        standing = record_begin(
            self.project,
            "search",
            self.call.workers.threads,
            self.remaining.trials,
            self.remaining.epochs,
            deadline=self.call.deadline,
        )
        if not standing.epochs:
            self._warn_of_few()
        drive(self.call, standing, self._next_runs, self._end_run)
        # A bracket may have ended with fewer trials than it has room for.
        self._drop_checkpoints()

    def _warn_of_few(self) -> None:
        """Hyperband's trials follow from its rounds, for which there may be few epochs."""
        settings, trials = self.settings, self.remaining.trials
        if isinstance(self.oracle, Hyperband) and self.oracle.stops_none and trials is not None:
            shortest = say_count(self.project.space.protocol.min_epochs, "epoch")
            self.call.progress.note(
                f"hyperband with --max-epochs {settings.max_epochs} and --factor {settings.factor} "
                f"trains {say_count(trials, 'trial')} and stops none early, as its shortest round "
                f"has {shortest}; --tuner halving, or random, takes --max-trials"
            )

    def _next_runs(self, free: int) -> list[Run]:
        """A run that was begun, or of the next trial; none where the oracle proposes none now."""
        if not self._waiting:
            self._waiting = self._line_up(self._ask(free))
        if self._waiting and min(self._waiting[0].threads, self.call.workers.threads) <= free:
            return [self._waiting.pop(0)]
        return []

    def _ask(self, free: int) -> list[TrialRecord]:
        """Write down the next trials, one for each free thread if there are as many.

        Where there are fewer, they share the threads. What is proposed at random depends on no
        result: at the end, all that is left is known at once.
        """
        if self.is_endless and isinstance(self.oracle, Halving):
            self.oracle.closing = self.call.share_left < CLOSING
        count = free
        places = self.call.workers.threads
        if self.settings.tuner == "random" and places > 1:
            left = (self.remaining.trials or 0) - len(self.project.proposals())
            if left <= AHEAD * places:
                count = left
        proposals: list[Proposal] = []
        while len(proposals) < count:
            proposal = ask(self.oracle, self.settings.max_epochs)
            if not isinstance(proposal, Proposal):
                break
            proposals.append(proposal)
        proposals.sort(key=lambda each: -self.threads.measure(each).seconds)
        threads = [1] * len(proposals)
        if self.call.workers.shares and count_places(places, self.setup.engine) > 1:
            threads = self.threads.choose(proposals, free, places)
        records = [_trial_record(*each) for each in zip(proposals, threads, strict=True)]
        records.sort(key=lambda record: record.trial)
        for record in records:
            self.project.record(record)
            self.threads.follow(record)
        return records

    def _line_up(self, proposals: list[TrialRecord]) -> list[Run]:
        """Their runs, the longest first: no long one is left for the end, the other cores idle."""
        ordered = sorted(proposals, key=lambda each: -self.threads.measure(each).seconds)
        return [self._to_run(proposal) for proposal in ordered]

    def _end_run(self, event: Event) -> RunRecord:
        proposal = self.project.proposals()[event.run.trial]
        record = run_record(event, proposal.initial_epoch, self.project.space, self.setup)
        self.project.record(record)
        tell(self.oracle, event.run.trial, _told(self.project, record))
        self.threads.follow(record)
        self._drop_checkpoints()
        return record

    def _to_run(self, proposal: TrialRecord) -> Run:
        root = self.project.root(proposal.trial)
        return Run(
            stage="search",
            trial=proposal.trial,
            root=root,
            run=0,
            seed=search_seed(self.settings.seed, root),
            values=proposal.values,
            epochs=proposal.epochs,
            checkpoint=self.project.checkpoint_path("search", root, 0),
            threads=proposal.threads,
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


def restore_oracle(project: Project, is_endless: bool = False) -> Oracle:
    """The oracle of a project's search as it was after the journal's last line.

    Args:
        project: with the journal.
        is_endless: halving proposes until time is up.

    Raises:
        InputError: this version would have proposed something else.
    """
    settings = project.settings
    tuning = project.tuning
    if is_endless:
        tuning["max_trials"] = MAX_TRIALS
    oracle = make_oracle(
        project.space,
        **tuning,
        recorded={each.trial: _as_proposed(each) for each in project.proposals()},
    )
    for record in project.records:
        if isinstance(record, TrialRecord):
            proposal = ask(oracle, settings.max_epochs)
            again = isinstance(proposal, Proposal) and _trial_record(proposal, record.threads)
            if again != record:
                raise InputError(
                    f"{project.journal_path}: trial {record.trial} cannot be proposed "
                    f"again by this version; use the versions in project.json"
                )
        elif isinstance(record, RunRecord) and record.stage == "search":
            tell(oracle, record.trial, _told(project, record))
    return oracle


def _told(project: Project, record: RunRecord) -> float:
    """What the oracle learns of a run: its score, or the worst where it has none.

    Halving learns the worst of a run, too, that puts all images into one class: early on that is
    the score to beat (0.190 of the built-in digits, where many a run that ends above 0.5 stands
    at 0.1 after three epochs), and it leads nowhere. Other tuners are told as KerasTuner's are.
    """
    ignored = record.collapsed and project.settings.tuner == "halving"
    return project.space.objective.count(None if ignored else record.score)


def _as_proposed(record: TrialRecord) -> Values:
    """The values of a trial as its oracle proposed them, KerasTuner's own among them."""
    values = dict(record.values)
    if record.round is not None:
        values["tuner/initial_epoch"] = record.initial_epoch
        values["tuner/epochs"] = record.epochs
        values["tuner/round"] = record.round
    if record.parent is not None:
        values["tuner/trial_id"] = str(record.parent)
    return values


def _trial_record(proposal: Proposal, threads: int = 1) -> TrialRecord:
    values = {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in proposal.values.items()
    }
    several = {"threads": threads} if threads > 1 else {}
    return TrialRecord(**vars(proposal) | {"values": values} | several)
