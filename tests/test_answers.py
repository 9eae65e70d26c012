"""answers, and confirm's choice of what a question names: hand-made runs, without training."""

import json

import pytest

import svhn_tune
from svhn_tune.commands.tables import print_confirmed, print_status
from svhn_tune.errors import InputError
from svhn_tune.journal.record_types import from_json
from svhn_tune.models.size import measure_size
from svhn_tune.models.spaces import load_space
from svhn_tune.project.project import Project
from svhn_tune.project.results import create_project
from svhn_tune.report import write_report
from svhn_tune.stages.choice import choose
from svhn_tune.summary.answers import find_asked, read_answers
from svhn_tune.summary.choices import used_runs
from svhn_tune.summary.confirmed import summarize_confirmed

EPOCHS = 100
TEN = [0.47, 0.48, 0.475, 0.472, 0.478, 0.474, 0.476, 0.473, 0.477, 0.475]


@pytest.fixture
def project(tmp_path, make_project):
    """A project of the space `mlp` in which all that its questions name was proposed."""
    return propose(tmp_path / "mlp", make_project, 12)


def propose(folder, make_project, count, tuner="random", name="mlp"):
    space = load_space(name)
    changed = {"space": space.name, "space_sha256": space.sha256, "tuner": tuner, "max_trials": 12}
    settings = make_project(folder.parent / "settings").settings.model_copy(update=changed)
    project = create_project(folder, space, settings)
    for trial, values in enumerate(space.listed[:count]):
        record = {"event": "trial", "trial": trial, "values": values, "initial_epoch": 0}
        record |= {"epochs": 4, "parent": None, "bracket": None, "round": None}
        project.record(from_json(record))
    return project


def add_runs(project, root, scores, first=0, epochs=EPOCHS):
    """Record confirm runs of a trial."""
    values = project.values(root)
    size = measure_size(project.space, values)
    for run, score in enumerate(scores, start=first):
        record = {"event": "run", "stage": "confirm", "trial": root, "root": root, "run": run}
        record |= {"seed": 100 * root + run, "values": values, "initial_epoch": 0}
        record |= {"epochs": epochs, "planned_epochs": epochs, "status": "completed"}
        record |= {"score": score, "collapsed": False, "metrics": {}, "seconds": 1.0}
        record |= {"parameters": size.parameters, "file_bytes": size.file_bytes, "reason": ""}
        record |= {"train_images": None, "versions": {}, "device": "CPU"}
        project.record(from_json(record))


def asked(project, number):
    """The roots of a question's configurations."""
    question = next(each for each in project.space.questions if each.number == number)
    return find_asked(project, question)


def answer(project, number):
    return next(each for each in read_answers(project) if each["question"] == number)


def roots(chosen):
    return chosen[0]


def test_a_question_names_its_configurations_in_its_order(project):
    assert asked(project, 6) == [0]
    assert asked(project, 7) == [0, 1]
    assert [project.values(root)["units_1"] for root in asked(project, 9)] == [64, 256, 1024]
    assert asked(project, 10) == list(range(4, 12))


def test_means_are_given_in_the_order_of_the_configurations(project):
    add_runs(project, 1, [score + 0.1 for score in TEN])
    add_runs(project, 0, TEN)
    found = answer(project, 7)
    assert found["answer"] == "0.4750, 0.5750"
    assert found["complete"]
    assert found["notes"] == ["from 10 runs each of 100 epochs"]
    assert json.loads(json.dumps(svhn_tune.status(project), allow_nan=False))["answers"][1] == found


def test_what_is_missing_is_said(project):
    assert answer(project, 7)["notes"] == [
        f"no run yet: python -m svhn_tune confirm --question 7 --project {project.folder}"
    ]
    add_runs(project, 1, TEN[:3])
    assert answer(project, 7)["answer"] is None
    told = "incomplete: no run of configuration 0 yet, 3 of 10 runs of configuration 1"
    assert answer(project, 7)["notes"] == [told]
    add_runs(project, 0, TEN[:3])
    assert answer(project, 7)["answer"] == "0.4750, 0.4750"
    assert answer(project, 7)["notes"] == ["incomplete: 3 of 10 runs"]
    assert not answer(project, 7)["complete"]


def test_a_rehearsal_says_how_many_epochs_are_asked_and_gives_way_to_longer_runs(project):
    for root in (0, 1):
        add_runs(project, root, TEN, epochs=3)
    assert answer(project, 7)["notes"] == ["incomplete: 3 of 100 epochs"]
    add_runs(project, 0, TEN)
    assert answer(project, 7)["epochs"] == EPOCHS
    assert answer(project, 7)["answer"] is None


def test_means_with_their_spread_are_complete_with_five_runs_and_say_what_they_show(
    tmp_path, make_project
):
    project = propose(tmp_path / "tiny_vgg", make_project, 4, name="tiny_vgg")
    for root, gain in enumerate([0, 0.0001, -0.1, -0.2]):
        add_runs(project, root, [score + gain for score in TEN[:5]])
    found = answer(project, 15)
    assert found["answer"] == "0.4750 ± 0.0041, 0.4751 ± 0.0041, 0.3750 ± 0.0041, 0.2750 ± 0.0041"
    assert found["complete"]
    tie = "a tie: 1 is not shown to be better than 0"
    assert found["notes"] == ["from 5 runs each of 100 epochs", tie]
    assert answer(project, 9)["answer"] == "0.4750 ± 0.0041"
    assert answer(project, 9)["notes"] == ["from 5 runs of 100 epochs"]


def test_one_run_has_a_mean_and_no_spread(tmp_path, make_project):
    project = propose(tmp_path / "tiny_vgg", make_project, 1, name="tiny_vgg")
    add_runs(project, 0, [0.5])
    assert answer(project, 9)["answer"] == "0.5000 ± no SD"
    assert answer(project, 9)["notes"] == ["incomplete: 1 of 5 runs"]


def test_a_files_answer_is_of_the_one_file_there_is(project):
    add_runs(project, 0, [0.47, 0.49])
    found = answer(project, 6)
    assert found["answer"] == "789258, 0.4900"
    file = project.folder / "models" / "trial-0000-run-01-epochs-100.keras"
    assert found["file"] == str(file)
    shown = "models/trial-0000-run-01-epochs-100.keras"
    assert f"the accuracy is that of the file, the best of 2 runs: {shown}" in found["notes"]
    assert "the file is not there any more" in found["notes"]
    file.touch()
    assert "the file is not there any more" not in answer(project, 6)["notes"]


def test_the_best_is_named_by_its_place_with_its_parameters(project):
    for root in asked(project, 10):
        add_runs(project, root, [score + (0.1 if root == 6 else root / 1e4) for score in TEN])
    found = answer(project, 10)
    parameters = measure_size(project.space, project.values(6)).parameters
    assert found["answer"] == f"2, 0.5750, {parameters}"
    assert found["notes"][1:] == ["2 is better than every other"]


def test_a_tie_of_the_best_is_said(project):
    for root in asked(project, 10):
        add_runs(project, root, [score - (root not in (5, 9)) / 10 + root / 1e6 for score in TEN])
    found = answer(project, 10)
    assert found["answer"].startswith("5, 0.4750, ")
    assert "a tie: 5 is not shown to be better than 1" in found["notes"]


def test_one_run_each_gives_no_verdict(project):
    for root in asked(project, 10):
        add_runs(project, root, [0.4 + root / 100])
    assert "no verdict on 0, 1, 2, 3, 4, 5, 6: it needs 3 fresh" in answer(project, 10)["notes"][1]


def test_a_questions_confirm_is_of_all_it_names_without_a_control(project):
    chosen = choose(project, None, EPOCHS, True, 10)
    assert roots(chosen) == list(range(4, 12))
    assert chosen[1] is None


def test_the_best_of_a_question_go_on_and_the_choice_is_its_own(project):
    add_runs(project, 1, [0.9, 0.9, 0.9])
    for root in asked(project, 10):
        add_runs(project, root, [0.4 + root / 100 + run / 1000 for run in range(3)])
    chosen, choice = choose(project, 3, EPOCHS, True, 10)
    assert chosen == [11, 10, 9]
    assert {root for root, _ in choice.used} == set(asked(project, 10))
    project.record(choice)
    assert roots(choose(project, 3, EPOCHS, True, 10)) == [9, 10, 11]
    for root in (9, 10, 11):
        add_runs(project, root, [0.46 + run / 1000 for run in range(7)], first=3)
    assert sorted(roots(choose(project, 3, EPOCHS, True, 10))) == [9, 10, 11]
    found = answer(project, 10)
    assert found["complete"]
    assert found["answer"].startswith("7, ")
    assert "0.4630 is the mean of the 7 runs that did not choose it" in found["notes"]
    assert "a tie: 7 is not shown to be better than 5, 6" in found["notes"]
    left = "configuration 4 was left out with 0.4810, the better mean, of 3 runs"
    assert left in found["notes"]
    entries = {entry.trial: entry for entry in summarize_confirmed(project)}
    assert [trial for trial, entry in entries.items() if entry.left_out] == [8, 7, 6, 5, 4]
    # Another question's runs, and plain confirm's, are as fresh as they were.
    assert not any(root == 1 for root, _ in used_runs(project, EPOCHS))
    assert roots(choose(project, None, EPOCHS, True, 7)) == [0, 1]
    Project(project.folder)


def test_a_choice_among_all_that_is_confirmed_binds_no_question(project):
    for root in range(12):
        add_runs(project, root, [0.6 - root / 100] * 2)
    _, choice = choose(project, 2, EPOCHS, False)
    project.record(choice)
    assert choice.chosen == [0, 1]
    assert roots(choose(project, 2, EPOCHS, True, 10)) == [4, 5]
    add_runs(project, 4, [0.55, 0.56], first=2)
    entries = {entry.trial: entry for entry in summarize_confirmed(project)}
    assert not entries[4].left_out
    assert entries[4].fresh_scores == [0.55, 0.56]
    assert entries[5].left_out


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((None, 8), "no question 8 in the space 'mlp' (it has 6, 7, 9, 10)"),
        ((9, 10), "--top 9: question 10 names 8 configurations"),
        ((3, 10), "8 of its 8 configurations have none (0, 1, 2, 3, 4, 5, 6, 7): confirm --ques"),
    ],
)
def test_what_cannot_be_asked_is_one_line(project, given, told):
    top, question = given
    with pytest.raises(InputError) as refused:
        choose(project, top, EPOCHS, True, question)
    assert told in str(refused.value)


def test_a_space_without_questions_says_so(tmp_path, make_project):
    project = make_project(tmp_path / "cnn", [{"score": 0.5}])
    with pytest.raises(InputError, match="the space 'cnn' has no questions"):
        choose(project, None, EPOCHS, True, 7)
    assert read_answers(project) == []


@pytest.mark.parametrize("tuner", ["random", "hyperband"])
def test_what_was_not_proposed_says_which_command_does(tuner, tmp_path, make_project):
    project = propose(tmp_path / "mlp", make_project, 4, tuner)
    with pytest.raises(InputError) as refused:
        choose(project, None, EPOCHS, True, 10)
    place = project.folder if tuner == "random" else "mlp-questions"
    assert "its configuration 0 (layers=2 activation=relu units_1=64 units_2=64)" in str(
        refused.value
    )
    command = f"search --space mlp --tuner random --max-trials 12 --project {place}"
    assert command in str(refused.value)
    assert roots(choose(project, None, EPOCHS, True, 9)) == [2, 1, 3]


def test_command_line_and_page_give_the_answers(project, capsys):
    print_status(project)
    assert "no run yet: python -m svhn_tune confirm --question 10" in capsys.readouterr().out
    for root in (0, 1):
        add_runs(project, root, TEN)
    for show in (print_status, print_confirmed):
        show(project)
        printed = capsys.readouterr().out
        assert "question 7: the activation: tanh_mean_acc, relu_mean_acc" in printed
        assert "\n  0.4750, 0.4750\n  from 10 runs each of 100 epochs\n" in printed
    file = project.folder / "models" / "trial-0000-run-01-epochs-100.keras"
    assert f"to hand in for question 6: {file}\n" in printed
    assert "submission.keras" not in printed
    page = write_report(project).read_text()
    assert "the file of question 6" in page
    assert '<table id="answers"' in page
    assert ">0.4750, 0.4750</td>" in page


def test_the_page_repeats_the_questions_that_were_asked(project):
    runs = [{"trial": root, "root": root, "run": 0, "epochs": EPOCHS} for root in (0, 1)]
    begin = {"event": "begin", "stage": "confirm", "began": 1.0, "workers": 1, "trials": 2}
    begin |= {"epochs": 200, "stops": None, "runs": runs, "question": 7}
    project.record(from_json(begin))
    for root in (0, 1):
        add_runs(project, root, TEN[:1])
    page = write_report(project).read_text()
    assert "confirm --question 7 --runs 1 --epochs 100 --project mlp-again" in page
    assert "confirm --top" not in page
