"""Where a search or a confirm stands at one moment.

status.py reads it from a project, progress/picture.py draws it.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..journal.record_types import RunRecord
from ..space.objective import Objective

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..training.runs import Key, Run


@dataclass(frozen=True)
class RunStanding:
    """A run that has not ended: `epochs` trained of `planned`, `initial` of them by a parent trial.

    `run` is None in search; `metrics` are those of the last epoch, empty before the first;
    `training` is whether a worker has it now, on so many `threads`; `node` is on which machine of a
    cluster.
    """

    trial: int
    root: int
    run: int | None
    initial: int
    epochs: int
    planned: int
    metrics: dict[str, float]
    training: bool = False
    threads: int = 1
    node: str | None = None

    def is_of(self, root: int, run: int) -> bool:
        """Whether it is the run of this number of the trial `root`, the only one in search."""
        return self.root == root and self.run in (run, None)


@dataclass(frozen=True)
class Best:
    """The best trial so far, by the mean of its `runs`."""

    trial: int
    score: float | None
    epochs: int
    runs: int
    changes: str


@dataclass(frozen=True)
class Standing:
    """A stage at one moment: what is done of what is planned, the best, and what is in training.

    `trials` are runs in confirm. What is planned is None in projects that never said, and the times
    (seconds) are None where they are not known; `stops` is when its time limit ends it, as
    `time.time()` counts. `process` is the pid of who is at work on it, `on` the
    data of a confirm where they are not the search's.
    """

    stage: str
    objective: Objective
    trials: int
    trials_planned: int | None
    ended_epochs: int
    epochs_planned: int | None
    best: Best | None
    runs: tuple[RunStanding, ...]
    process: int | None = None
    seconds_left: float | None = None
    budget_left: float | None = None
    stops: float | None = None
    on: str | None = None

    @property
    def title(self) -> str:
        """The stage, and where they are others than the search's, what it trains on."""
        return self.stage if self.on is None else f"{self.stage} on {self.on}"

    @property
    def epochs(self) -> int:
        """Epochs trained, those of runs that have not ended included."""
        return self.ended_epochs + sum(run.epochs - run.initial for run in self.runs)

    @property
    def in_all(self) -> tuple[int, int] | None:
        """Trials and epochs, as planned or as there are more, which halving finds as runs end."""
        if self.trials_planned is None or self.epochs_planned is None:
            return None
        return max(self.trials_planned, self.trials), max(self.epochs_planned, self.epochs)

    def as_dict(self) -> dict[str, Any]:
        """The standing as `status --json` prints it."""
        trials, epochs = self.in_all or (None, None)
        runs = [
            {name: getattr(run, name) for name in ("trial", "run", "epochs", "planned", "training")}
            | ({} if run.node is None else {"node": run.node})
            for run in self.runs
        ]
        return {
            "stage": self.stage,
            "process": self.process,
            "trials": self.trials,
            "trials_planned": trials,
            "epochs": self.epochs,
            "epochs_planned": epochs,
            "seconds_left": self.seconds_left,
            "stops": self.stops,
            "on": self.on,
            "runs": runs,
        }

    def with_epoch(self, run: "Run", epochs: int, metrics: dict[str, float]) -> "Standing":
        """The standing once a run has trained `epochs`, `metrics` being those of the last."""
        runs = tuple(
            replace(each, epochs=epochs, metrics=metrics) if each.is_of(run.root, run.run) else each
            for each in self.runs
        )
        return replace(self, runs=runs)

    def with_begun(self, run: "Run", history: list[dict[str, float]]) -> "Standing":
        """The standing once a run has begun, or goes on from a checkpoint with this history."""
        before = [each for each in self.runs if each.is_of(run.root, run.run)]
        begun = RunStanding(
            trial=run.trial,
            root=run.root,
            run=None if self.stage == "search" else run.run,
            initial=before[0].initial if before else len(history),
            epochs=len(history),
            planned=run.epochs,
            metrics=history[-1] if history else {},
            training=True,
            threads=run.threads,
        )
        return replace(self, runs=(*(each for each in self.runs if each not in before), begun))

    def with_nodes(self, nodes: "Mapping[Key, str]") -> "Standing":
        """The standing with the node of each run: those on one are in training, and no others."""
        found = []
        for run in self.runs:
            node = nodes.get((self.stage, run.root, run.run or 0))
            found.append(replace(run, node=node, training=node is not None))
        return replace(self, runs=tuple(found))

    def with_ended(self, record: RunRecord, best: Best | None) -> "Standing":
        """The standing once a run has ended; `best` is the best now."""
        planned = self.epochs_planned
        if planned is not None:
            planned -= record.spared
        return replace(
            self,
            trials=self.trials + 1,
            ended_epochs=self.ended_epochs + record.trained,
            epochs_planned=planned,
            best=best,
            runs=tuple(run for run in self.runs if not run.is_of(record.root, record.run)),
        )
