"""Hyperband over feasible values, whose rounds have a least number of epochs."""

from itertools import pairwise
from math import ceil
from typing import Any

import keras_tuner as kt

from .feasible import FeasibleMixin


class Hyperband(FeasibleMixin, kt.oracles.HyperbandOracle):
    """`kt.oracles.Hyperband` over feasible values, whose shortest round has `min_epochs`.

    Where the space has fewer values than a bracket begins with, KerasTuner promotes none of them;
    here the bracket is run with those there are.
    """

    def __init__(self, min_epochs: int, **kwargs: Any) -> None:
        self._shortest = min_epochs
        # (bracket, how many trials it begins with) while one is run with fewer than it should have.
        self._short: tuple[int, int] | None = None
        super().__init__(**kwargs)

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Values for the next trial."""
        response: dict[str, Any] = super().populate_space(trial_id)
        if response["status"] == "RUNNING":
            return response
        for bracket in self._brackets:
            number, begun = bracket["bracket_num"], len(bracket["rounds"][0])
            if 0 < begun < self._get_size(number, 0):
                self._short = (number, begun)
                response = super().populate_space(trial_id)
                self._short = None
                break
        return response

    def _get_size(self, bracket_num: int, round_num: int) -> int:
        size = int(super()._get_size(bracket_num, round_num))
        if self._short is None or self._short[0] != bracket_num:
            return size
        return min(size, ceil(self._short[1] / self.factor**round_num))

    def _get_num_brackets(self) -> int:
        """KerasTuner's count, without the brackets that begin below `min_epochs`."""
        brackets = super()._get_num_brackets()
        while brackets > 1 and self._get_epochs(brackets - 1, 0) < self._shortest:
            brackets -= 1
        return int(brackets)

    def promotable(self) -> set[int]:
        """The trials of rounds whose next round still has room."""
        found: set[int] = set()
        for bracket in self._brackets:
            rounds = bracket["rounds"]
            for number, (this, following) in enumerate(pairwise(rounds)):
                if len(following) < self._get_size(bracket["bracket_num"], number + 1):
                    taken = {entry["past_id"] for entry in following}
                    found |= {int(entry["id"]) for entry in this if entry["id"] not in taken}
        return found

    @property
    def stops_none(self) -> bool:
        """Whether it is plain random search: no round is long enough for a shorter one before."""
        return self._get_num_brackets() == 1

    def rounds(self) -> list[tuple[int, int, int, int]]:
        """(bracket, trials, first epoch, last epoch) of every round, in order."""
        plan = []
        for bracket in reversed(range(self._get_num_brackets())):
            first = 0
            for number in range(bracket + 1):
                last = self._get_epochs(bracket, number)
                plan.append((bracket, self._get_size(bracket, number), first, last))
                first = last
        return plan
