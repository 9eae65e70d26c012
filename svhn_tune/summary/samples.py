"""Mean, spread and interval of a list of scores. It reads no project."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Summary:
    """Mean, sample standard deviation (ddof 1) and 95 % t interval of `n` scores.

    With one score, `sd` and `ci95` are None: one run says nothing about the spread.
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


def summarize(scores: Sequence[float]) -> Summary:
    """The summary of one or more scores.

    The interval is mean ± t(0.975, n - 1) sd / sqrt(n): 0.715 SD for ten runs.
    """
    n, middle = len(scores), mean(scores)
    if n == 1:
        return Summary(n, middle, None, None, middle, middle)
    # Imported late: a third of a second that `status` without confirmed runs does not pay.
    from scipy.special import stdtrit

    sd = math.sqrt(variance(scores))
    half = float(stdtrit(n - 1, 0.975)) * sd / math.sqrt(n)
    return Summary(n, middle, sd, (middle - half, middle + half), min(scores), max(scores))


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
