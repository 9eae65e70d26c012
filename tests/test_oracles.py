"""Contract tests over every oracle, driven by hand without a model; then what each does alone."""

import random

import pytest

from svhn_tune.errors import InputError
from svhn_tune.models.size import measure_size
from svhn_tune.models.spaces import load_space, parse_space
from svhn_tune.oracles.ask_tell import Hyperband, Proposal, ask, make_oracle, tell
from svhn_tune.space.space import Space

TUNERS = ("hyperband", "bayesian", "tpe", "random")


@pytest.fixture(scope="module")
def tight() -> Space:
    """The cnn space with a limit that makes about 40 % of it infeasible."""
    text = load_space("cnn").text.replace("238.4 MiB", "28 MiB")
    return parse_space(text, "tight", "tight.toml")


def drive(oracle, max_epochs=100, trials=10**9, seed=5):
    """Ask and tell random scores until the oracle stops; returns the proposals."""
    scores = random.Random(seed)
    proposals = []
    while len(proposals) < trials:
        proposal = ask(oracle, max_epochs)
        if not isinstance(proposal, Proposal):
            assert proposal == "STOPPED"
            break
        proposals.append(proposal)
        tell(oracle, proposal.trial, scores.random())
    return proposals


def test_the_tight_space_is_about_40_percent_infeasible(tight):
    oracle = make_oracle(tight, "random")
    draws = [oracle._draw(number) for number in range(2000)]
    infeasible = sum(not oracle.feasible(values) for values in draws) / len(draws)
    assert 0.38 < infeasible < 0.43


@pytest.fixture(scope="module", params=TUNERS)
def tuner(request):
    return request.param


@pytest.fixture(scope="module")
def proposed(tuner, tight):
    """The first proposals of a tuner, of seed 0."""
    # Bayesian optimisation takes 0.3 s each, halving 0.2 s, after twelve drawn at random.
    trials = 24 if tuner in ("bayesian", "halving") else 40
    return drive(make_oracle(tight, tuner, max_trials=40), trials=trials)


def test_points_to_evaluate_come_first(tight, proposed):
    named = [tight.baseline, *tight.points]
    assert len(named) == 2
    assert [proposal.values for proposal in proposed[:2]] == named


def test_a_point_above_the_cap_on_cost_is_not_proposed(tight, tuner):
    oracle = make_oracle(tight, tuner, affordable=lambda values: values["units"] <= 64)
    first = drive(oracle, trials=2)
    assert first[0].values == tight.baseline
    assert first[1].values["units"] <= 64


def test_a_point_above_the_limit_of_the_file_is_refused():
    text = load_space("cnn").text.replace("238.4 MiB", "512 KiB")
    with pytest.raises(InputError, match=r"blocks=4 units=256 .* is infeasible: the file would"):
        make_oracle(parse_space(text, "small", "small.toml"))


def test_only_feasible_values_are_proposed(tight, proposed):
    for proposal in proposed:
        assert measure_size(tight, proposal.values).feasible
        assert tight.complete(proposal.values) == proposal.values


def test_the_baseline_is_trial_0(tight, tuner):
    first = ask(make_oracle(tight, tuner), 100)
    assert first.trial == 0
    assert first.values == tight.baseline


def test_nothing_is_proposed_twice(proposed):
    begun = [str(sorted(p.values.items())) for p in proposed if p.parent is None]
    assert len(set(begun)) == len(begun)


def test_a_seed_gives_the_same_search_and_another_seed_another(tight, tuner, proposed):
    def propose(seed):
        return drive(make_oracle(tight, tuner, seed=seed, max_trials=40), trials=16)

    assert propose(0) == proposed[:16]
    assert [p.values for p in propose(1)] != [p.values for p in proposed[:16]]


def test_replaying_the_first_trials_restores_the_oracle(tight, tuner, proposed):
    recorded = {p.trial: p.values for p in proposed[:15]}
    oracle = make_oracle(tight, tuner, max_trials=40, recorded=recorded)
    assert drive(oracle, trials=20) == proposed[:20]


@pytest.mark.parametrize("tuner", ["bayesian", "tpe", "random"])
def test_max_trials_ends_the_search(tight, tuner):
    assert len(drive(make_oracle(tight, tuner, max_trials=14))) == 14


@pytest.mark.parametrize("tuner", TUNERS)
def test_trials_run_side_by_side(tight, tuner):
    oracle = make_oracle(tight, tuner, max_trials=20)
    running = [ask(oracle, 100) for _ in range(4)]
    assert len({p.trial for p in running}) == 4
    for proposal in reversed(running):
        tell(oracle, proposal.trial, 0.5)
    assert ask(oracle, 100).trial == 4


def test_nothing_is_written(tight, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    drive(make_oracle(tight, "hyperband"), trials=5)
    assert list(tmp_path.iterdir()) == []


def test_hyperband_fills_its_brackets_in_a_space_40_percent_infeasible(tight):
    proposals = drive(make_oracle(tight, "hyperband", max_epochs=100, factor=3, min_epochs=1))
    assert len(proposals) == 254
    assert sum(p.epochs == 100 for p in proposals) == 15
    assert sum(p.epochs - p.initial_epoch for p in proposals) == 2672


def test_hyperband_has_no_round_shorter_than_min_epochs(tight):
    oracle = make_oracle(tight, "hyperband", max_epochs=100, min_epochs=4)
    assert isinstance(oracle, Hyperband)
    assert min(last for _, _, _, last in oracle.rounds()) == 4
    assert sum(size * (last - first) for _, size, first, last in oracle.rounds()) == 2102
    proposals = drive(oracle)
    assert len(proposals) == sum(size for _, size, _, _ in oracle.rounds())


def test_hyperband_with_min_epochs_above_max_epochs_is_random_search(tight):
    proposals = drive(make_oracle(tight, "hyperband", max_epochs=3, min_epochs=4))
    assert {(p.initial_epoch, p.epochs) for p in proposals} == {(0, 3)}


def test_a_promoted_trial_has_its_parents_values_and_goes_on_from_its_epochs(tight):
    proposals = {p.trial: p for p in drive(make_oracle(tight, "hyperband"))}
    promoted = [p for p in proposals.values() if p.parent is not None]
    assert promoted
    for proposal in promoted:
        parent = proposals[proposal.parent]
        assert proposal.values == parent.values
        assert proposal.initial_epoch == parent.epochs
        assert (proposal.bracket, proposal.round) == (parent.bracket, parent.round + 1)


def test_promotable_trials_shrink_to_none(tight):
    oracle = make_oracle(tight, "hyperband", max_epochs=12)
    drive(oracle, 12, trials=3)
    assert oracle.promotable() == {0, 1, 2}
    drive(oracle, 12)
    assert oracle.promotable() == set()


def test_bayesian_search_beats_random_search_on_a_smooth_score(tight):
    def best(tuner, trials):
        oracle = make_oracle(tight, tuner, seed=3, max_trials=trials)
        scores = []
        for _ in range(trials):
            proposal = ask(oracle, 1)
            kernels = [v for k, v in proposal.values.items() if k.startswith("kernel_size")]
            score = sum(kernels) - proposal.values["dropout"] * 20
            scores.append(score)
            tell(oracle, proposal.trial, score)
        return max(scores)

    assert best("bayesian", 24) > best("random", 60)


# Spaces with few values, or with odd ones.

HEAD = load_space("cnn").text.partition("[hyperparameters")[0]
FIXED = '[hyperparameters.units]\ntype = "Fixed"\nvalue = 32\n'


def make_choice(count):
    values = list(range(32, 32 + count))
    return f'[hyperparameters.units]\ntype = "Choice"\nvalues = {values}\ndefault = 32\n'


def interleave(oracle, side, max_epochs=100):
    """So many trials at once; returns what was asked and told, in order."""
    running, events = [], []
    while True:
        while len(running) < side and isinstance(p := ask(oracle, max_epochs), Proposal):
            running.append(p)
            events.append(p)
        if not running:
            return events
        ended = running.pop(len(events) % len(running))
        score = ended.trial * 7 % 11 / 11
        tell(oracle, ended.trial, score)
        events.append((ended.trial, score))


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("few_draws")
@pytest.mark.parametrize("side", [1, 3])
@pytest.mark.parametrize("tuner", TUNERS)
@pytest.mark.parametrize(
    ("tables", "count"), [(FIXED, 1), (make_choice(1), 1), (make_choice(5), 5)]
)
def test_a_space_of_few_models_is_trained_whole_once_and_to_the_last_epoch(
    tables, count, tuner, side
):
    space = parse_space(HEAD + tables, "few", "few.toml")
    events = interleave(make_oracle(space, tuner, max_trials=100, max_epochs=100), side)
    proposals = [each for each in events if isinstance(each, Proposal)]
    begun = [str(each.values) for each in proposals if each.parent is None]
    assert len(begun) == len(set(begun)) == count
    assert max(each.epochs for each in proposals) == 100
    promoted = [each.parent for each in proposals if each.parent is not None]
    assert len(promoted) == len(set(promoted))


@pytest.mark.usefixtures("few_draws")
@pytest.mark.parametrize("count", [1, 5, 13, 40])
def test_a_hyperband_short_of_models_is_replayed_as_it_was(count):
    space = parse_space(HEAD + make_choice(count), "few", "few.toml")
    events = interleave(make_oracle(space, max_epochs=100), 3)
    oracle = make_oracle(space, max_epochs=100)
    for event in events:
        if isinstance(event, Proposal):
            assert ask(oracle, 100) == event
        else:
            tell(oracle, *event)
    assert ask(oracle, 100) == "STOPPED"


def make_range(low, high, step, sampling="linear", name="dropout", kind="Float"):
    keys = {"min_value": low, "max_value": high, "step": step, "default": low}
    lines = [f"{key} = {value}" for key, value in keys.items() if value is not None]
    types = [f'type = "{kind}"', f'sampling = "{sampling}"']
    return "\n".join([f"[hyperparameters.{name}]", *types, *lines, ""])


def make_odd(tables):
    """The space of these tables."""
    return parse_space(HEAD + tables, "odd", "odd.toml")


HUGE = 1e300
UNITS = make_range(1, 65536, None, name="units", kind="Int")
ODD = {
    "as fine as it may be": make_range(0.0, 0.9, 1e-5),
    "huge": make_range(0.1, 0.9, HUGE) + UNITS,
    "huge in no range": make_range(0.1, 0.1, HUGE) + UNITS,
    "huge factor": make_range(1e-6, 1e-2, HUGE, "log", "learning_rate") + UNITS,
    "wider than the range": make_range(0.1, 0.9, 5.0) + UNITS,
    "factor": make_range(3e-8, 3e-3, 10.0, "log", "learning_rate") + UNITS,
    "reverse factor": make_range(3e-8, 3e-7, 10.0, "reverse_log", "learning_rate") + UNITS,
    "factor near 1": make_range(1e-12, 10.0, 1.001, "log", "learning_rate"),
    "whole numbers": make_range(3, 6000, 2, "reverse_log", "units", "Int"),
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("tuner", TUNERS)
@pytest.mark.parametrize("tables", ODD.values(), ids=ODD)
def test_whatever_the_step_only_values_of_the_space_are_proposed(tables, tuner):
    space = make_odd(tables)
    oracle = make_oracle(space, tuner, max_trials=16, max_epochs=27)
    proposals = drive(oracle, 27, trials=16)
    assert len(proposals) > 5
    for proposal in proposals:
        assert space.complete(proposal.values) == proposal.values


def test_a_step_beyond_the_range_leaves_its_least_value():
    for tables in (ODD["huge"], ODD["wider than the range"]):
        space = make_odd(tables)
        proposals = drive(make_oracle(space, "random", max_trials=10))
        assert {each.values["dropout"] for each in proposals} == {0.1}
        assert len({each.values["units"] for each in proposals}) > 5


@pytest.mark.parametrize("seed", [0, 2**31, 2**32 - 2])
@pytest.mark.parametrize("tuner", TUNERS)
def test_every_seed_is_one_for_every_tuner(tight, tuner, seed):
    assert len(drive(make_oracle(tight, tuner, seed=seed, max_trials=14), trials=14)) == 14
