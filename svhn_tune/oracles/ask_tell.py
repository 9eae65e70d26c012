"""KerasTuner's oracles, made to propose feasible values only and to be replayed from a journal.

An oracle proposes values and learns scores. Of models it knows only whether they are `feasible`. It
writes no file: asking and telling again in the journal's order restores it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import keras_tuner as kt

from ..models.hypermodel import declare
from ..models.size import check_listed, measure_size
from ..space.space import Space
from .bayesian import Bayesian
from .feasible import FeasibleMixin, Values
from .halving import Halving
from .hyperband import Hyperband

if TYPE_CHECKING:
    from .tpe import TPE

# KerasTuner gives up after 3 failed trials in a row, for good; ours are scored worst instead.
NEVER = 10**9
# How many trials are drawn at random before proposals follow from scores.
INITIAL_POINTS = 12
# Configurations and trials of a search that nobody gave a number.
MODELS, TRIALS = 100, 50


class Random(FeasibleMixin, kt.oracles.RandomSearchOracle):
    """`kt.oracles.RandomSearch` over feasible values."""


Oracle: TypeAlias = "Random | Halving | Hyperband | Bayesian | TPE"


def make_oracle(
    space: Space,
    tuner: str = "halving",
    *,
    seed: int = 0,
    max_epochs: int | None = None,
    factor: int = 3,
    max_trials: int | None = None,
    min_epochs: int | None = None,
    affordable: Callable[[Values], bool] | None = None,
    recorded: Mapping[int, Values] | None = None,
) -> Oracle:
    """An oracle over `space` that proposes feasible values only.

    Args:
        space: its hyperparameters, objective and limit on the file.
        tuner: "halving", "hyperband", "bayesian", "tpe" or "random".
        seed: of the proposals; 0 is a seed.
        max_epochs, factor, min_epochs: of halving and Hyperband; by default the protocol's, and 3.
        max_trials: how many configurations halving proposes, 100 by default; how many trials the
            others, 50 by default; Hyperband's number follows from its rounds.
        affordable: whether feasible values may be proposed; by default all may. The baseline and
            what a question names always are.
        recorded: trial -> values of a journal, proposed again without being computed again.

    Raises:
        InputError: the baseline, or another configuration that the space names, is not feasible.
    """
    check_listed(space)
    hyperparameters = kt.HyperParameters()
    declare(space, hyperparameters)
    arguments = {
        "objective": kt.Objective(space.objective.validated, space.objective.direction),
        "hyperparameters": hyperparameters,
        # KerasTuner takes 0 for "no seed".
        "seed": seed + 1,
        "max_consecutive_failed_trials": NEVER,
    }
    models, max_trials = max_trials or MODELS, max_trials or TRIALS
    max_epochs = max_epochs or space.protocol.epochs
    min_epochs = min_epochs or space.protocol.min_epochs

    def is_feasible(values: Values) -> bool:
        return measure_size(space, values).feasible and (affordable is None or affordable(values))

    points = [values for values in space.points if is_feasible(values)]
    first = [*space.listed, *points]
    initial = max(INITIAL_POINTS, len(first))
    build: dict[str, Callable[[], Oracle]] = {
        "halving": partial(
            Halving,
            first_epochs=min_epochs,
            max_epochs=max_epochs,
            factor=factor,
            max_models=models,
            num_initial_points=initial,
            points=points,
        ),
        "hyperband": partial(
            Hyperband, max_epochs=max_epochs, factor=factor, min_epochs=min_epochs
        ),
        "bayesian": partial(Bayesian, max_trials=max_trials, num_initial_points=initial),
        "tpe": partial(_make_tpe, max_trials=max_trials, num_initial_points=initial),
        "random": partial(Random, max_trials=max_trials),
    }
    oracle = build[tuner](**arguments)
    oracle.verbose = 0
    oracle.feasible = is_feasible
    oracle.first = first
    oracle.recorded = recorded or {}
    return oracle


def _make_tpe(**kwargs: Any) -> "TPE":
    # It imports Optuna, which is an optional dependency.
    from .tpe import TPE

    return TPE(**kwargs)


@dataclass(frozen=True)
class Proposal:
    """A trial that the oracle proposes: train `values` from `initial_epoch` to `epochs`.

    `parent` is the trial that it continues, `round` how often it was promoted before, `bracket`
    Hyperband's; None elsewhere. One that has a round above 0 and continues none trains values
    again, from another seed.
    """

    trial: int
    values: Values
    initial_epoch: int
    epochs: int
    parent: int | None
    bracket: int | None
    round: int | None

    @property
    def begins_new(self) -> bool:
        """Whether no trial had its values before."""
        return self.parent is None and not self.round


def ask(oracle: Oracle, max_epochs: int) -> Proposal | Literal["IDLE", "STOPPED"]:
    """The next trial; IDLE while running trials must end first, STOPPED when all is proposed."""
    # KerasTuner hands the same ongoing trial to the same id, so each trial asks under its own.
    trial = oracle.create_trial(f"trial-{len(oracle.trials)}")
    if trial.status != "RUNNING":
        return "IDLE" if trial.status == "IDLE" else "STOPPED"
    values = trial.hyperparameters.values
    parent = values.get("tuner/trial_id")
    bracket = None
    if isinstance(oracle, Hyperband):
        # values["tuner/bracket"] is the newest bracket, not always the trial's.
        bracket = next(
            bracket["bracket_num"]
            for bracket in oracle._brackets
            for entries in bracket["rounds"]
            if trial.trial_id in [entry["id"] for entry in entries]
        )
    return Proposal(
        trial=int(trial.trial_id),
        values={name: value for name, value in values.items() if not name.startswith("tuner/")},
        initial_epoch=values.get("tuner/initial_epoch", 0),
        epochs=values.get("tuner/epochs", max_epochs),
        parent=None if parent is None else int(parent),
        bracket=bracket,
        round=values.get("tuner/round"),
    )


def tell(oracle: Oracle, trial: int, score: float) -> None:
    """End the trial with this score, the objective at its last epoch."""
    ended = next(known for known in oracle.trials.values() if int(known.trial_id) == trial)
    oracle.update_trial(ended.trial_id, {oracle.objective.name: score})
    ended.status = "COMPLETED"
    oracle.end_trial(ended)
