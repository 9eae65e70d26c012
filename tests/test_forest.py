"""Which candidate the forest chooses."""

from types import SimpleNamespace

import numpy as np

from svhn_tune.models.spaces import load_space
from svhn_tune.oracles import forest
from svhn_tune.oracles.ask_tell import make_oracle


def end(values, score, epochs):
    """A trial of KerasTuner that has ended."""
    given = SimpleNamespace(values=values | {"tuner/epochs": epochs})
    return SimpleNamespace(hyperparameters=given, score=score)


def test_what_is_chosen_is_like_what_was_better_at_the_length_that_is_asked_for(monkeypatch):
    """Early on the high rates are ahead; of those that got to the end the low ones are."""
    monkeypatch.setattr(forest, "CANDIDATES", 400)
    oracle = make_oracle(load_space("cnn_open"), "halving", max_epochs=27)
    drawn = [oracle._draw(number) for number in range(60)]
    rates = [values["learning_rate"] for values in drawn]
    ended = [end(values, np.log10(values["learning_rate"]), 3) for values in drawn]
    ended += [end(values, -np.log10(values["learning_rate"]), 27) for values in drawn]
    early, late = (forest.choose_by_forest(oracle, ended, epochs) for epochs in (3, 27))
    assert early["learning_rate"] > max(rates) / 3
    assert late["learning_rate"] < 3 * min(rates)
