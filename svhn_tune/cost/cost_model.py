"""Predicts seconds: counts a model's operations and multiplies by measured seconds per operation.

Nothing here trains. timing.py measures on the machine, the journal holds
what earlier runs took, and `fit_cost` turns either into seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..models.work import Work, rest_units, train_units
from ..training.breaks import SHARE

# A worker is replaced when it has grown by 256 MiB. A run leaves some 14 MB behind (`cnn`, and
# `tiny_resnet`), and of a large network more: 26 MB where it has 1.5 million parameters
# (`cifar_shallow`).
GROWTH, LEFT_BY_RUN, LEFT_BY_PARAMETER = 256 << 20, 14e6, 8.0


@dataclass(frozen=True)
class Timing:
    """What some epochs of a model took, in seconds.

    Args:
        work: of the model.
        images, validation: trained on and evaluated in each epoch.
        train: of training one epoch, compiling left out.
        rest: of evaluating one epoch; None if not measured.
        start: of building, compiling and ending the run, beyond its epochs; None if not measured.
        save: of writing its checkpoint once; None if not measured.
    """

    work: Work
    images: int
    validation: int
    train: float
    rest: float | None = None
    start: float | None = None
    save: float | None = None


@dataclass(frozen=True)
class CostModel:
    """Seconds of epochs and runs on one core of the machine that was timed.

    Args:
        train: seconds per layer and batch, image, operation, activation, and parameter
            and batch.
        rest: seconds per epoch, evaluated image, operation and activation, saved parameter.
        start: seconds per run, and per layer of it.
        process: seconds until a new worker begins to train.
        batch_size: images per batch.
        together: what an epoch costs a seed that trains with others, in times of one alone.
    """

    train: np.ndarray
    rest: np.ndarray
    start: np.ndarray
    process: float
    batch_size: int
    together: float = 1.0

    def epoch_seconds(self, work: Work, images: int, validation: int) -> float:
        """One epoch on `images`, evaluated on `validation` images, and saved as usual."""
        epoch = self._train_and_evaluate(work, images, validation)
        return epoch + min(self._save(work), SHARE * epoch)

    def _train_and_evaluate(self, work: Work, images: int, validation: int) -> float:
        trained = self.train @ train_units(work, images, self.batch_size)
        return float(trained + self.rest[:4] @ rest_units(work, validation)[:4])

    def _save(self, work: Work) -> float:
        return float(self.rest[4] * work.parameters)

    def run_seconds(
        self, work: Work, epochs: int, images: int, validation: int, judged: int
    ) -> float:
        """A run of `epochs`, from building it to predicting `judged` images at its end."""
        start = self.start @ np.array([1.0, work.layers])
        last = self.rest[1:4] @ rest_units(work, judged)[1:4]
        epoch = self._train_and_evaluate(work, images, validation)
        # After the first epoch and the last one it is saved, however little time went by.
        saved = min(epochs, 2) * self._save(work)
        saved += max(epochs - 2, 0) * min(self._save(work), SHARE * epoch)
        return float(start + epochs * epoch + saved + last)

    def cohort_seconds(
        self, work: Work, seeds: int, epochs: int, images: int, validation: int, judged: int
    ) -> float:
        """Runs that differ in their seed alone and train together: they are built once."""
        start = self.run_seconds(work, 0, images, validation, 0)
        run = self.run_seconds(work, epochs, images, validation, judged)
        together = 1.0 if seeds == 1 else self.together
        return start + seeds * together * (run - start)

    def processes_seconds(self, runs: int, parameters: float, workers: int) -> float:
        """Starting the workers, and replacing those that have grown by models of such a size."""
        left = runs * (LEFT_BY_RUN + LEFT_BY_PARAMETER * parameters)
        return self.process * (1 + left // GROWTH / workers)


def fit_cost(timings: Sequence[Timing], batch_size: int, process: float = 0.0) -> CostModel:
    """A non-negative least-squares fit to `timings`, by relative error."""
    rested = [timing for timing in timings if timing.rest is not None]
    started = [timing for timing in timings if timing.start is not None]
    saved = [timing for timing in timings if timing.save is not None]
    parameters = sum(each.work.parameters for each in saved)
    evaluated = _fit(
        [rest_units(each.work, each.validation)[:4] for each in rested],
        [each.rest or 0.0 for each in rested],
        4,
    )
    return CostModel(
        train=_fit(
            [train_units(each.work, each.images, batch_size) for each in timings],
            [each.train for each in timings],
        ),
        rest=np.append(evaluated, sum(each.save or 0.0 for each in saved) / max(parameters, 1)),
        start=_fit(
            [np.array([1.0, each.work.layers]) for each in started],
            [each.start or 0.0 for each in started],
            2,
        ),
        process=process,
        batch_size=batch_size,
    )


def schedule(seconds: Sequence[float], workers: int) -> float:
    """Seconds until the last run ends; each is begun, in order, by the first free worker."""
    free = [0.0] * workers
    for each in seconds:
        first = free.index(min(free))
        free[first] += each
    return max(free)


def _fit(units: list[np.ndarray], seconds: list[float], terms: int = 5) -> np.ndarray:
    # Imported late: half a second that `import svhn_tune` should not pay.
    from scipy.optimize import nnls

    if not units:
        return np.zeros(terms)
    # Each row divided by its seconds: a small model counts as much as a large one. Each column by
    # its size: 1e9 operations beside 1 epoch.
    rows = np.array(units) / np.maximum(seconds, 1e-3)[:, None]
    scale = np.maximum(rows.max(axis=0), 1e-30)
    terms_found = nnls(rows / scale, np.ones(len(rows)))[0] / scale
    # A least-squares fit by relative error comes out too low: scaled, its mean ratio is 1.
    mean = float((rows @ terms_found).mean())
    return terms_found / mean if mean else terms_found
