"""What a worker is given and what it answers: a stage's setup, its runs, what became of them.

Plain data, which cross from process to process. Nothing here trains.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..space.space import Space


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
    """

    space: Space
    arrays: Path
    fingerprint: str
    train_index: np.ndarray | None
    validate_on: np.ndarray | Literal["test"] | None
    test_at_end: bool


@dataclass(frozen=True)
class Run:
    """One training of one trial's values from one seed, to `epochs` in all.

    `trial` is the proposal that asked for it, `root` the one that began the run. `model_file` is
    where the trained model is saved for handing in.
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

    @property
    def key(self) -> tuple[str, int, int]:
        """What stays the same when the run is continued."""
        return (self.stage, self.root, self.run)


@dataclass(frozen=True)
class Outcome:
    """What a run that reached its epochs, or diverged on the way, brought.

    `history` has every epoch since the first; `predicted` the class of each validation or test
    image, (N,); `test` the metrics on the test set, if the setup asks for them; `weights_sha256`
    the hash of the final weights.
    """

    history: list[dict[str, float]]
    diverged: bool
    parameters: int
    predicted: np.ndarray
    test: dict[str, float]
    device: str
    weights_sha256: str


@dataclass(frozen=True)
class Event:
    """What became of a run: an epoch more, its end, a pause before it, or a failure.

    An "epoch" carries its metrics, a "done" its outcome, a "failed" its reason.
    """

    kind: Literal["epoch", "done", "paused", "failed"]
    run: Run
    metrics: dict[str, float] = field(default_factory=dict)
    epochs: int = 0
    outcome: Outcome | None = None
    reason: str = ""
