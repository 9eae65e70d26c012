"""Sentences that the command line, the figures and the page say in the same words."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..project.project import Project
from .confirmed import Confirmed


def as_sentence(text: str) -> str:
    """The text with a capital and a full stop; nothing of nothing."""
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def say_provenance(project: Project) -> str:
    """What must be said beside every number: what the data are, what the search validated on."""
    notes = []
    if project.settings.data.synthetic:
        notes.append(project.settings.data.name)
    if project.settings.validate_on == "test":
        notes.append("the search validated on the test set")
    return "; ".join(notes)


def with_provenance(project: Project, caption: str) -> str:
    """The caption, and behind it what must be said beside every number."""
    return "; ".join(filter(None, [caption, say_provenance(project)]))


def say_score(score: float | None) -> str:
    """`0.8510`, or `-` of a run that failed or diverged."""
    return "-" if score is None else f"{score:.4f}"


def describe_interval(interval: tuple[float, float] | None, form: str) -> str:
    """`0.8510..0.8590`, or `-` where one run says nothing about the spread."""
    return "-" if interval is None else f"{interval[0]:{form}}..{interval[1]:{form}}"


def describe_used(entries: list[Confirmed]) -> Iterator[str]:
    """A line for each configuration that was chosen by runs of its own."""
    for entry in entries:
        if entry.used and not entry.left_out:
            fresh = len(entry.fresh_scores)
            told = f"the mean of the other {fresh} is {entry.mean_fresh:.4f}" if fresh else ""
            yield (
                f"trial {entry.trial:03d} was chosen by its runs "
                f"{', '.join(map(str, entry.used))}: {told or 'no other has ended yet'}"
                f", and only those others are compared"
            )


def conclude(entries: list[Confirmed], status: dict[str, Any]) -> Iterator[str]:
    """What follows from the configurations that were trained longest, a line each.

    First the recommendation, then whose file is handed in, then what was chosen by the test set.
    """
    yield describe_recommendation(entries)
    file = status["handed_in"]
    # Questions have files of their own.
    handed_in = "best file" if status["answers"] else "file to hand in"
    yield (
        f"the {handed_in} is trial {file['trial']:03d}'s run {file['run']}: "
        f"{say_score(file['score'])} on the test set (selected: best of {file['best_of']}; the "
        f"mean of its configuration is {file['mean']:.4f})"
    )
    if "search" in status["test_set_used_to_choose"]:
        yield "the search chose by the test set, too: the scores of what it chose are optimistic"
    if any(e.search_epochs not in (None, e.epochs) for e in entries):
        yield "the search's scores are after other epochs: the drop is no winner's curse alone"


def describe_recommendation(entries: list[Confirmed]) -> str:
    """Which configuration to choose, and whether it was shown to be better."""
    recommended = next((entry for entry in entries if entry.recommended), None)
    if recommended is None:
        return "no verdict: it needs two runs or more of a configuration (confirm --runs)"
    name = f"trial {recommended.trial:03d}" + _baseline_note(recommended)
    tied = [entry for entry in entries if entry.tied_with_best]
    if len(tied) == 1:
        compared = sum(bool(entry.comparisons) for entry in entries)
        return f"recommended: {name}" + (", better than every other" if compared > 1 else "")
    names = ", ".join(f"{entry.trial:03d}{_baseline_note(entry)}" for entry in tied)
    return (
        f"a tie at the top (5 % over the family): trials {names}; recommended: {name}, the smaller "
        f"file ({recommended.file_bytes:,} bytes, {recommended.seconds:,.0f} s per run)"
    )


def _baseline_note(entry: Confirmed) -> str:
    return " (the baseline)" if entry.baseline else ""


def say_cap(
    most: float, share: float | None, left_out: float, nearest: Mapping[str, Any] | None = None
) -> str:
    """What a search leaves out because it costs too much.

    Args:
        most: in times of what an epoch of the baseline costs.
        share: of the hours, for a run of full length; None where somebody gave `most`.
        left_out: the share of the models above it.
        nearest: the best trial that costs more than half of the most, if there is one.
    """
    why = "" if share is None else f", for no run to take more than {share:.0%} of the hours"
    reached = ""
    if nearest is not None:
        reached = (
            f"; the best of those above half of that, trial {nearest['trial']:03d}, reached "
            f"{say_score(nearest['score'])} after {nearest['epochs']} epochs"
        )
    return (
        f"no model is proposed whose epoch costs more than {most:.3g} times the baseline's{why}: "
        f"{left_out:.0%} of the space{reached}"
    )
