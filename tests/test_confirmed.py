"""confirmed, choice and their table: what hand-made confirm runs say, without training."""

import json

import numpy as np
import pytest

import svhn_tune
from svhn_tune.commands.tables import print_confirmed, print_status
from svhn_tune.errors import InputError
from svhn_tune.project.project import Project
from svhn_tune.stages.choice import choose
from svhn_tune.statistics.comparison import compare
from svhn_tune.summary.confirmed import compare_class_weights, summarize_confirmed

EPOCHS = 100
SEARCHED = [0.60, 0.64, 0.63, 0.62, 0.61]
GOOD = [0.850, 0.852, 0.848, 0.851, 0.849, 0.853]
EQUAL = [0.851, 0.849, 0.850, 0.852, 0.848, 0.850]
POOR = [0.800, 0.803, 0.798, 0.801, 0.799, 0.802]


@pytest.fixture
def project(tmp_path, make_project):
    """Five searched trials; the baseline, trial 0, ended last."""
    return make_project(tmp_path / "cnn", [{"score": score} for score in SEARCHED])


def add_runs(project, trial, scores, first=0, **changes):
    """Record confirm runs of a trial."""
    search = next(record for record in project.ended("search") if record.trial == trial)
    for number, score in enumerate(scores, start=first):
        run = {"stage": "confirm", "run": number, "score": score}
        run |= {"epochs": EPOCHS, "planned_epochs": EPOCHS} | changes
        project.record(search.model_copy(update=run))


def find(project, trial):
    return next(entry for entry in summarize_confirmed(project) if entry.trial == trial)


def roots(project, top, baseline=True):
    return choose(project, top, EPOCHS, baseline)[0]


def test_the_documents_keys_are_kept_and_it_is_json(project):
    add_runs(project, 0, POOR)
    add_runs(project, 1, GOOD)
    status = svhn_tune.status(project)
    entry = status["confirm"][0]
    assert {"trial", "runs", "mean", "sd", "ci95", "min", "max"} <= set(entry)
    assert json.loads(json.dumps(status, allow_nan=False))["confirm"][0]["ci95"] == [*entry["ci95"]]


def test_three_numbers_are_kept_apart(project):
    add_runs(project, 1, GOOD)
    add_runs(project, 2, EQUAL)
    entry = find(project, 1)
    assert (entry.search_score, entry.search_epochs) == (0.64, 4)
    assert entry.summary.mean == pytest.approx(np.mean(GOOD))
    assert entry.drop == pytest.approx(0.64 - np.mean(GOOD))
    file = svhn_tune.status(project)["handed_in"]
    assert (file["trial"], file["run"], file["score"], file["best_of"]) == (1, 5, 0.853, 12)
    assert file["mean"] == entry.summary.mean


def test_every_configuration_is_compared_with_every_other_and_the_baseline(project):
    given = {1: GOOD, 2: EQUAL, 0: POOR}
    for trial, scores in given.items():
        add_runs(project, trial, scores)
    rows = compare([given[entry.trial] for entry in summarize_confirmed(project)])
    first, second, last = summarize_confirmed(project)
    assert [entry.baseline for entry in (first, second, last)] == [False, False, True]
    assert first.comparisons == {second.trial: rows[0][1], 0: rows[0][2]}
    assert first.as_dict()["comparisons"] == [
        {"trial": second.trial} | rows[0][1].as_dict(),
        {"trial": 0} | rows[0][2].as_dict(),
    ]
    assert first.against_baseline == rows[0][2]
    assert first.against_baseline.verdict == "better"
    assert last.against_baseline is None
    assert {each.verdict for each in last.comparisons.values()} == {"worse"}


def test_of_a_tie_the_smaller_file_is_recommended(project):
    add_runs(project, 1, GOOD, file_bytes=2_000_000)
    add_runs(project, 2, EQUAL, file_bytes=1_000_000)
    add_runs(project, 0, POOR, file_bytes=500_000)
    assert [e.trial for e in summarize_confirmed(project) if e.recommended] == [2]
    assert {e.trial for e in summarize_confirmed(project) if e.tied_with_best} == {1, 2}


def test_one_run_each_is_compared_without_a_verdict(project):
    for trial in (0, 1):
        add_runs(project, trial, [0.5 + trial / 10])
    for entry in summarize_confirmed(project):
        assert [each.verdict for each in entry.comparisons.values()] == ["tie"]
        assert not entry.recommended
    json.dumps(svhn_tune.status(project), allow_nan=False)


def test_other_epochs_are_not_compared(project):
    add_runs(project, 1, GOOD)
    add_runs(project, 2, EQUAL, planned_epochs=4)
    assert [entry.comparisons for entry in summarize_confirmed(project)] == [{}, {}]


def test_collapsed_runs_are_counted_and_not_dropped(project):
    add_runs(project, 1, GOOD)
    add_runs(project, 1, [0.19], first=6, collapsed=True)
    entry = find(project, 1)
    assert (entry.summary.n, entry.collapsed, entry.summary.min) == (7, 1, 0.19)


def test_of_a_loss_the_lower_is_better(project, change_space):
    text = project.space.text.replace('"val_categorical_accuracy"', '"val_loss"')
    change_space(project.folder, text)
    loss = Project(project.folder)
    add_runs(loss, 1, GOOD)
    add_runs(loss, 0, POOR)
    first, second = summarize_confirmed(loss)
    assert (first.trial, second.against_baseline.verdict) == (0, "worse")
    assert first.drop == pytest.approx(np.mean(POOR) - 0.60)
    assert first.expected_best == min(POOR)


def test_the_expected_best_is_of_as_many_runs_as_the_others_have(project):
    add_runs(project, 1, GOOD)
    add_runs(project, 2, EQUAL[:1])
    best = find(project, 1).as_dict()["expected_best"]
    assert best == {"of": 1, "score": pytest.approx(np.mean(GOOD))}


@pytest.mark.parametrize(
    ("validate_on", "uses"), [("test", ["search", "file"]), ("holdout", ["file"])]
)
def test_what_was_chosen_by_the_test_set_is_told(tmp_path, make_project, validate_on, uses):
    project = make_project(tmp_path / "cnn", [{}], validate_on=validate_on)
    assert svhn_tune.status(project)["test_set_used_to_choose"] == uses[:-1]
    add_runs(project, 0, GOOD)
    assert svhn_tune.status(project)["test_set_used_to_choose"] == uses


def test_the_top_of_the_search_is_chosen_and_the_baseline_beside_it(project):
    assert roots(project, 2) == [1, 2, 0]
    assert roots(project, 2, baseline=False) == [1, 2]
    assert roots(project, 5) == [1, 2, 3, 4, 0]


def test_a_baseline_that_never_completed_runs_from_its_values(tmp_path, make_project):
    project = make_project(tmp_path / "cnn", [{"status": "failed"}, {}])
    chosen, choice = choose(project, 1, EPOCHS, True)
    assert chosen == [1, 0]
    assert choice is None


def test_more_than_are_completed_are_refused(project):
    with pytest.raises(InputError, match=r"--top 6 needs 6 completed trials .* has 5"):
        choose(project, 6, EPOCHS, True)


@pytest.fixture
def two_stages(project):
    """Four trials and the baseline confirmed three times; then the best two by their means."""
    for trial, scores in enumerate([POOR, POOR, GOOD, POOR, EQUAL]):
        add_runs(project, trial, scores[:3])
    _, choice = choose(project, 2, EPOCHS, True)
    project.record(choice)
    return project


def test_the_second_stage_is_chosen_by_the_confirmed_means(two_stages):
    choice = two_stages.records[-1]
    assert sorted(choice.chosen) == [2, 4]
    assert sorted(choice.used) == [[trial, run] for trial in (1, 2, 3, 4) for run in range(3)]
    assert Project(two_stages.folder).records[-1] == choice


def test_a_choice_stands_while_its_runs_are_added(two_stages):
    add_runs(two_stages, 2, [0.1, 0.1], first=3)
    chosen, choice = choose(two_stages, 2, EPOCHS, True)
    assert sorted(chosen) == [0, 2, 4]
    assert choice is None


def test_a_third_stage_is_chosen_among_the_second(two_stages):
    add_runs(two_stages, 2, [0.1, 0.1], first=3)
    assert roots(two_stages, 1) == [4, 0]


def test_more_than_were_chosen_are_chosen_among_all_again(two_stages):
    assert sorted(roots(two_stages, 3)) == [0, 1, 2, 4]


def test_more_than_are_confirmed_are_chosen_by_the_search(two_stages):
    assert roots(two_stages, 5) == [1, 2, 3, 4, 0]


def test_runs_of_other_epochs_choose_nothing(two_stages):
    assert choose(two_stages, 2, 7, True)[0] == [1, 2, 0]


def test_runs_that_chose_are_marked_and_the_others_have_their_own_mean(two_stages):
    add_runs(two_stages, 2, GOOD[3:], first=3)
    entry = find(two_stages, 2)
    assert entry.used == [0, 1, 2]
    assert entry.summary.n == 6
    assert entry.summary.mean == pytest.approx(np.mean(GOOD))
    assert entry.mean_fresh == pytest.approx(np.mean(GOOD[3:]))
    assert find(two_stages, 0).used == []
    assert "configurations" in svhn_tune.status(two_stages)["test_set_used_to_choose"]


def test_after_a_choice_only_fresh_runs_are_compared(two_stages):
    add_runs(two_stages, 2, GOOD[3:], first=3)
    add_runs(two_stages, 4, EQUAL[3:], first=3)
    fresh = {2: GOOD[3:], 4: EQUAL[3:], 0: POOR[:3]}
    expected = compare([fresh[2], fresh[0]])[0][1]
    against = find(two_stages, 2).against_baseline
    assert against.difference == expected.difference
    entries = summarize_confirmed(two_stages)
    out = [entry for entry in entries if entry.left_out]
    assert entries[-2:] == out
    assert all(e.comparisons == {} and not e.tied_with_best for e in out)


def confusion(right):
    return [[right if i == j else 10 - i for j in range(10)] for i in range(10)]


def test_class_weights_are_compared_by_their_mean_confusion(tmp_path, make_project):
    gammas = [0.0, 0.5, 1.0]
    base = make_project(tmp_path / "base").space
    trials = [{"values": base.complete({"class_weight": gamma})} for gamma in gammas]
    project = make_project(tmp_path / "cnn", trials)
    add_runs(project, 0, POOR[:1], confusion=confusion(90))
    assert compare_class_weights(project) == []
    add_runs(project, 1, GOOD[:1], confusion=confusion(80))
    add_runs(project, 1, GOOD[1:2], first=1, confusion=confusion(60))
    add_runs(project, 2, POOR[:1], confusion=confusion(50))
    without, weighted = compare_class_weights(project)
    assert (without["trial"], weighted["trial"], weighted["runs"]) == (0, 1, 2)
    assert weighted["confusion"] == confusion(70)
    assert weighted["accuracy"][0] == pytest.approx(70 / (70 + 9 * 10))


def test_the_table_tells_the_verdict_the_recommendation_and_the_file(two_stages, capsys):
    add_runs(two_stages, 2, GOOD[3:], first=3, confusion=confusion(900))
    add_runs(two_stages, 4, EQUAL[3:], first=3, confusion=confusion(800))
    print_confirmed(two_stages)
    text = capsys.readouterr().out
    assert "…" not in text
    assert max(map(len, text.splitlines()[1:9])) <= 120
    for part in (
        "the baseline",
        "not chosen",
        "better",
        "A grade is that of one file: hand in trial 002's run 5, the best of 21 files, 0.8530 on",
        "by that trial 002 (0.8510) and trial 004 (0.8500) tie over 3 runs each",
        "was chosen by its runs 0, 1, 2: the mean of the other 3 is 0.8510",
    ):
        assert part in text
    (answer,) = [line for line in text.splitlines() if line.startswith("A grade is")]
    print_status(two_stages)
    assert f"\n{answer}\n" in capsys.readouterr().out
