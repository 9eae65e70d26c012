"""What a person sees while runs train: the picture, and real searches that show it."""

import fcntl
import io
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from itertools import pairwise

import pytest
from forked import start_command
from rich.console import Console

from svhn_tune.progress.live import LiveProgress, Terminal, make_progress
from svhn_tune.progress.picture import Picture
from svhn_tune.progress.progress import LineProgress
from svhn_tune.space.objective import OBJECTIVES
from svhn_tune.summary.standing import Best, RunStanding, Standing

VALUES = " ".join(f"kernel_size_{block}=7 spatial_dropout_{block}=0.25" for block in range(1, 9))
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
SHOW, HIDE = "\x1b[?25h", "\x1b[?25l"


def make_standing(stage="search", workers=2, **changes):
    """A stage in the middle, with every number known."""
    runs = tuple(
        RunStanding(
            trial=20 + number,
            root=20 + number,
            run=number if stage == "confirm" else None,
            initial=0,
            epochs=number,
            planned=100,
            metrics={"val_categorical_accuracy": 0.25, "categorical_accuracy": 0.375}
            if number
            else {},
            training=True,
        )
        for number in range(workers)
    )
    standing = {
        "stage": stage,
        "objective": OBJECTIVES["val_categorical_accuracy"],
        "trials": 12,
        "trials_planned": 106,
        "ended_epochs": 210,
        "epochs_planned": 2102,
        "best": Best(17, 0.8125, 12, 4 if stage == "confirm" else 1, VALUES),
        "runs": runs,
        "process": 1,
        "seconds_left": 8100.0,
        "budget_left": 97200.0,
    }
    return Standing(**standing | changes)


def draw(standing, width=80, height=24, **console):
    """The lines of the picture in a terminal of this size."""
    told = {"force_terminal": True, "color_system": None} | console
    terminal = Console(file=io.StringIO(), width=width, height=height, highlight=False, **told)
    terminal.print(Picture(standing, is_live=True))
    return [line.rstrip() for line in terminal.file.getvalue().splitlines()]


def test_more_trials_than_planned_are_all_there_are():
    standing = make_standing(trials=108, ended_epochs=2200, runs=())
    assert any("trials 108 of 108, epochs 2,200 of 2,200" in line for line in draw(standing))
    told = standing.as_dict()
    assert (told["trials_planned"], told["epochs_planned"]) == (108, 2200)


def test_the_picture_has_what_is_asked_for_at_a_width_of_80():
    lines = draw(make_standing())
    assert max(map(len, lines)) <= 80
    assert lines[0].endswith("10 %")
    assert lines[1:4] == [
        "search: trials 12 of 106, epochs 211 of 2,102",
        "time left 2.2 h, budget left 27.0 h",
        "best so far: trial 017, val_categorical_accuracy 0.8125 after 12 epochs",
    ]
    assert lines[4].startswith("  kernel_size_1=7 spatial_dropout_1=0.25 ")
    assert lines[6].endswith("…")
    assert lines[7].split() == ["trial", "epochs", "val_categorical_accuracy"]
    assert lines[8].split() == ["020", "0/100", "-"]
    assert lines[9].split()[:3] == ["021", "1/100", "0.2500"]
    assert len(lines) == 10


def test_the_picture_of_confirm_tells_the_best_mean_and_names_runs():
    lines = draw(make_standing("confirm"))
    assert lines[1] == "confirm: runs 12 of 106, epochs 211 of 2,102"
    told = " ".join(lines[3:5])
    assert told == (
        "best mean so far: trial 017, categorical_accuracy on the test set 0.8125, the mean of "
        "4 runs of 12 epochs"
    )
    assert lines[-1].split()[:5] == ["021", "run", "01", "1/100", "0.3750"]


@pytest.mark.parametrize("stage", ["search", "confirm"])
@pytest.mark.parametrize("width", [30, 40, 60, 79, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(stage, width):
    lines = draw(make_standing(stage, workers=5), width, height=50)
    assert max(map(len, lines)) <= width
    assert sum(" 0.2500" in line or " 0.3750" in line for line in lines) == 4


@pytest.mark.parametrize(("workers", "left_out"), [(14, 0), (16, 3), (64, 51)])
def test_many_workers_fit_on_the_screen(workers, left_out):
    lines = draw(make_standing(workers=workers))
    assert len(lines) < 24
    assert (lines[-1] == f"and {left_out} more") == (left_out > 0)


def test_status_draws_every_worker_and_a_pipe_gets_no_bars():
    console = Console(file=io.StringIO(), width=120, highlight=False)
    console.print(Picture(make_standing(workers=64)))
    drawn = console.file.getvalue()
    assert "more" not in drawn
    assert re.search("083 +63/100", drawn)
    assert "━" not in drawn


def test_what_is_not_known_yet_is_left_out():
    lines = draw(make_standing(workers=0, best=None, seconds_left=None, budget_left=None))
    assert lines[1:] == ["search: trials 12 of 106, epochs 210 of 2,102"]
    lines = draw(make_standing(workers=0, best=None, epochs_planned=None, budget_left=None))
    assert lines == ["search: 12 trials, 210 epochs", "time left 2.2 h"]


def test_times_count_down_between_events():
    picture = Picture(make_standing(seconds_left=0.0))
    console = Console(file=io.StringIO(), width=80)
    console.print(picture)
    assert "time left 0 s" in console.file.getvalue()


def test_where_there_is_no_terminal_lines_are_printed(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert type(make_progress()) is LineProgress


def test_the_times_are_asked_for_once_a_second_at_most(tmp_path, make_project):
    project = make_project(tmp_path / "cnn", [{}])
    asked = []
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    progress = LiveProgress(Terminal(console))

    def ask():
        asked.append(time.monotonic())
        return 60.0

    progress.begin(project, make_standing(), ask, lambda: None)
    try:
        for _ in range(100):
            progress.end_run(project, project.ended("search")[0])
    finally:
        progress.end()
    assert all(later - earlier > 1 for earlier, later in pairwise(asked))
    assert console.file.getvalue().count("trial 000  val_categorical_accuracy 0.5000") == 100


# Real searches, in processes of their own.


def command(folder, *more):
    """A small search: trials of 3 epochs, one after the other."""
    return [
        *("search", "--data", str(folder / "data")),
        *("--space", str(folder / "small.toml"), "--project", str(folder / "results" / "cnn")),
        *("--tuner", "random", "--max-epochs", "3", "--train-images", "100", "--workers", "1"),
        *map(str, more),
    ]


@pytest.fixture
def place(archives, small_space, tmp_path):
    """A folder with data and a space."""
    (tmp_path / "data").symlink_to(archives)
    (tmp_path / "small.toml").symlink_to(small_space)
    return tmp_path


class Screen:
    """A process whose stdout and stderr are a terminal of 80 x 24."""

    def __init__(self, arguments):
        parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        terminal = os.ttyname(child)
        self.process = start_command(arguments, stdout=terminal, stderr=terminal)
        # Until the process has opened it, too: what nobody has open cannot be read.
        self._child = child
        self._parent = parent
        self.text = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self):
        # Reading fails once the other end is closed.
        while True:
            try:
                self.text += os.read(self._parent, 65536).decode(errors="replace")
            except OSError:
                return

    def wait_for(self, text):
        while text not in ESCAPE.sub("", self.text):
            assert self.process.poll() is None, self.text
            time.sleep(0.05)

    def close(self):
        status = self.process.wait(timeout=60)
        os.close(self._child)
        self._reader.join()
        os.close(self._parent)
        return status


def read_status(place):
    """What `status --json` says, from a process of its own."""
    arguments = ["status", "--project", str(place / "results" / "cnn"), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "svhn_tune", *arguments], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_a_terminal_shows_the_picture_and_another_process_sees_the_same(place):
    longer = ("--max-epochs", 200, "--train-images", 540, "--budget", "5h")
    screen = Screen(command(place, "--max-trials", 40, *longer))
    screen.wait_for("trial 000  val_categorical_accuracy")
    screen.wait_for("budget left")
    screen.wait_for("time left")
    # Its columns are wider once numbers of epochs are: a fast machine may draw it first by then.
    screen.wait_for("trial  epochs  val_categorical_accuracy")
    progress = read_status(place)["progress"]
    assert progress["process"] == screen.process.pid
    assert (progress["trials_planned"], progress["epochs_planned"]) == (40, 8000)
    assert 1 <= progress["trials"] < 40
    assert 200 <= progress["epochs"] < 8000
    assert progress["seconds_left"] > 0
    screen.process.send_signal(signal.SIGINT)
    assert screen.close() == 130
    # The cursor is back, and after the picture is taken away comes how to go on.
    assert screen.text.rindex(SHOW) > screen.text.rindex(HIDE)
    assert screen.text.rstrip().endswith("the same command goes on")
    told = ESCAPE.sub("", screen.text)
    for expected in (
        "search: trials 1 of 40, epochs",
        "time left",
        "budget left 5.0 h",
        "best so far: trial 000, val_categorical_accuracy",
        "trial  epochs  val_categorical_accuracy",
    ):
        assert expected in told
    assert max(len(line) for line in re.split(r"[\r\n]+", told)) <= 80
    assert "Traceback" not in told
    progress = read_status(place)["progress"]
    assert progress["process"] is None
    assert not any(run["training"] for run in progress["runs"])


def test_a_second_ctrl_c_leaves_a_clean_terminal_too(place):
    screen = Screen(command(place, "--max-trials", 40, "--max-epochs", 200))
    screen.wait_for("search: trials")
    for _ in range(3):
        screen.process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    assert screen.close() == 130
    assert screen.text.rindex(SHOW) > screen.text.rindex(HIDE)
    assert "Traceback" not in screen.text


def test_a_log_has_plain_lines_and_quiet_says_nothing_but_the_result(place):
    stdout, stderr = place / "stdout", place / "stderr"
    quiet = start_command([*command(place, "--max-trials", 1), "--quiet"], ".", stdout, stderr)
    assert quiet.wait() == 0
    assert stderr.read_text() == ""
    assert "1 trial completed" in stdout.read_text()
    logged = start_command(command(place, "--max-trials", 2), ".", stdout, stderr)
    assert logged.wait() == 0
    assert re.fullmatch(
        r"search goes on with 1 of 2 trials and 3 epochs done\n"
        r"trial 001  val_categorical_accuracy 0\.\d{4} \(best 0\.\d{4}, trial 00\d\)  3 epochs  "
        r"[\d.]+ s  .*\nnote: the report is .*\n",
        stderr.read_text(),
    )
    assert "\x1b" not in stderr.read_text() + stdout.read_text()
    assert "search: trials 2 of 2, epochs 6 of 6" in stdout.read_text()
