"""What a project's confirm runs say: summaries, comparisons, the recommendation, the file's score.

Three numbers are kept apart: what the search said (`search_score`), the configuration's mean over
runs (`mean`), and the accuracy of the one file handed in (handed_in.py: the best of n).
"""

from dataclasses import dataclass, field, replace
from typing import Any

from ..journal.record_types import RunRecord
from ..project.project import Project
from ..statistics.comparison import Comparison, compare, recommend
from ..statistics.samples import ENOUGH, Summary, expected_best, mean, summarize
from .choices import BASELINE, left_out_of_all, used_runs


@dataclass(frozen=True)
class Confirmed:
    """One configuration, named by its first trial, and its runs of one length.

    In `scores` a run without a score counts as the worst, so that no mean is better without it.
    `used` are the numbers of the runs that a choice was made on, `fresh_scores` the scores of the
    others, which are compared; `drop` is how much worse the mean is than what the search said.
    `expected_best` is of `least` runs, the fewest that a configuration of this length has.
    `comparisons` has one with every other trial that it is compared with.
    """

    trial: int
    summary: Summary
    scores: list[float]
    epochs: int
    collapsed: int
    search_score: float | None
    search_epochs: int | None
    drop: float | None
    used: list[int]
    left_out: bool
    fresh_scores: list[float]
    file_bytes: int
    seconds: float
    least: int
    expected_best: float
    comparisons: dict[int, Comparison] = field(default_factory=dict)
    against_baseline: Comparison | None = None
    recommended: bool = False
    tied_with_best: bool = False

    @property
    def root(self) -> int:
        """The first trial, which names it."""
        return self.trial

    @property
    def baseline(self) -> bool:
        """Whether it is the baseline."""
        return self.trial == BASELINE

    @property
    def enough(self) -> bool:
        """Whether it has as many runs, that no choice was made on, as a verdict needs."""
        return len(self.fresh_scores) >= ENOUGH

    @property
    def mean_fresh(self) -> float | None:
        """The mean of the runs that no choice was made on."""
        return mean(self.fresh_scores) if self.fresh_scores else None

    def as_dict(self) -> dict[str, Any]:
        """The configuration as `status --json` and `confirm --json` print it."""
        against = self.against_baseline
        return {
            "trial": self.trial,
            **self.summary.as_dict(),
            **{name: getattr(self, name) for name in PRINTED},
            "expected_best": {"of": self.least, "score": self.expected_best},
            "comparisons": [
                {"trial": trial, **each.as_dict()} for trial, each in self.comparisons.items()
            ],
            "against_baseline": None if against is None else against.as_dict(),
            "recommended": self.recommended,
            "tied_with_best": self.tied_with_best,
        }


# What of it is printed as it is.
PRINTED = (
    *("scores", "epochs", "collapsed", "baseline", "search_score", "search_epochs", "drop"),
    *("used", "left_out", "fresh_scores", "mean_fresh", "file_bytes", "seconds"),
)


def summarize_confirmed(project: Project) -> list[Confirmed]:
    """One entry per confirmed configuration: longest trained first, then by its mean.

    Comparisons are among those trained for as many epochs, and from runs that no choice was made
    on; configurations that a choice left out come last, and are compared with none.
    """
    entries = []
    for epochs in sorted({epochs for _, epochs in project.confirm_runs()}, reverse=True):
        entries += _summarize_epochs(project, epochs)
    return entries


def _summarize_epochs(project: Project, epochs: int) -> list[Confirmed]:
    groups = {root: runs for (root, each), runs in project.confirm_runs().items() if each == epochs}
    out = left_out_of_all(project, epochs, groups)
    least = min(map(len, groups.values()))
    entries = [
        _summarize_runs(project, root, runs, root in out, least) for root, runs in groups.items()
    ]
    sort_key = project.space.objective.sort_key
    entries.sort(key=lambda entry: (entry.left_out, sort_key(entry.summary.mean)))
    return _compare_entries(project, entries)


def _summarize_runs(
    project: Project, root: int, runs: list[RunRecord], is_out: bool, least: int
) -> Confirmed:
    epochs, objective = runs[0].planned_epochs, project.space.objective
    scores = [objective.count(run.score) for run in runs]
    used = {run for each, run in used_runs(project, epochs) if each == root}
    search = next((record for record in project.ranking() if record.root == root), None)
    summary = summarize(scores, highest=objective.highest)
    drop = None
    if search is not None and search.score is not None:
        drop = search.score - summary.mean
        drop = drop if objective.higher_is_better else -drop
    return Confirmed(
        trial=root,
        summary=summary,
        scores=scores,
        epochs=epochs,
        collapsed=sum(run.collapsed for run in runs),
        search_score=search.score if search else None,
        search_epochs=search.epochs if search else None,
        drop=drop,
        used=sorted(used),
        left_out=is_out,
        fresh_scores=[
            score for run, score in zip(runs, scores, strict=True) if run.run not in used
        ],
        file_bytes=max(run.file_bytes or 0 for run in runs),
        seconds=mean([run.seconds for run in runs]),
        least=least,
        expected_best=expected_best(scores, least, higher_is_better=objective.higher_is_better),
    )


def _compare_entries(project: Project, entries: list[Confirmed]) -> list[Confirmed]:
    """Them with how every one compares with every other, and which is recommended."""
    objective = project.space.objective
    higher = objective.higher_is_better
    groups = [[] if entry.left_out else entry.fresh_scores for entry in entries]
    rows = compare(groups, higher_is_better=higher, highest=objective.highest)
    found = recommend(
        groups,
        rows,
        [entry.file_bytes for entry in entries],
        [entry.seconds for entry in entries],
        higher_is_better=higher,
    )
    best, tied = found or (None, [])
    compared = []
    for index, (entry, row) in enumerate(zip(entries, rows, strict=True)):
        beside = {other.trial: each for other, each in zip(entries, row, strict=True) if each}
        baseline = next((other.trial for other in entries if other.baseline), None)
        compared.append(
            replace(
                entry,
                comparisons=beside,
                against_baseline=None if baseline is None else beside.get(baseline),
                recommended=index == best,
                tied_with_best=index in tied,
            )
        )
    return compared


def compare_class_weights(project: Project) -> list[dict[str, Any]]:
    """The best confirmed configuration without class weights and the best with them.

    Each with its mean confusion matrix over runs (rows: true class; columns: predicted class) and
    the accuracy of every class. Empty where the longest confirmed do not differ in `class_weight`.
    """
    entries = summarize_confirmed(project)
    by_kind: dict[bool, dict[str, Any]] = {}
    for entry in entries:
        gamma = project.values(entry.trial).get("class_weight", 0.0)
        averaged = average_confusion(project, entry)
        if averaged and entry.epochs == entries[0].epochs:
            described = averaged | {"trial": entry.trial, "class_weight": gamma}
            by_kind.setdefault(gamma > 0, described)
    return [by_kind[False], by_kind[True]] if len(by_kind) == 2 else []


def average_confusion(project: Project, entry: Confirmed) -> dict[str, Any] | None:
    """A configuration's mean confusion matrix over "runs" runs and the accuracy of every class.

    None where no run has one.
    """
    group = project.confirm_runs()[entry.trial, entry.epochs]
    matrices = [run.confusion for run in group if run.confusion is not None]
    if not matrices:
        return None
    confusion = [
        [mean(cells) for cells in zip(*rows, strict=True)] for rows in zip(*matrices, strict=True)
    ]
    accuracy = [row[i] / sum(row) if sum(row) else None for i, row in enumerate(confusion)]
    return {"runs": len(matrices), "confusion": confusion, "accuracy": accuracy}
