"""What learning oracles choose from: half drawn at random, half near the best trials."""

from statistics import fmean

from svhn_tune.models.spaces import load_space
from svhn_tune.oracles.ask_tell import make_oracle
from svhn_tune.oracles.candidates import draw_candidates


def kept(values, parent):
    """The share of the parent's values that these have."""
    return fmean(values.get(name) == value for name, value in parent.items())


def test_near_the_best_half_of_them_keep_most_of_its_values():
    space = load_space("cnn_open")
    oracle = make_oracle(space, seed=1)
    drawn = (oracle._draw(number) for number in range(200))
    far = max(kept(values, space.baseline) for values in drawn if oracle._is_new(values))
    candidates = draw_candidates(oracle, [space.baseline], 100)
    shares = [kept(values, space.baseline) for values in candidates]
    nearer = [share for share in shares if share > far]
    # 85 % are kept; the others are drawn anew.
    assert 35 <= len(nearer) <= 60
    assert 0.75 < fmean(nearer) < 0.95


def test_no_candidate_is_one_that_a_trial_had():
    oracle = make_oracle(load_space("cnn_open"), seed=1)
    first = oracle.create_trial("trial-0").hyperparameters.values
    parent = {name: value for name, value in first.items() if not name.startswith("tuner/")}
    assert parent not in draw_candidates(oracle, [parent], 200)
