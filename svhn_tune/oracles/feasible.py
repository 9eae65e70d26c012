"""What our oracles change in KerasTuner's: which values are drawn, and that nothing is written.

KerasTuner 1.4.8 signals an oversized model by a failed trial, which starves Hyperband's brackets
and, three in a row, ends the search. Here it is never proposed: `_random_values`, which all of its
oracles draw from, rejects infeasible and repeated values, and starts with the baseline and what
else a space names.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..models.hypermodel import draw_values

Values = dict[str, Any]
MAX_DRAWS = 10_000
# Where each of the known values was drawn so often on average, there are held to be no others.
REPEATS = 5


class FeasibleMixin:
    """Only feasible values, never the same twice; those that the space lists come first.

    The draws of trial n depend on the seed and on n alone: a search that was killed and continued
    draws what an uninterrupted one does.
    """

    feasible: Callable[[Values], bool]
    first: Sequence[Values]
    recorded: Mapping[int, Values]
    # How many trials there were when nothing new was found for the next one.
    _exhausted_at: int | None = None

    def _random_values(self: Any) -> Values | None:
        for values in self.first:
            if not self._duplicate(values):
                return dict(values)
        if self._exhausted_at == len(self.trials):
            return None
        for draw in range(MAX_DRAWS):
            values = self._draw(draw)
            if self._is_new(values):
                return values
        self._exhausted_at = len(self.trials)
        return None

    def sample(self: Any, count: int) -> tuple[list[Values], bool]:
        """`count` models that may still be proposed, and whether they are all there are.

        They are drawn as the next trials are. That there are no others is a guess: many more draws
        gave only these.
        """
        found: dict[str, Values] = {}
        for values in self.first:
            if not self._duplicate(values):
                found[self._compute_values_hash(values)] = dict(values)
        drawn = 0
        for draw in range(MAX_DRAWS):
            if len(found) >= count:
                return list(found.values()), False
            values = self._draw(draw)
            if self._is_new(values):
                drawn += 1
                found.setdefault(self._compute_values_hash(values), values)
        return list(found.values()), drawn >= REPEATS * (len(found) - (not self.trials))

    def _draw(self: Any, draw: int, keep: Mapping[str, Any] | None = None) -> Values:
        """Draw number `draw` for the next trial."""
        seed = (self.seed << 64) + (len(self.trials) << 32) + (draw << 8)
        return draw_values(self.hyperparameters, seed, keep)

    def _is_new(self: Any, values: Values) -> bool:
        return not self._duplicate(values) and self.feasible(values)

    def save(self) -> None:
        """Write nothing: the journal holds what a restart needs."""

    def _save_trial(self, trial: Any) -> None:
        """Write nothing: the journal holds what a restart needs."""

    def promotable(self) -> set[int]:
        """The trials that a later one may still continue: none, except in Hyperband."""
        return set()
