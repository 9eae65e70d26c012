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
