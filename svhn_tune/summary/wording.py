"""Sentences that the command line, the figures and the page say in the same words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..console import say_count
from ..journal.record_types import RunRecord
from ..project.project import Project
from ..space.objective import Objective
from ..statistics.samples import ENOUGH, mean
from .confirmed import Confirmed
from .standing import Standing

IN_ONE_CLASS = "puts all images into one class"


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


def say_collapsed(project: Project) -> str:
    """What a collapsed run is."""
    alike = "reads one time from all images" if project.space.task.on_dial else IN_ONE_CLASS
    return f"a run collapses where it {alike}, or its loss is no number"


def describe_interval(interval: tuple[float, float] | None, form: str) -> str:
    """`0.8510..0.8590`, or `-` where too few runs say nothing about the spread."""
    return "-" if interval is None else f"{interval[0]:{form}}..{interval[1]:{form}}"


def describe_used(project: Project, entries: list[Confirmed]) -> Iterator[str]:
    """A line for each configuration that was chosen by runs of its own."""
    for entry in entries:
        if entry.used and not entry.left_out:
            fresh = len(entry.fresh_scores)
            found = project.space.objective.tell(entry.mean_fresh)
            told = f"the mean of the other {fresh} is {found}" if fresh else ""
            yield (
                f"trial {entry.trial:03d} was chosen by its runs "
                f"{', '.join(map(str, entry.used))}: {told or 'no other has ended yet'}"
                f", and only those others are compared"
            )


def say_answer(project: Project, entries: list[Confirmed], status: dict[str, Any]) -> str:
    """The file and the configuration in one sentence, the same in confirm, status and the report.

    A grade is that of one file, a configuration's merit is the mean of its runs: the best file may
    be of a configuration that ties with others.

    Args:
        project: that is confirmed.
        entries: its configurations that were trained longest.
        status: the project's.
    """
    return f"{_say_file(project, status)}; {_say_configurations(project, entries)}"


def _say_file(project: Project, status: dict[str, Any]) -> str:
    file, objective = status["handed_in"], project.space.objective
    name = f"trial {file['trial']:03d}'s run {file['run']}"
    score = f"{objective.tell(file['score'])} on the test set"
    if file["expected"] is not None:
        score += f" (expect {objective.tell(file['expected'])} on new images)"
    several = "the only file" if file["best_of"] == 1 else f"the best of {file['best_of']} files"
    if not file["final"]:
        asked = project.space.protocol.epochs
        return (
            f"{several} is {name}, {score}, but it is none to hand in, trained for "
            f"{file['epochs']} of {say_count(asked, 'epoch')}"
        )
    # Questions have files of their own.
    if status["answers"]:
        return f"{several} is {name}, {score}"
    return f"a grade is that of one file: hand in {name}, {several}, {score}"


def _say_configurations(project: Project, entries: list[Confirmed]) -> str:
    """Which configuration is the best by the mean of its runs, if that can be told."""
    merit = "a configuration's merit is the mean of its runs"
    if len(entries) == 1:
        return f"{merit}: {_say_mean(project, entries[0])}, over {_say_runs(entries)}"
    staying = [entry for entry in entries if not entry.left_out]
    judged = [entry for entry in staying if entry.enough]
    if len(judged) < 2:
        short = " and ".join(f"trial {e.trial:03d}" for e in staying if not e.enough)
        chose = ", those that chose left out" if any(entry.used for entry in staying) else ""
        return (
            f"{merit}, and with fewer than {ENOUGH} runs of {short if judged else 'each'}{chose}, "
            f"it cannot be told which is better"
        )
    tied = [entry for entry in judged if entry.tied_with_best]
    runs = _say_runs(judged)
    if len(tied) == 1:
        others = "every other" if len(judged) == len(entries) else "every other compared"
        best = _say_mean(project, tied[0])
        return f"{merit}, and by that {best} is better than {others}, over {runs}"
    smallest = next(entry for entry in tied if entry.recommended)
    names = [_say_mean(project, entry) for entry in tied]
    return (
        f"{merit}, and by that {', '.join(names[:-1])} and {names[-1]} tie over {runs}: "
        f"none is shown to be better, and the smallest is trial {smallest.trial:03d}"
    )


def _say_mean(project: Project, entry: Confirmed) -> str:
    """The configuration and the mean of its runs that no choice was made on."""
    name = "the baseline, " if entry.baseline else ""
    told = project.space.objective.tell(mean(entry.fresh_scores or entry.scores))
    return f"trial {entry.trial:03d} ({name}{told})"


def _say_runs(entries: list[Confirmed]) -> str:
    counts = sorted({len(entry.fresh_scores or entry.scores) for entry in entries})
    if len(counts) > 1:
        return f"{counts[0]} to {say_count(counts[-1], 'run')} each"
    return say_count(counts[0], "run") + (" each" if len(entries) > 1 else "")


def note_answer(project: Project, entries: list[Confirmed], status: dict[str, Any]) -> list[str]:
    """What must be known to read the answer, a line each."""
    notes = []
    if "search" in status["test_set_used_to_choose"]:
        notes.append(
            "the search chose by the test set, too: the scores of what it chose are optimistic"
        )
    if any(entry.collapsed for entry in entries):
        notes.append(
            f"{say_collapsed(project)}; a mean and an interval over runs of both kinds say little"
        )
    return notes


def define_columns(entries: list[Confirmed]) -> str:
    """What the columns of a table of confirm are, for who does not know them."""
    found = (
        "mean ± SD: of the runs, and their spread; 95 % interval: of the mean of very many such "
        "runs; against the baseline: the difference of the means, its interval and the verdict (a "
        "tie: no difference is shown)"
    )
    if any(not entry.enough for entry in entries):
        found += f"; - and no verdict: fewer than {ENOUGH} runs are too few"
    return found


def say_resumed(standing: Standing) -> str:
    """With how much of it a stage goes on; nothing where it begins, or all is done."""
    planned = standing.trials_planned
    if not standing.epochs or (planned is not None and standing.trials >= planned):
        return ""
    name = "trial" if standing.stage == "search" else "run"
    done = say_count(standing.trials, name)
    if planned is not None:
        done = f"{standing.trials:,} of {say_count(planned, name)}"
    return f"{standing.title} goes on with {done} and {say_count(standing.epochs, 'epoch')} done"


def say_order(ranking: Sequence[RunRecord]) -> str:
    """How the configurations of a search's ranking are sorted."""
    order = "longest trained first"
    if len(ranking) < 2 or ranking[0].epochs >= ranking[1].epochs:
        return order
    alone = f"trial {ranking[1].root:03d}, alone with its {ranking[1].epochs} epochs"
    return f"{order}, after one that was ahead of {alone}"


def say_cap(
    objective: Objective,
    most: float,
    share: float | None,
    left_out: float,
    most_for_points: float | None,
    nearest: Mapping[str, Any] | None = None,
) -> str:
    """What a search leaves out because it costs too much.

    Args:
        objective: of the space.
        most: in times of what an epoch of the baseline costs.
        share: of the hours, for a run of full length; None where somebody gave `most`.
        left_out: the share of the models above it.
        most_for_points: what a point to evaluate may cost; None where `most` holds for it, too.
        nearest: the best trial that costs more than half of the most, if there is one.
    """
    why = "" if share is None else f", for no run to take more than {share:.0%} of the hours"
    reached = points = ""
    if most_for_points is not None and most_for_points > most:
        points = f"; a point to evaluate may cost {most_for_points:.3g} times"
    if nearest is not None:
        reached = (
            f"; the best of those above half of that, trial {nearest['trial']:03d}, reached "
            f"{objective.tell(nearest['score'])} after {say_count(nearest['epochs'], 'epoch')}"
        )
    return (
        f"no model is proposed whose epoch costs more than {most:.3g} times the baseline's{why}: "
        f"{left_out:.0%} of the space{reached}{points}"
    )
