"""Is one configuration better than another, or is it a tie? Of lists of scores; reads nothing.

Runs of two configurations share nothing worth pairing, so every comparison is unpaired. Numbers of
runs may differ, and so may spreads. Where a number cannot be had (fewer than three runs, no spread)
it is None, and the verdict is "tie": nothing was shown.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, Literal

from .samples import ENOUGH, mean, variance

Verdict = Literal["better", "tie", "worse"]
Scores = Sequence[float]
FAMILY_ERROR = 0.05
OPPOSITE: dict[Verdict, Verdict] = {"better": "worse", "tie": "tie", "worse": "better"}


@dataclass(frozen=True)
class Comparison:
    """One configuration against another of a family.

    `difference` is of the means. `ci95` holds for all differences of the family at once, `p` is
    adjusted likewise, and `verdict` follows from them. `probability` is that of one run beating one
    run of the other, with an interval of its own.
    """

    difference: float
    ci95: tuple[float, float] | None
    p: float | None
    probability: float
    probability_ci95: tuple[float, float] | None
    verdict: Verdict

    def as_dict(self) -> dict[str, Any]:
        """The comparison as `status --json` and `confirm --json` print it."""
        return asdict(self)

    def mirror(self) -> "Comparison":
        """The other configuration against this one."""
        return Comparison(
            difference=-self.difference,
            ci95=self.ci95 and (-self.ci95[1], -self.ci95[0]),
            p=self.p,
            probability=1 - self.probability,
            probability_ci95=self.probability_ci95
            and (1 - self.probability_ci95[1], 1 - self.probability_ci95[0]),
            verdict=OPPOSITE[self.verdict],
        )


def compare(
    groups: Sequence[Scores], *, higher_is_better: bool = True, highest: float = 1.0
) -> list[list[Comparison | None]]:
    """Row i, column j: configuration i against j; None on the diagonal and where one has no runs.

    The verdict is Tamhane's T2 (Journal of the American Statistical Association 74, 1979): Welch's
    t with Šidák's adjustment for all pairs, at 5 % over the whole family. Its degrees of freedom
    are capped at those of two configurations with the smaller number of runs. With that, a tie is
    called better or worse less than 5 % of the time. Games and Howell's test and Dunnett's do so
    more often where spreads or numbers of runs are unequal (benchmarks/confirm_statistics.py).

    Args:
        groups: the scores of each configuration's runs.
        higher_is_better: False for a loss or an error.
        highest: the highest score possible; no difference is greater, and no interval wider.
    """
    tested = sum(len(scores) >= ENOUGH for scores in groups)
    rows: list[list[Comparison | None]] = [[None] * len(groups) for _ in groups]
    for i, j in combinations(range(len(groups)), 2):
        if groups[i] and groups[j]:
            comparison = _compare_pair(groups[i], groups[j], tested, higher_is_better, highest)
            rows[i][j], rows[j][i] = comparison, comparison.mirror()
    return rows


def _compare_pair(
    a: Scores, b: Scores, tested: int, higher_is_better: bool, highest: float
) -> Comparison:
    difference = mean(a) - mean(b)
    probability = estimate_probability(a, b, higher_is_better=higher_is_better)
    ci95, p = _test_difference(a, b, tested)
    verdict: Verdict = "tie"
    if p is not None and p < FAMILY_ERROR:
        verdict = "better" if (difference > 0) == higher_is_better else "worse"
    return Comparison(
        difference=difference,
        ci95=ci95 and (max(ci95[0], -highest), min(ci95[1], highest)),
        p=p,
        probability=probability,
        probability_ci95=bound_probability(probability, len(a), len(b)),
        verdict=verdict,
    )


def _test_difference(
    a: Scores, b: Scores, tested: int
) -> tuple[tuple[float, float] | None, float | None]:
    """The interval and the p of a difference, in a family of `tested`."""
    found = _welch(a, b)
    if found is None:
        return None, None
    # Imported late: a fifth of a second that `status` without confirmed runs does not pay.
    from scipy.special import stdtr, stdtrit

    error, welch = found
    capped = min(welch, 2 * (min(len(a), len(b)) - 1))
    pairs = math.comb(tested, 2)
    difference = mean(a) - mean(b)
    t = abs(difference) / error
    half = error * float(stdtrit(capped, (1 + (1 - FAMILY_ERROR) ** (1 / pairs)) / 2))
    p = -math.expm1(pairs * math.log1p(-min(2 * float(stdtr(capped, -t)), 1 - 1e-16)))
    return (difference - half, difference + half), p


def _welch(a: Scores, b: Scores) -> tuple[float, float] | None:
    """The standard error of a difference of means, and its degrees of freedom."""
    if min(len(a), len(b)) < ENOUGH:
        return None
    squares = [variance(a) / len(a), variance(b) / len(b)]
    error = math.sqrt(sum(squares))
    if error == 0:
        return None
    # Shares, not squares: of tiny variances the squares are zero.
    shares = [square / error**2 for square in squares]
    return error, 1 / (shares[0] ** 2 / (len(a) - 1) + shares[1] ** 2 / (len(b) - 1))


def estimate_probability(a: Scores, b: Scores, *, higher_is_better: bool = True) -> float:
    """The probability that a run of `a` beats one of `b`: Mann and Whitney's U / (n m).

    Equal scores count half.
    """
    wins = sum((x > y) + (x == y) / 2 for x in a for y in b) / (len(a) * len(b))
    return wins if higher_is_better else 1 - wins


def bound_probability(estimate: float, n: int, m: int) -> tuple[float, float] | None:
    """The 95 % interval of `estimate_probability` from `n` and `m` runs; None with one run.

    Newcombe's method 5 (Statistics in Medicine 25, 2006): all probabilities whose distance from the
    estimate is within t standard errors, where the error is that of the probability asked about, so
    that an estimate of 1 has an interval, too. t has 2 (min(n, m) - 1) degrees of freedom instead
    of his normal quantile, which covers 93 to 98 % with five or more runs each, spreads of 1:3
    included, and more with fewer (benchmarks/confirm_statistics.py).
    """
    if min(n, m) < 2:
        return None
    from scipy.special import stdtrit

    quantile = float(stdtrit(2 * (min(n, m) - 1), 0.975))

    def lies_within(probability: float) -> bool:
        error = math.sqrt(probability_variance(probability, n, m))
        return abs(estimate - probability) <= quantile * error

    return _bisect(lies_within, 0.0, estimate), _bisect(lies_within, 1.0, estimate)


def probability_variance(probability: float, n: int, m: int) -> float:
    """The variance of `estimate_probability` (Hanley and McNeil 1982, n and m balanced)."""
    balanced = (n + m) / 2 - 1
    spread = (1 - probability) / (2 - probability) + probability / (1 + probability)
    return probability * (1 - probability) / (n * m) * (1 + balanced * spread)


def _bisect(holds: Callable[[float], bool], outside: float, inside: float) -> float:
    """Bisect for the boundary between `outside`, where `holds` is false, and `inside`."""
    for _ in range(50):
        middle = (outside + inside) / 2
        if holds(middle):
            inside = middle
        else:
            outside = middle
    return inside


def recommend(
    groups: Sequence[Scores],
    comparisons: Sequence[Sequence[Comparison | None]],
    file_bytes: Sequence[int],
    seconds: Sequence[float],
    *,
    higher_is_better: bool = True,
) -> tuple[int, list[int]] | None:
    """The configuration to choose, and those tied with the best mean, the best among them.

    Of the tied, the smaller file, then the fewer seconds. None where none has three runs.
    """
    able = [index for index, scores in enumerate(groups) if len(scores) >= ENOUGH]
    if not able:
        return None
    best = (max if higher_is_better else min)(able, key=lambda index: mean(groups[index]))
    tied = [index for index in able if index == best or _ties(comparisons[best][index])]
    return min(tied, key=lambda index: (file_bytes[index], seconds[index])), tied


def _ties(comparison: Comparison | None) -> bool:
    """Whether a difference could have been shown and was not, or there is none."""
    if comparison is None or comparison.verdict != "tie":
        return False
    return comparison.p is not None or comparison.difference == 0
