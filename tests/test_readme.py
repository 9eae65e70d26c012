"""The README cannot drift: its commands run, its code runs, and its tree has every file."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMANDS = re.findall(r"^\$ python -m (svhn_tune .*)$", README, re.MULTILINE)
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)

# The whole job takes days; what is cut short here is the training, not the command.
SHORTER = {
    "svhn_tune search --space cnn": "--time-limit 1s",
    "svhn_tune plan": "--max-epochs 4 --epochs 4",
    "svhn_tune confirm --top 3": "--project demo --top 1 --runs 1 --epochs 1 --no-baseline",
    "svhn_tune search --space cnn --data builtin": "--data data --max-epochs 1 --train-images 64",
    "svhn_tune confirm --project demo": "--epochs 1 --runs 1",
}


@pytest.fixture(scope="module")
def place(archives, tmp_path_factory):
    """A folder with ./data, where a reader would stand."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "data").symlink_to(archives)
    return folder


def shorten(command):
    """The arguments of a command, with what cuts its training short."""
    longest = max((key for key in SHORTER if command.startswith(key)), key=len, default=None)
    return shlex.split(command) + shlex.split(SHORTER.get(longest, ""))


def test_every_command_runs_as_it_stands(place):
    # The confirm of the whole job needs the demo's trials.
    order = sorted(COMMANDS, key=lambda command: command == "svhn_tune confirm --top 3")
    assert len(order) >= 9
    for command in order:
        done = subprocess.run(
            [sys.executable, "-m", *shorten(command)], cwd=place, capture_output=True, text=True
        )
        # A file trained for one epoch may not be handed in, and check says so.
        expected = 1 if " check " in command else 0
        assert done.returncode == expected, (command, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("block", BLOCKS, ids=["notebook", "stock tuner"])
def test_the_code_runs(block, place, monkeypatch, tmp_path):
    (tmp_path / "data").symlink_to(place / "data")
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {})


def test_the_tree_has_every_module_and_every_top_level_file():
    tree = README[README.index("## Where things are") :]
    listed = set(re.findall(r"^ +([\w.]+\.py|\w+/|[\w.]+)  ", tree, re.MULTILINE))
    modules = {path.name for path in (ROOT / "svhn_tune").rglob("*.py")}
    missing = modules - listed - {"__init__.py"}
    assert not missing
    for name in ("search_spaces/", "results/", "benchmarks/", "tests/"):
        assert name in listed


def test_every_command_has_help_and_a_line_in_the_readme():
    from typer.main import get_command

    from svhn_tune.cli import app

    commands = get_command(app).commands
    for name, command in commands.items():
        assert command.help, name
        assert f"svhn_tune {name}" in README, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), (name, parameter.name)
