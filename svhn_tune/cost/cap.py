"""How much a model may cost: as a person says, or as the hours that there are allow.

A search that draws models of any cost spends its hours on a few dear ones. What a model's epoch
costs is known from its values, so what is above the cap is never proposed.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from ..data import Data
from ..data.dataset import count_confirmed, split_holdout
from ..journal.settings import Cap
from ..models.work import measure_work
from ..space.space import Space
from .cost_model import CostModel

# What a run of full length may take of the hours of a search, by default. Of the points to
# evaluate, which are few, one may take as long as all workers have together: a third of its epochs
# shows whether it is ahead.
RUN_SHARE, POINT_SHARE = 0.2, 1.0
# What a time limit leaves in, however short it is: models of so many times the baseline's cost.
LEAST = 2.0
# Confirm as it comes, and what it may take of a budget: search has the rest.
TOP, RUNS, CONFIRM_SHARE = 3, 10, 2 / 3


@dataclass(frozen=True)
class Hours:
    """What a call may take: so many workers, and seconds of a time limit or a budget, or neither.

    `time_limit` is of this call, `budget` of search and confirm together.
    """

    workers: int
    time_limit: float | None
    budget: float | None

    @property
    def search(self) -> float | None:
        """Seconds of the search; None where nothing but its trials ends it."""
        share = None if self.budget is None else self.budget * (1 - CONFIRM_SHARE)
        return min((each for each in (self.time_limit, share) if each is not None), default=None)


def is_capped(settings: Mapping[str, Any], hours: Hours) -> bool:
    """Whether a search of these settings has a cap on cost.

    Args:
        settings: "tuner" and "max_cost", which is None where nobody gave it.
        hours: without any, halving has no cap of its own.
    """
    by_hours = settings["tuner"] == "halving" and hours.search is not None
    return settings["max_cost"] is not None or by_hours


def make_cap(
    space: Space,
    data: Data,
    settings: Mapping[str, Any],
    hours: Hours,
    cost: CostModel,
    models: Sequence[dict[str, Any]],
) -> Cap:
    """The cap of a search.

    Args:
        space, data: what is searched.
        settings: "max_epochs", "train_images", "validate_on" and "max_cost", which is None where
            the cap follows from the hours.
        hours: of the search, where nobody gave a cap.
        cost: of the space's models on this machine.
        models: feasible ones, to say which share of them is left out.
    """
    share = space.protocol.validation_split
    groups = space.task.group(data.train.labels)
    train, holdout = split_holdout(groups, settings["train_images"], share)
    given = settings["max_cost"]
    cap = Cap(
        most=1.0 if given is None else given,
        share=RUN_SHARE if given is None else None,
        left_out=0.0,
        train=cost.train.tolist(),
        rest=cost.rest.tolist(),
        images=len(train),
        validation=len(data.test.labels) if settings["validate_on"] == "test" else len(holdout),
    )
    if given is None:
        assert hours.search is not None
        longest = settings["max_epochs"] * cap.seconds(space, space.baseline)
        confirmable = _confirmable(space, data, hours, cost)
        most, for_points = (
            # The baseline is always searched, however small the budget.
            max(min(max(share * hours.search / longest, LEAST), confirmable), 1.0)
            for share in (RUN_SHARE, POINT_SHARE * hours.workers)
        )
        points = {"most_for_points": for_points} if space.points else {}
        cap = cap.model_copy(update={"most": most, **points})
    is_affordable = cap.make_test(space)
    left_out = fmean(not is_affordable(values) for values in models)
    return cap.model_copy(update={"left_out": left_out})


def _confirmable(space: Space, data: Data, hours: Hours, cost: CostModel) -> float:
    """What the best three may cost for ten runs of each and of the baseline to fit the budget."""
    if hours.budget is None:
        return math.inf
    images = count_confirmed(len(data.train.labels), space.protocol.validation_split)
    epoch = cost.epoch_seconds(measure_work(space, space.baseline), images, 0)
    of_one = RUNS * space.protocol.epochs * epoch / hours.workers
    return (CONFIRM_SHARE * hours.budget / of_one - 1) / TOP
