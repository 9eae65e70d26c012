"""Do confirm's intervals and verdicts keep what they promise? By simulation, in a minute.

    python benchmarks/confirm_statistics.py [--sd 0.003] [--repetitions 10000] [--seed 0]

Scores are normal around 0.9 and rounded to 1/10,000, as accuracies on 10,000 images are. Trained
from many seeds, one model's accuracy has an SD near sqrt(error / 2 n) there (Jordan 2023): 0.0017
at 6 % error, 0.0027 at 15 %; --sd takes what your own runs had. Exit status 1 if a promise fails:
95 % intervals of a mean cover 94 to 96 %, also of few scores that vary much near 1, and stay within
0 to 1; what is expected of a file on new images is on average within a quarter of a point; over a
whole family of four configurations a tie is called better or worse at most 5 % of the time (two
standard errors of the simulation granted); the interval of P(A > B) covers 94 % or more with ten
runs each; and what is simulated is what the package says.

Games and Howell's test and Dunnett's (against a control, of equal variances) are beside it, to show
why the package decides by neither: they call too many ties where spreads or numbers are unequal.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import scipy
from scipy.interpolate import CubicSpline
from scipy.optimize import brentq
from scipy.special import ndtri, stdtrit
from scipy.stats import dunnett, multivariate_t, studentized_range, tukey_hsd

from svhn_tune.statistics.comparison import compare, probability_variance
from svhn_tune.statistics.expected import expect_on_new_images
from svhn_tune.statistics.samples import bound_mean

COUNTS = (3, 5, 10, 20)
SPREADS = {
    "equal": (1, 1, 1, 1),
    "1:1:1:3": (1, 1, 1, 3),
    "1:1:3:3": (1, 1, 3, 3),
    "1:3:3:3": (1, 3, 3, 3),
}
UNEQUAL = ((10, 7, 7, 7), (10, 10, 10, 5), (10, 10, 10, 3))
CASES = 200  # in which the simulation is compared with the package


@dataclass
class Simulation:
    """Draws scores, and remembers whether a promise failed."""

    sd: float
    repetitions: int
    random: np.random.Generator
    failed: list[str] = field(default_factory=list)

    def draw(self, count: int, spread: float = 1, mean: float = 0.9) -> np.ndarray:
        """Scores (repetitions, count); `spread` in SDs."""
        scores = self.random.normal(mean, spread * self.sd, (self.repetitions, count))
        return scores.round(4)

    def promise(self, kept: bool, text: str) -> None:
        """Note a promise that is not kept."""
        if not kept:
            self.failed.append(text)


@dataclass(frozen=True)
class Pair:
    """Two configurations, vectorised: differences, half intervals, Games and Howell's verdict."""

    difference: np.ndarray
    half: np.ndarray
    games_howell: np.ndarray

    @property
    def decided(self) -> np.ndarray:
        """Where it is no tie."""
        return np.abs(self.difference) > self.half


def make_quantile(tested: int) -> Callable[[np.ndarray], np.ndarray]:
    """The studentized range's 95 % quantile by degrees of freedom, interpolated."""
    inverse = np.linspace(1 / 200, 1, 60)
    found = [studentized_range.ppf(0.95, tested, 1 / each) for each in inverse]
    spline = CubicSpline(inverse, np.log(found))
    return lambda df: np.exp(spline(1 / df))


def examine_pairs(groups: Sequence[np.ndarray], quantile: Callable) -> dict[tuple[int, int], Pair]:
    """Every pair of a family of groups (repetitions, n), as `compare` does one by one."""
    pairs = list(combinations(range(len(groups)), 2))
    level = (1 + 0.95 ** (1 / len(pairs))) / 2
    found = {}
    for i, j in pairs:
        n, m = groups[i].shape[1] - 1, groups[j].shape[1] - 1
        a = groups[i].var(axis=1, ddof=1) / (n + 1)
        b = groups[j].var(axis=1, ddof=1) / (m + 1)
        error = np.sqrt(a + b)
        df = (a + b) ** 2 / (a**2 / n + b**2 / m)
        difference = groups[i].mean(axis=1) - groups[j].mean(axis=1)
        half = error * stdtrit(np.minimum(df, 2 * min(n, m)), level)
        games_howell = np.abs(difference) * np.sqrt(2) > error * quantile(df)
        found[i, j] = Pair(difference, half, games_howell)
    return found


def bound_dunnett(counts: Sequence[int]) -> float:
    """The |t| that Dunnett's test asks for at 5 %, of which `counts[0]` runs are the control's."""
    sizes = np.array(counts)
    shares = np.sqrt(sizes[1:] / (sizes[1:] + sizes[0]))
    correlation = np.outer(shares, shares)
    np.fill_diagonal(correlation, 1)
    between = multivariate_t(shape=correlation, df=sizes.sum() - len(sizes), seed=0)

    def exceed(bound: float) -> float:
        corner = np.full(len(shares), bound)
        return float(between.cdf(corner, lower_limit=-corner, random_state=0)) - 0.95

    return float(brentq(exceed, 1.5, 20, xtol=1e-4))


def decide_dunnett(groups: Sequence[np.ndarray], bound: float) -> np.ndarray:
    """Whether any group (repetitions, n) is told from the first one, the control."""
    counts = [group.shape[1] for group in groups]
    squares = [count * group.var(axis=1) for count, group in zip(counts, groups, strict=True)]
    pooled = np.sum(squares, axis=0) / (sum(counts) - len(counts))
    control = groups[0].mean(axis=1)
    told = [
        np.abs(group.mean(axis=1) - control) > bound * np.sqrt(pooled * (1 / n + 1 / counts[0]))
        for n, group in zip(counts[1:], groups[1:], strict=True)
    ]
    return np.any(told, axis=0)


def estimate_probabilities(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """U / (n m) of every repetition."""
    left, right = a[:, :, None], b[:, None, :]
    return ((left > right) + (left == right) / 2).mean(axis=(1, 2))


def check_package(simulation: Simulation, quantile: Callable) -> None:
    """The vectorised verdicts and intervals are the package's own, on random cases."""
    random = simulation.random
    for _ in range(CASES):
        counts = random.integers(3, 21, 4)
        shifts, spreads = random.normal(0, 2, 4), random.uniform(0.5, 3, 4)
        groups = [
            random.normal(0.9 + shift * simulation.sd, spread * simulation.sd, (1, count))
            for count, shift, spread in zip(counts, shifts, spreads, strict=True)
        ]
        rows = compare([group[0].tolist() for group in groups])
        given = [group[0] for group in groups]
        games_howell = tukey_hsd(*given, equal_var=False).pvalue
        control = dunnett(*given[1:], control=given[0], rng=np.random.default_rng(0)).pvalue.min()
        if abs(control - 0.05) > 0.002:  # both integrate by random numbers
            assert (control < 0.05) == decide_dunnett(groups, bound_dunnett(counts.tolist()))[0]
        for (i, j), pair in examine_pairs(groups, quantile).items():
            own = rows[i][j]
            assert own is not None
            assert own.ci95 is not None
            difference, half = pair.difference[0], pair.half[0]
            assert np.allclose(own.ci95, (difference - half, difference + half), rtol=1e-9)
            verdict = ("worse" if difference < 0 else "better") if pair.decided[0] else "tie"
            assert own.verdict == verdict, (own, verdict)
            assert (games_howell[i, j] < 0.05) == pair.games_howell[0]
            estimate = estimate_probabilities(groups[i], groups[j])[0]
            assert np.isclose(own.probability, estimate)
            asked = random.uniform(0.01, 0.99)
            low, high = own.probability_ci95 or (0, 1)
            assert (low <= asked <= high) == covers(estimate, asked, *counts[[i, j]])
    print(f"the simulated verdicts and intervals are the package's in {CASES} random families")


def covers(estimate: np.ndarray, probability: float, n: int, m: int) -> np.ndarray:
    """Whether the interval of an estimated probability has the true one in it."""
    quantile = stdtrit(2 * (min(n, m) - 1), 0.975)
    return abs(estimate - probability) <= quantile * np.sqrt(
        probability_variance(probability, n, m)
    )


def cover_means(simulation: Simulation) -> None:
    """The interval of `summarize` beside the t interval, which may leave 0 to 1."""
    print("\n95 % interval of a mean: coverage (the t interval's, how often that leaves 0 to 1)")
    print("  mean   SD     " + "".join(f"{count:>18} runs" for count in COUNTS[:3]))
    for truth, sd in ((0.9, simulation.sd), (0.9, 0.02), (0.6, 0.15), (0.9, 0.05), (0.97, 0.02)):
        cells = []
        for count in COUNTS[:3]:
            # Of this mean and SD, within 0 to 1.
            many = truth * (1 - truth) / sd**2 - 1
            shape = (simulation.repetitions, count)
            scores = simulation.random.beta(truth * many, (1 - truth) * many, shape)
            own, plain, beyond = cover_mean(scores, truth)
            what = f"interval of {count} runs around {truth} of SD {sd}"
            simulation.promise(0.94 <= own <= 0.96, f"{what} covers {own:.1%}")
            cells.append(f"{own:.1%} ({plain:.1%}, {beyond:.0%})")
        print(f"  {truth:.2f}   {sd:<6}" + "".join(f"{cell:>23}" for cell in cells))


def cover_mean(scores: np.ndarray, truth: float) -> tuple[float, float, float]:
    """How often our interval and the t interval have the truth, and the latter leaves 0 to 1."""
    count = scores.shape[1]
    means, sds = scores.mean(axis=1), scores.std(axis=1, ddof=1)
    half = stdtrit(count - 1, 0.975) * sds / np.sqrt(count)
    bounds = np.array([bound_mean(count, *each) for each in zip(means, sds, strict=True)])
    own = (bounds[:, 0] <= truth) & (truth <= bounds[:, 1])
    assert (bounds >= 0).all()
    assert (bounds <= 1).all()
    leaves = (means + half > 1) | (means - half < 0)
    return own.mean(), (np.abs(means - truth) <= half).mean(), leaves.mean()


def expect_files(simulation: Simulation) -> None:
    """What the best file of four configurations that tie is worth on new images."""
    images, accuracy = 10_000, 0.9
    noise = np.sqrt((1 - accuracy) / 2 / images)
    print(
        f"\nthe best file of four that tie, {accuracy} on {images:,} images: how much too high, in "
        f"points,\nare its score and what is expected of it on new images (root mean square)"
    )
    print("  true SD   " + "".join(f"{count:>27} runs" for count in COUNTS[:3]))
    for ratio in (0, 1, 2):
        cells = []
        for count in COUNTS[:3]:
            shape = (simulation.repetitions // 5, 4, count)
            true = accuracy + ratio * noise * simulation.random.normal(size=shape)
            scores = true + noise * simulation.random.normal(size=shape)
            errors = np.array([judge_file(*each) for each in zip(scores, true, strict=True)]) * 100
            of_score, of_expected = errors.mean(axis=0)
            root = np.sqrt((errors**2).mean(axis=0))
            what = f"{ratio} of the noise's SD, {count} runs"
            simulation.promise(abs(of_expected) < 0.25, f"{what}: {of_expected:.2f} points off")
            cells.append(f"{of_score:+.2f} ({root[0]:.2f}) -> {of_expected:+.2f} ({root[1]:.2f})")
        print(f"  {100 * ratio * noise:<10.2f}" + "".join(f"{cell:>32}" for cell in cells))


def judge_file(scores: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """How much too high the best score (configurations, runs) is, and what is expected of it."""
    own, run = np.unravel_index(scores.argmax(), scores.shape)
    expected = expect_on_new_images(scores.tolist(), int(own), scores[own, run], 10_000)
    assert expected is not None
    return scores[own, run] - true[own, run], expected - true[own, run]


def count_false_verdicts(simulation: Simulation, quantile: Callable) -> None:
    """Families of four ties: in how many is any pair called better or worse?"""
    print("\nfour that tie: families with a false verdict, ours (Games and Howell's, Dunnett's)")
    print("  runs            " + "".join(f"{name:>22}" for name in SPREADS))
    for counts in [(count,) * 4 for count in COUNTS] + list(UNEQUAL):
        bound = bound_dunnett(counts)
        cells = []
        for name, spreads in SPREADS.items():
            groups = [simulation.draw(n, s) for n, s in zip(counts, spreads, strict=True)]
            ours, theirs = find_false(examine_pairs(groups, quantile))
            limit_errors(simulation, ours, f"{counts} runs, spreads {name}")
            against = decide_dunnett(groups, bound).mean()
            cells.append(f"{ours:.1%} ({theirs:.1%}, {against:.1%})")
        print(f"  {', '.join(map(str, counts)):<16}" + "".join(f"{cell:>22}" for cell in cells))


def find_false(pairs: dict[tuple[int, int], Pair]) -> tuple[float, float]:
    """The shares of families with any verdict but tie: ours, Games and Howell's."""
    ours = np.any([pair.decided for pair in pairs.values()], axis=0)
    theirs = np.any([pair.games_howell for pair in pairs.values()], axis=0)
    return float(ours.mean()), float(theirs.mean())


def limit_errors(simulation: Simulation, share: float, what: str) -> None:
    """Promise at most 5 %, two standard errors of the simulation granted."""
    granted = 2 * np.sqrt(0.05 * 0.95 / simulation.repetitions)
    simulation.promise(share <= 0.05 + granted, f"{what}: {share:.2%} false verdicts")


def count_after_two_stages(simulation: Simulation, quantile: Callable) -> None:
    """Eight ties and a baseline: three runs choose three, seven more confirm them."""
    first = np.stack([simulation.draw(3) for _ in range(8)], axis=1)
    order = np.argsort(-first.mean(axis=2), axis=1)[:, :3]
    best = np.take_along_axis(first, order[:, :, None], axis=1)
    baseline = simulation.draw(10)
    fresh = [simulation.draw(7) for _ in range(3)]
    both = [np.concatenate([best[:, i], fresh[i]], axis=1) for i in range(3)]
    shares = []
    for groups in (fresh, both):
        pairs = examine_pairs([baseline, *groups], quantile)
        better = [pairs[0, i].decided & (pairs[0, i].difference < 0) for i in (1, 2, 3)]
        shares += [find_false(pairs)[0], float(np.any(better, axis=0).mean())]
    limit_errors(simulation, shares[0], "two stages")
    excess = (np.mean([each.mean() for each in both]) - 0.9) / simulation.sd
    print(
        f"\ntwo stages, eight ties: three runs choose three, seven more of each; false verdicts\n"
        f"  {shares[0]:.1%} by runs that chose none ({shares[1]:.1%} 'better' than the baseline)"
        f"\n  {shares[2]:.1%} by all ({shares[3]:.1%}), whose mean is {excess:.2f} SD too high"
    )


def cover_probabilities(simulation: Simulation) -> None:
    """The interval of P(A > B)."""
    print("\nP(A > B): coverage of its 95 % interval, by the true probability")
    truths = (0.5, 0.75, 0.9, 0.97)
    print("  runs     SDs   " + "".join(f"{truth:>9.2f}" for truth in truths))
    for n, m in ((3, 3), (5, 5), (10, 10), (20, 20), (7, 10), (10, 3)):
        for spread in (1, 3):
            shares = []
            for truth in truths:
                shift = ndtri(truth) * np.hypot(1, spread) * simulation.sd
                a = simulation.draw(n, mean=0.9 + shift)
                share = covers(
                    estimate_probabilities(a, simulation.draw(m, spread)), truth, n, m
                ).mean()
                shares.append(share)
                if n == m == 10:
                    simulation.promise(share >= 0.94, f"P(A > B)={truth}: covers {share:.1%}")
            cells = "".join(f"{share:>9.1%}" for share in shares)
            print(f"  {n:2} v {m:2}  1:{spread}   {cells}")


def tabulate_power(simulation: Simulation, quantile: Callable) -> None:
    """The smallest true difference that is called better in 80 % of the cases."""
    print("\ndifference found with 80 % power, in SDs (in points at this SD)")
    print("  runs each        of 2             of 4")
    for count in COUNTS:
        cells = []
        for size in (2, 4):
            groups = [simulation.draw(count) for _ in range(size)]
            pair = examine_pairs(groups, quantile)[0, 1]
            # The verdict is "better" where difference + shift > half.
            shift = float(np.quantile(pair.half - pair.difference, 0.8))
            cells.append(f"{shift / simulation.sd:.2f} ({100 * shift:.2f})")
        print(f"  {count:9}" + "".join(f"{cell:>17}" for cell in cells))


def main() -> None:
    """Print each table; exit status 1 if a promise failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sd", type=float, default=0.003)
    parser.add_argument("--repetitions", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    simulation = Simulation(given.sd, given.repetitions, np.random.default_rng(given.seed))
    print(f"SciPy {scipy.__version__}, SD {given.sd}, {given.repetitions:,} repetitions")
    quantile = make_quantile(4)
    check_package(simulation, quantile)
    cover_means(simulation)
    expect_files(simulation)
    count_false_verdicts(simulation, quantile)
    count_after_two_stages(simulation, quantile)
    cover_probabilities(simulation)
    tabulate_power(simulation, quantile)
    print()
    for text in simulation.failed:
        print(f"FAILED: {text}")
    sys.exit(1 if simulation.failed else 0)


if __name__ == "__main__":
    main()
