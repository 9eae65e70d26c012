"""Which configurations confirm retrains: the search's top, or, once more than `top` are confirmed,
the best of those by mean score, and the baseline as a control; or what a question names.

A choice by the means is recorded with the runs that it was made on: they are no fresh evidence
about the chosen. The control takes part in no such choice, so its runs stay fresh.
"""

from ..errors import InputError
from ..journal.record_types import ChoiceRecord, RunRecord
from ..project.project import Project
from ..space.questions import Question
from ..statistics.samples import mean
from ..summary.answers import find_asked
from ..summary.choices import BASELINE, left_out
from ..summary.status import count_trials

TOP = 3  # by default


def choose(
    project: Project,
    top: int | None,
    epochs: int,
    baseline: bool,
    question: int | None = None,
) -> tuple[list[int], ChoiceRecord | None]:
    """The latest trials of the configurations to retrain, and how confirm's own runs chose them.

    No runs did where the search's ranking chose, or where a question names all of them: None. The
    same call gives the same configurations while their runs are added.

    Raises:
        InputError: fewer completed trials than `top`, or a question that cannot be asked.
    """
    if question is not None:
        return _choose_asked(project, _find_question(project, question), top, epochs)
    top = TOP if top is None else top
    groups = _confirmed(project, epochs)
    if baseline:
        groups.pop(BASELINE, None)
    roots, used = _choose_by_means(project, groups, top, epochs)
    if not roots:
        ranking = project.ranking()
        if len(ranking) < top:
            raise _too_few(project, top, len(ranking))
        roots = [record.root for record in ranking[:top]]
    control = [BASELINE] if baseline and BASELINE not in roots else []
    chosen = _find_latest(project, [*roots, *control], epochs)
    return chosen, ChoiceRecord(epochs=epochs, chosen=roots, used=used) if used else None


def _choose_asked(
    project: Project, question: Question, top: int | None, epochs: int
) -> tuple[list[int], ChoiceRecord | None]:
    """The configurations of a question: all, or the best `top` by the means of their runs."""
    asked = find_asked(project, question)
    if None in asked:
        raise _not_proposed(project, question, asked.index(None))
    roots = [root for root in dict.fromkeys(asked) if root is not None]
    used: list[list[int]] = []
    if top is not None and top > len(roots):
        raise InputError(
            f"--top {top}: question {question.number} names {len(roots)} configurations; leave "
            f"--top out for all of them"
        )
    if top is not None and top < len(roots):
        confirmed = _confirmed(project, epochs)
        none = [str(index) for index, root in enumerate(roots) if root not in confirmed]
        if none:
            raise InputError(
                f"--question {question.number} --top {top} chooses by confirm's runs of {epochs} "
                f"epochs, and {len(none)} of its {len(roots)} configurations have none "
                f"({', '.join(none)}): confirm --question {question.number} --runs 3 --epochs "
                f"{epochs} trains them all"
            )
        groups = {root: confirmed[root] for root in roots}
        roots, used = _choose_by_means(project, groups, top, epochs, question.number)
    chosen = _find_latest(project, roots, epochs)
    if not used:
        return chosen, None
    return chosen, ChoiceRecord(epochs=epochs, question=question.number, chosen=roots, used=used)


def _find_question(project: Project, number: int) -> Question:
    name, questions = project.space.name, project.space.questions
    if not questions:
        raise InputError(
            f"the space '{name}' has no questions: leave --question out, and confirm --top "
            f"{TOP} retrains the best of the search"
        )
    found = next((each for each in questions if each.number == number), None)
    if found is None:
        known = ", ".join(str(each.number) for each in questions)
        raise InputError(f"no question {number} in the space '{name}' (it has {known})")
    return found


def _not_proposed(project: Project, question: Question, index: int) -> InputError:
    space, tuner = project.space, project.settings.tuner
    changes = space.changes(space.asked_by(question)[index])
    trials, place = len(space.listed), str(project.folder)
    if tuner == "hyperband":
        # Its brackets may be full.
        tuner, place = "random", f"{space.name}-questions"
    else:
        trials = max(trials, project.settings.max_trials or 0)
    return InputError(
        f"question {question.number}: its configuration {index} ({changes}) was not proposed yet "
        f"in {project.folder}: python -m svhn_tune search --space {space.name} --tuner {tuner} "
        f"--max-trials {trials} --project {place} proposes it"
    )


def _confirmed(project: Project, epochs: int) -> dict[int, list[RunRecord]]:
    groups = project.confirm_runs().items()
    return {root: runs for (root, each), runs in groups if each == epochs}


def _choose_by_means(
    project: Project,
    groups: dict[int, list[RunRecord]],
    top: int,
    epochs: int,
    question: int | None = None,
) -> tuple[list[int], list[list[int]]]:
    """The roots, and the runs that decided; no runs where an earlier choice still stands."""
    out = left_out(project, epochs, question)
    staying = [root for root in groups if root not in out]
    if out and len(staying) == top:
        return staying, []
    candidates = staying if len(staying) > top else list(groups)
    if len(candidates) <= top:
        return [], []
    objective = project.space.objective
    means = {
        root: mean([objective.count(run.score) for run in groups[root]]) for root in candidates
    }
    used = [[root, run.run] for root in candidates for run in groups[root]]
    return sorted(candidates, key=lambda root: (objective.sort_key(means[root]), root))[:top], used


def _find_latest(project: Project, roots: list[int], epochs: int) -> list[int]:
    """The latest trial of each: of the search, or of confirm; its first if neither trained it."""
    known = {root: runs[-1].trial for root, runs in _confirmed(project, epochs).items()}
    known |= {record.root: record.trial for record in project.ranking()}
    return [known.get(root, root) for root in roots]


def _too_few(project: Project, top: int, completed: int) -> InputError:
    trials = count_trials(project)
    advice = f" or pass --top {completed}" if completed else ""
    return InputError(
        f"--top {top} needs {top} completed trials of different values; {project.folder} has "
        f"{completed} ({trials['running']} running, {trials['failed']} failed): search more{advice}"
    )
