"""Mean, spread and interval of a list of scores. It reads no project."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

ENOUGH = 3  # runs: fewer have no interval, and are not told from others


@dataclass(frozen=True)
class Summary:
    """Mean, sample standard deviation (ddof 1) and 95 % interval of the mean of `n` scores.

    `sd` is None of one score, and `ci95` of fewer than three: the t interval of two is 13 times as
    wide as they are apart, and says nothing.
    """

    n: int
    mean: float
    sd: float | None
    ci95: tuple[float, float] | None
    min: float
    max: float

    def as_dict(self) -> dict[str, Any]:
        """The summary as `status --json` and `confirm --json` print it; `n` is called runs."""
        fields = asdict(self)
        return {"runs": fields.pop("n"), **fields}


def summarize(scores: Sequence[float], *, highest: float = 1.0) -> Summary:
    """The summary of one or more scores between 0 and `highest`."""
    n, middle = len(scores), mean(scores)
    sd = math.sqrt(variance(scores)) if n > 1 else None
    ci95 = None if sd is None or n < ENOUGH else bound_mean(n, middle, sd, highest)
    return Summary(n, middle, sd, ci95, min(scores), max(scores))


def bound_mean(n: int, middle: float, sd: float, highest: float = 1.0) -> tuple[float, float]:
    """The 95 % interval of the mean of `n` scores, which never leaves 0 to `highest`.

    It is the t interval, middle ± t(0.975, n - 1) sd / sqrt(n), taken on the scale of the logit
    log(score / (highest - score)), whose slope at the mean carries the standard error over (the
    delta method), and brought back; of scores without a highest one the scale is the logarithm.
    Where the spread is small beside the distance to both ends the two agree: 0.715 SD to either
    side for ten runs. Of few scores that vary much near an end the t interval leaves the range and
    covers 92 %, this one 95 % (benchmarks/confirm_statistics.py). None covers where a few runs
    out of many collapse and those at hand by chance did not.
    """
    if sd == 0:
        return middle, middle
    # Imported late: a third of a second that `status` without confirmed runs does not pay.
    from scipy.special import expit, stdtrit

    half = float(stdtrit(n - 1, 0.975)) * sd / math.sqrt(n)
    if math.isinf(highest):
        return middle * math.exp(-half / middle), middle * math.exp(half / middle)
    share = middle / highest
    center = math.log(share / (1 - share))
    reach = half / highest / (share * (1 - share))
    return highest * float(expit(center - reach)), highest * float(expit(center + reach))


def mean(scores: Sequence[float]) -> float:
    """The mean, exact where all scores are equal."""
    low, high = min(scores), max(scores)
    return low if low == high else math.fsum(scores) / len(scores)


def variance(scores: Sequence[float]) -> float:
    """The sample variance (ddof 1) of two or more scores, exactly 0 where all are equal."""
    middle = mean(scores)
    return math.fsum((score - middle) ** 2 for score in scores) / (len(scores) - 1)


def expected_best(scores: Sequence[float], n: int, *, higher_is_better: bool = True) -> float:
    """The expected best of `n` of these runs, drawn without replacement.

    Boo_n of Bajgar, Kadlec and Kleindienst (2018), in its unbiased form: what handing in the best
    of `n` is worth, comparable between configurations with different numbers of runs.
    """
    ordered = sorted(scores, reverse=not higher_is_better)
    draws = math.comb(len(ordered), n)
    return math.fsum(s * math.comb(rank, n - 1) / draws for rank, s in enumerate(ordered))
