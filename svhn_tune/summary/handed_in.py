"""The one file that is handed in: which run's it is, its score, and what it is worth elsewhere."""

from typing import Any

from ..journal.record_types import ChoiceRecord, RunRecord
from ..project.project import Project
from ..statistics.expected import expect_on_new_images
from ..statistics.samples import mean


def describe_handed_in(project: Project) -> dict[str, Any] | None:
    """The best run of the longest trained: selected, so no estimate of its configuration.

    "expected" is what is expected of its file on images that nobody selected on, None where that
    cannot be said; "final" is whether it trained for as many epochs as the space asks for.
    """
    best = project.best_confirmed()
    if best is None:
        return None
    objective, longest = project.space.objective, best.planned_epochs
    groups = {
        root: runs for (root, epochs), runs in project.confirm_runs().items() if epochs == longest
    }
    scores = {root: [objective.count(run.score) for run in runs] for root, runs in groups.items()}
    return {
        "trial": best.root,
        "run": best.run,
        "epochs": longest,
        "final": longest in project.space.epochs_asked(best.values),
        "score": best.score,
        "best_of": sum(map(len, groups.values())),
        "mean": mean(scores[best.root]),
        "expected": _expect(project, best, scores),
    }


def _expect(project: Project, best: RunRecord, scores: dict[int, list[float]]) -> float | None:
    """The expected accuracy on new images; None of a loss, and of a file that was not chosen."""
    is_accuracy = project.space.objective.higher_is_better
    if best.score is None or best.confusion is None or not is_accuracy:
        return None
    images = sum(map(sum, best.confusion))
    own = list(scores).index(best.root)
    return expect_on_new_images(list(scores.values()), own, best.score, images)


def list_test_set_uses(project: Project) -> list[str]:
    """What was chosen by looking at the test set: "search", "configurations", "file"."""
    uses = []
    if project.settings.validate_on == "test":
        uses.append("search")
    if any(isinstance(record, ChoiceRecord) for record in project.records):
        uses.append("configurations")
    if project.confirm_runs():
        uses.append("file")
    return uses
