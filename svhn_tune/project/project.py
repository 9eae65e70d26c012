"""results/<project>/: the folder, its settings, its lock, and what its journal says.

Tables are for pandas, summaries for JSON. Nothing here trains or imports Keras, so that a results
folder can be read anywhere.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError, cannot_write
from ..journal.belonging import belongs
from ..journal.consistency import check_records
from ..journal.frames import frame_trials
from ..journal.lines import append_record, downgrade, read_journal, upgrade
from ..journal.other_data import OtherData
from ..journal.record_types import Record, RunRecord, SessionRecord, TrialRecord
from ..journal.settings import (
    Settings,
    make_valid_settings,
    read_searched_space,
    read_settings,
    write_settings,
)
from ..space.space import Space
from .lock import hold
from .ownership import FOLDERS, remove_leftovers
from .ranking import Configurations, group_longest, rank

if TYPE_CHECKING:
    import pandas as pd

# For one release: names that a Project had, and what does it now.
MOVED = {
    "figures": "Figures(project): from svhn_tune import Figures",
    "status": "status(project): from svhn_tune import status",
    "confirmed": "status(project)['confirm']: from svhn_tune import status",
}


class Project:
    """One folder in results/. Its journal is read once; `record` appends to both.

    Args:
        folder: a folder that `create_project` made.

    Attributes:
        other: the data that it is on, where they are not its search's (transfer.py: `on_data`).
        journal: all records; `records` are those on these data.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = folder.name
        self.settings: Settings = read_settings(folder / "project.json")
        self.space: Space = read_searched_space(folder / "space.toml", self.settings)
        self.other: OtherData | None = None
        self.journal: list[Record] = []
        self.refresh()

    @property
    def records(self) -> list[Record]:
        """The journal, without confirm's on other data than those that the project is on."""
        own = self.settings.data.fingerprint
        return [record for record in self.journal if belongs(record, own, self.other)]

    def _path(self, name: str) -> Path:
        return self.folder / name

    @property
    def journal_path(self) -> Path:
        """The journal's file."""
        return self._path("journal.jsonl")

    @property
    def submission_path(self) -> Path:
        """The file to hand in, once a run is confirmed."""
        return self._path("submission.keras")

    @property
    def pictures_path(self) -> Path:
        """What the report shows of the submission's model and of hard images, once confirmed."""
        return self._path("pictures.npz")

    def checkpoint_path(self, stage: str, trial: int, run: int, epochs: int | None = None) -> Path:
        """The checkpoint of a run, which is named by its first trial.

        In confirm a run of other `epochs`, or on other data, is another one; in search it was
        promoted.
        """
        length = f"-epochs-{epochs}" if stage == "confirm" else ""
        if self.other is not None:
            length += f"-on-{self.other.fingerprint[:8]}"
        return self._path("checkpoints") / f"{stage}-{trial:04d}-{run:02d}{length}.npz"

    def model_path(self, trial: int, run: int, epochs: int) -> Path:
        """Where a confirmed model is kept, named by its first trial."""
        return self._path("models") / f"trial-{trial:04d}-run-{run:02d}-epochs-{epochs}.keras"

    def refresh(self) -> None:
        """Read the journal again: another process may have added to it before we held the lock."""
        self._format, lines = read_journal(self.journal_path)
        if self._format == 1:
            lines = [upgrade(line, self.space.objective) for line in lines]
        # In place: what is on other data has the same list.
        self.journal[:] = check_records(lines, self.journal_path, self.space, self.settings)

    def record(self, record: Record) -> None:
        """Append a record to the journal on disk, then to the one in memory."""
        line = record.as_json()
        if self._format == 1:
            line = downgrade(line, self.space.objective)
        try:
            append_record(self.journal_path, line)
        except OSError as error:
            raise cannot_write(self.journal_path, error.strerror) from None
        self.journal.append(record)

    def update_settings(self, **changes: Any) -> None:
        """Change settings that a resumed project may change."""
        changed = make_valid_settings(self.settings.as_json() | changes)
        write_settings(self._path("project.json"), changed)
        self.settings = changed

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the project, against a second process; freed by the system when this one dies.

        Raises:
            InputError: another process holds it; the message has its pid. Or the folder cannot be
                written.
        """
        with hold(self.folder):
            remove_leftovers(self.folder)
            self._make_folders()
            yield

    def _make_folders(self) -> None:
        for name in FOLDERS:
            try:
                self._path(name).mkdir(exist_ok=True)
            except OSError as error:
                raise cannot_write(self._path(name), error.strerror) from None

    @property
    def tuning(self) -> dict[str, Any]:
        """What decides which trials are proposed: arguments of `make_oracle`."""
        cap = self.settings.cap
        affordable = None if cap is None else cap.make_test(self.space)
        return self.settings.tuning | {"affordable": affordable}

    def proposals(self) -> list[TrialRecord]:
        """The records of proposed trials, in order: that of trial 7 is number 7."""
        return [record for record in self.records if isinstance(record, TrialRecord)]

    def ended(self, stage: str | None = None) -> list[RunRecord]:
        """The records of ended runs of a stage ("search" or "confirm") or of both, in order."""
        runs = [record for record in self.records if isinstance(record, RunRecord)]
        return [run for run in runs if stage in (run.stage, None)]

    def values(self, trial: int) -> dict[str, Any]:
        """The values of a trial.

        Raises:
            InputError: there is no such trial.
        """
        proposals = self.proposals()
        if not 0 <= trial < len(proposals):
            raise InputError(f"no trial {trial} in {self.folder} (it has {len(proposals)})")
        return dict(proposals[trial].values)

    def root(self, trial: int) -> int:
        """The first trial of the run that `trial` continues; `trial` itself if it begins one."""
        return self.roots()[trial]

    def roots(self) -> dict[int, int]:
        """Every trial's root, in one pass: a parent is proposed before who continues it."""
        roots: dict[int, int] = {}
        for record in self.proposals():
            parent = record.parent
            roots[record.trial] = record.trial if parent is None else roots[parent]
        return roots

    def ranking(self) -> list[RunRecord]:
        """The search's configurations, best first: longest trained, then by the mean of their runs.

        Each is the record of its first run at its greatest length, with that mean for a score. What
        alone got to the end leads only where it led before, too.
        """
        return rank(self.ended("search"), self.space.objective, self.settings.max_epochs)

    def search_runs(self) -> Configurations:
        """The longest completed runs of each configuration of the search, by its first trial."""
        return group_longest(self.ended("search"))

    def confirm_runs(self) -> dict[tuple[int, int], list[RunRecord]]:
        """Completed confirm runs by (root, epochs): runs of other lengths are not mixed."""
        groups: dict[tuple[int, int], list[RunRecord]] = {}
        for record in self.ended("confirm"):
            if record.status == "completed":
                groups.setdefault((record.root, record.planned_epochs), []).append(record)
        return groups

    def best_confirmed(self) -> RunRecord | None:
        """The confirm run whose file is handed in: the best of the longest trained."""
        groups = self.confirm_runs()
        if not groups:
            return None
        longest = max(epochs for _, epochs in groups)
        runs = [run for (_, epochs), group in groups.items() if epochs == longest for run in group]
        return self.space.objective.best(runs, lambda run: run.score)

    def seconds_spent(self) -> float:
        """Wall-clock seconds of all calls that trained: the last record of each."""
        calls = {r.began: r.seconds for r in self.records if isinstance(r, SessionRecord)}
        return sum(calls.values())

    @property
    def trials(self) -> "pd.DataFrame":
        """One row per trial: trial, score, epochs, status, collapsed, parent, values, ..."""
        return frame_trials(self.proposals(), self.ended("search"))

    @property
    def runs(self) -> "pd.DataFrame":
        """One row per ended run: stage, trial, run, seed, epochs, score, seconds, ..."""
        import pandas as pd

        return pd.DataFrame([record.as_json() for record in self.ended()])

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Of what moved in 0.2, say where to."""
            if name in MOVED:
                raise AttributeError(f"project.{name} is now {MOVED[name]}")
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
