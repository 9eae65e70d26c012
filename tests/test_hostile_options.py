"""Options that nobody means, through the command line: one line, and nothing is begun."""

import signal
import sys

import pytest

from svhn_tune.bounds import MAX_ACTORS, MAX_WORKERS
from svhn_tune.cli import main
from svhn_tune.commands.options import parse_assignments, parse_duration
from svhn_tune.errors import InputError

LONG, DIGITS, BRACKETS = "x" * 300, "9" * 5_000, "[" * 3_000


@pytest.fixture
def refused(tmp_path, monkeypatch, capfd):
    """A function that runs a command, and returns the one line by which it was refused."""
    monkeypatch.chdir(tmp_path)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["svhn_tune", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capfd.readouterr()
        assert (ended.value.code, printed.out) == (2, "")
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]
        (line,) = printed.err.splitlines()
        assert line.isprintable()
        assert len(line) < 1_000
        return line.removeprefix("error: ")

    yield run
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    "text",
    ["1e400h", "nan", "inf", "-5m", "9" * 400 + "h", "9999999999999h", "35001h", "5", "", "٣h"],
)
def test_a_duration_that_cannot_be(text):
    with pytest.raises(InputError, match="the duration "):
        parse_duration(text)


def test_durations_that_can_be():
    assert parse_duration("35000h") == 35_000 * 3600
    assert parse_duration("1.5m") == 90
    assert parse_duration("0s") == 0


@pytest.mark.parametrize(
    ("command", "option", "most"),
    [
        ("search", "--workers", MAX_ACTORS),
        ("search", "--max-epochs", 100_000),
        ("search", "--factor", 100_000),
        ("search", "--max-trials", 100_000),
        ("confirm", "--top", 1_000),
        ("confirm", "--runs", 1_000),
        ("confirm", "--epochs", 100_000),
        ("plan", "--epochs", 100_000),
    ],
)
def test_a_number_that_nobody_means(refused, command, option, most):
    told = f"Invalid value for '{option}': Input should be less than or equal to {most}"
    assert refused(command, option, str(most + 1)) == told
    assert refused(command, option, "1" + "0" * 30) == told
    assert refused(command, option, DIGITS).startswith(f"Invalid value for '{option}': ")


def test_more_workers_than_a_machine_has_use_for_are_of_a_cluster(refused):
    told = f"--workers {MAX_WORKERS + 1} must be at most {MAX_WORKERS} on this machine"
    assert refused("search", "--workers", str(MAX_WORKERS + 1)).startswith(told)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("units=" + BRACKETS, BRACKETS),
        ("units=" + DIGITS, DIGITS),
        ("units==", "="),
        ("units=64", 64),
        ("units=null", None),
    ],
)
def test_a_value_is_json_or_a_word(text, value):
    assert parse_assignments([text]) == {"units": value}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["units=" + BRACKETS], "units='[[["),
        (["units=" + DIGITS], "units='999"),
        (["units=1e999"], "units=inf is not in the space 'cnn'"),
        (["units=\x1b[31m"], "units='\\x1b[31m' is not in the space 'cnn'"),
        ([LONG + "=1"], "no hyperparameter 'xxx"),
        (["\x1b[31m=1"], "no hyperparameter '\\x1b[31m' in the space 'cnn'"),
        (["tuner/epochs=1"], "no hyperparameter 'tuner/epochs' in the space 'cnn'"),
        (["__proto__=1"], "no hyperparameter '__proto__' in the space 'cnn'"),
        (["units=64", "units=128"], "--set units is given twice: 64 and 128"),
        (["=="], "--set == must be NAME=VALUE"),
    ],
)
def test_values_that_a_space_does_not_have(refused, values, told):
    assert refused("describe", *[f"--set={value}" for value in values]).startswith(told)


@pytest.mark.parametrize("command", ["status", "report", "confirm", "search"])
@pytest.mark.parametrize("name", [LONG, f"{LONG}/{LONG}"])
def test_a_name_that_no_disk_can_hold(refused, tmp_path, archives, command, name):
    (tmp_path / "results").mkdir()
    data = ["--data", str(archives)] if command == "search" else []
    assert "File name too long" in refused(command, "--project", name, *data)


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", LONG],
        ["check", "\x1b[31m.keras"],
        ["data", "--data", LONG],
        ["describe", "--space", LONG + ".toml"],
        ["describe", "--space", "/dev/zero"],
        ["describe", "--space", "/dev/stdin"],
        ["\x1b[31m"],
        ["--" + LONG],
        [""],
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)
def test_an_argument_that_cannot_be(refused, arguments):
    refused(*arguments)


@pytest.mark.parametrize("sheet", ["", ".", LONG + ".png"])
def test_a_contact_sheet_without_a_name(refused, archives, sheet):
    told = refused("data", "--data", str(archives), "--sheet", sheet)
    assert told.startswith("cannot write the contact sheet ")
