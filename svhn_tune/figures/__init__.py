"""The figures of a project, for a notebook and for the page. Each is drawn when it is asked for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..project.project import Project

if TYPE_CHECKING:
    from .style import Chart


@dataclass(frozen=True)
class Entry:
    """A figure of the page: the method of `Figures` that draws it, its title, how to read it."""

    name: str
    title: str
    reading: str


FIGURES = [
    Entry(
        "score_against_hours",
        "Best score against hours",
        "A dot is a trial at the end of its training; the line is the best so far among the "
        "longest trained, and begins anew, often lower or higher, where trials are trained longer.",
    ),
    Entry(
        "score_against_epochs",
        "Best score against epochs",
        "The same against epochs of training, which do not depend on the machine.",
    ),
    Entry(
        "rounds",
        "Rounds",
        "A line is one configuration; it goes on to the next round where it was promoted. "
        "Hyperband's brackets differ in how many begin and for how long each first round trains.",
    ),
    Entry(
        "effects",
        "Score against each hyperparameter",
        "A dot is a configuration at its longest training; compare dots of one colour only, which "
        "are trained equally long, and mind that longer trained ones were chosen to be.",
    ),
    Entry(
        "importance",
        "Importance of the hyperparameters",
        "How much of the differences between scores each hyperparameter explains within this "
        "space and these trials, with the spread over repetitions.",
    ),
    Entry(
        "parallel_coordinates",
        "All trials at once",
        "A line is a configuration; drag along an axis to keep those that cross it there, and "
        "drag an axis to move it.",
    ),
    Entry(
        "learning_curves",
        "Learning curves",
        "Training and validation in the search (the gap is overfitting), and training in confirm: "
        "the mean of the runs, and all that lies between the lowest and the highest.",
    ),
    Entry(
        "loss_curves",
        "Loss curves",
        "The same of the loss, which says how sure the networks are, too.",
    ),
    Entry(
        "confirmed",
        "Confirm runs",
        "A dot is a run from a fresh seed, the bar the mean with its 95 % interval; the diamond "
        "is what the search had said.",
    ),
    Entry(
        "confusion",
        "Confusion matrices",
        "Rows: true class; columns: predicted class; in percent of the true class, mean over runs.",
    ),
    Entry(
        "hardest_digits",
        "Hardest images",
        "The test images that most confirm runs get wrong; where all give the same wrong answer, "
        "look whether the label is right.",
    ),
    Entry(
        "first_layer_weights",
        "Weights of the first layer",
        "What each unit of a network without convolutions looks for in the image: its weights, "
        "from the lowest to the highest of each channel; of one layer, a picture a class.",
    ),
    Entry(
        "filters",
        "First-layer filters",
        "The weights of the file to hand in as colours: grey is zero.",
    ),
    Entry(
        "filters_by_channel",
        "First-layer filters by channel",
        "The same weights, those on each channel of the image for themselves: black is negative, "
        "grey is zero, white is positive.",
    ),
    Entry(
        "feature_maps",
        "Feature maps",
        "What the channels of each block of the file to hand in make of one test image.",
    ),
    Entry(
        "filter_through_layers",
        "One filter through all layers",
        "What the filter of the same number in each layer of the file to hand in makes of the "
        "image; `Figures(project).filter_through_layers(10)` draws another one's.",
    ),
]


class Figures:
    """Draws the figures of a project; each method returns None where there is nothing to show.

    Charts are matplotlib figures that belong to no pyplot, so nothing has to be closed.

    Args:
        project: an open project; what is in its journal is drawn.
    """

    def __init__(self, project: Project) -> None:
        self._project = project

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

    def effects(self) -> "Chart | None":
        """Score against the value of each hyperparameter that varied."""
        from .effects import draw_effects

        return draw_effects(self._project)

    def importance(self) -> "Chart | None":
        """How much of the score each hyperparameter explains."""
        from .importance import draw_importance

        return draw_importance(self._project)

    def parallel_coordinates(self) -> Any:
        """Hyperparameters, epochs and score of all trials: a plotly figure with axes to brush."""
        from .parallel import draw_parallel

        return draw_parallel(self._project)

    def learning_curves(self) -> "Chart | None":
        """Curves of the search's top trials, and of the confirm runs of each configuration."""
        from .curves import draw_curves

        return draw_curves(self._project)

    def loss_curves(self) -> "Chart | None":
        """The same of the loss, where it is not what runs are scored by."""
        from .curves import draw_losses

        return draw_losses(self._project)

    def confirmed(self) -> "Chart | None":
        """Every confirm run, with the mean and 95 % interval of each configuration."""
        from .confirm import draw_confirmed

        return draw_confirmed(self._project)

    def confusion(self) -> "Chart | None":
        """Mean confusion matrices of the baseline and the best, without and with class weights."""
        from .confirm import draw_confusion

        return draw_confusion(self._project)

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
