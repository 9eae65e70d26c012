"""The figures of a project, for a notebook and for the page. Each is drawn when it is asked for."""

from typing import TYPE_CHECKING, Any

from ..project.project import Project
from .listing import FIGURES, HOW_TO_ZOOM, Entry

if TYPE_CHECKING:
    from .importance import Importance
    from .style import Chart

__all__ = ["FIGURES", "HOW_TO_ZOOM", "Entry", "Figures"]


class Figures:
    """Draws the figures of a project; each method returns None where there is nothing to show.

    Charts are matplotlib figures that belong to no pyplot, so nothing has to be closed.

    Args:
        project: an open project; what is in its journal is drawn.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._measured: tuple[int, Importance | None] = (-1, None)

    def _measure(self) -> "Importance | None":
        """The importance of the hyperparameters: it takes seconds, so once per journal."""
        from .importance import measure_importance

        length = len(self._project.records)
        if self._measured[0] != length:
            self._measured = (length, measure_importance(self._project))
        return self._measured[1]

    def _rank(self) -> list[str]:
        from .importance import rank_hyperparameters

        return rank_hyperparameters(self._project, self._measure())

    def score_against_hours(self) -> "Chart | None":
        """Every trial's score and the best so far, against hours of training."""
        from .search import draw_score

        return draw_score(self._project, "hours")

    def score_against_epochs(self) -> "Chart | None":
        """Every trial's score and the best so far, against epochs of training."""
        from .search import draw_score

        return draw_score(self._project, "epochs")

    def rounds(self) -> "Chart | None":
        """The rounds of halving, or of Hyperband's brackets, and who was promoted."""
        from .search import draw_rounds

        return draw_rounds(self._project)

    def explore_score(self) -> Any:
        """Every trial's score and the best so far: a plotly figure to hover over and zoom into."""
        from .interactive import explore_score

        return explore_score(self._project)

    def effects(self) -> "Chart | None":
        """Score against the value of each of the six most important hyperparameters that varied."""
        from .effects import FIRST, draw_effects

        return draw_effects(self._project, self._rank()[:FIRST])

    def other_effects(self) -> "Chart | None":
        """Score against the value of each of the other hyperparameters that varied."""
        from .effects import FIRST, draw_effects

        return draw_effects(self._project, self._rank()[FIRST:])

    def importance(self) -> "Chart | None":
        """How much of the score each hyperparameter explains."""
        from .importance import draw_importance

        return draw_importance(self._project, self._measure())

    def parallel_coordinates(self) -> Any:
        """Score, epochs and hyperparameters of all trials: a plotly figure with axes to brush."""
        from .parallel import draw_parallel

        return draw_parallel(self._project, self._rank())

    def learning_curves(self) -> "Chart | None":
        """Curves of the search's top trials, and of the confirm runs of each configuration."""
        from .curves import draw_curves

        return draw_curves(self._project)

    def loss_curves(self) -> "Chart | None":
        """The same of the loss, where it is not what runs are scored by."""
        from .curves import draw_losses

        return draw_losses(self._project)

    def explore_curves(self) -> Any:
        """The learning curves, and those of more trials: a plotly figure to zoom into."""
        from .interactive_curves import explore_curves

        return explore_curves(self._project)

    def explore_losses(self) -> Any:
        """The same of the loss, where it is not what runs are scored by."""
        from .interactive_curves import explore_losses

        return explore_losses(self._project)

    def confirmed(self) -> "Chart | None":
        """Every confirm run, with the mean and 95 % interval of each configuration."""
        from .confirm import draw_confirmed

        return draw_confirmed(self._project)

    def confusion(self) -> "Chart | None":
        """Mean confusion matrices of the baseline and the best, without and with class weights."""
        from .confirm import draw_confusion

        return draw_confusion(self._project)

    def times(self) -> "Chart | None":
        """What the file to hand in reads off each test clock, and how far off that is."""
        from .dial import draw_times

        return draw_times(self._project)

    def worst_clocks(self) -> "Chart | None":
        """The test clocks that it reads worst, with both times."""
        from .dial import draw_worst

        return draw_worst(self._project)

    def hardest_digits(self) -> "Chart | None":
        """The test images that the confirm runs most often get wrong."""
        from .pictures import draw_hardest

        return draw_hardest(self._project)

    def first_layer_weights(self) -> "Chart | None":
        """The weights of the first dense layer, as pictures, where there are no convolutions."""
        from .pictures import draw_weights

        return draw_weights(self._project)

    def filters(self) -> "Chart | None":
        """The first-layer filters of the file to hand in."""
        from .pictures import draw_filters

        return draw_filters(self._project)

    def filters_by_channel(self) -> "Chart | None":
        """The first-layer filters of the file to hand in, channel by channel."""
        from .layers import draw_filters_by_channel

        return draw_filters_by_channel(self._project)

    def feature_maps(self) -> "Chart | None":
        """One test image through each block of the file to hand in."""
        from .pictures import draw_feature_maps

        return draw_feature_maps(self._project)

    def filter_through_layers(self, number: int | None = None) -> "Chart | None":
        """One test image through every layer of the file to hand in, for one filter of each.

        Args:
            number: of the filter, from 1; the one whose maps vary most if it is not given.

        Raises:
            InputError: no layer has that many filters.
        """
        from .layers import draw_filter_through_layers

        return draw_filter_through_layers(self._project, number)
