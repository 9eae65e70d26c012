"""What the replays came to, in lines."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t

from .clock import Replayed

CHOSEN = "svhn_tune search"


@dataclass(frozen=True)
class Row:
    """One contestant: its repetitions at each budget, in core-seconds."""

    name: str
    replays: list[list[Replayed]]
    budgets: list[float]

    @property
    def scores(self) -> list[np.ndarray]:
        """(repetitions,) at each budget; empty where there was no replay."""
        return [np.array([each.score for each in replays]) for replays in self.replays]


def interval(values: np.ndarray) -> float:
    """Half of the 95 % interval of the mean of `values` (n,)."""
    n = len(values)
    return float(t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n)) if n > 1 else np.nan


def quality_lines(rows: list[Row], shares: tuple[float, ...]) -> list[str]:
    """The mean score of each contestant at each share of the budget, and what it trained."""
    budgets = "".join(f"{share:8.0%} of it " for share in shares)
    lines = [
        f"  {rows[0].budgets[-1]:,.0f} core-seconds in all",
        f"  {'':34}{budgets}  trials   full  epochs",
    ]
    for row in rows:
        line = f"  {row.name:34}"
        for scores in row.scores:
            line += f"  {scores.mean():.3f} ± {interval(scores):.3f}" if len(scores) else 15 * " "
        last = next(replays for replays in reversed(row.replays) if replays)
        line += f"  {np.mean([each.trials for each in last]):6.0f}"
        line += f"  {np.mean([each.full for each in last]):5.1f}"
        line += f"  {np.mean([each.epochs for each in last]):6.0f}"
        lines.append(line)
    return lines


def comparison_lines(
    rows: list[Row], shares: tuple[float, ...], references: Sequence[str]
) -> list[str]:
    """When the built one is as good as the reference at its end; whom it is behind."""
    by_name = {row.name: row for row in rows}
    built = by_name[CHOSEN].scores
    lines = []
    for name in references:
        line = f"  {CHOSEN} at a share, less {name} at its end:"
        for share, scores in zip(shares, built, strict=True):
            ahead = scores - by_name[name].scores[-1]
            line += f"  {share:.0%} {ahead.mean():+.3f} ± {interval(ahead):.3f}"
        lines.append(line)
    for place, share in enumerate(shares):
        behind = []
        for row in rows:
            if row.name.startswith(("...", "variant")) or not len(row.scores[place]):
                continue
            ahead = built[place] - row.scores[place]
            if ahead.mean() < 0:
                behind.append(f"{row.name} {ahead.mean():+.3f} ± {interval(ahead):.3f}")
        lines.append(f"  at {share:.0%} behind: {'; '.join(behind) or 'none'}")
    return lines
