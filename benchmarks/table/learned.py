"""Answers between the trained points of the table, and says how well.

Extremely randomised trees from a configuration's values, and from what follows from them (sizes,
work), to its curves of validation accuracy and loss. The spread between seeds is what the
configurations that were trained twice show: a curve's deviation is drawn from those of the ones
that ended nearest.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import kendalltau, spearmanr
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.model_selection import KFold

from svhn_tune.space.space import Space

from .features import encode_derived
from .protocol import read_space
from .runs import Table

TREES, LEAF = 300, 1
NEAREST = 12
WORST_LOSS = 20.0
REPORTED = (1, 2, 3, 4, 9, 27)


def mean_curves(table: Table) -> np.ndarray:
    """(configurations, 3 x epochs): what the mean over seeds is at each epoch.

    Accuracy, log loss, and the share of the seeds that predict one class.
    """
    rows = []
    for each in table.configurations:
        loss = np.log(np.clip(np.nan_to_num(each.loss, nan=WORST_LOSS), 1e-3, WORST_LOSS))
        parts = (each.accuracy, loss, table.one_class(each.accuracy))
        rows.append(np.concatenate([part.mean(axis=0) for part in parts]))
    return np.array(rows)


def fit_forest(features: np.ndarray, curves: np.ndarray, seed: int = 0) -> ExtraTreesRegressor:
    """The forest from features to curves."""
    forest = ExtraTreesRegressor(
        TREES, min_samples_leaf=LEAF, max_features=0.5, random_state=seed, n_jobs=1
    )
    return forest.fit(features, curves)


def deviations(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """What the accuracy of single seeds has beyond the mean of its configuration.

    Returns:
        (n,) accuracies at which configurations with several seeds ended, and (n, epochs) of one
        seed's deviations, scaled so that their variance is that of a single run.
    """
    ends, found = [], []
    for each in table.configurations:
        seeds = len(each.accuracy)
        if seeds > 1:
            mean = each.accuracy.mean(axis=0)
            scale = np.sqrt(seeds / (seeds - 1))
            for curve in each.accuracy:
                ends.append(mean[-1])
                found.append((curve - mean) * scale)
    return np.array(ends), np.array(found).reshape(len(found), table.epochs)


@dataclass(frozen=True)
class Learned:
    """A space whose every configuration has curves."""

    space: Space
    epochs: int
    forest: ExtraTreesRegressor
    ends: np.ndarray
    spread: np.ndarray

    def curves(self, features: np.ndarray, tree: int | None = None) -> np.ndarray:
        """(n, 2, epochs): accuracy, and how likely it is that one class is predicted.

        Args:
            features: (n, features) of configurations.
            tree: one tree of the forest, whose curves are those of trained configurations, and
                which is as rough as the unknown; the forest's mean without it.
        """
        trees = self.forest.estimators_ if tree is None else [self.forest.estimators_[tree]]
        # Past scikit-learn's checks: a single row takes 5 ms instead of 100.
        rows = np.asarray(features, np.float32)
        predicted = np.mean([each.tree_.predict(rows)[..., 0] for each in trees], axis=0)
        return predicted.reshape(len(rows), 3, self.epochs)[:, [0, 2]]

    def draw(self, expected: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """(epochs,): what a run brings whose configuration is expected to bring `expected`."""
        if not len(self.ends):
            return expected.copy()
        nearest = np.argsort(np.abs(self.ends - expected[-1]), kind="stable")[:NEAREST]
        deviation = self.spread[rng.choice(nearest)]
        return np.clip(expected + deviation, 0.0, 1.0)


def learn(table: Table) -> Learned:
    """The space of the table, filled in."""
    space = read_space(table.space)
    features = encode_derived(space, [each.values for each in table.configurations])
    forest = fit_forest(features, mean_curves(table))
    ends, spread = deviations(table)
    return Learned(space, table.epochs, forest, ends, spread)


def predict_held_out(table: Table, folds: int = 5) -> np.ndarray:
    """(configurations, 3 x epochs): each predicted by a forest that did not see it."""
    space = read_space(table.space)
    features = encode_derived(space, [each.values for each in table.configurations])
    curves = mean_curves(table)
    predicted = np.empty_like(curves)
    for known, held_out in KFold(folds, shuffle=True, random_state=0).split(features):
        predicted[held_out] = fit_forest(features[known], curves[known]).predict(features[held_out])
    return predicted


def describe(table: Table) -> list[str]:
    """Lines: held-out error and rank correlation by epoch, and the spread between seeds."""
    curves, predicted = mean_curves(table), predict_held_out(table)
    guess = np.abs(curves - curves.mean(axis=0)).mean(axis=0)
    ends, spread = deviations(table)
    runs = sum(len(each.accuracy) for each in table.configurations)
    lines = [
        f"{table.space}: {len(curves)} configurations, {runs} runs, "
        f"{len(set(ends))} with several seeds; 5 folds over configurations",
        "  epoch  MAE accuracy (of the mean)  tau   rho  | MAE log loss  tau   | SD between seeds",
    ]
    for epoch in REPORTED:
        here, loss = epoch - 1, table.epochs + epoch - 1
        error = np.abs(curves - predicted).mean(axis=0)
        lines.append(
            f"  {epoch:5}  {error[here]:.3f}        ({guess[here]:.3f})      "
            f"{kendalltau(curves[:, here], predicted[:, here])[0]:6.2f}"
            f"{spearmanr(curves[:, here], predicted[:, here])[0]:6.2f}  | {error[loss]:.3f}       "
            f"{kendalltau(curves[:, loss], predicted[:, loss])[0]:6.2f}  | "
            f"{_root_mean_square(spread, here):.4f}"
        )
    return lines


def _root_mean_square(spread: np.ndarray, epoch: int) -> float:
    return float(np.sqrt((spread[:, epoch] ** 2).mean())) if len(spread) else np.nan
