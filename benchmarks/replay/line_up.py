"""Who is compared, by name."""

from dataclasses import replace

import numpy as np

from svhn_tune.cost.cap import POINT_SHARE, RUN_SHARE
from svhn_tune.oracles.ask_tell import MODELS, NEVER
from svhn_tune.oracles.feasible import Values

from .clock import Contestant
from .contestants import (
    BASELINE,
    GUESS,
    Candidate,
    Make,
    PlainGuess,
    Terms,
    few_epochs,
)
from .proposals import ForestOptions
from .stock import KerasTuner, OptunaTPE
from .today import Today


def keras_tuner(kind: str, redraws: bool = False) -> Make:
    """KerasTuner's tuner of this kind."""
    return lambda terms: KerasTuner(terms.world, kind, terms.seed, redraws)


def optuna_tpe(terms: Terms) -> Contestant:
    """Optuna's TPE with its HyperbandPruner."""
    return OptunaTPE(terms.world, terms.seed)


def plain_guess(terms: Terms) -> Contestant:
    """The plain guess."""
    return PlainGuess()


def today(tuner: str) -> Make:
    """The tuner of svhn_tune, without a cap."""
    return lambda terms: Today(terms.world, tuner, terms.seed)


def built(terms: Terms) -> Contestant:
    """`search` as it comes, with a limit of time."""
    world = terms.world
    points = world.space.points
    most, for_points = terms.cap(RUN_SHARE), terms.cap(POINT_SHARE * terms.cores)

    def is_affordable(values: Values) -> bool:
        return world.epoch_seconds(values) <= (for_points if values in points else most)

    return Today(world, "halving", terms.seed, is_affordable, terms.budget / terms.cores)


def hundred_models(terms: Terms) -> Contestant:
    """`search` as it comes without a limit of time: it ends with its hundredth model.

    They are drawn at random here: what is asked of it is how busy the cores are.
    """
    contestant = Today(terms.world, "halving", terms.seed, max_trials=MODELS)
    contestant.oracle.num_initial_points = NEVER
    return contestant


# A search of KerasTuner trains one trial at a time.
ONE_AT_A_TIME: dict[str, Make] = {
    f"KerasTuner {kind}": keras_tuner(kind)
    for kind in ("RandomSearch", "BayesianOptimization", "Hyperband")
} | {"KerasTuner Hyperband, redrawn": keras_tuner("Hyperband", redraws=True)}
OTHERS: dict[str, Make] = {
    "plain guess": plain_guess,
    "Optuna TPE, HyperbandPruner": optuna_tpe,
    **{tuner: today(tuner) for tuner in ("hyperband", "bayesian", "tpe")},
    "random under the cap": Candidate(first=0, cap=RUN_SHARE),
    **{f"{k} epochs, then the best": few_epochs(k, RUN_SHARE) for k in (1, 3, 9)},
}
# Each with what stands above it, so that each part's gain is seen alone.
HALVED = Candidate(first=3)
CAPPED = replace(HALVED, cap=RUN_SHARE)
PASSED = replace(CAPPED, demoted=True)
FOREST = replace(PASSED, proposals="forest")
PARTS: dict[str, Make] = {
    "halving": HALVED,
    "halving + cap": CAPPED,
    "halving + cap + passing over": PASSED,
    "... + forest": FOREST,
    "... + forest + stuck runs end": replace(FOREST, watched=True),
    "... + forest + guess": replace(FOREST, early=(BASELINE, GUESS)),
    "... + forest + defaults": replace(FOREST, early=(BASELINE, GUESS, 2, 3)),
}
BUILT: dict[str, Make] = {"svhn_tune search": built}
VARIANTS: dict[str, Make] = {
    "variant: TPE for the forest": replace(PASSED, proposals="tpe"),
    **{f"variant: first length {k}": replace(FOREST, first=k) for k in (1, 2, 9)},
    **{f"variant: factor {k}": replace(FOREST, factor=k) for k in (2, 4)},
    **{f"variant: cap {cap}": replace(FOREST, cap=cap) for cap in (0.1, 0.5)},
    "variant: cap 10 x baseline": replace(FOREST, cap=np.inf, times=10.0),
    "variant: half at random": replace(FOREST, forest=ForestOptions(share=0.5)),
    "variant: 30 at random first": replace(FOREST, forest=ForestOptions(initial=30)),
}
