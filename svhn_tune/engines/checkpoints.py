"""A checkpoint's file: the arrays of a run, the metrics of each epoch, and which run it is of.

An .npz archive of the arrays, to which `about.json` is added: the run's history, where it is within
an epoch, its owner, and the checksums of the arrays. A file is read whole, as it was written and
for the run it was written for, or not at all. Nothing here knows Keras.

An owner is what a run's result depends on, as JSON has it: the run's own (`Run.owner`) and what it
shares with others (`Setup.owner`). A reader may know only a part of it.
"""

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, NamedTuple
from zipfile import ZipFile

from ..files import opened_atomically

if TYPE_CHECKING:
    import numpy as np

ABOUT = "about.json"
# Bytes that are on the disk before the next are written. 724 MB take 0.5 s so, of which 0.2 s are
# a core's; 2.1 and 1.8 s where the pages of the whole file are new to a virtual machine.
PIECE = 16 << 20
History = list[dict[str, float]]


class State(NamedTuple):
    """A run between two batches.

    Args:
        arrays: weights, optimizer, random generators, and what else the engine has in memory.
        history: what each whole epoch brought.
        within: how far it is beyond them, as JSON has it; empty at an epoch's end. Of the next
            epoch "batches" are trained, or after the last one "evaluated" images; what else it
            says is the engine's matter, and the executor's.
        engines: what has trained it, in order: the executor's matter.
    """

    arrays: "Sequence[np.ndarray]"
    history: History
    within: dict[str, Any]
    engines: tuple[str, ...] = ()


def write(path: Path, state: State, owner: Mapping[str, Any], *, lasts: bool = True) -> None:
    """Write a checkpoint in one atomic step; its folder is made again if somebody deleted it.

    One that is only on its way to another machine need not last.
    """
    path.parent.mkdir(exist_ok=True)
    with opened_atomically(path, lasts=lasts) as file, ZipFile(file, "w") as archive:
        for number, array in enumerate(state.arrays):
            with archive.open(_member(number), "w", force_zip64=True) as member:
                _write_array(member, array, file if lasts else None)
        about = json.dumps(
            {
                "owner": owner,
                "history": state.history,
                "within": state.within,
                "engines": state.engines,
                # The archive has computed them already: to check the arrays by them costs nothing.
                "checksums": [info.CRC for info in archive.infolist()],
            }
        )
        archive.writestr(ABOUT, f"{_digest(about)}\n{about}")


def _write_array(member: IO[bytes], array: "np.ndarray", disk: BinaryIO | None) -> None:
    """As `numpy.lib.format.write_array`, without its copies; to the disk, a piece at a time."""
    import numpy as np
    from numpy.lib.format import header_data_from_array_1_0, write_array_header_1_0

    whole = np.ascontiguousarray(array).reshape(array.shape)
    write_array_header_1_0(member, header_data_from_array_1_0(whole))
    content = whole.reshape(-1).data.cast("B")
    for first in range(0, len(content), PIECE):
        written = member.write(content[first : first + PIECE])
        if disk is not None and written == PIECE:
            _bring_to_disk(disk)


def _bring_to_disk(file: BinaryIO) -> None:
    """What was written so far, and let its pages go, where the system can."""
    if hasattr(os, "posix_fadvise"):
        file.flush()
        os.fdatasync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read(path: Path, owner: Mapping[str, Any], epochs: int) -> State:
    """The state of a run of `epochs`.

    Raises:
        ValueError: the file is damaged or another run's; the message says in what.
    """
    from numpy.lib.format import read_array

    try:
        with ZipFile(path) as archive:
            about = _read_about(archive)
            _check(about, owner, epochs)
            arrays = []
            for number, checksum in enumerate(about["checksums"]):
                if checksum != archive.getinfo(_member(number)).CRC:
                    raise ValueError(f"its array {number} is not the one that was saved")
                with archive.open(_member(number)) as member:
                    arrays.append(read_array(member, allow_pickle=False))
    except Exception as error:
        # Of what is no checkpoint, zipfile, numpy and json each raise errors of their own.
        raise ValueError(f"{path} is no checkpoint of this run: {error}") from error
    return State(arrays, about["history"], about["within"], tuple(about["engines"]))


def read_history(path: Path, owner: Mapping[str, Any], epochs: int) -> History:
    """The metrics of each epoch that the run has trained; none without a checkpoint of it.

    Only the history is read, not the weights beside it.
    """
    try:
        with ZipFile(path) as archive:
            about = _read_about(archive)
            _check(about, owner, epochs)
    except Exception:
        # Missing, damaged, another run's, or deleted meanwhile, as when its run ends.
        return []
    history: History = about["history"]
    return history


def has_diverged(metrics: Mapping[str, float]) -> bool:
    """Whether an epoch's loss is not finite: nothing more can be learnt."""
    return not math.isfinite(metrics["loss"])


def _member(number: int) -> str:
    return f"arr_{number}.npy"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read_about(archive: ZipFile) -> dict[str, Any]:
    digest, _, text = archive.read(ABOUT).decode().partition("\n")
    if digest != _digest(text):
        raise ValueError("its history is not the one that was saved")
    about: dict[str, Any] = json.loads(text)
    # Earlier versions wrote at an epoch's end only, and had one engine.
    return {"within": {}, "engines": []} | about


def _check(about: Mapping[str, Any], owner: Mapping[str, Any], epochs: int) -> None:
    """Refuse another run's checkpoint, and a history that no run of `epochs` can have."""
    for name, value in owner.items():
        if about["owner"].get(name) != value:
            raise ValueError(f"its {name} is {about['owner'].get(name)!r}, not {value!r}")
    history = about["history"]
    if len(history) > epochs:
        raise ValueError(f"it has {len(history)} epochs, more than the {epochs} of the run")
    if len(history) == epochs and "batches" in about["within"]:
        raise ValueError(f"it went on after the {epochs} epochs of the run")
    for metrics in history:
        if metrics.keys() != history[0].keys() or not all(map(_is_number, metrics.values())):
            raise ValueError(f"its history has an epoch of {metrics!r}")
    if any(map(has_diverged, history[:-1])):
        raise ValueError("it went on after a loss that was not finite")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
