"""Which hyperparameters matter: how much worse a random forest predicts when one is shuffled.

The forest predicts configurations that it has not seen (cross-validation), so that irrelevant
hyperparameters come out near zero, and the share of the variance that it explains says how far to
believe the rest. On synthetic scores of 30 to 500 trials this found the relevant ones; PED-ANOVA of
Optuna 5.0, which looks at each hyperparameter alone, ranked one without any effect first.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import rc_context

from ..console import say_count
from ..project.project import Project
from ..space.hyperparameters import Declaration
from ..summary.curves import list_completed, list_longest, list_varied, score_at, stitch_curves
from .style import BLUE, INK, STYLE, Chart

FEWEST = 10  # configurations; and those in which a hyperparameter must be active
SHOWN = 15
FOLDS = 5
REPEATS = 4


@dataclass(frozen=True)
class Importance:
    """What shuffling each hyperparameter costs: (hyperparameters, repetitions) shares of variance.

    `explained` is the share that the forest predicts of configurations it has not seen.
    """

    names: list[str]
    shares: np.ndarray
    explained: float
    epochs: int
    configurations: int


@rc_context(STYLE)
def draw_importance(project: Project, found: Importance | None) -> Chart | None:
    """One bar per hyperparameter, the most important first; `found` is the project's."""
    if found is None:
        return None
    means, spread = found.shares.mean(axis=1), found.shares.std(axis=1)
    order = np.argsort(-means, kind="stable")[:SHOWN]
    chart = Chart(1.5 + 0.27 * len(order))
    axes = chart.subplots()
    axes.barh(range(len(order)), means[order], height=0.62, color=BLUE)
    axes.errorbar(
        means[order], range(len(order)), xerr=spread[order], fmt="none", ecolor=INK, elinewidth=1.2
    )
    axes.set_yticks(range(len(order)), [found.names[index] for index in order])
    axes.set_ylim(len(order) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlabel("share of the scores' variance\nthat shuffling it leaves unexplained")
    chart.headline(project, _say(project, found))
    return chart


def _say(project: Project, found: Importance) -> str:
    of_all = f"{found.configurations} of {len(list_longest(project))} configurations"
    said = (
        f"a random forest explains {100 * found.explained:.0f} % of what it has not seen"
        if found.explained > 0.05
        else "a random forest explains nothing of what it has not seen, so believe none of this"
    )
    return f"Permutation importance, {of_all} after {say_count(found.epochs, 'epoch')}: {said}"


def measure_importance(project: Project) -> Importance | None:
    """The importance of each hyperparameter among configurations trained equally long.

    Scores are those after as many epochs as the first training of half of all configurations had,
    also of those that went on. None with fewer than 10 of them, or where nothing varies.
    """
    epochs, values, scores = _find_comparable(project)
    if len(scores) < FEWEST or np.ptp(scores) == 0:
        return None
    declarations = [
        declaration
        for declaration in list_varied(project, values)
        if sum(declaration.name in each for each in values) >= FEWEST
    ]
    if not declarations:
        return None
    table = np.column_stack([_encode(declaration, values) for declaration in declarations])
    shares, explained = _shuffle(table, scores)
    names = [declaration.name for declaration in declarations]
    return Importance(names, shares, explained, epochs, len(scores))


def rank_hyperparameters(project: Project, found: Importance | None) -> list[str]:
    """The names of all that varied, the most important first; `found` is the project's.

    Those whose importance cannot be measured come last, in the space's order.
    """
    varied = [each.name for each in list_varied(project, [r.values for r in list_longest(project)])]
    if found is None:
        return varied
    order = np.argsort(-found.shares.mean(axis=1), kind="stable")
    ranked = [found.names[index] for index in order if found.names[index] in varied]
    return ranked + [name for name in varied if name not in ranked]


def _find_comparable(project: Project) -> tuple[int, list[dict[str, Any]], np.ndarray]:
    """Epochs, values and scores of the configurations that were not chosen to train so long.

    Where Hyperband promotes, only those that began with a longer first round are no selection.
    """
    first = [record for record in list_completed(project) if record.trial == record.root]
    lengths = sorted(record.planned_epochs for record in first)
    if not lengths:
        return 0, [], np.array([])
    epochs = lengths[len(lengths) // 2]
    values, scores = [], []
    for record in first:
        if record.planned_epochs < epochs:
            continue
        is_end = record.epochs <= epochs
        curves = {} if is_end else stitch_curves(project, record.root)
        score = record.score if is_end else score_at(project, curves, epochs)
        if score is not None:
            values.append(record.values)
            scores.append(score)
    return epochs, values, np.array(scores)


def _encode(declaration: Declaration, values: list[dict[str, Any]]) -> np.ndarray:
    """A column of numbers, (N,): ranks of what is allowed; not a number where it is not active."""
    given, name = declaration.hyperparameter, declaration.name
    if given.type == "Choice":
        places = {value: float(place) for place, value in enumerate(given.values)}
        return np.array([places[v[name]] if name in v else np.nan for v in values])
    return np.array([float(v.get(name, np.nan)) for v in values])


def _shuffle(table: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, float]:
    """Shares of variance that shuffling each column costs, and the share that is explained."""
    # Imported late: a second.
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.model_selection import KFold

    random = np.random.default_rng(0)
    columns = np.arange(table.shape[1])
    total, squares, costs = float(np.var(scores)), 0.0, []
    for train, test in KFold(FOLDS, shuffle=True, random_state=0).split(table):
        forest = RandomForestRegressor(80, min_samples_leaf=2, max_features=1 / 3, random_state=0)
        forest.fit(table[train], scores[train])
        # One call for all shuffled copies: scikit-learn's permutation_importance makes one for
        # each, and takes four times as long.
        copies = np.tile(table[test], (REPEATS, len(columns), 1, 1))
        for column in columns:
            copies[:, column, :, column] = random.permuted(copies[:, column, :, column], axis=1)
        everything = np.concatenate([table[test][None], copies.reshape(-1, *table[test].shape)])
        predicted = forest.predict(everything.reshape(-1, len(columns)))
        errors = np.mean((predicted.reshape(len(everything), -1) - scores[test]) ** 2, axis=1)
        squares += errors[0] * len(test)
        costs.append((errors[1:] - errors[0]).reshape(REPEATS, -1) / total)
    return np.concatenate(costs).T, 1 - squares / len(scores) / total
