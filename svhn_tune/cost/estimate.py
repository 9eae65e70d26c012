"""What searches and confirms of one space would take: costs times epochs, scheduled on workers."""

from dataclasses import replace
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ..data import Data
from ..data.dataset import count_confirmed, split_holdout
from ..engines.cohorts import choose_size
from ..models.work import Work, measure_work
from ..space.space import Space
from ..training.pool import Machines
from .cost_model import CostModel, schedule

if TYPE_CHECKING:
    from ..oracles.ask_tell import Proposal
    from ..oracles.simulation import Simulated

# A confirm of more runs is not scheduled run by run.
LONGEST = 10_000


def count_together(space: Space, machines: Machines, engine: str) -> int:
    """How many seeds of the baseline confirm trains together, at most: on TensorFlow one."""
    if engine != "jax":
        return 1
    return choose_size(space, space.baseline, machines.read_memory(machines.count))


class Estimate:
    """Seconds of searches and confirms of one space on one machine.

    Args:
        space, data: what is searched.
        settings: of the search, and which models it may propose ("affordable", if not all).
        workers: how many runs train side by side.
        cost: what was measured.
        epochs: of each confirm run.
        models: such as the search will propose.
        together: how many seeds of a configuration confirm trains together, at most.
        proposal: seconds that a worker waits for its next trial.
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
        together: int = 1,
        proposal: float = 0.0,
    ) -> None:
        self.space = space
        self.settings = settings
        self.models = models
        self.workers = workers
        self.epochs = epochs
        self._cost = cost
        self._together = together
        self._proposal = proposal
        self._parameters = fmean(self.work(values).parameters for values in models)
        labels, share = data.train.labels, space.protocol.validation_split
        self._all, self._test = count_confirmed(len(labels), share), len(data.test.labels)
        groups = space.task.group(labels)
        train, holdout = split_holdout(groups, settings["train_images"], share)
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
                found = replace(found, seconds=found.seconds + self._processes(found.trials))
            self._searches[key] = found
        return self._searches[key]

    def _search_run(self, proposal: "Proposal") -> float:
        epochs = proposal.epochs - proposal.initial_epoch
        return self._proposal + self._cost.run_seconds(
            self.work(proposal.values), epochs, self._images, self._validation, self._validation
        )

    def confirm(self, top: int, runs: int) -> float:
        """The baseline and `top` times the mean of the proposed models, `runs` times each."""
        # In equal parts, as each number of seeds is compiled anew.
        parts = -(-runs // self._together)
        seeds = -(-runs // parts)
        mean = fmean(self._confirm_cohort(values, seeds) for values in self.models)
        baseline = self._confirm_cohort(self.space.baseline, seeds)
        count = (top + 1) * parts
        if count > LONGEST:
            # That a worker waits for the last run no longer matters.
            seconds = (mean * top + baseline) * parts / self.workers
        else:
            seconds = schedule([mean] * (top * parts) + [baseline] * parts, self.workers)
        # The last part may be smaller.
        seconds *= runs / (parts * seeds)
        return seconds + self._processes(count)

    def _processes(self, runs: int) -> float:
        return self._cost.processes_seconds(runs, self._parameters, self.workers)

    def _confirm_cohort(self, values: dict[str, Any], seeds: int) -> float:
        # At the end the test set is evaluated, unless it was after each epoch, and predicted.
        work, judged = self.work(values), self._test * (2 - self.space.protocol.test_curve)
        return self._cost.cohort_seconds(work, seeds, self.epochs, self._all, self._shown, judged)
