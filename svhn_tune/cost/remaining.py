"""What a search has still to train: counted from its settings, not by asking its oracle for all.

So it costs the same for 50 trials and for a million. What their models will be is unknown: some are
drawn as the oracle draws.
"""

from ..oracles.ask_tell import Oracle
from ..oracles.simulation import SAMPLE, list_rounds, simulate_search
from ..project.project import Project
from .forecast import Planned


class Remaining:
    """The trials and epochs of a search in all, and what of them is left; None where time ends it.

    Args:
        project: of the search.
        oracle: restored from its journal.
        is_endless: whether it proposes until time is up.
    """

    def __init__(self, project: Project, oracle: Oracle, is_endless: bool = False) -> None:
        self._project = project
        self._models, is_all = oracle.sample(SAMPLE)
        self.trials: int | None = None
        self.epochs: int | None = None
        if not is_endless:
            rounds = list_rounds(oracle, project.settings.tuning)
            self.trials = sum(size for size, _, _ in rounds)
            self.epochs = sum(size * (last - first) for size, first, last in rounds)
        if is_all:
            begun = sum(each.begins_new for each in project.proposals())
            known = begun + len(self._models)
            self.trials, self.epochs = _count_finite(project, known)

    def plan(self) -> Planned | None:
        """What is left now, for a forecast; None where time ends the search."""
        if self.trials is None or self.epochs is None:
            return None
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
        return Planned(runs, others, max(self.epochs - sum(spans.values()), 0), models)


def _count_finite(project: Project, known: int) -> tuple[int, int]:
    """Trials and epochs of the search of a space that has no more than the `known` values."""
    settings = project.settings
    models = min(settings.max_trials or known, known)
    if settings.tuner in ("halving", "hyperband"):
        tuning = project.tuning | {"max_trials": models}
        simulated = simulate_search(project.space, tuning, 1, lambda _: 1.0, 1)
        return simulated.trials, simulated.epochs
    return models, models * settings.max_epochs
