"""Which configurations of a search are best."""

import json
from collections.abc import Iterable
from statistics import fmean

from ..journal.record_types import RunRecord
from ..space.objective import Objective

Configurations = dict[int, list[RunRecord]]


def group_longest(ended: Iterable[RunRecord]) -> Configurations:
    """The longest completed runs of each configuration of the search, by its first root.

    One run; more where halving trained it again from other seeds.
    """
    by_values: dict[str, list[RunRecord]] = {}
    for record in ended:
        if record.status == "completed":
            by_values.setdefault(json.dumps(record.values, sort_keys=True), []).append(record)
    longest = {}
    for records in by_values.values():
        most = max(record.epochs for record in records)
        runs = [record for record in records if record.epochs == most]
        runs.sort(key=lambda record: record.root)
        longest[runs[0].root] = runs
    return longest


def rank(ended: Iterable[RunRecord], objective: Objective, max_epochs: int) -> list[RunRecord]:
    """The first of each configuration's runs with the mean of all for a score, best first.

    Those trained longest come first: a score after 4 epochs is not compared with one after 100.
    But what alone got to `max_epochs` was compared with nobody there, and in a short search that is
    the cheapest: it leads only where it led before, too. Replayed, two minutes choose .847 so, and
    .839 without it.

    Where one of the runs has no score, for its loss became no number, the configuration has none.
    """
    ended = list(ended)
    best = []
    for runs in group_longest(ended).values():
        scores = [run.score for run in runs if run.score is not None]
        mean = fmean(scores) if len(scores) == len(runs) else None
        best.append(runs[0].model_copy(update={"score": mean}))
    best.sort(key=lambda r: (-r.epochs, objective.sort_key(r.score), r.trial))
    if [each.epochs for each in best].count(max_epochs) != 1:
        return best
    leader = _find_leader_before(best[0], ended, objective)
    return sorted(best, key=lambda r: r.values != leader.values)


def _find_leader_before(
    alone: RunRecord, ended: list[RunRecord], objective: Objective
) -> RunRecord:
    """The best of those that ended where `alone` last ended before; `alone` if it never did."""
    before = [r for r in ended if r.status == "completed" and r.epochs < alone.epochs]
    last = max((r.epochs for r in before if r.values == alone.values), default=0)
    there = [r for r in before if r.epochs == last]
    return objective.best(there, lambda run: run.score) if there else alone
