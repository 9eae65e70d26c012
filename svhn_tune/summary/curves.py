"""The runs of a project in order, each with all its epochs: promoted trials are one curve."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from ..journal.record_types import RunRecord, TrialRecord
from ..project.project import Project
from ..project.records import search_seed
from ..space.hyperparameters import Declaration

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
    ended = {record.trial: record for record in project.ended("search")}
    roots = project.roots()
    chains: dict[int, list[TrialRecord]] = {}
    for proposal in project.proposals():
        chains.setdefault(roots[proposal.trial], []).append(proposal)
    return [_join(project, root, chain, ended) for root, chain in chains.items()]


def _join(
    project: Project, root: int, chain: list[TrialRecord], ended: dict[int, RunRecord]
) -> Curve:
    last = chain[-1]
    parts = [ended[each.trial] for each in chain if each.trial in ended]
    completed = [part for part in parts if part.status == "completed"]
    latest = completed[-1] if completed else None
    return Curve(
        stage="search",
        trial=last.trial,
        root=root,
        run=0,
        seed=search_seed(project.settings.seed, root),
        values=last.values,
        status=ended[last.trial].status if last.trial in ended else "running",
        planned_epochs=last.epochs,
        epochs=latest.epochs if latest else 0,
        score=latest.score if latest else None,
        collapsed=latest is not None and latest.collapsed,
        seconds=sum(part.seconds for part in parts),
        metrics=_concatenate(parts),
        test={},
        parameters=latest.parameters if latest else None,
        file_bytes=latest.file_bytes if latest else None,
    )


def _concatenate(parts: list[RunRecord]) -> dict[str, list[float | None]]:
    joined: dict[str, list[float | None]] = {}
    for part in parts:
        for name, values in part.metrics.items():
            joined.setdefault(name, []).extend(values)
    return joined


def confirm_curves(project: Project) -> Iterator[Curve]:
    """One curve per completed run of confirm."""
    for runs in project.confirm_runs().values():
        for run in runs:
            yield Curve(**{each.name: getattr(run, each.name) for each in fields(Curve)})


def list_completed(project: Project) -> list[RunRecord]:
    """The search's completed runs that have a score, in the journal's order."""
    return [
        record
        for record in project.ended("search")
        if record.status == "completed" and record.score is not None
    ]


def list_longest(project: Project) -> list[RunRecord]:
    """The longest training of each root that has a score: the ranking."""
    return [record for record in project.ranking() if record.score is not None]


def list_scores(records: Iterable[RunRecord]) -> list[float]:
    """The scores of runs that have one."""
    return [record.score for record in records if record.score is not None]


def stitch_curves(project: Project, root: int) -> dict[str, Series]:
    """Each metric of a search run over all its epochs: a promoted trial goes on where it was.

    Epochs whose metrics the journal lacks are None.
    """
    records = [r for r in project.ended("search") if r.root == root]
    length = max((record.epochs for record in records), default=0)
    curves: dict[str, Series] = {}
    for record in records:
        for name, values in record.metrics.items():
            curve = curves.setdefault(name, [None] * length)
            first = record.initial_epoch
            curve[first : first + len(values)] = values
    return curves


def score_at(project: Project, curves: dict[str, Series], epoch: int) -> float | None:
    """The objective after so many epochs, if the run got there."""
    curve = curves.get(project.space.objective.validated, [])
    return curve[epoch - 1] if epoch <= len(curve) else None


def list_varied(project: Project, values: list[dict[str, Any]]) -> list[Declaration]:
    """The declarations of the space whose values differ among these, in the space's order."""
    varied = []
    for declaration in project.space.declarations:
        name = declaration.name
        if len({each[name] for each in values if name in each}) > 1:
            varied.append(declaration)
    return varied
