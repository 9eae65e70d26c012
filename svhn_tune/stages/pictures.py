"""pictures.npz: what the report shows of the model to hand in and of the images that it gets wrong.

The worker that trained a model wrote its filters and feature maps beside its file
(engines/maps.py); those of the best run are put together with the hardest test images here, when
confirm ends. So whoever holds the project needs no Keras, nor does the report, which reads the
result.
"""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..data.dataset import Split
from ..engines.maps import maps_path
from ..files import read_arrays, write_arrays
from ..journal.record_types import RunRecord
from ..project.project import Project
from ..project.records import decode_predicted
from ..space.dial import measure_apart

HARDEST = 24
WORST = 12  # clocks
CONFIGURATIONS = 6  # whose first dense layers are shown


def write_pictures(project: Project, test: Split, classes: Sequence[Any] = ()) -> None:
    """Write the project's pictures.npz, unless it is of these confirm runs already.

    `classes` are the names of the classes, for the titles.
    """
    runs = longest_runs(project)
    best = project.best_confirmed()
    if best is None:
        return
    objective = project.space.objective
    kept = [
        objective.best(group, lambda run: run.score)
        for _, group in sorted(project.confirm_runs().items())
    ][:CONFIGURATIONS]
    made_of = json.dumps([[run.root, run.run, run.weights_sha256] for run in [best, *runs, *kept]])
    path = project.pictures_path
    if str(read_arrays(path).get("made_of", "")) == made_of:
        return
    arrays: dict[str, Any] = {"made_of": np.array(made_of), "trial": np.array(best.root)}
    model_file = project.model_path(best.root, best.run, best.planned_epochs)
    arrays |= {f"model_{name}": each for name, each in read_arrays(maps_path(model_file)).items()}
    arrays["classes"] = np.array([str(name) for name in classes])
    for run in kept:
        path_of_run = project.model_path(run.root, run.run, run.planned_epochs)
        found = read_arrays(maps_path(path_of_run))
        if "weights" in found:
            key = f"{run.root}_{run.planned_epochs}"
            arrays |= {f"weights_{key}": found["weights"], f"of_{key}": found["weights_of"]}
    arrays |= find_worst(best, test) if project.space.task.on_dial else find_hardest(runs, test)
    write_arrays(path, arrays)


def longest_runs(project: Project) -> list[RunRecord]:
    """The confirm runs of the most epochs that have predictions; a collapsed one says nothing."""
    groups = project.confirm_runs()
    longest = max((epochs for _, epochs in groups), default=0)
    runs = [run for (_, epochs), group in groups.items() if epochs == longest for run in group]
    return [run for run in runs if run.predicted is not None and not run.collapsed]


def find_hardest(runs: list[RunRecord], test: Split) -> dict[str, np.ndarray]:
    """The test images that most of these runs get wrong, those on whose answer they agree first.

    Returns:
        "hard_images" (n, height, width, 3) uint8, "hard_labels" (n,), "hard_answers" (n,), the most
        frequent wrong class, "hard_shares" (n,) of runs that are wrong, and "hard_runs", of how
        many; empty where there are no runs.
    """
    if not runs:
        return {}
    predicted = np.stack([decode_predicted(run) for run in runs])
    wrong = predicted != test.labels
    classes = int(max(predicted.max(), test.labels.max())) + 1
    votes = np.stack([((predicted == c) & wrong).sum(axis=0) for c in range(classes)])
    shares = wrong.mean(axis=0)
    order = np.lexsort((-votes.max(axis=0), -shares))[:HARDEST]
    order = order[shares[order] > 0]
    return {
        "hard_images": np.array(test.images[order]),
        "hard_labels": np.array(test.labels[order]),
        "hard_answers": votes.argmax(axis=0)[order],
        "hard_shares": shares[order],
        "hard_runs": np.array(len(runs)),
    }


def find_worst(run: RunRecord, test: Split) -> dict[str, np.ndarray]:
    """The test clocks that a run reads worst, and the times of all of them.

    Returns:
        "dial_labels" (N,) minutes after 12:00 of every test clock, "dial_predicted" (N,) what the
        run read, "worst_images" (n, height, width, 1) uint8 and "worst_places" (n,) among the N,
        the worst first; empty where the run has no predictions.
    """
    if run.predicted is None:
        return {}
    predicted = decode_predicted(run)
    apart = measure_apart(test.labels, predicted)
    places = np.argsort(-apart, kind="stable")[:WORST]
    return {
        "dial_labels": np.array(test.labels),
        "dial_predicted": predicted,
        "worst_images": np.array(test.images[places]),
        "worst_places": places,
    }
