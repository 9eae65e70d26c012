"""next_step: what is said to come next is right, and its command is whole and does it."""

import shlex
from itertools import pairwise

import pytest
from test_confirmed import EQUAL, GOOD, POOR, add_runs

from svhn_tune.journal.record_types import BeginRecord, ChoiceRecord, PlannedRun, SessionRecord
from svhn_tune.stages.choice import choose
from svhn_tune.summary.begun import read_standing
from svhn_tune.summary.next_step import list_steps

SEARCHED = [0.60, 0.64, 0.63, 0.62]


@pytest.fixture
def make(tmp_path, make_project, monkeypatch):
    """A project in results/ of a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def create(name="cnn", trials=SEARCHED, **settings):
        given = [each if isinstance(each, dict) else {"score": each} for each in trials]
        project = make_project(tmp_path / "results" / name, given, **settings)
        project.folder = project.folder.relative_to(tmp_path)
        return project

    return create


def tell(project, page=False):
    steps = list_steps(project, read_standing(project), page)
    return [(step.text, step.command) for step in steps]


def begin_search(project, trials):
    project.record(
        BeginRecord(stage="search", began=1.0, workers=1, trials=trials, epochs=4, runs=[])
    )


def begin_confirm(project, top, runs, epochs=100, baseline=True):
    """What a call of confirm writes down as it begins."""
    chosen, _ = choose(project, top, epochs, baseline)
    planned = [
        PlannedRun(trial=trial, root=project.root(trial), run=run, epochs=epochs)
        for run in range(runs)
        for trial in chosen
    ]
    count, total = len(planned), len(planned) * epochs
    record = BeginRecord(
        stage="confirm", began=2.0, workers=1, trials=count, epochs=total, runs=planned
    )
    project.record(record)
    return {run.root for run in planned}


def test_a_search_that_has_stopped_goes_on_before_anything_is_confirmed(make):
    project = make(trials=[*SEARCHED, {"status": "running"}])
    begin_search(project, 106)
    command = "python -m svhn_tune search --space cnn --data data"
    assert tell(project) == [("go on with the search, which has stopped", command)]


def test_a_search_stopped_among_more_trials_than_planned_goes_on(make):
    project = make(trials=[*SEARCHED, {"status": "running"}])
    begin_search(project, len(SEARCHED))
    assert tell(project)[0][0] == "go on with the search, which has stopped"


def test_while_a_process_is_at_work_nothing_else_is_begun(make):
    project = make(trials=[*SEARCHED, {"status": "running"}])
    begin_search(project, 106)
    with project.lock():
        ((text, command),) = tell(project)
    assert text.startswith("wait for the search")
    assert command == "python -m svhn_tune status"


def test_a_search_that_time_ended_may_go_on_or_be_confirmed(make):
    project = make(trials=[*SEARCHED, {"status": "running"}])
    begin_search(project, None)
    (more, _), (_, command) = tell(project)
    assert more == "go on with the search, if you have the hours for it"
    assert command == "python -m svhn_tune confirm --top 3"


@pytest.mark.parametrize(("trials", "top"), [(SEARCHED, 3), (SEARCHED[:2], 2)])
def test_a_search_that_is_done_is_confirmed_with_as_many_as_there_are(make, trials, top):
    project = make(trials=trials)
    begin_search(project, len(trials))
    assert tell(project)[0][1] == f"python -m svhn_tune confirm --top {top}"


def test_beside_another_project_the_command_names_its_own(make):
    project = make("mine")
    make("other")
    assert tell(project)[0][1] == "python -m svhn_tune confirm --top 3 --project mine"
    begin_search(project, 106)
    command = "python -m svhn_tune search --space cnn --data data --project mine"
    assert tell(project)[0][1] == command


def test_where_no_trial_completed_the_search_goes_on(make):
    project = make(trials=[{"status": "failed"}])
    ((text, command),) = tell(project)
    assert (text, command.split()[3]) == ("no trial has completed: search more", "search")


@pytest.mark.parametrize("baseline", [True, False])
@pytest.mark.parametrize("top", [1, 2, 3, 4])
@pytest.mark.parametrize("searched", [SEARCHED, [0.9, 0.6, 0.7, 0.8], [0.65, 0.7, 0.6, 0.5]])
def test_a_confirm_that_has_stopped_goes_on_with_the_same_configurations(
    make, searched, top, baseline
):
    project = make(trials=searched)
    roots = begin_confirm(project, top, 7, epochs=50, baseline=baseline)
    add_runs(project, min(roots), GOOD[:2], planned_epochs=50, epochs=50)
    ((text, command),) = tell(project)
    assert text == "go on with confirm, which has stopped"
    words = shlex.split(command)
    given = {name: value for name, value in pairwise(words) if name.startswith("--")}
    assert words[:4] == ["python", "-m", "svhn_tune", "confirm"]
    assert (given["--runs"], given["--epochs"]) == ("7", "50")
    chosen, _ = choose(project, int(given["--top"]), 50, "--no-baseline" not in words)
    assert {project.root(trial) for trial in chosen} == roots


def test_a_short_confirm_is_followed_by_one_of_all_epochs(make):
    project = make()
    for trial in begin_confirm(project, 2, 3, epochs=1):
        add_runs(project, trial, GOOD[:3], planned_epochs=1, epochs=1)
    command = "python -m svhn_tune confirm --top 2"
    assert tell(project) == [("for a file to hand in, train for all 100 epochs", command)]


def test_what_a_short_confirm_chose_is_among_those_of_all_epochs(make):
    project = make()
    for trial in begin_confirm(project, 3, 3, epochs=1):
        add_runs(project, trial, GOOD[:3], planned_epochs=1, epochs=1)
    used = [[root, run] for root in (1, 2, 3) for run in range(3)]
    project.record(ChoiceRecord(epochs=1, chosen=[3], used=used))
    assert tell(project)[0][1] == "python -m svhn_tune confirm --top 3"
    assert 3 in choose(project, 3, 100, True)[0]


def test_two_runs_of_each_are_followed_by_more(make):
    project = make()
    for trial in begin_confirm(project, 1, 2):
        add_runs(project, trial, GOOD[:2])
    command = "python -m svhn_tune confirm --top 1"
    assert tell(project) == [("to tell configurations apart, train 10 runs of each", command)]


def test_runs_that_chose_are_no_runs_that_tell_apart(make):
    project = make()
    for trial in begin_confirm(project, 3, 10):
        add_runs(project, trial, (GOOD * 2)[:10])
    used = [[root, run] for root in (1, 2, 3) for run in range(10)]
    project.record(ChoiceRecord(epochs=100, chosen=[1], used=used))
    command = "python -m svhn_tune confirm --top 1 --runs 13"
    assert tell(project) == [("to tell configurations apart, train 13 runs of each", command)]


def test_after_confirm_the_file_is_checked_and_the_report_read(make):
    project = make()
    for trial, scores in zip(begin_confirm(project, 2, 6), [POOR, GOOD, EQUAL], strict=True):
        add_runs(project, trial, scores)
    check, report = tell(project, page=True)
    assert tell(project) == [check]
    assert check[1] == "python -m svhn_tune check results/cnn/submission.keras"
    assert report == ("write the report", "python -m svhn_tune report")
    (project.folder / "report.html").touch()
    assert tell(project, page=True)[1] == (
        "open the report in a browser: results/cnn/report.html",
        None,
    )


def test_of_a_spent_budget_more_is_asked_for(make):
    project = make(budget=3600.0)
    project.record(SessionRecord(stage="search", began=1.0, workers=1, seconds=4000.0))
    ((text, command),) = tell(project)
    assert text.startswith("the budget is spent, so add --budget with more hours to train the best")
    assert command == "python -m svhn_tune confirm --top 3"
