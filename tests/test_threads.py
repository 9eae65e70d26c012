"""Runs of several threads: how many, that records say so, and that they end alike again."""

import json

import pytest

from svhn_tune import confirm, search
from svhn_tune.journal.record_types import BeginRecord, TrialRecord
from svhn_tune.models.spaces import load_space
from svhn_tune.project.results import open_project
from svhn_tune.stages import threads as threads_module
from svhn_tune.stages.threads import (
    CostClock,
    Load,
    choose_threads,
    end_runs,
    expect_later,
    measure_load,
)

FEW = {"tuner": "random", "max_epochs": 3, "max_trials": 2, "train_images": 60}


def make_loads(*seconds, serial=0.2):
    return [Load(each, serial) for each in seconds]


@pytest.mark.parametrize(
    ("seconds", "places", "expected"),
    [
        ([], 4, []),
        ([100], 1, [1]),
        ([100], 4, [4]),
        ([100, 100], 4, [2, 2]),
        ([100] * 4, 4, [1] * 4),
        ([100] * 9, 8, [1] * 8 + [5]),
        # Ten trials, one of which is longer than a fourth of all.
        ([106, 40, 35, 30, 30, 25, 20, 18, 12, 8], 4, [2] + [1] * 9),
        # A new process takes longer than the run.
        ([3], 4, [1]),
    ],
)
def test_a_run_has_several_threads_where_cores_would_be_idle(seconds, places, expected):
    assert choose_threads(make_loads(*seconds), places) == expected


@pytest.mark.parametrize(("serial", "threads"), [(1.0, 1), (0.75, 2), (0.35, 4), (0.2, 5)])
def test_a_run_has_no_thread_more_that_would_gain_little(serial, threads):
    assert choose_threads(make_loads(1000, serial=serial), 64) == [threads]


def test_the_last_run_ends_sooner_than_with_one_thread_each():
    loads = make_loads(50, 40, 30, 20, 90)
    chosen = choose_threads(loads, 3)
    assert max(end_runs(loads, chosen, 3)) < max(end_runs(loads, [1] * 5, 3))


def test_a_run_of_several_threads_waits_until_so_many_are_free():
    loads = make_loads(30, 30, 30)
    first, second, third = end_runs(loads, [1, 2, 1], 2)
    assert first == 30
    assert second == pytest.approx(30 + threads_module.START + 30 / loads[0].speed_up(2))
    # No run overtakes another.
    assert third > second


@pytest.mark.parametrize(
    ("busy", "later", "expected"),
    [
        ([], [], 4),
        # They end long before it, and nothing comes after them.
        ([50, 50, 50], [], 4),
        # It ends before what comes after them.
        ([50, 50, 50], [100] * 40, 1),
        ([50, 50, 50], [100] * 20, 2),
        # Others end after it.
        ([2000], [], 1),
    ],
)
def test_a_run_has_the_threads_that_would_be_idle_before_it_ends(busy, later, expected):
    assert choose_threads(make_loads(1000), 4, busy, make_loads(*later)) == [expected]


def test_more_threads_in_training_than_there_are_now_are_no_reason_to_stop():
    assert choose_threads(make_loads(1000), 2, [10] * 16) == [2]


def test_the_clock_of_costs_goes_by_what_has_ended():
    clock = CostClock()
    first, second = make_loads(100, 60)
    clock.begin(0, first, 2)
    clock.begin(1, second, 1)
    assert clock.list_busy() == pytest.approx([60, 60, 60])
    clock.end(1)
    clock.begin(2, second, 1)
    # The first should have ended at the same time, and will at any moment.
    assert clock.list_busy() == pytest.approx([0, 0, 60])
    clock.end(2)
    assert clock.list_busy() == [0, 0]
    clock.end(0)
    clock.begin(3, first, 1)
    assert clock.list_busy() == [100]


def test_what_is_left_of_a_search_is_like_what_was_there():
    later = expect_later(make_loads(10, 20, 30), 5)
    assert [load.seconds for load in later] == [20] * 5
    assert {load.speed_up(4) for load in later} == {1}
    assert expect_later(make_loads(10), 0) == expect_later([], 3) == []
    assert len(expect_later(make_loads(10), 10**9)) == threads_module.ENOUGH


def test_threads_share_more_of_a_dear_model_than_of_a_cheap_one():
    space = load_space("cnn")
    cheap = measure_load(space, space.baseline, 1000)
    dear = measure_load(space, space.baseline | {"kernel_size_1": 7, "units": 1024}, 1000)
    assert cheap.serial > dear.serial
    assert cheap.seconds < dear.seconds


@pytest.fixture
def long_runs(monkeypatch):
    """What takes milliseconds here is worth several threads."""
    monkeypatch.setattr(threads_module, "START", 0.0)
    monkeypatch.setattr(threads_module, "SHARED", 0.0)


def read_threads(project):
    """Of the trials, and of their runs."""
    trials = [each.threads for each in project.records if isinstance(each, TrialRecord)]
    return trials, {run.trial: run.threads for run in project.ended("search")}


@pytest.fixture
def few(long_runs, small_space, archives, tmp_path):
    """A function that searches two trials with so many workers."""

    def run(name="few", workers=4, space=small_space, **settings):
        settings = FEW | settings
        return search(space, archives, project=tmp_path / name, workers=workers, **settings)

    return run


def test_a_search_of_fewer_trials_than_workers_gives_its_runs_several_threads(few):
    project = few()
    trials, runs = read_threads(project)
    assert 2 in trials
    assert runs == dict(enumerate(trials))
    again = few("again")
    assert read_threads(again) == (trials, runs)
    hashes = [[run.weights_sha256 for run in each.ended("search")] for each in (project, again)]
    assert sorted(hashes[0]) == sorted(hashes[1])
    one = few("one", workers=1)
    assert read_threads(one) == ([1, 1], {0: 1, 1: 1})
    # Threads that were not there would leave no trace.
    assert sorted(run.weights_sha256 for run in one.ended("search")) != sorted(hashes[0])


def test_a_search_looks_at_what_trains_and_at_what_is_left(few, monkeypatch):
    asked = []

    def spy(runs, places, busy=(), later=()):
        asked.append((len(runs), places, len(busy), len(later)))
        return choose_threads(runs, places, busy, later)

    monkeypatch.setattr(threads_module, "choose_threads", spy)
    few("spied", workers=2, tuner="bayesian", max_trials=6)
    begins = [each for each in asked if each[0]]
    left = 6
    for runs, places, busy, later in begins:
        left -= runs
        assert runs + busy <= places == 2
        assert later == left
    assert left == 0
    assert max(busy for _, _, busy, _ in begins) == 1


def test_a_search_that_goes_on_knows_what_it_began(few, monkeypatch):
    seen = []
    monkeypatch.setattr(CostClock, "begin", lambda _, run, load, threads: seen.append(run))
    monkeypatch.setattr(CostClock, "end", lambda _, run: seen.append(f"{run} ended"))
    few("stopped", tuner="bayesian", max_trials=2, workers=1, time_limit=0.0)
    begun = [*seen]
    seen.clear()
    few("stopped", tuner="bayesian", max_trials=2, workers=1)
    assert seen[: len(begun)] == begun
    assert seen == [0, "0 ended", 1, "1 ended"]


def test_a_run_keeps_its_threads_when_others_are_there_to_go_on(few, monkeypatch):
    calm = few("calm")
    few("stopped", time_limit=0.0)
    monkeypatch.setattr(threads_module, "START", 1e9)
    project = few("stopped", workers=1)
    assert read_threads(project) == read_threads(calm)
    found = [{run.trial: run.weights_sha256 for run in p.ended("search")} for p in (calm, project)]
    assert found[0] == found[1]


def test_the_last_promotion_has_what_is_free(few, small_space, tmp_path):
    # Where points go on, too, the last run is a second one.
    text, *_ = small_space.read_text().split("[[points_to_evaluate]]")
    space = tmp_path / "small.toml"
    space.write_text(text)
    settings = {"tuner": "halving", "max_epochs": 27, "max_trials": 3, "space": space}
    project = few(workers=1, **settings)
    lines = project.journal_path.read_text().splitlines(keepends=True)
    events = [json.loads(line)["event"] for line in lines]
    # As if it had been killed before the last trial, a promotion, was proposed.
    last = len(events) - 1 - events[::-1].index("trial")
    assert json.loads(lines[last])["parent"] is not None
    project.journal_path.write_text("".join(lines[:last]))
    trials, _ = read_threads(few(workers=4, **settings))
    assert trials == [1] * (len(trials) - 1) + [4]


def test_a_record_with_other_threads_than_its_trial_is_refused(few):
    project = few()
    lines = project.journal_path.read_text().splitlines()
    changed = [json.loads(line) for line in lines]
    run = next(each for each in changed if each["event"] == "run" and "threads" in each)
    assert run.pop("threads") == 2
    project.journal_path.write_text("\n".join(map(json.dumps, changed)) + "\n")
    with pytest.raises(Exception, match=r"threads=1, where trial \d has 2"):
        open_project(project.folder).ended("search")


def test_confirm_plans_threads_and_a_begun_run_keeps_them(few, archives, monkeypatch):
    project = few()
    options = {"top": 1, "runs": 1, "epochs": 40, "baseline": False}
    monkeypatch.setenv("SOFTMAX_SECONDS", "0.005")
    confirm(project.folder, archives, workers=3, time_limit=0.0, **options)
    stopped = open_project(project.folder)
    (begin,) = [e for e in stopped.records if isinstance(e, BeginRecord) and e.stage == "confirm"]
    assert (begin.workers, [run.threads for run in begin.runs]) == (3, [3])
    assert stopped.ended("confirm") == []
    ended = confirm(project.folder, archives, workers=1, **options)
    (run,) = ended.ended("confirm")
    assert run.threads == 3
