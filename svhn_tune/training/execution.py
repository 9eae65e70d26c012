"""Inside a worker: runs from their checkpoints to their last epoch, and their outcomes.

The engine knows how to train, the pool who is told.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import psutil

from ..data.cache import open_arrays
from ..data.dataset import Split
from ..engines import checkpoints
from ..engines.engine import Cohort, Member, Stop, load_engine
from .breaks import Breaks
from .runs import Event, Key, Outcome, Run, Setup

# TensorFlow 2.20 keeps the graphs of loops and metrics of every model that it traced: 14 MB per
# small model. After 256 MiB more than the first run a fresh process is cheaper; it starts in 5 s.
GROWTH = 256 << 20


class Executor:
    """Trains one cohort after another; the last one stays in memory to be continued.

    Args:
        setup: what the runs share.
        threads: of this process.
        splits: to train on and to test with, where they are not in the setup's folder.
        saved: takes each checkpoint to where it lasts, once it has been written.
    """

    def __init__(
        self,
        setup: Setup,
        threads: int = 1,
        splits: tuple[Split, Split] | None = None,
        saved: Callable[[Run], None] | None = None,
    ) -> None:
        self._setup = setup
        self._saved = saved
        self._engine = load_engine(setup.engine)
        self._device = self._engine.prepare(threads)
        train, self._pictures = splits or open_arrays(setup.arrays)
        self._train_split, self._test = self._arrange(train), self._arrange(self._pictures)
        self._validation: Split | None = None
        if isinstance(setup.validate_on, np.ndarray):
            self._validation = self._train_split.take(setup.validate_on)
        elif setup.validate_on == "test":
            self._validation = self._test
        self._places: dict[Key, int] = {}
        self._cohort: Cohort | None = None
        self._engines: dict[Key, tuple[str, ...]] = {}
        # A run's metrics on the test set, while its end is under way.
        self._tested: dict[Key, dict[str, float]] = {}
        self._first_resident = 0

    def _arrange(self, split: Split) -> Split:
        """The images as the network gets them."""
        return Split(self._setup.space.task.arrange(split.images), split.labels)

    def execute(
        self, runs: Sequence[Run], tell: Callable[[Event], None], should_pause: Callable[[], bool]
    ) -> None:
        """Train `runs` to their end: each epoch is told once it is on the disk, then each end.

        They differ in their seed alone, and train together; where the device has no room for
        that, half of them and then the other half.

        Where it `should_pause`, which is asked every second or two, "paused" is told instead, once
        they are on the disk: at the end of an epoch, or within it where that takes longer.
        """
        left = list(runs)
        try:
            self._train(left, tell, should_pause)
        except Exception as error:
            if not has_no_room(error):
                raise
            if len(runs) == 1:
                raise MemoryError(str(error)) from error
            # Its arrays are in nobody's way now.
            self._places, self._cohort = {}, None
        else:
            return
        half = (len(left) + 1) // 2
        for part in (left[:half], left[half:]):
            if not should_pause():
                self.execute(part, tell, should_pause)
            else:
                for run in part:
                    tell(Event("paused", run))

    def _train(
        self, left: list[Run], tell: Callable[[Event], None], should_pause: Callable[[], bool]
    ) -> None:
        """Train what is `left`, from which each run goes as it ends."""
        cohort = self._resume(left)
        breaks = Breaks(lambda: self._save(cohort, left), tell, should_pause)
        while left:
            if over := [run for run in left if self._is_over(cohort, run)]:
                breaks.end()
                outcomes = self._finish(cohort, over, breaks.stop)
                if outcomes is None:
                    break
                for run, outcome in zip(over, outcomes, strict=True):
                    left.remove(run)
                    tell(Event("done", run, outcome=outcome))
                continue
            among = [self._places[run.key] for run in left]
            shown = self._test if self._setup.test_each_epoch else None
            metrics = cohort.train_epoch(among, self._validation, breaks.stop, shown)
            if metrics is None:
                break
            ended = [
                Event("epoch", run, metrics=each, epochs=len(self._member(cohort, run).history))
                for run, each in zip(left, metrics, strict=True)
            ]
            breaks.end_epoch(*ended)
            if any(event.epochs < event.run.epochs for event in ended) and breaks.is_wished:
                break
        if left:
            breaks.save()
            for run in left:
                tell(Event("paused", run))

    def _member(self, cohort: Cohort, run: Run) -> Member:
        return cohort.members[self._places[run.key]]

    def _is_over(self, cohort: Cohort, run: Run) -> bool:
        """Whether it has trained all of its epochs, or nothing more can be learnt."""
        history = self._member(cohort, run).history
        return len(history) >= run.epochs or _has_diverged(history)

    def _save(self, cohort: Cohort, runs: Sequence[Run]) -> None:
        for run in runs:
            state = self._member(cohort, run).save()
            if tested := self._tested.get(run.key):
                state = state._replace(within=state.within | {"test": tested})
            state = state._replace(engines=self._engines[run.key])
            lasts = self._saved is None
            checkpoints.write(run.checkpoint, state, self._owner(run), lasts=lasts)
            if self._saved is not None:
                self._saved(run)

    def has_grown(self) -> bool:
        """Whether memory grew since the first run by more than a fresh process would cost."""
        resident = psutil.Process().memory_info().rss
        self._first_resident = self._first_resident or resident
        return resident > self._first_resident + GROWTH

    def _resume(self, runs: Sequence[Run]) -> Cohort:
        """The runs where they were: in memory, in checkpoints, or before their first epoch."""
        places = {run.key: place for place, run in enumerate(runs)}
        if self._cohort is None or self._places != places:
            setup = self._setup
            self._cohort = None
            self._cohort = self._engine.start(
                setup.space,
                runs[0].values,
                [run.seed for run in runs],
                self._train_split,
                setup.train_index,
            )
            self._places, self._tested, self._engines = places, {}, {}
            for run in runs:
                self._restore(run, self._member(self._cohort, run))
        trains = self._engine.describe(len(runs))
        for run in runs:
            trained = self._engines[run.key]
            if not self._is_over(self._cohort, run) and trained[-1:] != (trains,):
                self._engines[run.key] = (*trained, trains)
        return self._cohort

    def _restore(self, run: Run, member: Member) -> None:
        self._engines[run.key] = ()
        if not run.checkpoint.exists():
            return
        try:
            state = checkpoints.read(run.checkpoint, self._owner(run), run.epochs)
            tested = state.within.pop("test", {})
            member.restore(state)
        except ValueError:
            # Its epochs are lost, not the run: trained again from its seed, it ends the same.
            run.checkpoint.unlink()
        else:
            self._tested[run.key], self._engines[run.key] = tested, state.engines

    def _owner(self, run: Run) -> dict[str, Any]:
        return run.owner | self._setup.owner

    def _finish(self, cohort: Cohort, runs: Sequence[Run], stop: Stop) -> list[Outcome] | None:
        """What the runs brought; None where it stopped before."""
        untested = [run for run in runs if not self._tested.get(run.key)]
        if self._setup.test_each_epoch:
            for run in untested:
                last = self._member(cohort, run).history[-1]
                named = {name: value for name, value in last.items() if name.startswith("test_")}
                tests = {name.removeprefix("test_"): value for name, value in named.items()}
                self._tested[run.key] = tests
        elif self._setup.test_at_end and untested:
            among = [self._places[run.key] for run in untested]
            tested = cohort.evaluate(among, self._test, stop)
            if tested is None:
                return None
            self._tested |= zip((run.key for run in untested), tested, strict=True)
        judged = self._validation
        if self._setup.test_at_end or judged is None:
            judged = self._test
        predicted = cohort.predict([self._places[run.key] for run in runs], judged, stop)
        if predicted is None:
            return None
        stored = self._setup.space.task.target.stored
        return [
            self._conclude(run, self._member(cohort, run), each.astype(stored))
            for run, each in zip(runs, predicted, strict=True)
        ]

    def _conclude(self, run: Run, member: Member, predicted: np.ndarray) -> Outcome:
        if run.model_file is not None:
            member.write_model(run.model_file, self._pictures, predicted)
        return Outcome(
            history=member.history,
            diverged=_has_diverged(member.history),
            parameters=member.parameters,
            predicted=predicted,
            test=self._tested.pop(run.key, {}),
            device=self._device,
            weights_sha256=member.weights_sha256,
            engines=self._engines[run.key],
        )


def has_no_room(error: Exception) -> bool:
    """Whether an engine says that the device is full: of XLA and TensorFlow it is a status."""
    said = f"{type(error).__name__} {error}"
    is_status = "RESOURCE_EXHAUSTED" in said or "ResourceExhausted" in said
    return is_status or isinstance(error, MemoryError)


def _has_diverged(history: checkpoints.History) -> bool:
    """Whether nothing more can be learnt."""
    return bool(history) and checkpoints.has_diverged(history[-1])
