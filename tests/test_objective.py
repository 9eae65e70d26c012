"""objective: which score is better, and what a metric is called where."""

import pytest

from svhn_tune.models.spaces import load_space, parse_space


def make_objective(name):
    text = load_space("cnn").text.replace('"val_categorical_accuracy"', f'"{name}"')
    return parse_space(text, "cnn", "cnn.toml").objective


@pytest.mark.parametrize(
    ("name", "best", "titles"),
    [
        ("val_categorical_accuracy", 0.9, ("categorical_accuracy", "accuracy")),
        ("val_loss", 0.2, ("loss", "loss")),
    ],
)
def test_a_space_says_which_score_is_better_and_how_it_is_called(name, best, titles):
    objective = make_objective(name)
    scores = [0.5, 0.2, 0.9]
    assert objective.best(scores, float) == best
    assert sorted(scores, key=objective.sort_key)[0] == best
    assert (objective.metric, objective.title) == titles
    assert (objective.validated, objective.tested) == (name, name.replace("val_", "test_"))


def test_of_equal_scores_the_first_is_the_best():
    pairs = [(1, 0.3), (2, 0.7), (3, 0.7)]
    assert make_objective("val_categorical_accuracy").best(pairs, lambda pair: pair[1]) == (2, 0.7)
    assert make_objective("val_loss").best(pairs[1:], lambda pair: pair[1]) == (2, 0.7)
