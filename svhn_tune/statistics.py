"""Numbers in, numbers out: what a list of runs says about a configuration."""

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
    n = len(scores)
    mean = math.fsum(scores) / n
    if n == 1:
        return Summary(n, mean, None, None, mean, mean)
    # Imported late: a third of a second that `status` without confirmed runs does not pay.
    from scipy.special import stdtrit

    sd = math.sqrt(math.fsum((score - mean) ** 2 for score in scores) / (n - 1))
    half = float(stdtrit(n - 1, 0.975)) * sd / math.sqrt(n)
    return Summary(n, mean, sd, (mean - half, mean + half), min(scores), max(scores))
