"""README and docs cannot drift: commands and code run, and the tree has every file in its place."""

import ast
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import TENSORFLOW, train_by
from forked import start_command

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
ARCHITECTURE = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
COMMANDS = re.findall(r"^\$ python -m (svhn_tune .*)$", README, re.MULTILINE)
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)

# The whole job takes days; what is cut short here is the training, not the command.
SHORTER = {
    "svhn_tune search --space cnn": "--time-limit 1s",
    "svhn_tune plan": "--max-epochs 4 --epochs 4",
    "svhn_tune confirm --top 3": "--project demo --top 1 --runs 1 --epochs 1 --no-baseline",
    "svhn_tune search --space cnn --data builtin": (
        "--data data --max-epochs 1 --train-images 64 --time-limit 2s"
    ),
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


def run_all(run):
    """Run every command; `run` returns its exit status and what it printed."""
    # The confirm of the whole job needs the demo's trials.
    order = sorted(COMMANDS, key=lambda command: command == "svhn_tune confirm --top 3")
    assert len(order) >= 9
    for command in order:
        status, told = run(command)
        # A file trained for one epoch may not be handed in, and check says so.
        assert status == (1 if " check " in command else 0), (command, told)
        assert "Traceback" not in told


def test_every_command_runs(place, tmp_path):
    """In forked processes, by softmax; by TensorFlow what makes the file that `check` looks at."""
    told = tmp_path / "told.txt"

    def run(command):
        with train_by(TENSORFLOW if "confirm --project demo" in command else "softmax_engine"):
            process = start_command(shorten(command)[1:], place, stdout=told, stderr=told)
            return process.wait(), told.read_text()

    run_all(run)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_every_command_runs_as_it_stands(archives, tmp_path):
    (tmp_path / "data").symlink_to(archives)

    def run(command):
        arguments = [sys.executable, "-m", *shorten(command)]
        done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    run_all(run)


@pytest.mark.parametrize("block", BLOCKS, ids=["notebook", "stock tuner"])
def test_the_code_runs(block, place, monkeypatch, tmp_path):
    (tmp_path / "data").symlink_to(place / "data")
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {})


def list_paths(tree):
    """The relative paths of a tree drawn by indentation; folders end with a slash."""
    above = []
    for indent, name in re.findall(r"^ {4}((?:  )*)(\S+)  ", tree, re.MULTILINE):
        above[len(indent) // 2 :] = [name]
        yield "".join(above)


def test_a_path_in_the_tree_is_where_its_line_stands():
    tree = "    a/  b\n      c.py  of a\n      d/  e\n        c.py  of d\n    c.py  of none\n"
    assert list(list_paths(tree)) == ["a/", "a/c.py", "a/d/", "a/d/c.py", "c.py"]


def says_more_than_a_docstring(path):
    return len(ast.parse(path.read_text()).body) > 1


def test_the_tree_has_every_module_and_folder_where_it_is():
    listed = list(list_paths(ARCHITECTURE[ARCHITECTURE.index("## The modules") :]))
    assert len(listed) == len(set(listed))
    modules = set()
    for path in (ROOT / "svhn_tune").rglob("*.py"):
        modules.add(f"{path.parent.relative_to(ROOT).as_posix()}/")
        if path.name != "__init__.py" or says_more_than_a_docstring(path):
            modules.add(path.relative_to(ROOT).as_posix())
    assert not modules - set(listed), "not in docs/ARCHITECTURE.md"
    gone = {name for name in listed if not (ROOT / name).exists()}
    assert not gone, "in docs/ARCHITECTURE.md, but not there"
    assert {"search_spaces/", "results/", "benchmarks/", "tests/", "docs/"} <= set(listed)


def test_every_command_has_help_and_a_line_in_the_readme():
    from typer.main import get_command

    from svhn_tune.cli import app

    commands = get_command(app).commands
    for name, command in commands.items():
        assert command.help, name
        assert f"svhn_tune {name}" in README, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), (name, parameter.name)
