"""A project as TensorBoard's logs: scalars per epoch, and the table of its HParams tab.

One run of TensorBoard is one of search or confirm: `search/trial-0007`, named by the trial that
began it, or `confirm/trial-0007/epochs-100/run-03`. In HParams a row is one configuration of one
stage; the runs of a confirmed one are averaged.

TensorBoard's own record writer and messages are used, which do without importing TensorFlow.
The journal keeps durations, not dates: times count back from the moment of the export.
"""

import io
import math
import os
import shutil
import time
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
from tensorboard.plugins.hparams.summary_v2 import (
    Discrete,
    Domain,
    HParam,
    IntInterval,
    Metric,
    RealInterval,
    hparams_config_pb,
    hparams_pb,
)
from tensorboard.summary.writer.record_writer import RecordWriter

from ..files import write_atomically
from ..project.project import Project
from ..space.hyperparameters import Boolean, Choice, Fixed, Float, Hyperparameter, Int
from ..summary.curves import Curve, confirm_curves, search_curves

STATUSES = {
    "completed": api_pb2.STATUS_SUCCESS,
    "failed": api_pb2.STATUS_FAILURE,
    "running": api_pb2.STATUS_RUNNING,
}


def write_logs(project: Project, folder: Path) -> None:
    """Write the logs to `folder`, which must not be there.

    Raises:
        OSError: it cannot be written.
    """
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    now = time.time()
    temporary.mkdir()
    try:
        _write_events(temporary, [_experiment(project, now)])
        for curve in [*search_curves(project), *confirm_curves(project)]:
            _write_events(temporary / _run_name(curve), _events(curve, now))
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _run_name(curve: Curve) -> str:
    name = f"{curve.stage}/trial-{curve.root:04d}"
    if curve.stage == "confirm":
        name += f"/epochs-{curve.planned_epochs}/run-{curve.run:02d}"
    return name


def _write_events(folder: Path, events: Iterable[Event]) -> None:
    buffer = io.BytesIO()
    writer = RecordWriter(buffer)
    for event in [Event(file_version="brain.Event:2"), *events]:
        writer.write(event.SerializeToString())
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / "events.out.tfevents.0.svhn_tune", buffer.getbuffer())


def _experiment(project: Project, now: float) -> Event:
    """The columns of the HParams tab: the space's hyperparameters, then two of our own."""
    objective = project.space.objective
    hyperparameters = [
        HParam(declaration.name, _domain(declaration.hyperparameter))
        for declaration in project.space.declarations
    ]
    longest = max(project.settings.max_epochs, project.space.protocol.epochs)
    hyperparameters += [
        HParam("stage", Discrete(["search", "confirm"])),
        HParam("epochs", IntInterval(0, longest)),
    ]
    data = project.settings.data
    note = f", {data.name}" if data.synthetic else ""
    metrics = [
        Metric(name, display_name=name + note) for name in (objective.validated, objective.tested)
    ]
    return Event(
        wall_time=now, summary=hparams_config_pb(hyperparameters, metrics, time_created_secs=now)
    )


def _domain(given: Hyperparameter) -> Domain:
    match given:
        case Int():
            return IntInterval(given.min_value, given.max_value)
        case Float():
            return RealInterval(float(given.min_value), float(given.max_value))
        case Choice():
            return Discrete(given.values)
        case Boolean():
            return Discrete([False, True])
        case Fixed():
            return Discrete([given.value])


def _events(curve: Curve, now: float) -> list[Event]:
    """The start with its hyperparameters, every metric of every epoch, and the end."""
    start = now - curve.seconds
    group = f"{curve.root:04d} {curve.stage}"
    if curve.stage == "confirm":
        # Runs of other lengths are not averaged.
        group += f" {curve.planned_epochs}"
    chosen = curve.values | {"stage": curve.stage, "epochs": curve.epochs}
    ends = [start + seconds for seconds in accumulate(_seconds(curve))]
    events = [Event(wall_time=start, summary=hparams_pb(chosen, group, start))]
    for step, end in enumerate(ends, start=1):
        row = {name: values[step - 1] for name, values in curve.metrics.items()}
        if step == curve.epochs:
            row |= {f"test_{name}": value for name, value in curve.test.items()}
        events.append(Event(wall_time=end, step=step, summary=_scalars(row)))
    events.append(Event(wall_time=now, summary=_session_end(curve, now)))
    return events


def _seconds(curve: Curve) -> list[float]:
    return [seconds or 0.0 for seconds in curve.metrics.get("seconds", [])]


def _scalars(row: dict[str, float | None]) -> Summary:
    summary = Summary()
    for name, value in row.items():
        summary.value.add(tag=name, simple_value=math.nan if value is None else value)
    return summary


def _session_end(curve: Curve, now: float) -> Summary:
    """How the run ended: TensorBoard makes this message only with TensorFlow."""
    end = plugin_data_pb2.SessionEndInfo(status=STATUSES[curve.status], end_time_secs=now)
    content = metadata.create_summary_metadata(
        plugin_data_pb2.HParamsPluginData(session_end_info=end)
    )
    summary = Summary()
    summary.value.add(
        tag=metadata.SESSION_END_INFO_TAG, metadata=content, tensor=metadata.NULL_TENSOR
    )
    return summary
