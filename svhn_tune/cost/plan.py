"""Plan: what search and confirm will cost on this machine, and what fits a budget.

A few models are timed (timing.py), their cost is fitted (cost_model.py), and the search is driven
with random scores in place of training (oracles/simulation.py). Nothing is written.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Unpack

from ..data import Data, load_data
from ..data.dataset import count_confirmed, split_holdout
from ..models.spaces import load_space
from ..models.work import Work, measure_work
from ..project.numbers import check_numbers
from ..project.settings import Cap
from ..project.wanted import Wanted, complete_settings
from ..space.space import Space
from .cap import CONFIRM_SHARE, Hours, is_capped, make_cap
from .cost_model import CostModel, schedule

if TYPE_CHECKING:
    from ..oracles.ask_tell import Proposal
    from ..oracles.simulation import Simulated

# What `advise` tries: (top, runs) of confirm, and for each of them shares of the search's epochs.
CONFIRMS = ((3, 10), (3, 5), (2, 5), (1, 5), (1, 3), (1, 1))
SHARES = (1, 0.8, 0.6, 0.4, 0.25, 0.15, 0.1, 0.05)
# A confirm of more runs is not scheduled run by run.
LONGEST = 10_000


def plan(
    space: str | Path | Space = "cnn",
    data: str | Path | Data | None = None,
    *,
    workers: int = 1,
    budget: float | None = None,
    top: int = 3,
    runs: int = 10,
    epochs: int | None = None,
    **wanted: Unpack[Wanted],
) -> dict[str, Any]:
    """What `search` and `confirm` of these arguments will cost here, after timing a few models.

    It takes half a minute on two cores. The search is the one that the arguments describe, with
    its own draws; confirm is that of the baseline and `top` times the mean of the models that the
    search will propose, as nobody knows which of them will be the best.

    Args:
        budget: in seconds, of search and confirm together; "advice" has what fits it.
        workers, tuner, max_epochs, factor, max_trials, seed, train_images, validate_on, engine: as
            for `search`.
        top, runs, epochs: as for `confirm`.

    Returns:
        The document that `plan --json` prints; seconds are wall-clock time.

    Raises:
        InputError: what `search` or `confirm` would refuse.
    """
    numbers = {"workers": workers, "top": top, "runs": runs, "epochs": epochs}
    workers, top, runs, epochs = check_numbers(numbers).values()
    space = space if isinstance(space, Space) else load_space(space)
    data = data if isinstance(data, Data) else load_data(data, space.data)
    settings = complete_settings(space, data, wanted)
    # These import KerasTuner, which takes seconds: what can be refused has been.
    from ..oracles.simulation import simulate_search
    from .timing import measure_cost

    proposed = simulate_search(space, settings, workers, lambda _: 1.0, 1).models
    cost = measure_cost(space, data, proposed, workers, settings["engine"])
    cap = None
    if is_capped(settings, hours := Hours(workers, None, budget)):
        cap = make_cap(space, data, settings, hours, cost, proposed)
        settings |= {"affordable": cap.make_test(space)}
        proposed = list(filter(settings["affordable"], proposed)) or [space.baseline]
    epochs = epochs or space.protocol.epochs
    estimate = Estimate(space, data, settings, workers, cost, epochs, proposed)
    return describe_plan(estimate, cap, budget, top, runs)


class Estimate:
    """Seconds of searches and confirms of one space on one machine.

    Args:
        space, data: what is searched.
        settings: of the search, and which models it may propose ("affordable", if not all).
        workers: how many runs train side by side.
        cost: what was measured.
        epochs: of each confirm run.
        models: such as the search will propose.
    """

    def __init__(
        self,
        space: Space,
        data: Data,
        settings: dict[str, Any],
        workers: int,
        cost: CostModel,
        epochs: int,
        models: list[dict[str, Any]],
    ) -> None:
        self.space = space
        self.settings = settings
        self.models = models
        self.workers = workers
        self.epochs = epochs
        self._cost = cost
        labels, share = data.train.labels, space.protocol.validation_split
        self._all, self._test = count_confirmed(len(labels), share), len(data.test.labels)
        some = settings["train_images"]
        train, holdout = split_holdout(space.task.group(labels), some, share)
        self._images = len(train)
        self._validation = self._test if settings["validate_on"] == "test" else len(holdout)
        # Evaluated by confirm after each epoch.
        self._shown = len(labels) - self._all + self._test * space.protocol.test_curve
        self._searches: dict[tuple[int, int, float | None], Simulated] = {}

    def work(self, values: dict[str, Any]) -> Work:
        """The work of a model of the space."""
        return measure_work(self.space, values)

    def epoch(self, values: dict[str, Any]) -> float:
        """One epoch of the search."""
        return self._cost.epoch_seconds(self.work(values), self._images, self._validation)

    def search(
        self, max_epochs: int | None = None, factor: int | None = None, until: float | None = None
    ) -> "Simulated":
        """The search, starting its workers included; of other epochs or factor where given.

        With `until` it is one of halving that ends after so many seconds.
        """
        from ..oracles.simulation import simulate_search

        max_epochs = max_epochs or self.settings["max_epochs"]
        factor = factor or self.settings["factor"]
        key = (max_epochs, factor, until)
        if key not in self._searches:
            settings = self.settings | {"max_epochs": max_epochs, "factor": factor}
            found = simulate_search(
                self.space, settings, self.workers, self._search_run, until=until
            )
            if until is None:
                started = self._cost.processes_seconds(found.trials, self.workers)
                found = replace(found, seconds=found.seconds + started)
            self._searches[key] = found
        return self._searches[key]

    def _search_run(self, proposal: "Proposal") -> float:
        epochs = proposal.epochs - proposal.initial_epoch
        return self._cost.run_seconds(
            self.work(proposal.values), epochs, self._images, self._validation, self._validation
        )

    def confirm(self, top: int, runs: int) -> float:
        """The baseline and `top` times the mean of the proposed models, `runs` times each."""
        mean = fmean(map(self._confirm_run, self.models))
        baseline = self._confirm_run(self.space.baseline)
        count = (top + 1) * runs
        if count > LONGEST:
            # That a worker waits for the last run no longer matters.
            seconds = (mean * top + baseline) * runs / self.workers
        else:
            seconds = schedule([mean] * (top * runs) + [baseline] * runs, self.workers)
        return seconds + self._cost.processes_seconds(count, self.workers)

    def _confirm_run(self, values: dict[str, Any]) -> float:
        # The test set is evaluated once, and its classes are predicted once.
        work, judged = self.work(values), 2 * self._test
        return self._cost.run_seconds(work, self.epochs, self._all, self._shown, judged)


def describe_plan(
    estimate: Estimate, cap: Cap | None, budget: float | None, top: int, runs: int
) -> dict[str, Any]:
    """The document of an estimate, with the cap of the search, if it has one."""
    confirm = estimate.confirm(top, runs)
    by_time = _ends_by_time(estimate, budget)
    until = None
    if budget is not None and by_time:
        until = budget - min(confirm, CONFIRM_SHARE * budget)
    search = estimate.search(until=until)
    ordered = sorted(estimate.models, key=lambda values: estimate.work(values).operations)
    fits = budget is None or search.seconds + confirm <= budget
    return {
        "workers": estimate.workers,
        "seconds_per_epoch": {
            "smallest": estimate.epoch(ordered[0]),
            "baseline": estimate.epoch(estimate.space.baseline),
            "largest": estimate.epoch(ordered[-1]),
        },
        "cap": cap and {"most": cap.most, "share": cap.share, "left_out": cap.left_out},
        "search": {
            "trials": search.trials,
            "epochs": search.epochs,
            "seconds": search.seconds,
            "ends_by_time": by_time,
        },
        "confirm": {
            "runs": (top + 1) * runs,
            "epochs": (top + 1) * runs * estimate.epochs,
            "seconds": confirm,
        },
        "budget_seconds": budget,
        "fits": fits,
        "advice": [] if budget is None else advise(estimate, budget),
    }


def _ends_by_time(estimate: Estimate, budget: float | None) -> bool:
    """Whether the search takes what confirm leaves of the budget."""
    settings = estimate.settings
    is_open = settings["tuner"] == "halving" and settings["max_trials"] is None
    return is_open and budget is not None


def advise(estimate: Estimate, budget: float) -> list[dict[str, Any]]:
    """What fits `budget` seconds: for each size of confirm, the largest search beside it."""
    found = []
    by_time = _ends_by_time(estimate, budget)
    for top, runs in CONFIRMS:
        confirm = estimate.confirm(top, runs)
        if by_time:
            if confirm <= CONFIRM_SHARE * budget:
                choice = {"max_epochs": None, "factor": None, "top": top, "runs": runs}
                found.append(choice | {"seconds": budget})
            continue
        for max_epochs, factor in _smaller_searches(estimate):
            seconds = estimate.search(max_epochs, factor).seconds + confirm
            if seconds <= budget:
                choice = {"max_epochs": max_epochs, "factor": factor, "top": top, "runs": runs}
                found.append(choice | {"seconds": seconds})
                break
    return found


def _smaller_searches(estimate: Estimate) -> Iterator[tuple[int, int | None]]:
    """(max_epochs, factor) from what was asked for down to the shortest round."""
    settings = estimate.settings
    halves = settings["tuner"] in ("halving", "hyperband")
    factors = (settings["factor"], settings["factor"] + 1) if halves else (None,)
    shortest = estimate.space.protocol.min_epochs if halves else 1
    for share in SHARES:
        max_epochs = max(round(share * settings["max_epochs"]), 1)
        if share == 1 or max_epochs >= shortest:
            yield from ((max_epochs, factor) for factor in factors)
