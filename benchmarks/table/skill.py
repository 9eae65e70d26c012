"""Whether a forest that saw some trained configurations knows which of the others are good."""

import numpy as np
from scipy.stats import kendalltau
from sklearn.ensemble import ExtraTreesRegressor

from .features import encode_all, encode_derived
from .protocol import read_space
from .runs import Table

SPLITS = 40
TREES = 100


def skill_lines(table: Table, counts: tuple[int, ...] = (12, 30, 60)) -> list[str]:
    """Kendall's tau between what a forest expects of unseen configurations and what they reached.

    And how good its favourites are: the mean of the tenth that it ranks first beside the mean of
    all, and of the true best tenth. By the values alone, and with what is derived from them.
    """
    space = read_space(table.space)
    drawn = [each for each in table.configurations if each.drawn]
    values = [each.values for each in drawn]
    rows = {"values": encode_all(space, values), "and derived": encode_derived(space, values)}
    final = np.array([each.accuracy[:, -1].mean() for each in drawn])
    lines = ["  a forest that saw n results at full length: tau on the others, its favourite tenth"]
    for count in counts:
        if count > 0.8 * len(final):
            continue
        line = f"  n = {count:3}:"
        for name, features in rows.items():
            taus, favourites, bests, means = [], [], [], []
            for split in range(SPLITS):
                order = np.random.default_rng(split).permutation(len(final))
                seen, unseen = order[:count], order[count:]
                forest = ExtraTreesRegressor(
                    TREES, min_samples_leaf=2, bootstrap=True, random_state=split, n_jobs=1
                ).fit(features[seen], final[seen])
                expected = forest.predict(features[unseen])
                tenth = max(len(unseen) // 10, 1)
                taus.append(kendalltau(expected, final[unseen])[0])
                favourites.append(final[unseen][np.argsort(-expected)[:tenth]].mean())
                bests.append(np.sort(final[unseen])[-tenth:].mean())
                means.append(final[unseen].mean())
            line += f"  by {name}: {np.nanmean(taus):.2f}, {np.mean(favourites):.3f}"
        line += f"  (all {np.mean(means):.3f}, best tenth {np.mean(bests):.3f})"
        lines.append(line)
    return lines
