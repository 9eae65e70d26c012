"""Replays tuners on the table of real trainings, on a simulated clock.

    python benchmarks/search_quality.py [--repetitions 30] [--space cnn_open] [--landscape mean]

What the configuration that each would choose is worth at full length, against core-seconds: in the
hours that KerasTuner's Hyperband takes for one pass, and in eight minutes of two cores with 9,000
images and a file of at most 8 MiB. Then the share of the cores' time that a search uses.

Landscapes: "mean" fills the table in with its forest's mean; "trees" takes one tree of the forest
for each repetition, whose curves are those of really trained models, and which is as rough as the
unknown. Intervals are 95 % ones over repetitions (Student's t). The shares hardly depend on the
landscape, and are printed with "mean" alone.
"""

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

# Before NumPy is imported: a repetition has one core.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from replay.clock import Contestant, Replayed, replay
from replay.contestants import Terms
from replay.drawing import draw
from replay.line_up import BUILT, FOREST, ONE_AT_A_TIME, OTHERS, PARTS, VARIANTS, hundred_models
from replay.tables import Row, comparison_lines, interval, quality_lines
from replay.today import Today
from replay.world import Setting, World, make_world
from table.runs import TABLE, read_table

SETTINGS = {
    "hours": Setting(images=2_500, held_out=1_500),
    "minutes": Setting(images=8_100, held_out=900, limit=8 * 2**20, steps=8_100 / 2_500),
}
MINUTES = 8 * 60 * 2.0
SHARES = (0.1, 0.25, 1 / 3, 0.5, 1.0)
# Variants are replayed at this place of the shares, and at the last.
FEW = 1
CORES = 2
FOREVER = 1e12
REFERENCE = "KerasTuner Hyperband"

Make = Callable[[Terms], Contestant]


@dataclass(frozen=True)
class Task:
    """One repetition of one contestant's search; where it `shares`, runs may have several cores."""

    name: str
    budget: float
    cores: int
    seed: int
    shares: bool


class Replays:
    """Replays of contestants on one world, spread over processes."""

    def __init__(self, world: World, rough: bool, repetitions: int, processes: int) -> None:
        self.world, self.rough, self.repetitions = world, rough, repetitions
        self.processes = processes
        self.contestants: dict[str, Make] = {}

    def run(
        self, contestants: dict[str, Make], budgets: list[float], cores: int, shares: bool = False
    ) -> dict[tuple[str, float], list[Replayed]]:
        """Each contestant's repetitions at each budget, in core-seconds."""
        self.contestants = contestants
        tasks = [
            Task(name, budget, cores, seed, shares)
            for seed in range(self.repetitions)
            for budget in budgets
            for name in contestants
        ]
        # A repetition has one landscape: its tasks stay together.
        chunk = len(budgets) * len(contestants)
        global _forked
        _forked = self
        with get_context("fork").Pool(self.processes) as pool:
            done = pool.map(_repeat, tasks, chunksize=chunk)
        found: dict[tuple[str, float], list[Replayed]] = {}
        for task, replayed in zip(tasks, done, strict=True):
            found.setdefault((task.name, task.budget), []).append(replayed)
        return found

    def repeat(self, task: Task) -> Replayed:
        """One repetition."""
        tree = task.seed if self.rough else None
        if self.world.tree != tree:
            self.world.grow(tree)
        terms = Terms(self.world, task.budget, task.cores, task.seed)
        rng = np.random.default_rng((task.seed, 17))
        contestant = self.contestants[task.name](terms)
        trials = None
        if task.shares and isinstance(contestant, Today):
            trials = contestant.count()
        return replay(contestant, self.world, task.cores, task.budget, rng, trials)


# What the processes inherit: contestants are functions, which cannot be sent to them.
_forked: Replays


def _repeat(task: Task) -> Replayed:
    return _forked.repeat(task)


def compare(replays: Replays, full: float | None, shares: tuple[float, ...]) -> list[Row]:
    """Every contestant at shares of `full` core-seconds, by default of the reference's pass."""
    if full is None:
        passes = replays.run({REFERENCE: ONE_AT_A_TIME[REFERENCE]}, [FOREVER], 1)
        full = float(np.mean([each.seconds for each in passes[REFERENCE, FOREVER]]))
    budgets = [share * full for share in shares]
    found = replays.run(ONE_AT_A_TIME, budgets, 1)
    found |= replays.run(OTHERS | PARTS | BUILT, budgets, CORES)
    found |= replays.run(VARIANTS, [budgets[FEW], budgets[-1]], CORES)
    names = [*ONE_AT_A_TIME, *OTHERS, *PARTS, *VARIANTS, *BUILT]
    return [Row(name, [found.get((name, each), []) for each in budgets], budgets) for name in names]


def used_lines(replays: Replays, seconds: float) -> list[str]:
    """The share of the cores' time in which a run trains, by cores, and what halving finds."""
    lines = [
        "  share of the cores' time in use, and worth as much on one thread each; hours: with one",
        "  thread a run, then with several, hyperband's pass, halving to its 100th model and last",
        f"  promotion; halving for {seconds:,.0f} core-seconds and the score of what it then chose",
    ]
    whole = {"hyperband": OTHERS["hyperband"], "halving": hundred_models}
    for cores in (1, 2, 4, 8, 16):
        passes = [replays.run(whole, [FOREVER], cores, shares) for shares in (False, True)]
        limited = replays.run({"built": FOREST}, [seconds], cores)["built", seconds]
        parts = [
            " to ".join(_describe_use(found[name, FOREVER], cores) for found in passes)
            for name in whole
        ]
        scores = np.array([each.score for each in limited])
        lines.append(
            f"  {cores:5} cores: {'; '.join(parts)}; "
            f"{np.mean([each.used for each in limited]):.2f}  {scores.mean():.3f} ± "
            f"{interval(scores):.3f}"
        )
    return lines


def _describe_use(found: list[Replayed], cores: int) -> str:
    used, worth, seconds = (
        np.mean([getattr(each, name) for each in found]) for name in ("used", "worth", "seconds")
    )
    return f"{used:.2f} ({worth:.2f}, {seconds / cores / 3600:.2f} h)"


def main() -> None:
    """Print the tables, draw the figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--space", choices=("cnn_open", "cnn"), action="append")
    parser.add_argument("--setting", choices=tuple(SETTINGS), action="append")
    parser.add_argument("--landscape", choices=("mean", "trees"), default="mean")
    parser.add_argument("--repetitions", type=int, default=30)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--png", type=Path, default=Path("results/search_quality.png"))
    options = parser.parse_args()
    figures = {}
    for space in options.space or ("cnn_open", "cnn"):
        table = read_table(space, options.table)
        for name in options.setting or SETTINGS:
            world = make_world(table, SETTINGS[name])
            rough = options.landscape == "trees"
            replays = Replays(world, rough, options.repetitions, options.processes)
            rows = compare(replays, MINUTES if name == "minutes" else None, SHARES)
            title = f"{space}, {name}"
            print(
                f"{title}: {len(table.configurations)} configurations trained, landscape by "
                f"{options.landscape}, n = {options.repetitions}; an epoch of the baseline "
                f"{world.baseline_seconds:.2f} s, a start {world.starts[0]:.2f} s"
            )
            print("\n".join(quality_lines(rows, SHARES)))
            print("\n".join(comparison_lines(rows, SHARES, list(ONE_AT_A_TIME))))
            if name == "hours" and not rough:
                print("\n".join(used_lines(replays, rows[0].budgets[-1])))
            print(flush=True)
            figures[title] = rows
    options.png.parent.mkdir(exist_ok=True)
    draw(figures, options.png)


if __name__ == "__main__":
    main()
