"""A real confirm over a real small search: fresh seeds, and added runs.

What it leaves to hand in is looked at in test_pictures.py, where TensorFlow has trained it.
"""

import shutil
import sys

import numpy as np
import pytest

from svhn_tune import confirm, load_data, open_project, search
from svhn_tune.models.work import measure_work
from svhn_tune.project.records import decode_predicted
from svhn_tune.summary.confirmed import summarize_confirmed

SETTINGS = {"tuner": "random", "max_trials": 3, "max_epochs": 2, "train_images": 64}


@pytest.fixture(scope="module")
def searched(small_space, archives, tmp_path_factory):
    folder = tmp_path_factory.mktemp("confirm") / "cnn"
    return search(small_space, archives, project=folder, workers=2, **SETTINGS).folder


@pytest.fixture(scope="module")
def confirmed(searched, archives, tmp_path_factory):
    folder = tmp_path_factory.mktemp("confirmed") / "cnn"
    shutil.copytree(searched, folder)
    return confirm(folder, archives, top=2, runs=2, epochs=2, baseline=False, workers=2)


def test_each_of_the_top_trials_has_its_runs(confirmed):
    best = [record.trial for record in confirmed.ranking()[:2]]
    summaries = summarize_confirmed(confirmed)
    assert {entry.trial for entry in summaries} == set(best)
    for entry in summaries:
        assert entry.summary.n == 2
        assert entry.summary.mean == pytest.approx(np.mean(entry.scores))
        assert entry.summary.sd == pytest.approx(np.std(entry.scores, ddof=1))


def test_no_seed_is_used_twice_nor_one_of_the_searchs(confirmed):
    searched = {record.seed for record in confirmed.ended("search")}
    fresh = [record.seed for record in confirmed.ended("confirm")]
    assert len(set(fresh)) == len(fresh) == 4
    assert not searched & set(fresh)


def test_it_trains_on_all_images_and_looks_at_the_test_set_once(confirmed, archives):
    labels = load_data(archives).test.labels
    for record in confirmed.ended("confirm"):
        assert record.train_images is None
        assert not any(name.startswith("val_") for name in record.metrics)
        predicted = decode_predicted(record)
        assert record.score == pytest.approx((predicted == labels).mean())
        confusion = np.array(record.confusion)
        assert confusion.sum(axis=1).tolist() == np.bincount(labels).tolist()
        assert np.trace(confusion) == (predicted == labels).sum()


def test_each_has_a_run_before_any_has_two_and_the_dearest_begins(searched, archives, tmp_path):
    folder = tmp_path / "cnn"
    shutil.copytree(searched, folder)
    project = confirm(folder, archives, top=2, runs=2, epochs=1)
    trained = [
        (record.run, -measure_work(project.space, record.values).rough_cost)
        for record in project.ended("confirm")
    ]
    assert len({cost for _, cost in trained}) > 1
    assert trained == sorted(trained)


def test_one_model_a_configuration_is_kept(confirmed):
    assert len(list((confirmed.folder / "models").glob("*.keras"))) == 2
    assert list((confirmed.folder / "checkpoints").iterdir()) == []


def test_again_adds_the_runs_that_are_missing(confirmed, archives, tmp_path):
    folder = tmp_path / "cnn"
    shutil.copytree(confirmed.folder, folder)
    before = (folder / "journal.jsonl").read_bytes()
    again = confirm(folder, archives, top=2, runs=2, epochs=2, baseline=False)
    assert len(again.ended("confirm")) == 4
    assert (folder / "journal.jsonl").read_bytes() == before
    more = confirm(folder, archives, top=1, runs=3, epochs=2, baseline=False)
    assert sorted(entry.summary.n for entry in summarize_confirmed(more)) == [2, 3]
    assert (folder / "journal.jsonl").read_bytes().startswith(before)


def test_runs_of_other_lengths_are_not_mixed(confirmed, archives, tmp_path):
    folder = tmp_path / "cnn"
    shutil.copytree(confirmed.folder, folder)
    longer = confirm(folder, archives, top=1, runs=1, epochs=3, baseline=False)
    assert [entry.epochs for entry in summarize_confirmed(longer)] == [3, 2, 2]
    assert longer.best_confirmed().epochs == 3


def test_the_baseline_is_planned_in_turn_with_the_top_and_never_twice(
    searched, archives, tmp_path, monkeypatch
):
    folder = tmp_path / "cnn"
    shutil.copytree(searched, folder)
    planned = []
    monkeypatch.setattr(
        sys.modules["svhn_tune.stages.confirm"], "_train", lambda *given: planned.append(given[2])
    )
    for top, baseline in [(1, True), (3, True), (3, False)]:
        confirm(folder, archives, top=top, runs=2, epochs=2, baseline=baseline)
    best = open_project(folder).ranking()[0].root
    assert [(run.root, run.run) for run in planned[0]] == [
        (root, run) for run in range(2) for root in dict.fromkeys([best, 0])
    ]
    assert planned[1] == planned[2]
    assert len(planned[1]) == 3 * 2


def test_the_best_of_the_confirmed_go_on_and_the_choice_is_recorded(
    small_space, confirmed, archives, tmp_path
):
    folder = tmp_path / "cnn"
    shutil.copytree(confirmed.folder, folder)
    best = summarize_confirmed(confirmed)[0].trial
    arguments = {"top": 1, "runs": 3, "epochs": 2, "baseline": False}
    more = summarize_confirmed(confirm(folder, archives, **arguments))
    assert [(e.trial, e.summary.n) for e in more if not e.left_out] == [(best, 3)]
    before = (folder / "journal.jsonl").read_bytes()
    assert summarize_confirmed(confirm(folder, archives, **arguments)) == more
    assert summarize_confirmed(search(small_space, archives, project=folder, **SETTINGS)) == more
    assert (folder / "journal.jsonl").read_bytes() == before
