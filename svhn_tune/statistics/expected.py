"""What the file that is handed in is worth on images that nobody selected on. Reads nothing."""

from collections.abc import Sequence

from .samples import ENOUGH, mean, variance


def expect_on_new_images(
    groups: Sequence[Sequence[float]], own: int, score: float, images: int
) -> float | None:
    """The expected accuracy, on other images, of the file that was best on the test set.

    A grade is that of one file, so the best file is handed in, also where its configuration ties
    with others: a tie says that their means do not differ, not that their files do not. On the
    test set that chose it the file's own score stands. On new images less is to be expected: of
    many files the best is one that the images at hand happened to favour.

    How much less is regression to the mean (Kelley, Fundamentals of Statistics, 1947): what is
    expected of a file is its configuration's mean, plus that share of its distance from the mean
    which is the file's own doing. The share is 1 - noise / variance, never below 0. The variance is
    that of runs about their configuration's mean: of this configuration or of all, the smaller, for
    a few runs' own is rough. The noise is the part of it that the choice of images alone makes,
    where runs err independently on images: the mean over images of p (1 - p) / images, where p is
    the share of runs that are right. That is at most error (1 - error) / images, and about error /
    (2 images) where an ensemble of such runs is calibrated (Jordan 2023, On the Variance of Neural
    Network Training with respect to Test Sets and Distributions); the smaller of the two is taken.
    Given the spread, an expected value holds whatever was selected (Dawid 1994, Selection Paradoxes
    of Bayesian Inference).

    The alternative, to choose the file on half of the test set and judge it on the other half, is
    free of assumptions, but chooses worse and leaves a number of half as many images, about the
    file of another choice. The means of those configurations that tie are selected, too, which this
    leaves alone: of ten runs each of four that tie, it is at most 0.1 points too high, where the
    score is 0.2 to 0.5 (benchmarks/confirm_statistics.py).

    Args:
        groups: the accuracies of the runs of each configuration, on the test set.
        own: whose file it is.
        score: the file's accuracy on the test set.
        images: of the test set.

    Returns:
        The expected accuracy; None of fewer than three runs, whose spread is not known.
    """
    if len(groups[own]) < ENOUGH:
        return None
    middle = mean(groups[own])
    spreads = [variance(scores) for scores in groups if len(scores) >= ENOUGH]
    spread = min(variance(groups[own]), mean(spreads))
    if spread == 0:
        return middle
    error = 1 - middle
    noise = min(error / 2, error * middle) / images
    return middle + max(1 - noise / spread, 0.0) * (score - middle)
