"""How long a call still trains: the cost model, fitted to the ended runs, against the clock.

The model weighs what is left against what is done; the clock of this call says what that much work
takes, evaluating, saving and waiting included. Both know more with each run that ends.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from statistics import fmean
from typing import Any

from ..data import Data
from ..project.journal import Record
from ..project.project import Project
from ..training.checkpoints import read_history
from ..training.runs import Run
from .cost_model import CostModel, Timing, Work, fit_cost, measure_work

Key = tuple[int, int]
Planned = Mapping[Key, tuple[Mapping[str, Any], int]]
# The newest ended runs that the cost model is fitted to.
NEWEST = 100


def fit_journal(project: Project, images: int) -> CostModel | None:
    """The cost of an epoch and of a start, from a project's ended runs; None without any.

    Args:
        project: with the runs.
        images: that confirm trains on: all there are to train on.
    """
    timings = [
        timing
        for record in _ended(project)[-NEWEST:]
        if (timing := _read_timing(project, record, images)) is not None
    ]
    return fit_cost(timings, project.space.protocol.batch_size) if timings else None


def _ended(project: Project) -> list[Record]:
    return [record for record in project.records if record["event"] == "run"]


def _read_timing(project: Project, record: Record, images: int) -> Timing | None:
    seconds = record["metrics"].get("seconds", [])
    if not seconds:
        return None
    # The first epoch compiles.
    usual = fmean(seconds[1:] or seconds)
    return Timing(
        work=measure_work(project.space, record["values"]),
        images=record["train_images"] or images,
        validation=0,
        train=usual,
        start=max(seconds[0] - usual, 0.0),
    )


class Forecast:
    """Seconds that a call still trains.

    Args:
        project: its ended runs say what models cost.
        stage: "search" or "confirm".
        data: confirm trains on all of its training images.
        plan: gives values and epochs of every run that the call will train, by its key: (trial, 0)
            in search, (root, run) in confirm. Asked once, when a time is first wanted.
    """

    def __init__(
        self, project: Project, stage: str, data: Data, plan: Callable[[], Planned]
    ) -> None:
        self._project = project
        self._stage = stage
        self._images = len(data.train.labels)
        self._plan = cache(plan)
        self._begun: dict[Key, tuple[Mapping[str, Any], int]] = {}
        self._done: Counter[Key] = Counter()
        self._works: dict[Key, Work] = {}
        self._fitted = 0
        self._cost: CostModel | None = None
        self._start = time.monotonic()

    def begin_run(self, run: Run) -> None:
        """A run begins, or goes on from its checkpoint: now its values are known."""
        epochs = run.epochs - len(read_history(run.checkpoint))
        self._begun[self._key(run)] = (run.values, epochs)
        self._works.pop(self._key(run), None)

    def end_epoch(self, run: Run) -> None:
        """An epoch of a run has been trained."""
        self._done[self._key(run)] += 1

    def end_run(self, run: Run) -> None:
        """A run has ended, maybe early."""
        values, _ = self._begun[self._key(run)]
        self._begun[self._key(run)] = (values, self._done[self._key(run)])

    def seconds_left(self) -> float | None:
        """Wall-clock seconds left; None until a run has ended and this call trained an epoch."""
        ended = len(_ended(self._project))
        if ended != self._fitted:
            self._fitted = ended
            self._cost = fit_journal(self._project, self._images)
        if self._cost is None:
            return None
        left = done = 0.0
        for key, (values, epochs) in {**self._plan(), **self._begun}.items():
            start, epoch = self._weigh(self._cost, key, values)
            done += epoch * self._done[key] + start * (key in self._begun)
            left += epoch * (epochs - self._done[key]) + start * (key not in self._begun)
        return (time.monotonic() - self._start) * left / done if done else None

    def _weigh(self, cost: CostModel, key: Key, values: Mapping[str, Any]) -> tuple[float, float]:
        """What the cost model says of a run's start and of an epoch."""
        if key not in self._works:
            self._works[key] = measure_work(self._project.space, values)
        work = self._works[key]
        start = cost.run_seconds(work, 0, self._images, 0, 0)
        return start, cost.epoch_seconds(work, self._images, 0)

    def _key(self, run: Run) -> Key:
        return (run.trial, 0) if self._stage == "search" else (run.root, run.run)
