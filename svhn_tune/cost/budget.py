"""The one budget of a project: hours of search and confirm together, over any number of calls.

What is spent is the wall-clock time of every call that trained, since it locked the project. The
journal has it as {"event": "session", "began", "stage", "workers", "seconds", "seconds_left"}: once
per minute and at the end, the last one of a call counts. So a kill hides a minute at most.
Replaying the journal skips these records.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import fmean
from typing import Any

from ..console import format_seconds
from ..data import Data
from ..data.dataset import count_confirmed
from ..journal.record_types import SessionRecord, Stage
from ..models.work import Work, measure_work
from ..project.project import Project
from .cap import CONFIRM_SHARE, RUNS, TOP
from .cost_model import schedule
from .forecast import Forecast, fit_journal

EVERY = 60.0


class Budget:
    """The clock of one call on an open, locked project, and what is left of the project's budget.

    Args:
        project: its journal has the time of earlier calls; "budget" of its settings is in seconds.
        stage: "search" or "confirm".
        workers: how many runs train side by side.
        data: confirm trains on all of its training images.
        forecast: of this call, written down with its time.
    """

    def __init__(
        self, project: Project, stage: Stage, workers: int, data: Data, forecast: Forecast
    ) -> None:
        self._project = project
        self._stage = stage
        self._workers = workers
        self._forecast = forecast
        share = project.space.protocol.validation_split
        self._images = count_confirmed(len(data.train.labels), share)
        self._total = project.settings.budget
        self._before = project.seconds_spent()
        self._start = self._told = time.monotonic()
        self._began = time.time()
        self._needs = (0, 0.0)
        self._has_forecast = False

    @property
    def left(self) -> float | None:
        """Seconds of the budget that no call has spent, this one included; None without one."""
        if self._total is None:
            return None
        return self._total - self._before - (time.monotonic() - self._start)

    @property
    def share_left(self) -> float:
        """Which share of this stage's part of the budget is left; 1 without a budget."""
        left = self.left
        if self._total is None or left is None:
            return 1.0
        reserve = self.reserve() if self._stage == "search" else 0.0
        return (left - reserve) / max(self._total - reserve, 1e-9)

    @property
    def is_spent(self) -> bool:
        """Whether this stage must stop: search, when confirm will need what is left."""
        return self.share_left <= 0

    @contextmanager
    def clock(self) -> Iterator[None]:
        """Write the whole time of this call down at its end, if it has trained anything."""
        try:
            yield
        finally:
            if self._told > self._start:
                self._record()

    def tick(self) -> None:
        """Record the time spent at the first event, and once there is a forecast."""
        known = not self._has_forecast and self._forecast.seconds_left() is not None
        if self._told == self._start or known:
            self._record()

    def keep(self) -> None:
        """Record the time spent if that is a minute ago, as within a long epoch."""
        if time.monotonic() - self._told > EVERY:
            self._record()

    def _record(self) -> None:
        self._told = time.monotonic()
        left = self._forecast.seconds_left()
        self._has_forecast = left is not None
        self._project.record(
            SessionRecord(
                stage=self._stage,
                began=self._began,
                workers=self._workers,
                seconds=self._told - self._start,
                seconds_left=left,
            )
        )

    def reserve(self) -> float:
        """Seconds that search leaves: what confirm will need, at most its share of the budget."""
        return min(self.confirm_seconds(), CONFIRM_SHARE * (self._total or 0.0))

    def confirm_seconds(self) -> float:
        """What 10 runs of the baseline and of the best three will take, from the ended runs.

        0 while no run has ended.
        """
        ended = self._project.ended("search")
        if len(ended) != self._needs[0]:
            self._needs = (len(ended), self._estimate_confirm())
        return self._needs[1]

    def _estimate_confirm(self) -> float:
        space = self._project.space
        cost = fit_journal(self._project, self._images)
        if cost is None:
            return 0.0
        best = [record.values for record in self._project.ranking()[:TOP]]
        each = [
            cost.run_seconds(self._work(values), space.protocol.epochs, self._images, 0, 0)
            for values in [space.baseline, *best]
        ]
        missing = TOP - len(best)
        return schedule([*each, *[fmean(each)] * missing] * RUNS, self._workers)

    def _work(self, values: dict[str, Any]) -> Work:
        return measure_work(self._project.space, values)

    def describe(self) -> str:
        """What is left, in words."""
        assert self._total is not None
        assert self.left is not None
        text = (
            f"budget: {format_seconds(max(self.left, 0.0))} of {format_seconds(self._total)} left"
        )
        if self._stage == "search":
            text += f"; confirm will need about {format_seconds(self.confirm_seconds())}"
        return text
