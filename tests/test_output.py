"""What is printed, where it cannot be: a full disk, a closed stream or pipe, an ASCII terminal."""

import json
import os
import subprocess
import sys

import pytest
from forked import start_command

from svhn_tune.errors import CONTROLS, InputError, one_line
from svhn_tune.models.spaces import load_space

PROGRAM = [sys.executable, "-m", "svhn_tune"]
# Each is a process of its own: one of every way to print here, and those that print alike as soak.
COMMANDS = [
    ["--help"],
    ["status"],
    ["status", "--json"],
    *(
        pytest.param(command, marks=pytest.mark.soak)
        for command in (
            *(["search", "--help"], ["spaces"], ["describe"]),
            *(["spaces", "--json"], ["describe", "--json"]),
        )
    ),
]
FULL = "error: cannot write to standard output: No space left on device\n"
CLOSED = "error: cannot write to standard output: Bad file descriptor\n"
ASCII = [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}]


@pytest.fixture
def place(tmp_path, make_project):
    """A folder with a project, two configurations of which are confirmed."""
    project = make_project(tmp_path / "results" / "cnn", [{}, {}])
    for record in project.ended("search"):
        for run, score in enumerate((0.4, 0.5)):
            changes = {"stage": "confirm", "run": run, "score": score}
            project.record(record.model_copy(update=changes))
    return tmp_path


def run(place, shell, *arguments, **environment):
    """The command, with the redirections of `shell`; its status, stdout and stderr."""
    done = subprocess.run(
        ["sh", "-c", f'"$@" {shell}', "sh", *PROGRAM, *arguments],
        cwd=place,
        env=os.environ | {"PYTHONCOERCECLOCALE": "0"} | environment,
        capture_output=True,
    )
    return done.returncode, done.stdout, done.stderr.decode()


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_disk_without_room_for_stdout_is_one_line(place, arguments):
    assert run(place, ">/dev/full", *arguments) == (2, b"", FULL)


@pytest.mark.parametrize("environment", [{"PYTHONUNBUFFERED": "1"}, ASCII[1]], ids=str)
@pytest.mark.parametrize("arguments", [["--help"], ["status"]], ids=" ".join)
def test_nor_does_it_depend_on_how_python_writes(place, arguments, environment):
    assert run(place, ">/dev/full", *arguments, **environment) == (2, b"", FULL)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_closed_stdout_is_one_line(place, arguments):
    assert run(place, ">&-", *arguments) == (2, b"", CLOSED)


@pytest.mark.parametrize("redirected", ["2>/dev/full", "2>&-", "2>&- <&-"])
def test_a_stderr_that_cannot_be_written_ends_nothing(place, archives, redirected):
    status, stdout, _ = run(place, redirected, "data", "--data", str(archives), "--json")
    assert status == 0
    assert json.loads(stdout)["name"] == "SVHN (course archives)"
    assert (place / "contact_sheet.png").stat().st_size > 1_000


@pytest.mark.parametrize("redirected", ["2>/dev/full", "2>&-", ">/dev/full 2>&1", ">&- 2>&- <&-"])
def test_an_error_that_cannot_be_told_is_an_exit_status_all_the_same(place, redirected):
    assert run(place, redirected, "describe", "--set", "x=1") == (2, b"", "")


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_pipe_that_is_closed_early_is_no_error(place, arguments):
    status, stdout, stderr = run(place, "| head -1", *arguments)
    assert (status, stderr) == (0, "")
    assert stdout.count(b"\n") == 1
    assert run(place, "| true", *arguments)[2] == ""


@pytest.mark.parametrize("environment", ASCII, ids=str)
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_an_ascii_terminal_gets_ascii(place, arguments, environment):
    status, stdout, stderr = run(place, "", *arguments, **environment)
    assert (status, stderr) == (0, "")
    assert stdout.isascii()
    if arguments == ["status"]:
        assert b"0.4500 +- 0.0707" in stdout


@pytest.mark.parametrize("environment", ASCII, ids=str)
def test_what_a_person_wrote_is_spelt_out_on_an_ascii_terminal(place, environment):
    text = load_space("cnn").text
    (place / "mine.toml").write_text(text.replace("values = [3, 5, 7]", 'values = ["ä", "ö"]'))
    status, stdout, stderr = run(place, "", "describe", "--space", "mine.toml", **environment)
    assert (status, stdout) == (2, b"")
    assert "default 3 is none of values ['\\xe4', '\\xf6']" in stderr


def test_a_search_whose_progress_cannot_be_written_goes_on(place, archives, small_space):
    arguments = ["search", "--space", str(small_space), "--data", str(archives), "--workers", "1"]
    arguments += ["--tuner", "random", "--max-trials", "1", "--max-epochs", "1"]
    told = place / "told.txt"
    assert start_command(arguments, place, stdout=told, stderr="/dev/full").wait() == 0
    assert "1 trial completed" in told.read_text()
    assert start_command(arguments, place, stdout="/dev/full", stderr=told).wait() == 2
    assert told.read_text() == FULL


def test_a_message_is_one_line_of_what_a_terminal_can_show():
    message = "a\nb\r\nc\x1b[31m\u2028d\u202ee\udcff \x00é"
    assert str(InputError(message)) == "a b c\\x1b[31m d\\u202ee\\udcff \\x00é"
    long = one_line("begins" + "\x1b" * 100_000 + "ends")
    assert long.startswith("begins\\x1b")
    assert long.endswith("\\x1bends")
    assert len(long) < 1_000
    assert not CONTROLS.search(long)
    assert one_line(long) == long


def test_a_ctrl_c_that_falls_into_a_destructor_is_not_lost():
    program = """
import os, signal, time
from svhn_tune import cli

class Falls:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)

def work(*_, **__):
    Falls()
    time.sleep(60)

cli.app = work
cli.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 130
    assert done.stderr == "stopped; what was trained is saved: the same command goes on\n"
