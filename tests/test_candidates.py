"""What learning oracles choose from: drawn at random, or in part near the best trials."""

from statistics import fmean

from svhn_tune.models.spaces import load_space
from svhn_tune.oracles.ask_tell import make_oracle
from svhn_tune.oracles.candidates import draw_candidates


def kept(values, parent):
    """The share of the parent's values that these have."""
    return fmean(values.get(name) == value for name, value in parent.items())


def test_without_best_trials_all_candidates_are_the_next_trial_s_random_draws():
    oracle = make_oracle(load_space("cnn_open"), seed=1)
    drawn = (oracle._draw(number) for number in range(1_000))
    expected = [values for values in drawn if oracle._is_new(values)][:20]
    assert draw_candidates(oracle, 20) == expected


def test_near_the_best_half_of_them_keep_most_of_its_values():
    space = load_space("cnn_open")
    oracle = make_oracle(space, seed=1)
    near = draw_candidates(oracle, 100, [space.baseline])
    shares = [kept(values, space.baseline) for values in near]
    far = max(kept(values, space.baseline) for values in draw_candidates(oracle, 100))
    nearer = [share for share in shares if share > far]
    # 85 % are kept; the others are drawn anew.
    assert 35 <= len(nearer) <= 60
    assert 0.75 < fmean(nearer) < 0.95


def test_no_candidate_is_one_that_a_trial_had():
    oracle = make_oracle(load_space("cnn_open"), seed=1)
    first = oracle.create_trial("trial-0").hyperparameters.values
    parent = {name: value for name, value in first.items() if not name.startswith("tuner/")}
    assert parent not in draw_candidates(oracle, 200, [parent])
