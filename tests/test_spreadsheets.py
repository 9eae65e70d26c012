"""The .csv files of a project: their columns, and that they say what the journal says."""

import pandas as pd
import pytest

from svhn_tune.errors import InputError
from svhn_tune.models.domain import TRAINING
from svhn_tune.models.families import FAMILIES
from svhn_tune.models.spaces import load_space
from svhn_tune.report.spreadsheets import (
    ARCHITECTURES,
    CONFIRM,
    RUNS,
    TRIALS,
    write_spreadsheets,
)
from svhn_tune.summary.confirmed import summarize_confirmed

HYPERPARAMETERS = [declaration.name for declaration in load_space("cnn").declarations]
COLUMNS = {
    "trials.csv": "data trial root parent bracket round status initial_epoch planned_epochs epochs "
    "scored_on score collapsed seed seconds parameters file_bytes reason",
    "runs.csv": "data stage trial root run seed status initial_epoch planned_epochs epochs "
    "scored_on score collapsed loss categorical_accuracy val_loss val_categorical_accuracy "
    "test_loss test_categorical_accuracy seconds parameters file_bytes train_images device keras "
    "tensorflow jax numpy trained_by data_fingerprint weights_sha256 reason",
    "confirm.csv": "data trial root epochs runs collapsed mean sd ci95_low ci95_high min max "
    "expected_best expected_best_of search_score search_epochs drop baseline difference "
    "difference_low difference_high verdict probability probability_low probability_high p "
    "recommended tied_with_best left_out fresh_runs fresh_mean file_bytes "
    "seconds",
    "architectures.csv": "data cnn trial architecture epochs runs train_accuracy train_sd "
    "test_accuracy test_sd parameters",
}
METRICS = {
    "loss": [2.0, 1.5],
    "categorical_accuracy": [0.2, 0.3],
    "val_loss": [2.1, 1.6],
    "val_categorical_accuracy": [0.1, 0.25],
    "seconds": [0.5, 0.25],
}
TRIALS_GIVEN = [
    {"score": 0.6},
    {"score": 0.25, "metrics": METRICS, "epochs": 2, "bracket": 1, "round": 0},
    {"score": 0.7, "parent": 1, "initial_epoch": 2, "bracket": 1, "round": 1, "seed": 2},
    {"status": "failed", "score": None, "reason": 'its worker died 3 times, "killed"'},
    {"status": "running"},
]


@pytest.fixture
def project(tmp_path, make_project):
    """Ended, promoted, failed and running trials, and two confirmed configurations."""
    space = load_space("cnn")
    given = [dict(each) for each in TRIALS_GIVEN]
    given[1]["values"] = given[2]["values"] = space.complete({"blocks": 2, "units": 96})
    project = make_project(tmp_path / "cnn", given)
    for trial in (0, 2):
        search = next(record for record in project.ended("search") if record.trial == trial)
        for run, score in enumerate([0.70, 0.72, 0.71]):
            changed = {
                **{"stage": "confirm", "run": run, "score": score + trial / 10},
                **{"epochs": 100, "planned_epochs": 100, "train_images": None},
                "test": {"loss": 1.25, "categorical_accuracy": score},
            }
            project.record(search.model_copy(update=changed))
    return project


def read(project, name):
    write_spreadsheets(project)
    return pd.read_csv(project.folder / name)


@pytest.mark.parametrize("name", COLUMNS)
def test_the_columns_are_pinned(name, project, tmp_path, make_project):
    expected = COLUMNS[name].split() + HYPERPARAMETERS
    assert list(read(project, name)) == expected
    assert list(read(make_project(tmp_path / "empty"), name)) == expected


def test_no_hyperparameter_has_the_name_of_a_column():
    for family in FAMILIES.values():
        columns = {*TRIALS, *RUNS, *CONFIRM, *ARCHITECTURES}
        assert not columns & {*family.DOMAINS, *TRAINING}


def test_a_trial_a_row(project):
    rows = read(project, "trials.csv").set_index("trial")
    assert rows.status.tolist() == ["completed"] * 3 + ["failed", "running"]
    assert rows.root.tolist() == [0, 1, 1, 3, 4]
    assert rows.loc[2, ["parent", "initial_epoch", "epochs"]].tolist() == [1, 2, 4]
    assert rows.reason[3] == 'its worker died 3 times, "killed"'
    assert rows.loc[4, ["score", "epochs", "seed", "seconds"]].isna().all()
    assert (rows.planned_epochs[4], rows.scored_on[4]) == (4, "holdout")


def test_a_hyperparameter_that_is_not_active_is_empty(project):
    rows = read(project, "trials.csv").set_index("trial")
    assert rows.blocks.tolist() == [3, 2, 2, 3, 3]
    assert rows.kernel_size_2.notna().all()
    assert rows.kernel_size_3.isna().tolist() == [False, True, True, False, False]
    assert rows.kernel_size_5.isna().all()


def test_a_run_a_row_with_its_last_epochs_metrics(project):
    rows = read(project, "runs.csv")
    assert rows.stage.tolist() == ["search"] * 4 + ["confirm"] * 6
    run = rows.iloc[1]
    assert (run.loss, run.val_categorical_accuracy, run.scored_on) == (1.5, 0.25, "holdout")
    last = rows.iloc[-1]
    assert (last.trial, last.root, last.run, last.epochs, last.scored_on) == (2, 1, 2, 100, "test")
    assert (last.test_loss, last.test_categorical_accuracy) == (1.25, 0.71)
    assert last[["val_loss", "train_images"]].isna().all()


def test_a_confirmed_configuration_a_row(project):
    rows = read(project, "confirm.csv")
    first, second = summarize_confirmed(project)
    best, control = rows.iloc[0], rows.iloc[1]
    assert (best.trial, best.root, best.runs, best.epochs, best.units) == (1, 1, 3, 100, 96)
    assert best["mean"] == first.summary.mean
    assert (best.ci95_low, best.ci95_high) == first.summary.ci95
    against = first.against_baseline
    assert (best.difference, best.verdict) == (against.difference, "better")
    assert (best.difference_low, best.difference_high) == against.ci95
    assert (best.probability_low, best.probability_high) == against.probability_ci95
    assert (best.expected_best, best.expected_best_of) == (pytest.approx(0.92), 3)
    assert best.recommended
    assert control.baseline
    assert control["mean"] == second.summary.mean
    assert pd.isna(control.difference)


def test_an_architecture_a_row_with_the_last_epochs_training_accuracy(project):
    rows = read(project, "architectures.csv")
    assert rows.cnn.tolist() == [1, 2]
    assert rows.runs.tolist() == [3, 3]
    assert rows.trial.tolist() == [0, 1]
    first = "Layer 1: CONV D=16, w=h=3, S=1, P=same; Layer 2: MAXPOOL; Layer 3: CONV D=32"
    assert all(words.startswith(first) for words in rows.architecture)
    assert rows.architecture[1].endswith("Layer 4: MAXPOOL; Layer 5: DENSE 96; Layer 6: DENSE 10")
    assert rows.test_accuracy.tolist() == pytest.approx([0.71, 0.71])
    assert rows.test_sd.tolist() == pytest.approx([0.01, 0.01])
    # The journal has no curve of the first: there is no number, not a zero.
    assert rows.train_accuracy.isna().tolist() == [True, True]


def test_whole_numbers_stay_whole_beside_empty_cells(project):
    write_spreadsheets(project)
    lines = (project.folder / "trials.csv").read_text().splitlines()
    assert lines[3].startswith("SVHN (course archives),2,1,1,1,1,completed,2,4,4,holdout,0.7,False")
    assert lines[5].startswith("SVHN (course archives),4,4,,,,running,0,4,,holdout,,,")


def test_every_row_says_which_data_it_is_from(tmp_path, make_project):
    name = "built-in digits, not SVHN"
    data = {"name": name, "fingerprint": "0", "synthetic": True, "source": "builtin"}
    project = make_project(tmp_path / "cnn", [{}], data=data)
    for name in ("trials.csv", "runs.csv"):
        assert read(project, name).data.tolist() == ["built-in digits, not SVHN"]


def test_a_folder_that_cannot_be_written_is_one_clear_line(project):
    (project.folder / "runs.csv").mkdir()
    with pytest.raises(InputError, match=r"cannot write .*runs\.csv"):
        write_spreadsheets(project)
