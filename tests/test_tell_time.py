"""Networks that tell the time, from a space file to the page: scored in minutes around the dial."""

import base64
import json
from statistics import fmean

import keras_tuner as kt
import numpy as np
import pytest
import softmax_engine
from dials import TARGETS, TEXT, make_clocks, make_space
from stops import AfterQuestions
from test_engine import OWNER, train, without_seconds

from svhn_tune import confirm, search, status
from svhn_tune.commands.tables import print_confirmed, print_status
from svhn_tune.engines import checkpoints, engine_tensorflow
from svhn_tune.errors import InputError
from svhn_tune.exports import export
from svhn_tune.figures import FIGURES, Figures
from svhn_tune.models.describe import describe_values
from svhn_tune.models.hypermodel import HyperModel
from svhn_tune.project.records import decode_predicted
from svhn_tune.project.results import find_origin, open_project
from svhn_tune.report import write_report
from svhn_tune.space.dial import measure_minutes
from svhn_tune.submission.check import check_submission

SETTINGS = {"tuner": "random", "max_trials": 2}
# All targets are tried by test_targets.py; a whole project of one, in make test-all of all.
SHORT = ("heads",)
PROJECTS = [
    *SHORT,
    *(pytest.param(each, marks=pytest.mark.soak) for each in TARGETS if each not in SHORT),
]
# Of classes there is no picture, nor of the weights of a convolution's network.
NOT_DRAWN = {"confusion", "hardest_digits", "rounds"}


@pytest.fixture(scope="module")
def clocks():
    return make_clocks()


@pytest.fixture(scope="module", params=PROJECTS)
def confirmed(request, clocks, tmp_path_factory):
    """A search of two trials and three runs of the best and of the baseline, by softmax."""
    folder = tmp_path_factory.mktemp("clock") / "clock"
    project = search(make_space(request.param), clocks, project=folder, **SETTINGS)
    return confirm(project, clocks, top=1, runs=3)


def test_the_score_of_a_run_is_the_error_of_what_it_predicted(confirmed, clocks):
    runs = confirmed.ended("confirm")
    assert len(runs) in (3, 6)
    for run in runs:
        predicted = decode_predicted(run)
        assert run.score == pytest.approx(measure_minutes(clocks.test.labels, predicted))
        assert run.score == run.test["minutes"]
        assert run.predicted_as == "float32"
        assert run.confusion is None
    for run in confirmed.ended("search"):
        assert run.score == run.metrics["val_minutes"][-1]
        assert "minutes" not in run.metrics


def test_fewer_minutes_are_better_everywhere(confirmed):
    ranking = [run.score for run in confirmed.ranking()]
    assert ranking == sorted(ranking)
    told = status(confirmed)
    runs = confirmed.ended("confirm")
    assert told["handed_in"]["score"] == min(run.score for run in runs)
    assert told["handed_in"]["expected"] is None
    means = [each["mean"] for each in told["confirm"]]
    assert means == sorted(means)
    for each in told["confirm"]:
        low, high = each["ci95"]
        assert 0 < low <= each["mean"] <= high < 360


def test_tables_say_minutes_and_no_accuracy(confirmed, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    print_status(confirmed)
    print_confirmed(confirmed)
    told = capsys.readouterr().out
    best = min(run.score for run in confirmed.ended("confirm"))
    assert "confirmed: minutes on the test set, 2 epochs" in told
    assert f"{best:.2f} minutes on the test set" in told
    assert "accuracy" not in told
    assert "class" not in told


def test_the_page_the_figures_and_the_spreadsheets_show_what_there_is(confirmed):
    page = write_report(confirmed).read_text()
    figures = Figures(confirmed)
    drawn = {entry.name: getattr(figures, entry.name)() is not None for entry in FIGURES}
    for name, is_drawn in drawn.items():
        assert (f'<figure id="{name}"' in page) == is_drawn
    assert not any(drawn.get(name) for name in NOT_DRAWN)
    assert drawn["learning_curves"]
    assert drawn["times"]
    assert drawn["worst_clocks"]
    assert drawn["confirmed"]
    assert drawn["score_against_hours"]
    assert "error in minutes" in page
    head, first, *_ = (confirmed.folder / "runs.csv").read_text().splitlines()
    row = dict(zip(head.split(","), first.split(","), strict=True))
    assert float(row["val_minutes"]) == float(row["score"])
    assert "test_minutes" in row
    architectures = (confirmed.folder / "architectures.csv").read_text().splitlines()
    assert "test_minutes" in architectures[0]
    assert "accuracy" not in architectures[0]


def test_a_journal_of_minutes_is_read_again_and_a_wrong_one_refused(confirmed, tmp_path):
    again = open_project(confirmed.folder)
    assert again.records == confirmed.records
    whole = confirmed.journal_path.read_text()
    place, line = next(
        (n, json.loads(line))
        for n, line in enumerate(whole.splitlines())
        if '"stage": "confirm"' in line and '"predicted"' in line
    )
    for damage, told in (
        ({"score": 360.5}, "score=360.5 is not from 0 to 360"),
        ({"predicted_as": "uint8"}, "predicted_as=uint8, where the space has float32"),
        ({"predicted": line["predicted"][:-4]}, "predicted has "),
        ({"predicted": said([720.0] * 60)}, "predicted has a time that is on no dial"),
        ({"predicted": said([float("nan")] * 60)}, "predicted has a time that is on no dial"),
    ):
        lines = whole.splitlines()
        lines[place] = json.dumps(line | damage)
        try:
            confirmed.journal_path.write_text("\n".join(lines) + "\n")
            with pytest.raises(InputError, match=told):
                open_project(confirmed.folder)
        finally:
            confirmed.journal_path.write_text(whole)


def said(minutes):
    return base64.b64encode(np.array(minutes, np.float32).tobytes()).decode()


def test_a_project_of_minutes_is_exported_to_be_minimised(confirmed, tmp_path):
    optuna = pytest.importorskip("optuna")
    export(confirmed, "optuna", tmp_path / "study.db")
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{tmp_path / 'study.db'}")
    assert study.direction.name == "MINIMIZE"
    assert study.best_value == pytest.approx(confirmed.ranking()[0].score)
    export(confirmed, "tensorboard", tmp_path / "logs")
    (first, *_) = (tmp_path / "logs" / "search").glob("*/events*")
    assert b"val_minutes" in first.read_bytes()


@pytest.mark.parametrize(
    "tuner",
    [
        "halving",
        *(pytest.param(e, marks=pytest.mark.soak) for e in ("hyperband", "bayesian", "tpe")),
    ],
)
def test_every_tuner_searches_for_the_fewest_minutes(tuner, clocks, tmp_path):
    settings = {"tuner": tuner} | ({} if tuner == "hyperband" else {"max_trials": 4})
    project = search(make_space("angle"), clocks, project=tmp_path / tuner, **settings)
    whole = [runs for runs in project.search_runs().values() if runs[0].epochs == 2]
    means = [fmean(run.score for run in runs) for runs in whole]
    assert project.ranking()[0].score == min(means)


PLACES = [
    (0, "batches"),
    (0, "apart", "batches", "evaluated", "metrics"),
    (2, "apart", "evaluated"),
    (2, "predicted"),
]


@pytest.mark.parametrize(
    ("engine", "target"),
    [*[(softmax_engine, target) for target in TARGETS], (engine_tensorflow, "heads")],
)
def test_a_run_continued_within_an_epoch_or_its_end_ends_with_the_same_bits(
    engine, target, clocks, monkeypatch, tmp_path
):
    monkeypatch.setattr(softmax_engine, "PART", 64)
    monkeypatch.setattr(softmax_engine, "CHUNK", 1)
    monkeypatch.setattr(engine_tensorflow, "choose_part", lambda *_: 64)
    monkeypatch.setattr(engine_tensorflow, "choose_batches", lambda *_: 1)
    space, split = make_space(target), clocks.train.take(np.arange(150))

    def begin():
        return engine.start(space, space.baseline, [0], split).members[0]

    whole, expected = begin(), {}
    assert train(whole, split, AfterQuestions(1000), expected)
    assert expected["evaluate"]["minutes"] == pytest.approx(
        measure_minutes(split.labels, np.array(expected["predict"]))
    )
    training, brought, seen = begin(), {}, []
    # Five pieces of training, three of evaluating.
    for questions in (1, 4, 10, 2):
        assert not train(training, split, AfterQuestions(questions), brought)
        checkpoints.write(tmp_path / "run.npz", training.save(), OWNER)
        state = checkpoints.read(tmp_path / "run.npz", OWNER, 2)
        within = set(state.within) - {"random", "seconds"}
        seen.append((len(state.history), *sorted(within)))
        training = begin()
        training.restore(state)
    assert train(training, split, AfterQuestions(1000), brought)
    assert brought == expected
    assert training.weights_sha256 == whole.weights_sha256
    assert without_seconds(training.history) == without_seconds(whole.history)
    if engine is engine_tensorflow:
        assert seen == PLACES


@pytest.mark.parametrize("target", ["heads", pytest.param("regression", marks=pytest.mark.soak)])
def test_an_epoch_is_that_of_keras(target, clocks):
    weighted = '[hyperparameters.minute_weight]\ntype = "Fixed"\nvalue = 20.0\n'
    space = make_space(target, TEXT + weighted * (target == "heads"))
    train_split, held = clocks.train.take(np.arange(80)), clocks.test
    ours, theirs = (
        engine_tensorflow.KerasTraining(space, space.baseline, 0, train_split) for _ in range(2)
    )
    metrics = ours.train_epoch(held)
    order = np.random.default_rng((0, 0)).permutation(80)
    hp = kt.HyperParameters()
    history = (
        HyperModel(space)
        .fit(
            hp,
            theirs.model,
            train_split.images[order],
            train_split.labels[order],
            shuffle=False,
            verbose=0,
            validation_data=(held.images, held.labels),
        )
        .history
    )
    assert set(history) == set(metrics) - {"seconds"}
    for name, values in history.items():
        # Of each head's loss Keras takes the mean of batches, the last of which is short.
        close = 5e-2 if name.endswith(("hour_loss", "minute_loss")) else 1e-4
        assert metrics[name] == pytest.approx(values[0], rel=close), name


@pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions_eagerly`")
@pytest.mark.usefixtures("eagerly")
def test_a_stock_tuner_minimises_the_minutes(clocks, tmp_path):
    space = make_space("angle")
    tuner = kt.RandomSearch(
        HyperModel(space),
        objective=kt.Objective("val_minutes", "min"),
        max_trials=1,
        directory=tmp_path,
    )
    images, labels = clocks.train.images[:64], clocks.train.labels[:64]
    held = (clocks.test.images, clocks.test.labels)
    tuner.search(images, labels, epochs=1, validation_data=held, verbose=0)
    (trial,) = tuner.oracle.get_best_trials(1)
    assert 0 < trial.score < 360


def test_labels_beyond_the_dial_are_refused_by_the_hypermodel(clocks):
    space = make_space("angle")
    hypermodel = HyperModel(space)
    model = hypermodel.build_values(space.baseline)
    with pytest.raises(InputError, match="labels are 0 to 720; a dial has minutes, 0 to 719"):
        hypermodel.fit(kt.HyperParameters(), model, clocks.test.images[:2], np.array([0, 720]))


@pytest.mark.parametrize("target", ["heads", pytest.param("angle tanh", marks=pytest.mark.soak)])
def test_the_file_of_a_network_that_tells_the_time_may_be_handed_in(
    target, clocks, forked_tensorflow, tmp_path
):
    space = make_space(target)
    project = search(space, clocks, project=tmp_path / "clock", tuner="random", max_trials=1)
    confirm(project, clocks, top=1, runs=1)
    file = project.submission_path
    told = check_submission(file, space, clocks, find_origin(file))
    assert [check for check in told["checks"] if not check["ok"]] == []
    (run,) = project.ended("confirm")
    detail = next(each["detail"] for each in told["checks"] if each["name"] == "test error")
    assert detail == f"{run.score:.2f} minutes on 60 images (tiny clocks)"
    bound = describe_values(space, {})["file_bytes"]
    assert file.stat().st_size <= bound <= file.stat().st_size * 1.01 + 64 * 1024
    # Under the rules of another target it is none to hand in.
    other = check_submission(file, make_space("regression"), clocks)
    broken = {check["name"] for check in other["checks"] if not check["ok"]}
    assert {"output", "loss", "test error"} <= broken
    page = write_report(project).read_text()
    assert '<figure id="feature_maps"' in page


def test_labels_of_the_data_that_are_on_no_dial_are_refused(clocks, tmp_path):
    wrong = clocks.test.take(np.arange(60))
    wrong.labels[7] = 720
    data = type(clocks)("wrong", clocks.train, wrong, (), synthetic=True, source="wrong")
    with pytest.raises(InputError, match="wrong has labels from 0 to 720; the space 'clock'"):
        search(make_space("angle"), data, project=tmp_path / "clock", **SETTINGS)
