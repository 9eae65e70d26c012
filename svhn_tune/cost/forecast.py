"""How long a call still trains: the cost model, fitted to the ended runs, against the clock.

The model weighs what is left against what is done; the clock of this call says what that much work
takes, evaluating, saving and waiting included. Both know more with each run that ends.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from ..data import Data
from ..data.dataset import count_confirmed
from ..journal.record_types import RunRecord
from ..models.work import Work, measure_work
from ..project.checkpoints import read_checkpoint
from ..project.project import Project
from ..training.runs import Run
from .cost_model import CostModel, Timing, fit_cost

Key = tuple[int, int]
Values = Mapping[str, Any]
# The newest ended runs that the cost model is fitted to.
NEWEST = 100


@dataclass(frozen=True)
class Planned:
    """What a call will still train.

    Args:
        runs: values and epochs of the runs that are known, by their key: (trial, 0) in search,
            (root, run) in confirm.
        others, epochs: how many more runs, and how long they train in all.
        models: values such as theirs may be.
    """

    runs: Mapping[Key, tuple[Values, int]]
    others: int = 0
    epochs: int = 0
    models: Sequence[Values] = field(default=(), repr=False)


def fit_journal(project: Project, images: int) -> CostModel | None:
    """The cost of an epoch and of a start, from a project's ended runs; None without any.

    Args:
        project: with the runs.
        images: that confirm trains on: all there are to train on.
    """
    timings = [
        timing
        for record in _list_timed(project)[-NEWEST:]
        if (timing := _read_timing(project, record, images)) is not None
    ]
    return fit_cost(timings, project.space.protocol.batch_size) if timings else None


def _list_timed(project: Project) -> list[RunRecord]:
    """The ended runs on the data that the project is on: others cost otherwise.

    Of one thread, unless all had several, which made them faster.
    """
    ended = project.ended("confirm") if project.other else project.ended()
    return [record for record in ended if record.threads == 1] or ended


def _read_timing(project: Project, record: RunRecord, images: int) -> Timing | None:
    seconds = [each for each in record.metrics.get("seconds", []) if each is not None]
    if not seconds:
        return None
    # The first epoch compiles.
    usual = fmean(seconds[1:] or seconds)
    return Timing(
        work=measure_work(project.space, record.values),
        images=record.train_images or images,
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
        plan: says what the call will still train, None until its time is up. Asked when a time is
            wanted.
    """

    def __init__(
        self, project: Project, stage: str, data: Data, plan: Callable[[], Planned | None]
    ) -> None:
        self._project = project
        self._stage = stage
        share = project.space.protocol.validation_split
        self._images = count_confirmed(len(data.train.labels), share)
        self._plan = plan
        self._begun: dict[Key, tuple[Values, int]] = {}
        self._done: Counter[Key] = Counter()
        self._works: dict[Key, Work] = {}
        self._samples: list[Work] = []
        self._fitted = 0
        self._cost: CostModel | None = None
        self._start = time.monotonic()

    def begin_run(self, run: Run) -> None:
        """A run begins, or goes on from its checkpoint: now its values are known."""
        trained = read_checkpoint(self._project, run.stage, run.root, run.run, run.epochs)
        self._begun[self._key(run)] = (run.values, run.epochs - len(trained))
        self._works.pop(self._key(run), None)

    def end_epoch(self, run: Run, epochs: int) -> None:
        """A run has trained `epochs` in all, one of them just now."""
        self._done[self._key(run)] += 1
        # Only its worker knows after which epoch it went on.
        self._begun[self._key(run)] = (run.values, run.epochs - epochs)

    def end_run(self, run: Run) -> None:
        """A run has ended, maybe early."""
        self._begun[self._key(run)] = (run.values, 0)

    def seconds_left(self) -> float | None:
        """Wall-clock seconds left; None until a run has ended and this call trained an epoch.

        None, too, where the time limit or the budget ends the call.
        """
        ended = len(self._project.ended())
        if ended != self._fitted:
            self._fitted = ended
            self._cost = fit_journal(self._project, self._images)
        if self._cost is None or not self._done:
            return None
        planned = self._plan()
        if planned is None:
            return None
        left, done = self._weigh_others(self._cost, planned), 0.0
        for key, (values, epochs) in {**planned.runs, **self._begun}.items():
            if key not in self._works:
                self._works[key] = self._measure(values)
            start, epoch = self._weigh(self._cost, self._works[key])
            done += epoch * self._done[key] + start * (key in self._begun)
            left += epoch * epochs + start * (key not in self._begun)
        return (time.monotonic() - self._start) * left / done if done else None

    def _weigh_others(self, cost: CostModel, planned: Planned) -> float:
        """What the cost model says of the runs whose values are not known: the mean over models."""
        if not planned.others:
            return 0.0
        self._samples = self._samples or [self._measure(values) for values in planned.models]
        weights = [self._weigh(cost, work) for work in self._samples]
        start, epoch = map(fmean, zip(*weights, strict=True))
        return planned.others * start + planned.epochs * epoch

    def _measure(self, values: Values) -> Work:
        return measure_work(self._project.space, values)

    def _weigh(self, cost: CostModel, work: Work) -> tuple[float, float]:
        """What the cost model says of a run's start and of an epoch."""
        start = cost.run_seconds(work, 0, self._images, 0, 0)
        return start, cost.epoch_seconds(work, self._images, 0)

    def _key(self, run: Run) -> Key:
        return (run.trial, 0) if self._stage == "search" else (run.root, run.run)
