"""The figures of the page, in its order: what draws each, its title, and how to read it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A figure of the page: the method of `Figures` that draws it, its title, how to read it.

    `explored` is the method of what replaces it where the page can be interactive, `folded` of what
    the page shows when asked for more.
    """

    name: str
    title: str
    reading: str
    explored: str | None = None
    folded: str | None = None


HOW_TO_ZOOM = (
    "Point at a dot or a line for what it is; drag a frame to zoom in, double-click to zoom out; "
    "click a name of the legend to hide or show it."
)
FIGURES = [
    Entry(
        "confirmed",
        "Confirm runs",
        "A dot is a run from a fresh seed; the bar below the dots is the mean with its 95 % "
        "interval, the diamond what the search had said after as many epochs.",
    ),
    Entry(
        "confusion",
        "Confusion matrices",
        "Rows: true class; columns: predicted class; in percent of the true class, mean over runs.",
    ),
    Entry(
        "times",
        "Predicted against true time",
        "A dot is a test clock; what is off by more than an hour has another colour. Times go "
        "round, so that a clock at 11:55 that is read as 0:05 is just above the line.",
    ),
    Entry(
        "worst_clocks",
        "Worst clocks",
        "The test clocks that the file to hand in reads worst, each with a dial that shows the "
        "true time and the one it read.",
    ),
    Entry(
        "score_against_hours",
        "Best score",
        "A dot is a trial at the end of its training; the line is the best so far among the "
        "longest trained, and begins anew, often lower or higher, where trials are trained longer.",
        explored="explore_score",
    ),
    Entry(
        "learning_curves",
        "Learning curves",
        "Training and validation in the search (the gap is overfitting), and training in confirm: "
        "the mean of the runs, and all that lies between the lowest and the highest.",
        explored="explore_curves",
    ),
    Entry(
        "loss_curves",
        "Loss curves",
        "The same of the loss, which says how sure the networks are, too.",
        explored="explore_losses",
    ),
    Entry(
        "importance",
        "Importance of the hyperparameters",
        "How much of the differences between scores each hyperparameter explains within this "
        "space and these trials, with the spread over repetitions.",
    ),
    Entry(
        "effects",
        "Score against each hyperparameter",
        "The most important come first. A dot is a configuration at its longest training; compare "
        "dots of one colour only, which are trained equally long, and mind that longer trained "
        "ones were chosen to be.",
        folded="other_effects",
    ),
    Entry(
        "parallel_coordinates",
        "All trials at once",
        "A line is a configuration; drag along an axis to keep those that cross it there, and "
        "drag an axis to move it.",
        explored="parallel_coordinates",
    ),
    Entry(
        "rounds",
        "Rounds",
        "A line is one configuration; it goes on to the next round where it was promoted. "
        "Hyperband's brackets differ in how many begin and for how long each first round trains.",
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
