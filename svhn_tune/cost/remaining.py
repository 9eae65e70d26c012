"""What a search has still to train: counted from its settings, not by asking its oracle for all.

So it costs the same for 50 trials and for a million. What their models will be is unknown: some are
drawn as the oracle draws.
"""

from ..oracles.ask_tell import Oracle
from ..oracles.simulation import SAMPLE, list_rounds, simulate_search
from ..project.project import Project
from ..project.settings import Settings
from ..space.space import Space
from .forecast import Planned


class Remaining:
    """The trials and epochs of a search in all, and what of them is left.

    Args:
        project: of the search.
        oracle: restored from its journal.
    """

    def __init__(self, project: Project, oracle: Oracle) -> None:
        self._project = project
        self._models, is_all = oracle.sample(SAMPLE)
        rounds = list_rounds(oracle, project.settings.tuning)
        self.trials = sum(size for size, _, _ in rounds)
        self.epochs = sum(size * (last - first) for size, first, last in rounds)
        if is_all:
            begun = sum(record.parent is None for record in project.proposals())
            known = begun + len(self._models)
            self.trials, self.epochs = _count_finite(project.space, project.settings, known)

    def plan(self) -> Planned:
        """What is left now, for a forecast."""
        ended = {record.trial for record in self._project.ended("search")}
        proposals = self._project.proposals()
        spans = {each.trial: each.epochs - each.initial_epoch for each in proposals}
        runs = {
            (each.trial, 0): (each.values, spans[each.trial])
            for each in proposals
            if each.trial not in ended
        }
        # Where all values are proposed, what is left is to promote some of them.
        models = self._models or [each.values for each in proposals]
        others = max(self.trials - len(spans), 0)
        return Planned(runs, others, self.epochs - sum(spans.values()), models)


def _count_finite(space: Space, settings: Settings, known: int) -> tuple[int, int]:
    """Trials and epochs of the search of a space that has no more than the `known` values."""
    if settings.tuner == "hyperband":
        simulated = simulate_search(space, settings.tuning, 1, lambda _: 1.0, 1)
        return simulated.trials, simulated.epochs
    trials = min(settings.max_trials, known)
    return trials, trials * settings.max_epochs
