"""A checkpoint's file: the arrays of a run, the metrics of each epoch, and which run it is of.

An .npz archive of the arrays, to which `about.json` is added: the run's history, its owner, and
the checksums of the arrays. A file is read whole, as it was written and for the run it was written
for, or not at all. Nothing here knows Keras.

An owner is what a run's result depends on, as JSON has it: the run's own (`Run.owner`) and what it
shares with others (`Setup.owner`). A reader may know only a part of it.
"""

import hashlib
import io
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

from ..files import write_atomically

if TYPE_CHECKING:
    import numpy as np

ABOUT = "about.json"
History = list[dict[str, float]]


def write(
    path: Path, arrays: "Sequence[np.ndarray]", history: History, owner: Mapping[str, Any]
) -> None:
    """Write a checkpoint in one atomic step; its folder is made again if somebody deleted it."""
    from numpy.lib.format import write_array

    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        for number, array in enumerate(arrays):
            with archive.open(_member(number), "w", force_zip64=True) as member:
                write_array(member, array, allow_pickle=False)
        about = json.dumps(
            {
                "owner": owner,
                "history": history,
                # The archive has computed them already: to check the arrays by them costs nothing.
                "checksums": [info.CRC for info in archive.infolist()],
            }
        )
        archive.writestr(ABOUT, f"{_digest(about)}\n{about}")
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, buffer.getbuffer())


def read(path: Path, owner: Mapping[str, Any], epochs: int) -> "tuple[list[np.ndarray], History]":
    """The arrays and the history of a run of `epochs`.

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
    return arrays, about["history"]


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
    return about


def _check(about: Mapping[str, Any], owner: Mapping[str, Any], epochs: int) -> None:
    """Refuse another run's checkpoint, and a history that no run of `epochs` can have."""
    for name, value in owner.items():
        if about["owner"].get(name) != value:
            raise ValueError(f"its {name} is {about['owner'].get(name)!r}, not {value!r}")
    history = about["history"]
    if len(history) > epochs:
        raise ValueError(f"it has {len(history)} epochs, more than the {epochs} of the run")
    for metrics in history:
        if metrics.keys() != history[0].keys() or not all(map(_is_number, metrics.values())):
            raise ValueError(f"its history has an epoch of {metrics!r}")
    if any(map(has_diverged, history[:-1])):
        raise ValueError("it went on after a loss that was not finite")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
