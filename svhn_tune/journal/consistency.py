"""Whether a journal's lines fit those before them, and the project's space and settings.

What is refused here svhn_tune cannot have written: it would give wrong numbers, or none.
"""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import InputError, shorten
from ..space.hyperparameters import Float
from ..space.space import Space
from ..space.task import SOURCES
from .lines import Line
from .other_data import OtherData
from .predictions import MINUTES, check_minutes, count_predictions
from .record_types import (
    BeginRecord,
    ChoiceRecord,
    Record,
    RunRecord,
    SessionRecord,
    TrialRecord,
    from_json,
)
from .settings import Settings

Confirmed = tuple[int, int, int, str]  # root, run, planned epochs, fingerprint of other data


@dataclass
class _Before:
    """What the lines before say: trials and their roots, and which runs were planned and ended."""

    trials: list[TrialRecord] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    ended: set[int] = field(default_factory=set)
    completed: set[Confirmed] = field(default_factory=set)
    planned: dict[Confirmed, int] = field(default_factory=dict)
    seconds: dict[float, float] = field(default_factory=dict)
    images: dict[str, tuple[int, int]] = field(default_factory=dict)  # by the same fingerprint
    others: dict[str, OtherData] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)


def check_records(lines: list[Line], path: Path, space: Space, settings: Settings) -> list[Record]:
    """The journal's records with their types.

    Args:
        lines: as `read_journal` gives them: from the second on.
        path: what errors call the journal.
        space: of the project.
        settings: of the project.

    Raises:
        InputError: the first record that svhn_tune cannot have written; the message names the
            line, the field, the value and the way out.
    """
    before = _Before()
    records = []
    for number, line in enumerate(lines, start=2):
        try:
            record = from_json(line)
            _check(record, before, space, settings)
        except ValueError as error:
            raise InputError(
                f"{path} line {number}: {error}; {_say_way_out(line, number)}"
            ) from None
        records.append(record)
    return records


def _say_way_out(line: Line, number: int) -> str:
    restore = "restore the file from a copy"
    if line["event"] == "trial":
        return f"{restore}, or cut it off there (head -n {number - 1}) and lose what came after"
    again = ": that run is trained again" if line["event"] == "run" else ""
    return f"{restore}, or delete the line{again}"


def _check(record: Record, before: _Before, space: Space, settings: Settings) -> None:
    match record:
        case TrialRecord():
            _check_trial(record, before, space, settings)
        case RunRecord():
            _check_run(record, before, space, settings)
        case BeginRecord():
            if record.data is not None:
                _check_other(record.data, before, space, settings)
            other = record.data.fingerprint if record.data else ""
            for run in record.runs:
                _check_root(run.trial, run.root, before)
                before.planned[run.root, run.run, run.epochs, other] = run.threads
        case ChoiceRecord():
            _check_choice(record, before)
        case SessionRecord():
            told = before.seconds.get(record.began, 0.0)
            if record.seconds < told:
                raise ValueError(f"seconds={record.seconds} of a call that had spent {told}")
            before.seconds[record.began] = record.seconds


def _check_trial(trial: TrialRecord, before: _Before, space: Space, settings: Settings) -> None:
    if trial.trial != len(before.trials):
        raise ValueError(f"trial={trial.trial}, where trial {len(before.trials)} is the next")
    if trial.epochs > settings.max_epochs:
        raise ValueError(
            f"epochs={trial.epochs} is above max_epochs={settings.max_epochs} of project.json"
        )
    if trial.epochs <= trial.initial_epoch:
        raise ValueError(f"epochs={trial.epochs} is not above initial_epoch={trial.initial_epoch}")
    if trial.parent is None:
        if trial.initial_epoch:
            raise ValueError(f"initial_epoch={trial.initial_epoch} of a trial that continues none")
        _check_values(trial.values, space)
        root = trial.trial
    else:
        if trial.parent not in before.ended:
            raise ValueError(f"parent={trial.parent}, which is no trial that had ended")
        parent = before.trials[trial.parent]
        if (trial.initial_epoch, trial.values) != (parent.epochs, parent.values):
            raise ValueError(
                f"it continues trial {trial.parent} with another initial_epoch or other values"
            )
        root = before.roots[trial.parent]
    before.trials.append(trial)
    before.roots.append(root)


def _check_values(values: dict[str, Any], space: Space) -> None:
    """Refuse values that no trial of the space has: the size of such a model is not defined."""
    active = {each.name: each for each in space.declarations if each.is_active(values)}
    for name, declaration in active.items():
        if name not in values:
            raise ValueError(f"values.{name} is missing")
        value, given = values[name], declaration.hyperparameter
        if not (given.allows(value) or (isinstance(given, Float) and _is_at_bound(value, given))):
            raise ValueError(
                f"values.{name}={shorten(value)} is not in the space ({given.describe()})"
            )
    for name in values:
        if name not in active:
            raise ValueError(f"values.{name} is no active hyperparameter of the space")


def _is_at_bound(value: Any, given: Float) -> bool:
    """Whether a value is out of its range by rounding alone: 0.1 + 2 * 0.1 is above 0.3."""
    bounds = (given.min_value, given.max_value)
    return isinstance(value, float) and any(math.isclose(value, each) for each in bounds)


def _check_root(trial: int, root: int, before: _Before) -> None:
    if trial >= len(before.trials):
        raise ValueError(f"trial={trial} was not proposed before (there are {len(before.trials)})")
    if root != before.roots[trial]:
        raise ValueError(f"root={root}, where trial {trial} is of the root {before.roots[trial]}")


def _check_run(run: RunRecord, before: _Before, space: Space, settings: Settings) -> None:
    _check_root(run.trial, run.root, before)
    trial = before.trials[run.trial]
    if run.values != trial.values:
        raise ValueError(f"values are not those of trial {run.trial}")
    highest, stored = space.objective.highest, space.task.target.stored
    if not 0 <= (run.score or 0) <= highest:
        raise ValueError(f"score={run.score} is not from 0 to {highest:g}")
    if run.predicted is not None and run.predicted_as != stored:
        raise ValueError(f"predicted_as={run.predicted_as}, where the space has {stored}")
    own = settings.data.fingerprint
    other = "" if run.data_fingerprint in (None, own) else str(run.data_fingerprint)
    if other and not (run.stage == "confirm" and other in before.others):
        raise ValueError(f"data_fingerprint={shorten(other)} is not that of project.json")
    if run.stage == "confirm":
        _check_confirm_run(run, before, other)
        return
    if run.trial in before.ended:
        raise ValueError(f"trial {run.trial} had ended already")
    for name, found, expected in (
        ("run", run.run, 0),
        ("planned_epochs", run.planned_epochs, trial.epochs),
        ("train_images", run.train_images, settings.train_images),
        ("threads", run.threads, trial.threads),
    ):
        if found != expected and (name != "train_images" or None not in (found, expected)):
            raise ValueError(f"{name}={found}, where trial {run.trial} has {expected}")
    # A run that had diverged before it was promoted was not trained further.
    if run.initial_epoch not in (trial.initial_epoch, min(trial.initial_epoch, run.epochs)):
        raise ValueError(
            f"initial_epoch={run.initial_epoch}, where trial {run.trial} has {trial.initial_epoch}"
        )
    before.ended.add(run.trial)


def _check_other(other: OtherData, before: _Before, space: Space, settings: Settings) -> None:
    """Refuse other data that are the project's own, or of no source with labels as its own."""
    if other.fingerprint == settings.data.fingerprint:
        raise ValueError("data are those of project.json, not others")
    if other.source not in SOURCES:
        raise ValueError(f"data.source={shorten(other.source)} is none of {', '.join(SOURCES)}")
    if SOURCES[other.source].on_dial != space.task.on_dial:
        raise ValueError(f"data.source={other.source}, whose labels are not as {space.data}'s")
    known = before.others.setdefault(other.fingerprint, other)
    if known.source != other.source:
        raise ValueError(f"data.source={other.source}, where the same were {known.source}")


def _check_confirm_run(run: RunRecord, before: _Before, other: str) -> None:
    key = (run.root, run.run, run.planned_epochs, other)
    if key in before.completed:
        raise ValueError(f"run {run.run} of trial {run.trial} had ended already")
    if before.planned and key not in before.planned:
        raise ValueError(
            f"run={run.run} of {run.planned_epochs} epochs of trial {run.trial} was never planned"
        )
    threads = before.planned.get(key, 1)
    if run.threads != threads:
        raise ValueError(f"threads={run.threads}, where {threads} were planned")
    if run.initial_epoch:
        raise ValueError(f"initial_epoch={run.initial_epoch} of a run of confirm")
    if run.predicted is not None and run.predicted_as == MINUTES:
        times = count_predictions(run.predicted, MINUTES)
        if times != (earlier := before.times.setdefault(other, times)):
            raise ValueError(f"predicted is of {times} images, earlier runs' of {earlier}")
        if run.score is not None:
            check_minutes(run.predicted)
    if run.confusion is not None:
        images = (len(run.confusion), sum(map(sum, run.confusion)))
        if images != (known := before.images.setdefault(other, images)):
            raise ValueError(
                f"confusion is of {images[0]} classes and {images[1]} images, that of earlier runs "
                f"of {known[0]} and {known[1]}"
            )
    if run.status == "completed":
        before.completed.add(key)


def _check_choice(choice: ChoiceRecord, before: _Before) -> None:
    for root, run in choice.used:
        if (root, run, choice.epochs, "") not in before.completed:
            raise ValueError(
                f"used=[{root}, {run}] is no run of {choice.epochs} epochs that had ended"
            )
    for root in choice.chosen:
        if root not in {each for each, _ in choice.used}:
            raise ValueError(f"chosen={root} is none of the roots of used")
