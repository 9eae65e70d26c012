"""A space's protocol: the share held out, the test curve, a question's epochs, the scale."""

import numpy as np
import pytest
from stops import AfterQuestions
from test_engine import begin, without_seconds

from svhn_tune import confirm, load_data, load_space, search
from svhn_tune.data.dataset import split_holdout
from svhn_tune.figures import Figures
from svhn_tune.models.hypermodel import HyperModel
from svhn_tune.models.spaces import parse_space
from svhn_tune.project.records import decode_predicted
from svhn_tune.submission.check import check_submission
from svhn_tune.submission.save import save_submission

__all__ = ["begin"]
SETTINGS = {"tuner": "random", "max_trials": 1, "max_epochs": 2}


def change(name, old, new):
    """A space with another text."""
    text = load_space(name).text
    assert old in text
    return parse_space(text.replace(old, new), name, f"{name}.toml")


@pytest.fixture(scope="module")
def space():
    """The space `cnn` with three tenths held out, the test curve, and a question of its own."""
    question = (
        '[[questions]]\nnumber = 1\ntitle = "short"\nanswer = "file"\nconfigurations = [{}]\n'
    )
    held = 'validation = "holdout"\nvalidation_split = 0.3\ntest_curve = true\n'
    changed = change("cnn", 'validation = "holdout" ', f"{held}#")
    return parse_space(f"{changed.text}\n{question}epochs = 3\n", "cnn", "cnn.toml")


@pytest.fixture(scope="module")
def confirmed(space, archives, tmp_path_factory):
    project = search(space, archives, project=tmp_path_factory.mktemp("share") / "cnn", **SETTINGS)
    return confirm(project, archives, question=1, runs=1)


def test_search_and_confirm_train_on_what_the_share_leaves(confirmed, archives):
    labels = load_data(archives).train.labels
    train, holdout = split_holdout(labels, share=0.3)
    assert (len(train), len(holdout)) == (420, 180)
    runs = confirmed.ended()
    assert [run.stage for run in runs] == ["search", "confirm"]
    assert [run.train_images for run in runs] == [420, 420]
    assert all("val_categorical_accuracy" in run.metrics for run in runs)


def test_the_test_curve_is_confirms_alone_and_ends_at_the_score(confirmed, archives):
    searched, run = confirmed.ended()
    assert not any(name.startswith("test_") for name in searched.metrics)
    curve = run.metrics["test_categorical_accuracy"]
    assert len(curve) == run.epochs == 3
    assert curve[-1] == run.score == run.test["categorical_accuracy"]
    labels = load_data(archives).test.labels
    assert (decode_predicted(run) == labels).mean() == pytest.approx(run.score)
    assert run.score != run.metrics["val_categorical_accuracy"][-1]


def test_the_curves_are_drawn(confirmed):
    figure = Figures(confirmed).learning_curves()
    styles = [line.get_linestyle() for line in figure.axes[-1].lines]
    assert styles[:3] == ["--", "-", ":"]


def test_a_questions_epochs_are_those_of_its_runs(confirmed, space):
    assert [run.epochs for run in confirmed.ended("confirm")] == [3]
    assert space.epochs_asked(space.baseline) == {3, 100}
    assert space.epochs_asked(space.complete({"blocks": 1})) == {100}
    assert (space.epochs_of(1), space.epochs_of(None)) == (3, 100)


@pytest.mark.parametrize(
    "begin", ["softmax", pytest.param("tensorflow", marks=pytest.mark.soak)], indirect=True
)
def test_an_epoch_stopped_in_either_evaluation_ends_with_the_same_bits(begin):
    whole, split = begin()
    half = split.take(np.arange(100))
    expected = whole.train_epoch(split, AfterQuestions(1000), half)
    assert {"val_loss", "test_loss"} <= expected.keys()
    assert expected["val_loss"] != expected["test_loss"]
    # Nine pieces of training, five of the one and two of the other evaluation.
    for questions in (11, 14):
        training = begin()[0]
        assert training.train_epoch(split, AfterQuestions(questions), half) is None
        state = training.save()
        assert ("val" in state.within.get("judged", {})) == (questions == 14)
        continued = begin()[0]
        continued.restore(state)
        continued.train_epoch(split, AfterQuestions(1000), half)
        assert without_seconds(continued.history) == without_seconds(whole.history)
        assert continued.weights_sha256 == whole.weights_sha256


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("min_epochs = 4", "validation_split = 1.0", "validation_split"),
        ("min_epochs = 4", "validation_split = 0", "validation_split"),
        ("min_epochs = 4", 'test_curve = "yes"', "test_curve"),
        ("[limits]", "[input]\nscale = 0\n\n[limits]", "scale"),
    ],
)
def test_a_protocol_that_cannot_be_is_refused(old, new, message):
    with pytest.raises(ValueError, match=message):
        change("cnn", old, new)


def test_a_space_that_divides_the_pixels_wants_its_rescaling_and_no_other(tmp_path):
    scaled, name = load_space("cifar_shallow"), "pre-processing by 1/255 alone"
    plain = change("cifar_shallow", "[input]\nscale = 255\n", "")
    for space in (scaled, plain):
        model = HyperModel(space).build_values(space.baseline)
        save_submission(space, space.baseline, model, tmp_path / f"{space is scaled}.keras")
    broken = {}
    for file in (True, False):
        for asked in (scaled, plain):
            checks = check_submission(tmp_path / f"{file}.keras", asked)["checks"]
            wrong = {each["name"]: each["detail"] for each in checks if not each["ok"]}
            broken[file, asked is scaled] = wrong
    assert broken[True, True] == broken[False, False] == {}
    assert broken[True, False] == {"no pre-processing": "Rescaling"}
    assert broken[False, True] == {name: "the first layer is no Rescaling by it"}


def test_the_network_gets_the_pixels_divided():
    space = load_space("cifar_shallow")
    model = HyperModel(space).build_values(space.baseline)
    images = np.full((1, 32, 32, 3), 255, np.uint8)
    assert np.asarray(model.layers[0](images)).max() == pytest.approx(1)
