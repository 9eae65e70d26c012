"""The verdict on a file, rule by rule, and what a project knows of the file's training."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    """One rule: whether the file keeps it, as far as is known, and what was seen."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True)
class TrainedRun:
    """A confirm run that ended with known weights."""

    trial: int
    run: int
    epochs: int
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Origin:
    """The project in whose folder a file is.

    Args:
        folder: of the project.
        batch_size: that its runs trained with.
        runs: its confirm runs by the sha256 of their final weights (save.py: hash_weights).
        problem: why the project cannot be read; empty if it can.
    """

    folder: str
    batch_size: int = 0
    runs: Mapping[str, TrainedRun] | None = None
    problem: str = ""
