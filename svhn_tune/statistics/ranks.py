"""Whether two lists of samples have their means in the same order. It reads no project."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

RESAMPLES = 9_999


@dataclass(frozen=True)
class RankCorrelation:
    """Kendall's tau or Spearman's rho of the means; no interval where a mean is of one run."""

    value: float
    ci95: tuple[float, float] | None


def rank_means(samples: list[list[list[float]]], higher: bool) -> list[tuple[float, float]]:
    """The ranks of each configuration by its means on both; those that tie share a mean rank."""
    from scipy.stats import rankdata

    means = _means(samples)
    ranks = rankdata(-means if higher else means, axis=1)
    return [(float(a), float(b)) for a, b in ranks.T]


def _means(samples: list[list[list[float]]]) -> "np.ndarray":
    """(2, configurations) means."""
    import numpy as np

    return np.array([[np.mean(runs) for runs in side] for side in samples])


def correlate_means(
    here: list[list[float]], there: list[list[float]]
) -> tuple[RankCorrelation | None, RankCorrelation | None, float | None]:
    """Kendall's tau and Spearman's rho of the means; how often a random order has as high a tau.

    Args:
        here, there: the scores of the runs of each configuration, in the same order.

    Returns:
        None of all where the means on one side are all equal.
    """
    # Imported late: a second that `status` without other data does not pay.
    import numpy as np
    from scipy.stats import bootstrap, kendalltau

    means = _means([here, there])
    if np.ptp(means, axis=1).min() == 0:
        return None, None, None
    count, runs = len(here), [*here, *there]
    found = []
    for correlate in (_kendall, _spearman):

        def statistic(*sides: "np.ndarray", axis: int = -1, of: Any = correlate) -> "np.ndarray":
            drawn = np.stack([side.mean(axis=axis) for side in sides])
            return of(drawn[:count], drawn[count:])

        interval = None
        if min(map(len, runs)) > 1:
            drawn = bootstrap(
                runs, statistic, n_resamples=RESAMPLES, method="percentile", rng=0, batch=1_000
            ).confidence_interval
            interval = (float(drawn.low), float(drawn.high))
        found.append(RankCorrelation(float(correlate(*means)), interval))
    by_chance = float(kendalltau(*means, alternative="greater").pvalue)
    return found[0], found[1], by_chance


def _kendall(a: "np.ndarray", b: "np.ndarray") -> "np.ndarray":
    """Kendall's tau-b of means (configurations, ...); 0 where all of one side are equal."""
    import numpy as np

    first, second = np.triu_indices(len(a), 1)
    signs = np.sign(a[first] - a[second]), np.sign(b[first] - b[second])
    untied = [(sign != 0).sum(axis=0) for sign in signs]
    scale = np.sqrt(untied[0] * untied[1])
    return np.where(scale > 0, (signs[0] * signs[1]).sum(axis=0) / np.maximum(scale, 1), 0.0)


def _spearman(a: "np.ndarray", b: "np.ndarray") -> "np.ndarray":
    """Spearman's rho, likewise."""
    import numpy as np
    from scipy.stats import rankdata

    ranks = [rankdata(each, axis=0) for each in (a, b)]
    x, y = (each - each.mean(axis=0) for each in ranks)
    scale = np.sqrt((x * x).sum(axis=0) * (y * y).sum(axis=0))
    return np.where(scale > 0, (x * y).sum(axis=0) / np.where(scale > 0, scale, 1), 0.0)
