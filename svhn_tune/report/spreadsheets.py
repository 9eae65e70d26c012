"""trials.csv, runs.csv, confirm.csv and architectures.csv: tables for a spreadsheet or pandas.

Which columns there are depends on the space alone: those named here, then one per
hyperparameter, under its name. A cell is empty where nothing is known and where a hyperparameter is
not active. Times are in seconds, files in bytes, numbers unrounded.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import cannot_write
from ..files import write_atomically
from ..journal.record_types import RunRecord
from ..project.project import Project
from ..space.task import Task
from ..summary.architectures import list_architectures
from ..summary.confirmed import summarize_confirmed

Row = dict[str, Any]

# One row per trial: a proposal of the oracle. `root` is the trial that began its run.
TRIALS = (
    *("data", "trial", "root", "parent", "bracket", "round"),
    *("status", "initial_epoch", "planned_epochs", "epochs", "scored_on", "score", "collapsed"),
    *("seed", "seconds", "parameters", "file_bytes", "reason"),
)
# One row per ended run of search or confirm, with the metrics of its last epoch between the two.
# `train_images` is empty where a run had all of them.
RUNS = (
    *("data", "stage", "trial", "root", "run", "seed"),
    *("status", "initial_epoch", "planned_epochs", "epochs", "scored_on", "score", "collapsed"),
)
COSTS = (
    *("seconds", "parameters", "file_bytes", "train_images", "device"),
    *("keras", "tensorflow", "jax", "numpy", "trained_by"),
    *("data_fingerprint", "weights_sha256", "reason"),
)
# One row per confirmed configuration, in the order of `status`. `difference` to `p` are against the
# baseline; `fresh` ones leave out the runs that a choice was made on.
CONFIRM = (
    *("data", "trial", "root", "epochs", "runs", "collapsed"),
    *("mean", "sd", "ci95_low", "ci95_high", "min", "max"),
    *("expected_best", "expected_best_of", "search_score", "search_epochs", "drop"),
    *("baseline", "difference", "difference_low", "difference_high", "verdict"),
    *("probability", "probability_low", "probability_high", "p"),
    *("recommended", "tied_with_best", "left_out", "fresh_runs", "fresh_mean"),
    *("file_bytes", "seconds"),
)
# One row per configuration and length that confirm trained: PW04's Table 1. Accuracies are means.
ARCHITECTURES = (
    *("data", "cnn", "trial", "architecture", "epochs", "runs"),
    *("train_accuracy", "train_sd", "test_accuracy", "test_sd", "parameters"),
)
# Of a dial there are minutes instead, of the test set.
OF_DIAL = {"train_accuracy": None, "train_sd": None, "test_accuracy": "test_minutes"}


def write_spreadsheets(project: Project) -> list[Path]:
    """Write the four files into the project's folder; returns their paths.

    Raises:
        InputError: the folder cannot be written.
    """
    tables = {
        "trials.csv": (TRIALS, _trial_rows(project)),
        "runs.csv": ((*RUNS, *_list_metrics(project.space.task), *COSTS), _run_rows(project)),
        "confirm.csv": (CONFIRM, _confirm_rows(project)),
        "architectures.csv": (_list_architectures(project.space.task), _architecture_rows(project)),
    }
    return [_write(project, name, *table) for name, table in tables.items()]


def _list_metrics(task: Task) -> tuple[str, ...]:
    """Columns of runs.csv: of training, validation and test."""
    reported = sorted(task.reported, key=lambda name: name != "loss")
    judged = [*reported, *["minutes"] * task.on_dial]
    return (*reported, *(f"{kind}_{name}" for kind in ("val", "test") for name in judged))


def _list_architectures(task: Task) -> tuple[str, ...]:
    if not task.on_dial:
        return ARCHITECTURES
    return tuple(filter(None, (OF_DIAL.get(name, name) for name in ARCHITECTURES)))


def _write(project: Project, name: str, columns: tuple[str, ...], rows: Iterable[Row]) -> Path:
    import pandas as pd

    hyperparameters = [declaration.name for declaration in project.space.declarations]
    table = [{"data": project.settings.data.name} | row for row in rows]
    # As objects: a column of whole numbers with a gap in it would be written as decimal ones.
    frame = pd.DataFrame(table, columns=[*columns, *hyperparameters], dtype=object)
    path = project.folder / name
    try:
        write_atomically(path, frame.to_csv(index=False, lineterminator="\n"))
    except OSError as error:
        raise cannot_write(path, error.strerror) from None
    return path


def _trial_rows(project: Project) -> Iterator[Row]:
    ended = {record.trial: record for record in project.ended("search")}
    roots = project.roots()
    for proposal in project.proposals():
        end = ended.get(proposal.trial)
        row: Row = end.as_json() if end else {"status": "running"}
        yield row | {
            **proposal.values,
            "trial": proposal.trial,
            "root": roots[proposal.trial],
            "parent": proposal.parent,
            "bracket": proposal.bracket,
            "round": proposal.round,
            "initial_epoch": proposal.initial_epoch,
            "planned_epochs": proposal.epochs,
            "scored_on": project.settings.validate_on,
        }


def _run_rows(project: Project) -> Iterator[Row]:
    for record in project.ended():
        yield {
            **record.as_json(),
            **record.values,
            **record.versions,
            **_last_metrics(record),
            "trained_by": "; ".join(record.trained_by),
            "scored_on": project.settings.validate_on if record.stage == "search" else "test",
        }


def _last_metrics(record: RunRecord) -> Row:
    last = {name: epochs[-1] for name, epochs in record.metrics.items() if name != "seconds"}
    return last | {f"test_{name}": value for name, value in record.test.items()}


def _confirm_rows(project: Project) -> Iterator[Row]:
    for entry in summarize_confirmed(project):
        beside = entry.against_baseline.as_dict() if entry.against_baseline else {}
        row = {**project.values(entry.trial), **beside, **entry.as_dict(), "root": entry.trial}
        row["ci95_low"], row["ci95_high"] = entry.summary.ci95 or (None, None)
        row["difference_low"], row["difference_high"] = beside.get("ci95") or (None, None)
        between = beside.get("probability_ci95") or (None, None)
        row["probability_low"], row["probability_high"] = between
        row["expected_best"], row["expected_best_of"] = entry.expected_best, entry.least
        row["fresh_runs"], row["fresh_mean"] = len(entry.fresh_scores), entry.mean_fresh
        yield row


def _architecture_rows(project: Project) -> Iterator[Row]:
    for each in list_architectures(project):
        yield {
            **each.values,
            "cnn": each.number,
            "trial": each.trial,
            "architecture": each.words,
            "epochs": each.epochs,
            "runs": each.runs,
            "train_accuracy": each.train and each.train.mean,
            "train_sd": each.train and each.train.sd,
            "test_accuracy": each.test and each.test.mean,
            "test_minutes": each.test and each.test.mean,
            "test_sd": each.test and each.test.sd,
            "parameters": each.parameters,
        }
