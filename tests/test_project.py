"""project: the folder, its lock, and what its journal says of trials and runs."""

import json
import os
import subprocess
import sys

import pytest

import svhn_tune
from svhn_tune.errors import InputError
from svhn_tune.models.spaces import load_space
from svhn_tune.project.project import Project
from svhn_tune.project.results import delete_project
from svhn_tune.statistics.samples import summarize
from svhn_tune.summary.confirmed import summarize_confirmed

HOLD = """
import sys
from pathlib import Path
from svhn_tune.project.project import Project

with Project(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def project(tmp_path, make_project):
    """Trials 0 to 5: baseline, promoted 1 (trial 4 goes on), failed, collapsed, and running 5."""
    return make_project(
        tmp_path / "results" / "cnn",
        [
            {"score": 0.6},
            {"score": 0.7},
            {"status": "failed", "score": None, "epochs": 12},
            {"score": 0.1, "collapsed": True},
            {"score": 0.65, "epochs": 12, "initial_epoch": 4, "parent": 1},
            {"status": "running"},
        ],
        tuner="hyperband",
    )


@pytest.fixture
def holder(project):
    """A second process that holds the project until its input is closed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, project.folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def confirm_run(project, trial, run, score, epochs, status="completed"):
    """Record a confirm run of a trial."""
    search = next(record for record in project.ended("search") if record.trial == trial)
    changed = {"stage": "confirm", "run": run, "score": score, "status": status}
    changed |= {"epochs": epochs, "planned_epochs": epochs}
    project.record(search.model_copy(update=changed))


def test_status_has_the_documents_keys_and_counts(project):
    status = svhn_tune.status(project)
    assert status["project"] == "cnn"
    assert status["space"] == "cnn"
    assert status["space_sha256"] == load_space("cnn").sha256
    assert {"name", "fingerprint", "synthetic"} <= set(status["data"])
    assert status["trials"] == {"completed": 4, "running": 1, "failed": 1, "collapsed": 1}
    assert status["epochs_trained"] == 4 + 4 + 12 + 4 + 8
    assert status["seconds_trained"] == 5 * 1.5
    assert status["best"] == {
        "trial": 1,
        "score": 0.65,
        "epochs": 12,
        "runs": 1,
        "values": project.values(4),
    }
    assert status["confirm"] == []
    assert status["submission"] is None
    assert json.loads(json.dumps(status, allow_nan=False)) == status


def test_status_of_a_project_without_trials(tmp_path, make_project):
    status = svhn_tune.status(make_project(tmp_path / "new"))
    assert status["trials"] == {"completed": 0, "running": 0, "failed": 0, "collapsed": 0}
    assert status["best"] is None
    assert (status["epochs_trained"], status["seconds_trained"]) == (0, 0)


def test_status_names_the_submission_once_it_is_there(project):
    project.submission_path.touch()
    assert svhn_tune.status(project)["submission"] == str(project.submission_path)


def test_a_project_reads_back_what_was_recorded(project):
    again = Project(project.folder)
    assert again.records == project.records
    assert again.settings == project.settings
    assert again.space == project.space
    assert svhn_tune.status(again) == svhn_tune.status(project)


@pytest.mark.parametrize(("old", "new"), [("figures", "Figures"), ("status", "status")])
def test_a_name_that_moved_says_where_to(project, old, new):
    with pytest.raises(AttributeError, match=rf"project\.{old} is now {new}\(project\)") as caught:
        getattr(project, old)
    code = str(caught.value).split(": ")[1]
    exec(code, names := {})
    assert names[new](project)


def test_confirmed_says_where_to(project):
    with pytest.raises(AttributeError, match=r"status\(project\)\['confirm'\]: from svhn_tune"):
        project.confirmed()
    with pytest.raises(AttributeError, match="'Project' object has no attribute 'nothing'"):
        project.nothing  # noqa: B018


def test_refreshing_sees_what_another_process_recorded(project):
    other = Project(project.folder)
    confirm_run(other, 0, 0, 0.6, 100)
    assert project.ended("confirm") == []
    project.refresh()
    assert project.ended("confirm") == other.ended("confirm")


def test_ranking_is_by_epochs_then_score_without_failed_ones_and_a_root_once(project):
    assert [record.trial for record in project.ranking()] == [4, 0, 3]


def test_ranking_puts_the_lowest_loss_first(tmp_path, make_project, change_space):
    text = load_space("cnn").text.replace('"val_categorical_accuracy"', '"val_loss"')
    folder = make_project(tmp_path / "loss", [{"score": 0.6}, {"score": 0.5}]).folder
    change_space(folder, text)
    assert [record.trial for record in Project(folder).ranking()] == [1, 0]


def test_equal_scores_are_ranked_in_the_order_of_the_trials(tmp_path, make_project):
    project = make_project(tmp_path / "ties", [{}, {}, {}])
    assert [record.trial for record in project.ranking()] == [0, 1, 2]


def test_the_root_is_the_trial_that_began_the_run(tmp_path, make_project):
    project = make_project(tmp_path / "p", [{}, {"parent": 0}, {}, {"parent": 1}])
    assert [project.root(trial) for trial in range(4)] == [0, 0, 2, 0]
    assert project.roots() == {0: 0, 1: 0, 2: 2, 3: 0}


@pytest.mark.parametrize("trial", [-1, 6, 1000])
def test_a_trial_that_is_not_there_is_refused(project, trial):
    with pytest.raises(InputError, match=rf"no trial {trial} in .*cnn \(it has 6\)"):
        project.values(trial)


def test_confirmed_summaries_do_not_mix_epochs_and_put_the_longest_first(project):
    scores = {(0, 100): [0.8, 0.82, 0.81], (4, 100): [0.83, 0.85], (3, 5): [0.99]}
    for (trial, epochs), each in scores.items():
        for run, score in enumerate(each):
            confirm_run(project, trial, run, score, epochs)
    confirm_run(project, 0, 3, 0.0, 100, status="failed")
    confirm_run(project, 0, 0, 0.9, 5)
    found = summarize_confirmed(project)
    assert [(each.trial, each.epochs) for each in found] == [
        (1, 100),
        (0, 100),
        (3, 5),
        (0, 5),
    ]
    assert found[1].scores == scores[0, 100]
    assert found[1].summary == summarize(scores[0, 100])
    assert found[2].collapsed == 1
    assert project.best_confirmed().score == 0.85
    assert svhn_tune.status(project)["confirm"] == [entry.as_dict() for entry in found]


def test_nothing_confirmed_has_no_best(project):
    assert summarize_confirmed(project) == []
    assert project.best_confirmed() is None


def test_trials_are_a_table_with_one_row_a_trial(project):
    trials = project.trials
    assert list(trials.columns[:4]) == ["trial", "score", "epochs", "status"]
    assert trials["trial"].tolist() == [0, 1, 2, 3, 4, 5]
    assert trials["status"].tolist() == [
        "completed",
        "completed",
        "failed",
        "completed",
        "completed",
        "running",
    ]
    assert trials["epochs"].tolist() == [4, 4, 12, 4, 12, 4]
    assert trials["score"].dropna().tolist() == [0.6, 0.7, 0.1, 0.65]
    assert trials["values"][1] == project.values(1)


def test_runs_are_a_table_with_one_row_an_ended_run(project):
    confirm_run(project, 0, 0, 0.8, 100)
    runs = project.runs
    assert runs["stage"].tolist() == ["search"] * 5 + ["confirm"]
    wanted = {"stage", "trial", "run", "seed", "epochs", "score", "seconds", "parameters"}
    assert wanted | {"file_bytes"} <= set(runs.columns)


def test_tables_show_what_was_recorded_since_they_were_last_asked_for(project):
    assert len(project.runs) == 5
    confirm_run(project, 0, 0, 0.8, 100)
    assert len(project.runs) == 6
    project.record(project.ended("search")[0].model_copy(update={"trial": 5}))
    assert "running" not in project.trials["status"].tolist()


def test_a_second_process_is_refused_with_the_pid_of_the_first(project, holder):
    with pytest.raises(InputError) as refused, project.lock():
        pass
    assert str(refused.value) == (
        f"{project.folder} is in use by the process {holder.pid}: wait for it, or end it first"
    )


def test_a_project_in_use_is_read_but_not_deleted(project, holder):
    assert svhn_tune.status(Project(project.folder)) == svhn_tune.status(project)
    with pytest.raises(InputError, match=f"in use by the process {holder.pid}"):
        delete_project(project.folder)
    assert project.journal_path.exists()


def test_the_lock_is_free_when_its_holder_ends(project, holder):
    holder.stdin.close()
    assert holder.wait() == 0
    with project.lock():
        pass


def test_the_pid_that_a_killed_process_left_is_no_lock(project, holder):
    holder.kill()
    holder.wait()
    assert (project.folder / ".pid").read_text() == str(holder.pid)
    with project.lock():
        assert (project.folder / ".pid").read_text() == str(os.getpid())


def test_the_lock_is_freed_by_an_error_within(project):
    with pytest.raises(ZeroDivisionError), project.lock():
        _ = 1 / 0
    with Project(project.folder).lock():
        pass


def test_changed_settings_are_kept(project):
    project.update_settings(max_trials=99)
    assert Project(project.folder).settings == project.settings
    assert project.settings.max_trials == 99


@pytest.mark.parametrize("name", ["project.json", "space.toml"])
@pytest.mark.parametrize("content", [None, "", "{", "{}", "[]", "5", '"x"'])
def test_a_project_with_a_damaged_file_is_an_input_error(project, name, content):
    path = project.folder / name
    path.unlink()
    if content is not None:
        path.write_text(content)
    with pytest.raises(InputError, match=str(project.folder)):
        Project(project.folder)


def test_a_run_of_confirm_goes_on_from_no_checkpoint_of_other_epochs(project):
    names = {project.checkpoint_path("confirm", 4, 1, epochs).name for epochs in (10, 100)}
    assert names == {"confirm-0004-01-epochs-10.npz", "confirm-0004-01-epochs-100.npz"}
