"""What the table of real trainings says about short runs, dear models and stuck runs.

    python benchmarks/evidence.py [--table benchmarks/table/table.json.gz]

Per space: how well the forest fills the table in; Kendall's tau of early scores with the final one;
how often the best are dropped at a length; how good dear models are; from when on a collapsed run
can be told from a slow one.
"""

import argparse
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.stats import kendalltau
from table.learned import describe
from table.runs import TABLE, Table, read_table
from table.skill import skill_lines

LENGTHS = (1, 2, 3, 4, 9)
FACTOR = 3
COSTS = (0, 1, 2, 5, 10, np.inf)
GOOD = 0.6
# Beyond the share of the most frequent class, a run has learnt something.
LEARNT = 0.05


def flatten(table: Table) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(runs, epochs) accuracy and loss, (runs,) seconds an epoch and collapsed."""
    every = table.configurations
    seconds = [each.epoch_seconds for each in every for _ in each.accuracy]
    return (
        np.concatenate([each.accuracy for each in every]),
        np.nan_to_num(np.concatenate([each.loss for each in every]), nan=np.inf),
        np.array(seconds),
        np.concatenate([each.collapsed for each in every]),
    )


def tau_lines(table: Table) -> list[str]:
    """Kendall's tau of an early score with the final accuracy, in all and by thirds of cost."""
    accuracy, loss, seconds, _ = flatten(table)
    thirds = np.array_split(np.argsort(seconds, kind="stable"), 3)
    groups = {
        "all": np.arange(len(seconds)),
        **dict(zip(("cheap", "middle", "dear"), thirds, strict=True)),
    }
    lines = [
        f"  tau with the final accuracy, {len(seconds)} runs: of accuracy / of -loss at that epoch"
    ]
    lines.append("  epoch " + "".join(f"{name:>15}" for name in groups))
    for epoch in LENGTHS:
        line = f"  {epoch:5} "
        for chosen in groups.values():
            final = accuracy[chosen, -1]
            by_accuracy = kendalltau(accuracy[chosen, epoch - 1], final)[0]
            by_loss = kendalltau(-loss[chosen, epoch - 1], final)[0]
            line += f"{by_accuracy:8.2f} /{by_loss:5.2f}"
        lines.append(line)
    return lines


def dropped_lines(table: Table) -> list[str]:
    """How often the best are not in the best third at a length."""
    drawn = [each for each in table.configurations if each.drawn]
    accuracy = np.array([each.accuracy[0] for each in drawn])
    loss = np.array([each.loss[0] for each in drawn])
    final = np.array([each.accuracy[:, -1].mean() for each in drawn])
    lines = []
    for share in (0.05, 0.10):
        best = np.argsort(-final, kind="stable")[: max(round(share * len(final)), 1)]
        line = f"  of the best {share:.0%} ({len(best)}), dropped where the best third goes on:"
        for epoch in LENGTHS:
            kept = len(final) // FACTOR
            by_accuracy = np.argsort(-accuracy[:, epoch - 1], kind="stable")[:kept]
            by_loss = np.argsort(np.nan_to_num(loss[:, epoch - 1], nan=np.inf))[:kept]
            line += f"  {epoch}: {np.mean(~np.isin(best, by_accuracy)):.0%}"
            line += f" (by loss {np.mean(~np.isin(best, by_loss)):.0%})"
        lines.append(line)
    return lines


def cost_lines(table: Table) -> list[str]:
    """How good models are by what they cost."""
    drawn = [each for each in table.configurations if each.drawn]
    final = np.array([each.accuracy[:, -1].mean() for each in drawn])
    seconds = np.array([each.epoch_seconds for each in drawn])
    times = seconds / table.baseline_seconds
    lines = [
        f"  tau of cost with the final accuracy {kendalltau(seconds, final)[0]:.2f}",
        f"  times the baseline's cost   n  median  best tenth  best  share above {GOOD}",
    ]
    for low, high in pairwise(COSTS):
        here = final[(times >= low) & (times < high)]
        if len(here):
            lines.append(
                f"  {low:4} to {high:<4}             {len(here):5}  {np.median(here):.3f}   "
                f"{np.quantile(here, 0.9):.3f}       {here.max():.3f}  {np.mean(here > GOOD):.0%}"
            )
    return lines


def stuck_lines(table: Table) -> list[str]:
    """From which epoch on runs predict one class, and how often one that did recovered."""
    accuracy, loss, _, collapsed = flatten(table)
    one_class = table.one_class(accuracy)
    learnt = accuracy[:, -1] > table.shares.max(initial=0.0) + LEARNT
    since = np.array([np.flatnonzero(~np.r_[False, row])[-1] + 1 for row in one_class[collapsed]])
    lines = [
        f"  {collapsed.sum()} of {len(collapsed)} runs ended predicting one class, "
        f"{learnt.sum()} had learnt something"
    ]
    if len(since):
        lines.append(
            f"  they did so for good from epoch {np.median(since):.0f} on (median; a tenth after "
            f"epoch {np.quantile(since, 0.9):.0f})"
        )
    for lasting in (2, 3, 4):
        line = f"  one class in each of {lasting} epochs up to epoch:"
        for epoch in (3, 4, 6, 9, 12, 18):
            if epoch < lasting:
                continue
            window = slice(epoch - lasting, epoch)
            looks = one_class[:, window].all(axis=1)
            still = looks & _is_still(loss[:, window])
            line += (
                f"  {epoch}: {looks.sum()}, {np.sum(looks & learnt)} learnt later"
                f" ({still.sum()}, {np.sum(still & learnt)} with a loss that stood still)"
            )
        lines.append(line)
    return lines


def _is_still(loss: np.ndarray) -> np.ndarray:
    """Whether the loss moved by less than a hundredth, or is not finite."""
    with np.errstate(invalid="ignore"):
        moved = (loss.max(axis=1) - loss.min(axis=1)) / loss.max(axis=1)
    return ~(moved >= 0.01)


def main() -> None:
    """Print both spaces'."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", type=Path, default=TABLE)
    options = parser.parse_args()
    for name in ("cnn_open", "cnn"):
        table = read_table(name, options.table)
        if len(table.configurations) < 10:
            continue
        print("\n".join(describe(table)))
        for part in (tau_lines, dropped_lines, cost_lines, stuck_lines, skill_lines):
            print("\n".join(part(table)))
        print(flush=True)


if __name__ == "__main__":
    main()
