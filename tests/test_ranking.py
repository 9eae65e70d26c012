"""Which configurations of a search are best: by length, then by the mean of their runs."""

VALUES = {"units": 64}


def test_a_configuration_that_was_trained_again_is_ranked_by_the_mean_of_its_runs(
    make_project, tmp_path
):
    trials = [
        {"score": 0.7, "round": 1},
        {"score": 0.9, "round": 1, "values": VALUES},
        {"score": 0.3, "round": 1, "values": VALUES},
    ]
    project = make_project(tmp_path / "p", trials)
    assert [(each.trial, each.score) for each in project.ranking()] == [(0, 0.7), (1, 0.6)]
    assert {root: len(runs) for root, runs in project.search_runs().items()} == {0: 1, 1: 2}


def two(first_scores, *, ends=0.8, most=27):
    """Trials 0 and 1 of 9 epochs with these scores, and 2, in which trial 1 goes on to `most`."""
    first = [{"score": score, "epochs": 9} for score in first_scores]
    return [*first, {"score": ends, "parent": 1, "initial_epoch": 9, "epochs": most}]


def ranked(project):
    return [(each.root, each.epochs, each.score) for each in project.ranking()]


def test_what_alone_got_to_the_end_does_not_lead_what_was_ahead_of_it_before(
    make_project, tmp_path
):
    project = make_project(tmp_path / "p", two([0.7, 0.6]))
    assert ranked(project) == [(0, 9, 0.7), (1, 27, 0.8)]


def test_what_alone_got_to_the_end_leads_where_it_led_before(make_project, tmp_path):
    project = make_project(tmp_path / "p", two([0.6, 0.7]))
    assert ranked(project) == [(1, 27, 0.8), (0, 9, 0.6)]


def test_two_that_got_to_the_end_are_compared_there(make_project, tmp_path):
    dear = {"score": 0.5, "epochs": 27}
    project = make_project(tmp_path / "p", [*two([0.7, 0.6]), dear])
    assert ranked(project) == [(1, 27, 0.8), (3, 27, 0.5), (0, 9, 0.7)]


def test_the_longest_leads_as_long_as_none_got_to_the_end(make_project, tmp_path):
    project = make_project(tmp_path / "p", two([0.7, 0.6]), max_epochs=81)
    assert ranked(project) == [(1, 27, 0.8), (0, 9, 0.7)]


def test_what_ended_early_does_not_lead_what_nobody_compared_with_it(make_project, tmp_path):
    collapsed = {"score": 0.9, "epochs": 3, "planned_epochs": 27, "collapsed": True}
    project = make_project(tmp_path / "p", [collapsed, {"score": 0.2, "epochs": 27}])
    assert ranked(project) == [(1, 27, 0.2), (0, 3, 0.9)]
