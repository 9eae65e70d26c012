"""Where a project stands, from its journal, checkpoints and lock alone."""

import os
import re
import time
from dataclasses import replace

import numpy as np
import pytest

import svhn_tune
from svhn_tune.commands.tables import print_status
from svhn_tune.engines.checkpoints import State, write
from svhn_tune.journal.record_types import SessionRecord
from svhn_tune.progress.progress import describe_end
from svhn_tune.project.project import Project
from svhn_tune.project.records import confirm_seed, search_seed
from svhn_tune.stages.begin import record_begin
from svhn_tune.summary.begun import read_standing
from svhn_tune.summary.wording import say_resumed
from svhn_tune.training.runs import Run

RUNNING = {"status": "running"}


def leave_checkpoint(project, stage, root, run, scores, epochs=None):
    """A checkpoint as a run leaves it after so many epochs."""
    history = [{"loss": 2.0, "val_categorical_accuracy": score} for score in scores]
    derive = {"search": lambda: search_seed(0, root), "confirm": lambda: confirm_seed(0, root, run)}
    owner = {
        "stage": stage,
        "root": root,
        "run": run,
        "seed": derive[stage](),
        "values": project.values(root),
        "space": project.space.sha256,
        "data": project.settings.data.fingerprint,
        "images": "those of the run",
    }
    state = State([np.zeros(3)], history, {})
    write(project.checkpoint_path(stage, root, run, 5), state, owner)


def confirm_runs(project, roots, runs, epochs):
    """The runs of a confirm, in order."""
    return [
        Run(
            stage="confirm",
            trial=root,
            root=root,
            run=run,
            seed=run,
            values=project.values(root),
            epochs=epochs,
            checkpoint=project.checkpoint_path("confirm", root, run, epochs),
        )
        for root in roots
        for run in range(runs)
    ]


def end_run(project, root, run, score, epochs, **changes):
    """Record the end of a confirm run."""
    search = next(record for record in project.ended("search") if record.trial == root)
    changed = {"stage": "confirm", "run": run, "score": score} | changes
    changed |= {"epochs": epochs, "planned_epochs": epochs}
    project.record(search.model_copy(update=changed))


@pytest.fixture
def stopped(tmp_path, make_project):
    """A search of 10 trials and 60 epochs: 2 have ended, 3 were begun, nobody is at work."""
    project = make_project(tmp_path / "cnn", max_epochs=12)
    record_begin(project, "search", 2, 10, 60)
    trials = [{"score": 0.4}, {"score": 0.7}, {"epochs": 12, **RUNNING}, RUNNING, RUNNING]
    for record in make_project(tmp_path / "other", trials).records:
        project.record(record)
    leave_checkpoint(project, "search", 2, 0, [0.1, 0.2, 0.3])
    return project


def test_a_search_that_has_stopped(stopped):
    standing = read_standing(stopped)
    assert (standing.stage, standing.process) == ("search", None)
    assert (standing.trials, standing.trials_planned) == (2, 10)
    assert (standing.epochs, standing.epochs_planned) == (4 + 4 + 3, 60)
    assert standing.in_all == (10, 60)
    assert (standing.best.trial, standing.best.score, standing.best.changes) == (1, 0.7, "units=65")
    assert [(run.trial, run.epochs, run.planned) for run in standing.runs] == [
        (2, 3, 12),
        (3, 0, 4),
        (4, 0, 4),
    ]
    assert standing.runs[0].metrics["val_categorical_accuracy"] == 0.3
    assert not any(run.training for run in standing.runs)
    assert standing.seconds_left is None


def test_the_longest_runs_that_have_not_ended_are_in_training_while_a_process_holds_it(stopped):
    with stopped.lock():
        standing = read_standing(Project(stopped.folder))
    assert standing.process == os.getpid()
    # The third has more units than the second.
    assert [run.training for run in standing.runs] == [True, False, True]


def test_looking_on_leaves_no_trace(stopped):
    before = sorted(stopped.folder.rglob("*"))
    svhn_tune.status(stopped)
    assert sorted(stopped.folder.rglob("*")) == before
    assert read_standing(stopped).process is None


def test_a_promoted_trial_counts_the_epochs_of_its_own(tmp_path, make_project):
    promoted = {"parent": 0, "initial_epoch": 4, "epochs": 12, **RUNNING}
    project = make_project(tmp_path / "cnn", [{}, promoted])
    leave_checkpoint(project, "search", 0, 0, [0.1] * 4)
    assert read_standing(project).epochs == 4
    leave_checkpoint(project, "search", 0, 0, [0.1] * 6)
    standing = read_standing(project)
    assert standing.epochs == 6
    assert (standing.runs[0].initial, standing.runs[0].epochs) == (4, 6)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 no archive"])
def test_a_damaged_checkpoint_is_no_checkpoint(stopped, damage):
    stopped.checkpoint_path("search", 2, 0).write_bytes(damage)
    assert read_standing(stopped).runs[0].epochs == 0


def test_what_a_run_without_a_loss_did_not_train_is_no_longer_planned(stopped):
    ended = stopped.ended("search")[0]
    collapsed = {"trial": 4, "root": 4, "epochs": 1, "planned_epochs": 4, "collapsed": True}
    stopped.record(ended.model_copy(update=collapsed))
    standing = read_standing(stopped)
    assert (standing.epochs, standing.epochs_planned) == (4 + 4 + 3 + 1, 60 - 3)


def test_a_project_that_never_said_what_is_planned(tmp_path, make_project):
    standing = read_standing(make_project(tmp_path / "cnn", [{}, {}]))
    assert (standing.trials, standing.trials_planned, standing.epochs_planned) == (2, None, None)
    assert standing.in_all is None


def test_nothing_is_written_where_nothing_is_left_to_train(tmp_path, make_project):
    project = make_project(tmp_path / "cnn", [{}, {}])
    before = len(project.records)
    standing = record_begin(project, "search", 2, 2, 8)
    assert (standing.epochs, standing.in_all) == (8, (2, 8))
    assert len(project.records) == before
    record_begin(project, "search", 2, 3, 12)
    assert len(project.records) == before + 1


@pytest.fixture
def confirming(tmp_path, make_project):
    """Three runs of two trials for 5 epochs: two have ended, two were begun."""
    project = make_project(tmp_path / "cnn", [{"score": 0.9}, {"score": 0.8}])
    planned = confirm_runs(project, [0, 1], 3, 5)
    record_begin(project, "confirm", 2, 6, 30, planned)
    end_run(project, 0, 0, 0.5, 5)
    end_run(project, 0, 1, 0.6, 5)
    for run in (0, 1):
        leave_checkpoint(project, "confirm", 1, run, [0.1, 0.2], epochs=5)
    return project


def test_a_confirm_tells_runs_and_the_best_mean(confirming):
    standing = read_standing(confirming)
    assert (standing.stage, standing.trials, standing.trials_planned) == ("confirm", 2, 6)
    assert (standing.epochs, standing.epochs_planned) == (10 + 4, 30)
    assert (standing.best.trial, standing.best.runs) == (0, 2)
    assert standing.best.score == pytest.approx(0.55)
    assert [(run.trial, run.run) for run in standing.runs] == [(1, 0), (1, 1)]


def test_a_run_in_its_first_epoch_has_no_checkpoint_and_is_seen(confirming):
    with confirming.lock():
        standing = read_standing(confirming)
    assert [(run.trial, run.run, run.training) for run in standing.runs] == [
        (0, 2, True),
        (1, 0, True),
        (1, 1, False),
    ]


def test_runs_that_train_together_are_all_in_training(tmp_path, make_project):
    project = make_project(tmp_path / "cnn", [{"score": 0.9}, {"score": 0.8}])
    first, second = (confirm_runs(project, [root], 3, 5) for root in (0, 1))
    cohorts = [first[:2], second[:2], first[2:], second[2:]]
    planned = [run for cohort in cohorts for run in cohort]
    record_begin(project, "confirm", 1, 6, 30, planned, engine="jax", together=cohorts)
    with project.lock():
        runs = read_standing(project).runs
    assert [(run.trial, run.run) for run in runs if run.training] == [(0, 0), (0, 1)]
    end_run(project, 0, 0, 0.5, 5)
    with project.lock():
        runs = read_standing(project).runs
    assert [(run.trial, run.run) for run in runs if run.training] == [(0, 1)]


def test_a_confirm_that_asks_for_more_counts_what_was_done_before(confirming):
    more = confirm_runs(confirming, [0, 1], 4, 5)
    standing = record_begin(confirming, "confirm", 2, 8, 40, more)
    assert (standing.trials, standing.trials_planned) == (2, 8)
    other = confirm_runs(confirming, [0], 3, 9)
    assert record_begin(confirming, "confirm", 2, 3, 27, other).trials == 0


def test_a_failed_run_of_an_earlier_call_is_planned_again(confirming):
    end_run(confirming, 0, 2, 0.0, 5, status="failed")
    assert read_standing(confirming).trials == 3
    again = confirm_runs(confirming, [0, 1], 3, 5)
    assert record_begin(confirming, "confirm", 2, 6, 30, again).trials == 2


def test_events_change_a_standing_as_the_journal_does(confirming):
    standing = read_standing(confirming)
    runs = confirm_runs(confirming, [1], 3, 5)
    history = [{"loss": 2.0}] * 2
    standing = standing.with_begun(runs[0], history).with_begun(runs[2], [])
    assert [run.run for run in standing.runs if run.training] == [0, 2]
    standing = standing.with_epoch(runs[0], 3, {"loss": 1.0})
    assert standing.epochs == 10 + 4 + 1
    end_run(confirming, 1, 0, 0.7, 5)
    ended = standing.with_ended(confirming.records[-1], None)
    journal = read_standing(confirming)
    assert (ended.trials, ended.epochs) == (journal.trials, journal.epochs)
    assert ended.epochs_planned == journal.epochs_planned


def test_the_budget_counts_down_while_a_process_is_at_work(tmp_path, make_project):
    project = make_project(tmp_path / "cnn", budget=100.0)
    session = SessionRecord(stage="search", workers=1, began=1.0, seconds=30.0)
    project.record(session)
    assert read_standing(project).budget_left == 70
    record_begin(project, "search", 1, 3, 12)
    began = project.records[-1].began - 5
    project.record(session.model_copy(update={"began": began, "seconds": 5.0}))
    assert read_standing(project).budget_left == 65
    with project.lock():
        assert read_standing(project).budget_left < 65


def test_time_left_and_time_limit_are_those_that_the_call_wrote_down(stopped):
    began = time.time() - 5
    session = SessionRecord(stage="search", workers=2, began=began, seconds=3.0, seconds_left=100.0)
    with stopped.lock():
        assert read_standing(Project(stopped.folder)).seconds_left is None
        record_begin(stopped, "search", 2, 8, 60, deadline=time.monotonic() + 90)
        stopped.record(session)
        standing = read_standing(Project(stopped.folder))
    assert 90 < standing.seconds_left <= 98
    assert 80 < standing.stops - time.time() <= 90
    assert read_standing(Project(stopped.folder)).stops is None


def test_status_prints_and_tells_where_it_stands(stopped, capsys):
    print_status(stopped)
    printed = capsys.readouterr().out
    again = f"search --space cnn --data data --project {stopped.folder}"
    assert (
        f"\nnext: go on with the search, which has stopped:\n  python -m svhn_tune {again}\n"
        in printed
    )
    assert "search: trials 2 of 10, epochs 11 of 60" in printed
    assert re.search("\n001 +4 +1 +0.7000", printed)
    assert re.search("002 +3/12 +0.3000", printed)
    assert "2 trials completed, 3 unfinished; " in printed
    with stopped.lock():
        print_status(stopped)
        progress = svhn_tune.status(stopped)["progress"]
    printed = capsys.readouterr().out
    assert f"search is running in the process {os.getpid()}" in printed
    assert "next: wait for the search" in printed
    assert progress["process"] == os.getpid()
    assert progress["runs"][0] == {
        "trial": 2,
        "run": None,
        "epochs": 3,
        "planned": 12,
        "training": True,
    }


def test_a_call_that_goes_on_says_with_how_much(stopped, tmp_path, make_project):
    standing = read_standing(stopped)
    assert say_resumed(standing) == "search goes on with 2 of 10 trials and 11 epochs done"
    endless = replace(standing, trials_planned=None)
    assert say_resumed(endless) == "search goes on with 2 trials and 11 epochs done"
    assert say_resumed(replace(standing, trials=10)) == ""
    assert say_resumed(read_standing(make_project(tmp_path / "new"))) == ""


def test_the_line_of_a_run_names_it_its_score_and_its_values(confirming):
    who, text = describe_end(confirming, confirming.records[-1])
    assert who == "trial 000 run 01"
    assert text == "test_categorical_accuracy 0.6000  5 epochs  1.5 s  baseline"


def test_a_run_without_a_score_has_a_dash_for_it(tmp_path, make_project, capsys):
    project = make_project(tmp_path / "cnn", [{"score": None, "collapsed": True}])
    _, text = describe_end(project, project.records[-1])
    assert text.startswith("val_categorical_accuracy - (best -, trial 000)")
    print_status(project)
    printed = capsys.readouterr().out
    assert re.search("000 +4 +1 +- ", printed)
    assert svhn_tune.status(project)["best"]["score"] is None


def test_a_confirm_run_without_a_score_counts_as_the_worst(confirming):
    end_run(confirming, 0, 2, None, 5, collapsed=True)
    assert read_standing(confirming).best.score == pytest.approx((0.5 + 0.6 + 0.0) / 3)
    (entry,) = svhn_tune.status(confirming)["confirm"]
    assert (entry["scores"], entry["collapsed"]) == ([0.5, 0.6, 0.0], 1)
    assert svhn_tune.status(confirming)["handed_in"]["score"] == 0.6
