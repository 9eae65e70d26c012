"""The runs of a project in order, each with all its epochs: promoted trials are one curve."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..project.journal import Record
from ..project.project import Project
from ..project.records import search_seed

# A run that diverged has no loss; its score, where less is better, is a number beyond any loss.
NO_SCORE = 1e9
Series = list[float | None]


@dataclass(frozen=True)
class Curve:
    """One run of search or confirm from its first epoch on.

    `trial` is the last proposal that asked for it and `root` the first. `status` is "completed",
    "failed" or "running" (a search that stopped goes on with it). `score` is None where there is
    none, `metrics` has one value per epoch (None: not finite), `seconds` is of training in all.
    """

    stage: str
    trial: int
    root: int
    run: int
    seed: int
    values: dict[str, Any]
    status: str
    planned_epochs: int
    epochs: int
    score: float | None
    collapsed: bool
    seconds: float
    metrics: dict[str, list[float | None]]
    test: dict[str, float | None]
    parameters: int | None
    file_bytes: int | None


def search_curves(project: Project) -> list[Curve]:
    """One curve per configuration that the search has tried, in the order of their first trials."""
    ended = {record["trial"]: record for record in project.ended("search")}
    roots = project.roots()
    chains: dict[int, list[Record]] = {}
    for proposal in project.proposals():
        chains.setdefault(roots[proposal["trial"]], []).append(proposal)
    return [_join(project, root, chain, ended) for root, chain in chains.items()]


def _join(project: Project, root: int, chain: list[Record], ended: dict[int, Record]) -> Curve:
    last = chain[-1]
    parts = [ended[each["trial"]] for each in chain if each["trial"] in ended]
    completed = [part for part in parts if part["status"] == "completed"]
    status = ended[last["trial"]]["status"] if last["trial"] in ended else "running"
    latest: Record = completed[-1] if completed else {}
    return Curve(
        stage="search",
        trial=last["trial"],
        root=root,
        run=0,
        seed=search_seed(project.settings["seed"], root),
        values=last["values"],
        status=status,
        planned_epochs=last["epochs"],
        epochs=latest.get("epochs", 0),
        score=latest.get("score"),
        collapsed=latest.get("collapsed", False),
        seconds=sum(part["seconds"] for part in parts),
        metrics=_concatenate(parts),
        test={},
        parameters=latest.get("parameters"),
        file_bytes=latest.get("file_bytes"),
    )


def _concatenate(parts: list[Record]) -> dict[str, list[float | None]]:
    joined: dict[str, list[float | None]] = {}
    for part in parts:
        for name, values in part["metrics"].items():
            joined.setdefault(name, []).extend(values)
    return joined


def confirm_curves(project: Project) -> Iterator[Curve]:
    """One curve per completed run of confirm."""
    for runs in project.confirm_runs().values():
        for run in runs:
            known = {name: run[name] for name in Curve.__dataclass_fields__ if name in run}
            yield Curve(**{"test": {}} | known)


def list_completed(project: Project) -> list[Record]:
    """The search's completed runs that have a score, in the journal's order."""
    return [
        record
        for record in project.ended("search")
        if record["status"] == "completed" and record["score"] < NO_SCORE
    ]


def list_longest(project: Project) -> list[Record]:
    """The longest training of each root that has a score: the ranking."""
    return [record for record in project.ranking() if record["score"] < NO_SCORE]


def stitch_curves(project: Project, root: int) -> dict[str, Series]:
    """Each metric of a search run over all its epochs: a promoted trial goes on where it was.

    Epochs whose metrics the journal lacks are None.
    """
    records = [r for r in project.ended("search") if r["root"] == root]
    length = max((record["epochs"] for record in records), default=0)
    curves: dict[str, Series] = {}
    for record in records:
        for name, values in record["metrics"].items():
            curve = curves.setdefault(name, [None] * length)
            first = record["initial_epoch"]
            curve[first : first + len(values)] = values
    return curves


def score_at(project: Project, curves: dict[str, Series], epoch: int) -> float | None:
    """The objective after so many epochs, if the run got there."""
    curve = curves.get(project.space.protocol.objective, [])
    return curve[epoch - 1] if epoch <= len(curve) else None


def list_varied(project: Project, records: list[Record]) -> list[Any]:
    """The declarations of the space whose values differ among these runs, in the space's order."""
    varied = []
    for declaration in project.space.declarations:
        name = declaration.name
        if len({record["values"][name] for record in records if name in record["values"]}) > 1:
            varied.append(declaration)
    return varied
