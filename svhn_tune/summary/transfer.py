"""Whether what is better on the search's images is better on others: confirm's runs on both.

The order of configurations by their means on the one is compared with that on the other: Kendall's
tau and Spearman's rho, each with a 95 % interval by bootstrap over the runs of each configuration.
"""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ..console import say_count
from ..journal.record_types import RunRecord
from ..project.project import Project
from ..project.transfer import list_others
from ..statistics.ranks import RankCorrelation, correlate_means, rank_means
from ..statistics.samples import ENOUGH, Summary, summarize
from .choices import BASELINE

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 3  # configurations: two have an order by chance, too


@dataclass(frozen=True)
class Transferred:
    """One configuration, named by its first trial, on both: None where it has no run.

    `ranks` are those by mean among the configurations that have runs on both, 1 the best.
    """

    trial: int
    here: Summary | None
    there: Summary | None
    ranks: tuple[float, float] | None
    changes: str

    @property
    def baseline(self) -> bool:
        """Whether it is the baseline."""
        return self.trial == BASELINE


@dataclass(frozen=True)
class Transfer:
    """Confirm's runs of so many epochs on the search's images ("here") and on others ("there").

    `by_chance` is the probability that a random order has a tau as high. All three are None of
    fewer than three configurations with runs on both, or where all means are equal.
    """

    here: str
    there: str
    epochs: int
    rows: list[Transferred]
    tau: RankCorrelation | None
    rho: RankCorrelation | None
    by_chance: float | None
    verdict: str

    @property
    def frame(self) -> "pd.DataFrame":
        """One row per configuration, for a notebook: means, spreads, runs and ranks on both."""
        import pandas as pd

        return pd.DataFrame([_flatten(row) for row in self.rows])

    def as_dict(self) -> dict[str, Any]:
        """The comparison as `status --json` and `confirm --json` print it."""
        return asdict(self) | {
            "rows": [
                asdict(row)
                | {"here": row.here and row.here.as_dict()}
                | {"there": row.there and row.there.as_dict(), "baseline": row.baseline}
                for row in self.rows
            ]
        }


def _flatten(row: Transferred) -> dict[str, Any]:
    cells: dict[str, Any] = {"trial": row.trial}
    for number, side in enumerate(("here", "there")):
        summary: Summary | None = getattr(row, side)
        cells[f"mean_{side}"] = summary and summary.mean
        cells[f"sd_{side}"] = summary and summary.sd
        cells[f"runs_{side}"] = summary.n if summary else 0
        cells[f"rank_{side}"] = row.ranks and row.ranks[number]
    return cells | {"changes": row.changes}


def transfers(project: Project) -> list[Transfer]:
    """A comparison for each other data set and number of epochs that confirm has trained there."""
    found = []
    for other in list_others(project):
        lengths = sorted({epochs for _, epochs in other.confirm_runs()}, reverse=True)
        found += [_compare(project, other, epochs) for epochs in lengths]
    return found


def _compare(project: Project, other: Project, epochs: int) -> Transfer:
    here, there = (_list_scores(each, epochs) for each in (project, other))
    both = [root for root in there if root in here]
    higher = project.space.objective.higher_is_better
    tau, rho, by_chance = None, None, None
    ranks: dict[int, tuple[float, float]] = {}
    if both:
        samples = [[scores[root] for root in both] for scores in (here, there)]
        ranks = dict(zip(both, rank_means(samples, higher), strict=True))
    if len(both) >= FEWEST:
        tau, rho, by_chance = correlate_means(*samples)
    highest = project.space.objective.highest
    rows = [
        Transferred(
            root,
            summarize(here[root], highest=highest) if root in here else None,
            summarize(there[root], highest=highest) if root in there else None,
            ranks.get(root),
            project.space.changes(project.values(root)),
        )
        for root in dict.fromkeys([*there, *here])
    ]
    sign = -1 if higher else 1
    rows.sort(key=lambda row: (row.there is None, row.there and sign * row.there.mean, row.trial))
    names = (project.settings.data.name, other.settings.data.name)
    return Transfer(*names, epochs, rows, tau, rho, by_chance, _judge(tau, len(both)))


def _list_scores(project: Project, epochs: int) -> dict[int, list[float]]:
    """The scores of each configuration's runs of so many epochs; without one: the worst."""
    count = project.space.objective.count

    def score(runs: list[RunRecord]) -> list[float]:
        return [count(run.score) for run in runs]

    groups = project.confirm_runs().items()
    return {root: score(runs) for (root, each), runs in groups if each == epochs}


def _judge(tau: RankCorrelation | None, count: int) -> str:
    """Whether the order holds, in words."""
    if count < FEWEST:
        return (
            f"whether the order holds cannot be told: {say_count(count, 'configuration')} with "
            f"runs on both, {FEWEST} are needed"
        )
    if tau is None:
        return "there is no order to compare: all means are equal"
    if tau.ci95 is None:
        return "no interval: it needs 2 runs of each configuration on both"
    low, high = tau.ci95
    if low > 0:
        return "the order holds" if tau.value == 1 else "the order holds in part"
    if high < 0:
        return "the order is turned around"
    return "it is not shown that the order holds"


def title_transfer(found: Transfer) -> str:
    """What is compared, the captions of its tables."""
    return (
        f"the same configurations on other images: {found.there}, beside {found.here}; mean ± SD "
        f"on the test set after {say_count(found.epochs, 'epoch')}, fresh seeds"
    )


def show_mean(summary: Summary | None) -> str:
    """`0.8510 ± 0.0040`, or `-` of no runs."""
    if summary is None:
        return "-"
    return f"{summary.mean:.4f}" + ("" if summary.sd is None else f" ± {summary.sd:.4f}")


def say_transfer(found: Transfer) -> str:
    """The comparison in one sentence: the verdict, both correlations, and what they rest on."""
    if found.tau is None or found.rho is None:
        return found.verdict
    both = [row for row in found.rows if row.here is not None and row.there is not None]
    sides = ([row.here for row in both], [row.there for row in both])
    runs = " and ".join(_say_runs([each.n for each in side if each]) for side in sides)
    told = ", ".join(
        f"{name} {each.value:.2f}"
        + (f" ({each.ci95[0]:.2f}..{each.ci95[1]:.2f})" if each.ci95 else "")
        for name, each in (("Kendall's tau", found.tau), ("Spearman's rho", found.rho))
    )
    few = min(each.n for side in sides for each in side if each) < ENOUGH + 2
    return (
        f"{found.verdict}: {told}, with the 95 % interval over runs; {len(both)} configurations, "
        f"{runs} runs of each; a random order has as high a tau in {found.by_chance:.0%} of all "
        f"cases" + ("; of so few runs the interval is too narrow" if few else "")
    )


def _say_runs(counts: list[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"
