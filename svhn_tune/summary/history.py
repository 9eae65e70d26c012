"""What the journal says of a search, as figures need it: runs in order, curves over whole runs."""

from typing import TYPE_CHECKING, Any

from ..project.journal import Record

if TYPE_CHECKING:
    from ..project.project import Project

# A run that diverged has no loss; its score, where less is better, is a number beyond any loss.
NO_SCORE = 1e9
Curve = list[float | None]


def list_completed(project: "Project") -> list[Record]:
    """The search's completed runs that have a score, in the journal's order."""
    return [
        record
        for record in project.ended("search")
        if record["status"] == "completed" and record["score"] < NO_SCORE
    ]


def list_longest(project: "Project") -> list[Record]:
    """The longest training of each root that has a score: the ranking."""
    return [record for record in project.ranking() if record["score"] < NO_SCORE]


def stitch_curves(project: "Project", root: int) -> dict[str, Curve]:
    """Each metric of a search run over all its epochs: a promoted trial goes on where it was.

    Epochs whose metrics the journal lacks are None.
    """
    records = [r for r in project.ended("search") if r["root"] == root]
    length = max((record["epochs"] for record in records), default=0)
    curves: dict[str, Curve] = {}
    for record in records:
        for name, values in record["metrics"].items():
            curve = curves.setdefault(name, [None] * length)
            first = record["initial_epoch"]
            curve[first : first + len(values)] = values
    return curves


def score_at(project: "Project", curves: dict[str, Curve], epoch: int) -> float | None:
    """The objective after so many epochs, if the run got there."""
    curve = curves.get(project.space.protocol.objective, [])
    return curve[epoch - 1] if epoch <= len(curve) else None


def list_varied(project: "Project", records: list[Record]) -> list[Any]:
    """The declarations of the space whose values differ among these runs, in the space's order."""
    varied = []
    for declaration in project.space.declarations:
        name = declaration.name
        if len({record["values"][name] for record in records if name in record["values"]}) > 1:
            varied.append(declaration)
    return varied
