"""What a worker is given and what it answers: a stage's setup, its runs, their events.

Plain data, sent from process to process. Nothing here trains.
"""

import hashlib
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..engines import engine as engines
from ..space.space import Space

Key = tuple[str, int, int]


@dataclass(frozen=True)
class Setup:
    """What all runs of one stage share.

    Args:
        space: protocol, model family and limits.
        arrays: the folder that `share_arrays` wrote.
        fingerprint: of the data, for the records.
        train_index: positions to train on; None for all training images.
        validate_on: positions of the training images to evaluate each epoch on, "test" for the
            test set, None for no evaluation before the last epoch.
        test_at_end: evaluate on the test set once, after the last epoch.
        test_each_epoch: evaluate on it after each.
        engine: the name of the module that trains.
    """

    space: Space
    arrays: Path
    fingerprint: str
    train_index: np.ndarray | None
    validate_on: np.ndarray | Literal["test"] | None
    test_at_end: bool
    test_each_epoch: bool = False
    engine: str = field(default_factory=lambda: engines.DEFAULT)

    @cached_property
    def owner(self) -> dict[str, Any]:
        """What the checkpoints of all these runs belong to."""
        images = hashlib.sha256()
        for positions in (self.train_index, self.validate_on):
            if isinstance(positions, np.ndarray):
                images.update(positions.tobytes())
            else:
                images.update(str(positions).encode())
        return {
            "space": self.space.sha256,
            "data": self.fingerprint,
            "images": images.hexdigest(),
        }


@dataclass(frozen=True)
class Run:
    """One training of one trial's values from one seed, to `epochs` in all.

    `trial` is the proposal that asked for it, `root` the one that began the run. `model_file` is
    where the trained model is saved for handing in. `threads` of a CPU train it, from its first
    epoch to its last or, of a promoted trial, from its parent's last: other ones end otherwise.
    """

    stage: str
    trial: int
    root: int
    run: int
    seed: int
    values: dict[str, Any]
    epochs: int
    checkpoint: Path
    model_file: Path | None = None
    threads: int = 1

    @property
    def key(self) -> Key:
        """What stays the same when the run is continued."""
        return (self.stage, self.root, self.run)

    @property
    def owner(self) -> dict[str, Any]:
        """What its checkpoint belongs to, besides what all runs of the stage share."""
        names = ("stage", "root", "run", "seed", "values")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Outcome:
    """The result of a run that finished or diverged.

    `history` has every epoch since the first; `predicted` what is predicted of each validation
    or test image, (N,), a class or minutes; `test` the metrics on the test set, if the setup asks
    for them; `weights_sha256` the hash of the final weights; `engines` what trained it, in order.
    """

    history: list[dict[str, float]]
    diverged: bool
    parameters: int
    predicted: np.ndarray
    test: dict[str, float]
    device: str
    weights_sha256: str
    engines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Event:
    """What happened to a run: one more epoch, its end, a pause before its end, or a failure.

    "epoch" carries the epoch's metrics, "done" the run's outcome, "failed" the reason; `at` is when
    it happened, in seconds of the `time.monotonic()` of who tells it: an epoch is told later.
    """

    kind: Literal["epoch", "done", "paused", "failed"]
    run: Run
    metrics: dict[str, float] = field(default_factory=dict)
    epochs: int = 0
    outcome: Outcome | None = None
    reason: str = ""
    at: float = field(default_factory=time.monotonic)
