"""What a project's confirm runs say: summaries, comparisons, the recommendation, the file's score.

Three numbers are kept apart: what the search said (`search_score`), the configuration's mean over
runs (`mean`), and the accuracy of the one file handed in (`handed_in`: the best of n).
"""

from typing import Any

from ..project.journal import Record
from ..project.project import Project
from .comparison import compare, recommend
from .samples import expected_best, mean, summarize

Entry = dict[str, Any]

BASELINE = 0  # the first trial of every search


def summarize_confirmed(project: Project) -> list[Entry]:
    """One entry per confirmed configuration: longest trained first, then by its mean.

    Comparisons are among those trained for as many epochs, and from runs that no choice was made
    on; configurations that a choice left out come last, and are compared with none.
    """
    entries = []
    for epochs in sorted({epochs for _, epochs in project.confirm_runs()}, reverse=True):
        entries += _summarize_epochs(project, epochs)
    return entries


def _summarize_epochs(project: Project, epochs: int) -> list[Entry]:
    sign = 1 if _is_higher_better(project) else -1
    groups = {root: runs for (root, each), runs in project.confirm_runs().items() if each == epochs}
    out = _left_out_of_all(project, epochs, groups)
    entries = [_summarize_runs(project, root, runs, root in out) for root, runs in groups.items()]
    least = min(entry["runs"] for entry in entries)
    for entry in entries:
        best = expected_best(entry["scores"], least, higher_is_better=_is_higher_better(project))
        entry["expected_best"] = {"of": least, "score": best}
    entries.sort(key=lambda entry: (entry["left_out"], -sign * entry["mean"]))
    _compare_entries(project, entries)
    return entries


def _summarize_runs(project: Project, root: int, runs: list[Record], is_out: bool) -> Entry:
    epochs = runs[0]["planned_epochs"]
    scores = [run["score"] for run in runs]
    used = {run for each, run in used_runs(project, epochs) if each == root}
    fresh = [run["score"] for run in runs if run["run"] not in used]
    search = next((record for record in project.ranking() if record["root"] == root), None)
    middle = mean(scores)
    drop = None
    if search is not None:
        drop = search["score"] - middle if _is_higher_better(project) else middle - search["score"]
    return {
        "trial": runs[-1]["trial"],
        **summarize(scores).as_dict(),
        "scores": scores,
        "epochs": epochs,
        "collapsed": sum(run["collapsed"] for run in runs),
        "baseline": root == BASELINE,
        "search_score": search and search["score"],
        "search_epochs": search and search["epochs"],
        "drop": drop,
        "used": sorted(used),
        "left_out": is_out,
        "fresh_scores": fresh,
        "mean_fresh": mean(fresh) if fresh else None,
        "file_bytes": max(run["file_bytes"] for run in runs),
        "seconds": mean([run["seconds"] for run in runs]),
    }


def _compare_entries(project: Project, entries: list[Entry]) -> None:
    """Add how every entry compares with every other, and which is recommended."""
    higher = _is_higher_better(project)
    groups = _comparable(entries)
    rows = compare(groups, higher_is_better=higher)
    found = recommend(
        groups,
        rows,
        [entry["file_bytes"] for entry in entries],
        [entry["seconds"] for entry in entries],
        higher_is_better=higher,
    )
    for index, (entry, row) in enumerate(zip(entries, rows, strict=True)):
        beside = {
            other["trial"]: (other["baseline"], comparison.as_dict())
            for other, comparison in zip(entries, row, strict=True)
            if comparison is not None
        }
        entry["comparisons"] = [{"trial": trial} | each for trial, (_, each) in beside.items()]
        entry["against_baseline"] = next((each for is_it, each in beside.values() if is_it), None)
        entry["recommended"] = found is not None and index == found[0]
        entry["tied_with_best"] = found is not None and index in found[1]


def _comparable(entries: list[Entry]) -> list[list[float]]:
    return [[] if entry["left_out"] else entry["fresh_scores"] for entry in entries]


def describe_handed_in(project: Project) -> dict[str, Any] | None:
    """The run whose file is handed in: selected, so no estimate of its configuration."""
    best = project.best_confirmed()
    if best is None:
        return None
    longest = best["planned_epochs"]
    groups = {
        root: runs for (root, epochs), runs in project.confirm_runs().items() if epochs == longest
    }
    return {
        "trial": best["trial"],
        "run": best["run"],
        "epochs": longest,
        "score": best["score"],
        "best_of": sum(map(len, groups.values())),
        "mean": mean([run["score"] for run in groups[best["root"]]]),
    }


def list_test_set_uses(project: Project) -> list[str]:
    """What was chosen by looking at the test set: "search", "configurations", "file"."""
    uses = []
    if project.settings["validate_on"] == "test":
        uses.append("search")
    if any(record["event"] == "choice" for record in project.records):
        uses.append("configurations")
    if project.confirm_runs():
        uses.append("file")
    return uses


def compare_class_weights(project: Project) -> list[dict[str, Any]]:
    """The best confirmed configuration without class weights and the best with them.

    Each with its mean confusion matrix over runs (rows: true class; columns: predicted class) and
    the accuracy of every class. Empty where the longest confirmed do not differ in `class_weight`.
    """
    entries = summarize_confirmed(project)
    by_kind: dict[bool, dict[str, Any]] = {}
    for entry in entries:
        gamma = project.values(entry["trial"]).get("class_weight", 0.0)
        averaged = average_confusion(project, entry)
        if averaged and entry["epochs"] == entries[0]["epochs"]:
            described = averaged | {"trial": entry["trial"], "class_weight": gamma}
            by_kind.setdefault(gamma > 0, described)
    return [by_kind[False], by_kind[True]] if len(by_kind) == 2 else []


def average_confusion(project: Project, entry: Entry) -> dict[str, Any] | None:
    """A configuration's mean confusion matrix over "runs" runs and the accuracy of every class.

    None where no run has one.
    """
    group = project.confirm_runs()[project.root(entry["trial"]), entry["epochs"]]
    runs = [run for run in group if "confusion" in run]
    if not runs:
        return None
    matrices = [run["confusion"] for run in runs]
    confusion = [
        [mean(cells) for cells in zip(*rows, strict=True)] for rows in zip(*matrices, strict=True)
    ]
    accuracy = [row[i] / sum(row) if sum(row) else None for i, row in enumerate(confusion)]
    return {"runs": len(runs), "confusion": confusion, "accuracy": accuracy}


def _choices(project: Project, epochs: int) -> list[Record]:
    return [r for r in project.records if r["event"] == "choice" and r["epochs"] == epochs]


def used_runs(project: Project, epochs: int) -> set[tuple[int, int]]:
    """The runs, as (root, run), on whose scores a choice was made."""
    return {(root, run) for choice in _choices(project, epochs) for root, run in choice["used"]}


def left_out(project: Project, epochs: int, question: int | None = None) -> set[int]:
    """The roots that the last choice, or one before it, did not choose.

    Choices of a question are among its configurations, and only those of that question count;
    without one, only choices among all that is confirmed.
    """
    choices = [r for r in _choices(project, epochs) if r.get("question") == question]
    if not choices:
        return set()
    return {root for choice in choices for root, _ in choice["used"]} - set(choices[-1]["chosen"])


def _left_out_of_all(project: Project, epochs: int, groups: dict[int, list[Record]]) -> set[int]:
    """The roots that some choice left out, none chose, and nobody trained again since."""
    last = {choice.get("question"): choice["chosen"] for choice in _choices(project, epochs)}
    out = {root for question in last for root in left_out(project, epochs, question)}
    used = used_runs(project, epochs)
    fresh = {
        root for root, runs in groups.items() if any((root, r["run"]) not in used for r in runs)
    }
    return out - {root for chosen in last.values() for root in chosen} - fresh


def _is_higher_better(project: Project) -> bool:
    return project.space.protocol.direction == "max"
