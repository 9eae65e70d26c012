"""Table 1 of assignment PW04: each confirmed architecture in words, its training and test accuracy.

The training accuracy is what Keras's `fit` prints of the last epoch: a mean over its batches, with
dropout where there is some.
"""

from dataclasses import dataclass
from typing import Any

from ..journal.record_types import RunRecord
from ..models.families import list_layers
from ..models.words import say_architecture
from ..project.project import Project
from ..statistics.samples import Summary, summarize

METRIC = "categorical_accuracy"


@dataclass(frozen=True)
class Architecture:
    """A row of the table: `number` counts the rows, accuracies are shares of 1.

    `train` and `test` are accuracies, or `test` minutes; None where no run has that number.
    """

    number: int
    trial: int
    words: str
    values: dict[str, Any]
    epochs: int
    runs: int
    train: Summary | None
    test: Summary | None
    parameters: int | None


def list_architectures(project: Project) -> list[Architecture]:
    """A row for each configuration and length that confirm has trained, in the order of trials."""
    groups = sorted(project.confirm_runs().items())
    on_dial, objective = project.space.task.on_dial, project.space.objective
    metric, highest = (objective.metric, objective.highest) if on_dial else (METRIC, 1.0)
    return [
        Architecture(
            number=number,
            trial=runs[-1].root,
            words=say_architecture(list_layers(project.space, runs[0].values)),
            values=runs[0].values,
            epochs=epochs,
            runs=len(runs),
            train=None if on_dial else _summarize([_read_last(run) for run in runs]),
            test=_summarize([run.test.get(metric) for run in runs], highest),
            parameters=runs[0].parameters,
        )
        for number, ((_, epochs), runs) in enumerate(groups, start=1)
    ]


def _read_last(run: RunRecord) -> float | None:
    values = run.metrics.get(METRIC, [])
    return values[-1] if values else None


def _summarize(values: list[float | None], highest: float = 1.0) -> Summary | None:
    known = [value for value in values if value is not None]
    return summarize(known, highest=highest) if known else None
