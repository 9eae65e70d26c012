"""What others use, as it comes: KerasTuner's tuners, Optuna's TPE with its HyperbandPruner."""

import warnings
from typing import Any

import keras_tuner as kt
import numpy as np
import optuna

from svhn_tune.models.hypermodel import declare
from svhn_tune.space.hyperparameters import Choice, Declaration, Float, Int

from .clock import Run
from .world import World

# As it comes a search of KerasTuner ends for good at the third model in a row that cannot be built:
# its user raises that number.
NEVER = 10**9


def _without_writing(kind: type) -> type:
    """The oracle, its project in no folder."""
    return type(
        kind.__name__,
        (kind,),
        {"save": lambda self: None, "_save_trial": lambda self, trial: None},
    )


class KerasTuner:
    """RandomSearch, BayesianOptimization or Hyperband, one trial at a time.

    A trial counts with its best epoch. A model that cannot be built, or whose file is too large, is
    a failed trial and takes no time; or another one is trained in its place, as svhn_tune's
    HyperModel does. A promoted trial goes on where it was: kinder than the original, which
    continues from its best epoch without the optimizer's state.

    Args:
        world: what is searched.
        kind, seed: of the tuner.
        redraws: whether another model is trained in place of one that cannot be built.
    """

    def __init__(self, world: World, kind: str, seed: int, redraws: bool = False) -> None:
        self.world, self.redraws = world, redraws
        self.rng = np.random.default_rng((seed, 2))
        hyperparameters = kt.HyperParameters()
        declare(world.space, hyperparameters)
        arguments: dict[str, Any] = {
            "objective": kt.Objective("accuracy", "max"),
            "hyperparameters": hyperparameters,
            "seed": seed + 1,
            "max_consecutive_failed_trials": NEVER,
        }
        if kind == "Hyperband":
            arguments |= {"max_epochs": world.epochs, "factor": 3}
        else:
            arguments["max_trials"] = NEVER
        self.oracle = _without_writing(getattr(kt.oracles, f"{kind}Oracle"))(**arguments)
        self.oracle.verbose = 0
        self.running: Any = None
        self.first: dict[str, int] = {}
        self.redrawn: dict[int, int] = {}
        self.scores: list[tuple[float, int]] = []

    def ask(self, worker: int, now: float) -> Run | None:
        """The next trial that can be built."""
        while True:
            trial = self.oracle.create_trial("tuner0")
            if trial.status != "RUNNING":
                return None
            given = dict(trial.hyperparameters.values)
            values = {name: value for name, value in given.items() if "tuner/" not in name}
            if self.redraws or self.world.feasible(values):
                break
            trial.status = "FAILED"
            self.oracle.end_trial(trial)
        self.running = trial
        parent = given.get("tuner/trial_id")
        first = self.first[parent] if parent else int(trial.trial_id)
        self.first[trial.trial_id] = first
        if self.world.feasible(values):
            number = self.world.number(values)
        else:
            number = self.redrawn.setdefault(first, self.world.draw(self.rng))
        return Run(
            first,
            number,
            given.get("tuner/initial_epoch", 0),
            given.get("tuner/epochs", self.world.epochs),
        )

    def tell(self, run: Run, curve: np.ndarray, complete: bool) -> None:
        """The score of its best epoch; nothing is known of a trial that did not end."""
        if not complete:
            return
        score = float(curve[run.first :].max())
        self.scores.append((score, run.number))
        self.oracle.update_trial(self.running.trial_id, {"accuracy": score})
        self.running.status = "COMPLETED"
        self.oracle.end_trial(self.running)

    def choose(self) -> int | None:
        """The best trial, however long it was."""
        return max(self.scores)[1] if self.scores else None


class OptunaTPE:
    """Optuna's TPESampler and HyperbandPruner, which is asked after every epoch."""

    def __init__(self, world: World, seed: int) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.world = world
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.study = optuna.create_study(
                direction="maximize",
                sampler=optuna.samplers.TPESampler(seed=seed),
                pruner=optuna.pruners.HyperbandPruner(
                    min_resource=1, max_resource=world.epochs, reduction_factor=3
                ),
            )
        self.running: dict[int, tuple[optuna.Trial, int, int]] = {}
        self.count = 0

    def ask(self, worker: int, now: float) -> Run | None:
        """The next epoch of the worker's trial, or a new one's first."""
        if worker in self.running:
            trial, number, epoch = self.running[worker]
            return Run(trial.number, number, epoch, epoch + 1, begins=False)
        while True:
            trial = self.study.ask()
            values: dict[str, Any] = {}
            for declaration in self.world.space.declarations:
                if declaration.is_active(values):
                    values[declaration.name] = _suggest(trial, declaration)
            if self.world.feasible(values):
                break
            self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
        number = self.world.number(values)
        self.running[worker] = (trial, number, 0)
        return Run(trial.number, number, 0, 1)

    def tell(self, run: Run, curve: np.ndarray, complete: bool) -> None:
        """Report the epoch; prune, or end at full length."""
        if not complete:
            return
        worker = next(each for each, held in self.running.items() if held[0].number == run.trial)
        trial, number, _ = self.running[worker]
        trial.set_user_attr("number", number)
        trial.report(float(curve[-1]), run.last)
        if run.last == self.world.epochs:
            self.study.tell(trial, float(curve[-1]))
            del self.running[worker]
        elif trial.should_prune():
            self.study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            del self.running[worker]
        else:
            self.running[worker] = (trial, number, run.last)

    def choose(self) -> int | None:
        """Its best completed trial; before there is one, the best value reported."""
        trials = self.study.get_trials(deepcopy=False)
        complete = [each for each in trials if each.state == optuna.trial.TrialState.COMPLETE]
        if complete:
            return int(max(complete, key=lambda each: each.value or 0.0).user_attrs["number"])
        reported = [each for each in trials if each.intermediate_values]
        if not reported:
            return None
        best = max(reported, key=lambda each: max(each.intermediate_values.values()))
        return int(best.user_attrs["number"])


def _suggest(trial: optuna.Trial, declaration: Declaration) -> Any:
    given, name = declaration.hyperparameter, declaration.name
    if isinstance(given, Choice):
        return trial.suggest_categorical(name, given.values)
    if not isinstance(given, Int | Float):
        return trial.suggest_categorical(name, [False, True])
    log = getattr(given, "sampling", None) == "log"
    suggest = trial.suggest_int if isinstance(given, Int) else trial.suggest_float
    return suggest(name, given.min_value, given.max_value, log=log)
