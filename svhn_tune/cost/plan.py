"""Plan: what search and confirm will cost on this machine, and what fits a budget.

A few models are timed (timing.py), their cost is fitted (cost_model.py), and the search is driven
with random scores in place of training (oracles/simulation.py). Nothing is written.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Unpack

from ..data import Data, load_data
from ..journal.numbers import check_numbers
from ..journal.settings import Cap
from ..machines.choice import open_machines
from ..models.spaces import load_space
from ..project.wanted import Wanted, complete_settings
from ..space.space import Space
from .cap import CONFIRM_SHARE, Hours, is_capped, make_cap
from .estimate import Estimate, count_together

# What `advise` tries: (top, runs) of confirm, and for each of them shares of the search's epochs.
CONFIRMS = ((3, 10), (3, 5), (2, 5), (1, 5), (1, 3), (1, 1))
SHARES = (1, 0.8, 0.6, 0.4, 0.25, 0.15, 0.1, 0.05)


def plan(
    space: str | Path | Space = "cnn",
    data: str | Path | Data | None = None,
    *,
    workers: int | None = None,
    budget: float | None = None,
    top: int = 3,
    runs: int = 10,
    epochs: int | None = None,
    cluster: str | None = None,
    gpus_per_run: float | None = None,
    note: Callable[[str], None] = lambda text: None,
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
        cluster, gpus_per_run: as for `search`; the models are timed on its nodes.
        note: is told what a person must know of the cluster.

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
    epochs = epochs or space.protocol.epochs
    with open_machines(workers, cluster, gpus_per_run, note) as machines:
        # These import KerasTuner, which takes seconds: what can be refused has been.
        from ..oracles.simulation import simulate_search, time_proposal
        from .timing import measure_cost

        count, engine = machines.count, settings["engine"]
        proposed = simulate_search(space, settings, count, lambda _: 1.0, 1).models
        together = count_together(space, machines, engine)
        seeds = min(together, runs)
        cost = measure_cost(space, data, proposed, count, engine, seeds, machines)
    cap = None
    if is_capped(settings, hours := Hours(count, None, budget)):
        cap = make_cap(space, data, settings, hours, cost, proposed)
        settings |= {"affordable": cap.make_test(space)}
        proposed = list(filter(settings["affordable"], proposed)) or [space.baseline]
    proposal = time_proposal(space, settings)
    estimate = Estimate(space, data, settings, count, cost, epochs, proposed, together, proposal)
    return describe_plan(estimate, cap, budget, top, runs)


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
        "engine": estimate.settings["engine"],
        "seconds_per_epoch": {
            "smallest": estimate.epoch(ordered[0]),
            "baseline": estimate.epoch(estimate.space.baseline),
            "largest": estimate.epoch(ordered[-1]),
        },
        "cap": cap and cap.as_dict(),
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
