"""The contestants of equal_time.py: each searches until its time is up, and says what it chose.

A contestant is called in a fresh process. It imports what it needs and gets its images ready; its
clock starts with its search. An alarm ends that in the middle of whatever it does, and it chooses
from what has ended by then. All train on the images that svhn_tune does not hold out, and score by
the accuracy on those that it does.
"""

import math
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from svhn_tune.data.dataset import Data, split_holdout
from svhn_tune.space.space import Space

EPOCHS = 27
WORKERS = 2
GRACE = 15  # seconds that svhn_tune has to keep its own time limit


@dataclass(frozen=True)
class Choice:
    """What a contestant chose, and what it did for that.

    Args:
        values, score, length: of the configuration, with its validation accuracy, by which it was
            chosen, and the epochs it was trained for; no score where nothing had ended.
        trials: that were trained and ended; one that was promoted counts again.
        epochs: trained in all, those of trials that had not ended included.
        seconds: from the start of the clock until the contestant had stopped.
    """

    values: dict[str, Any]
    score: float | None
    length: int
    trials: int
    epochs: int
    seconds: float


class OutOfTimeError(BaseException):
    """Time is up. No `except Exception` of a contestant takes it for a failed trial."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Leave the block after so many seconds, wherever it is; it must run in the main thread."""
    signal.signal(signal.SIGALRM, _ring)
    # Rung in a callback that swallows exceptions, it would be lost: it rings again.
    signal.setitimer(signal.ITIMER_REAL, seconds, 10)
    try:
        yield
    except OutOfTimeError:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _ring(*_: object) -> None:
    raise OutOfTimeError


def search_svhn_tune(space: Space, data: Data, seconds: float, seed: int, folder: Path) -> Choice:
    """`svhn_tune search --max-epochs 27 --time-limit ...` on two cores, all else as it comes.

    All that it does before its first trial is on its clock: it holds images out, times a few models
    and imports TensorFlow. It has a time limit of its own; the alarm comes `GRACE` seconds later.
    """
    from svhn_tune.project.ownership import holds_project
    from svhn_tune.project.results import open_project
    from svhn_tune.stages.search import search
    from svhn_tune.summary.begun import read_standing

    shutil.rmtree(folder, ignore_errors=True)
    start = time.perf_counter()
    with at_most(seconds + GRACE):
        search(
            space,
            data,
            workers=WORKERS,
            time_limit=seconds,
            max_epochs=EPOCHS,
            seed=seed,
            project=folder,
        )
    spent = time.perf_counter() - start
    if not holds_project(folder):
        return Choice(space.baseline, None, 0, 0, 0, spent)
    project = open_project(folder)
    done = read_standing(project)
    if not project.ranking():
        return Choice(space.baseline, None, 0, done.trials, done.epochs, spent)
    best = project.ranking()[0]
    return Choice(best.values, best.score, best.epochs, done.trials, done.epochs, spent)


def search_kerastuner(space: Space, data: Data, seconds: float, seed: int, folder: Path) -> Choice:
    """KerasTuner's Hyperband: `search`, then `get_best_hyperparameters()[0]`.

    Its models are those of our HyperModel, which redraws what is above the limit on the file. That
    is generous: with an ordinary one, three oversized models in a row end KerasTuner's search.
    """
    import keras
    import keras_tuner as kt
    from keras_tuner.engine.trial import TrialStatus

    from svhn_tune.models.hypermodel import HyperModel, declare

    keras.utils.set_random_seed(seed)
    training, validation = _one_hot_splits(space, data)
    trained: list[int] = []
    counter = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: trained.append(epoch))
    tuner = kt.Hyperband(
        HyperModel(space),
        objective=space.protocol.objective,
        max_epochs=EPOCHS,
        seed=seed,
        directory=folder.parent,
        project_name=folder.name,
        overwrite=True,
    )
    start = time.perf_counter()
    with at_most(seconds):
        tuner.search(
            *training,
            epochs=EPOCHS,
            validation_data=validation,
            batch_size=space.protocol.batch_size,
            callbacks=[counter],
            verbose=0,
        )
    spent = time.perf_counter() - start
    ended = [each for each in tuner.oracle.trials.values() if each.status == TrialStatus.COMPLETED]
    # Where none has ended, these two return the one in training.
    best, chosen = tuner.oracle.get_best_trials()[0], tuner.get_best_hyperparameters()[0]
    length = chosen.values["tuner/epochs"] if ended else 0
    return Choice(declare(space, chosen), best.score, length, len(ended), len(trained), spent)


def search_optuna(space: Space, data: Data, seconds: float, seed: int, folder: Path) -> Choice:
    """Optuna's TPE with its HyperbandPruner, `fit` as it comes; oversized models are pruned.

    The choice is its best trial; where none was completed, the one with the highest last report.
    """
    import keras
    import keras_tuner as kt
    import optuna

    from svhn_tune.models.hypermodel import HyperModel
    from svhn_tune.models.size import measure_size

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    keras.utils.set_random_seed(seed)
    training, validation = _one_hot_splits(space, data)
    hypermodel = HyperModel(space)

    def train(trial: optuna.Trial) -> float:
        values = _suggest(trial, space)
        if not measure_size(space, values).feasible:
            raise optuna.TrialPruned("its file would be above the limit")
        trial.set_user_attr("values", values)

        def report(epoch: int, logs: dict[str, float]) -> None:
            trial.report(logs[space.protocol.objective], epoch + 1)
            if trial.should_prune():
                raise optuna.TrialPruned

        keras.utils.clear_session()
        given = kt.HyperParameters()
        given.values = values
        history = hypermodel.fit(
            given,
            hypermodel.build_values(values),
            *training,
            epochs=EPOCHS,
            validation_data=validation,
            callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=report)],
            verbose=0,
        )
        return float(history.history[space.protocol.objective][-1])

    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.HyperbandPruner(1, EPOCHS, reduction_factor=3),
        study_name=f"seed {seed}",  # which the pruner's brackets depend on
    )
    start = time.perf_counter()
    with at_most(seconds):
        study.optimize(train)
    spent = time.perf_counter() - start
    begun = [trial for trial in study.trials if "values" in trial.user_attrs]
    reported = [trial for trial in begun if trial.intermediate_values]
    completed = [trial for trial in begun if trial.state == optuna.trial.TrialState.COMPLETE]
    best = max(completed or reported or begun[:1], key=_last_report)
    return Choice(
        best.user_attrs["values"],
        _last_report(best) if best.intermediate_values else None,
        len(best.intermediate_values),
        sum(trial.state.is_finished() for trial in reported),
        sum(len(trial.intermediate_values) for trial in reported),
        spent,
    )


def _last_report(trial: Any) -> float:
    return trial.intermediate_values[trial.last_step] if trial.intermediate_values else 0.0


def _suggest(trial: Any, space: Space) -> dict[str, Any]:
    """The values that Optuna suggests, active ones only."""
    values: dict[str, Any] = {}
    for each in space.declarations:
        if each.is_active(values):
            values[each.name] = _suggest_one(trial, each.name, each.hyperparameter)
    return values


def _suggest_one(trial: Any, name: str, given: Any) -> Any:
    if given.type in ("Choice", "Boolean"):
        return trial.suggest_categorical(name, getattr(given, "values", [False, True]))
    low, high, step = given.min_value, given.max_value, given.step
    if given.type == "Float":
        return trial.suggest_float(name, low, high, log=given.sampling == "log")
    if given.sampling == "linear":
        return trial.suggest_int(name, low, high)
    return low * step ** trial.suggest_int(name, 0, round(math.log(high / low, step)))


def _one_hot_splits(space: Space, data: Data) -> list[tuple[np.ndarray, np.ndarray]]:
    """Images and one-hot labels to train on, and those held out."""
    classes = np.eye(space.task.labels, dtype=np.float32)
    splits = map(data.train.take, split_holdout(data.train.labels))
    return [(split.images, classes[split.labels]) for split in splits]


CONTESTANTS = {
    "svhn_tune": search_svhn_tune,
    "KerasTuner": search_kerastuner,
    "Optuna": search_optuna,
}
