"""What answers at once, and reads a results folder anywhere, never imports Keras or TensorFlow."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

HEAVY = {"keras", "keras_tuner", "tensorflow"}
# What `--help` can do without.
BULKY = {"matplotlib", "numpy", "pandas", "pydantic", "rich", "scipy", "sklearn"}
LIGHT = [
    "space.space",
    "project.journal",
    "project.project",
    "summary.samples",
    "report",
    "commands.tables",
    "cli",
]
COMMANDS = [
    ["--help"],
    ["search", "--help"],
    ["status"],
    ["status", "--json"],
    ["spaces"],
    ["report"],
]


def imported(code, folder):
    """The names of the modules that a fresh Python has imported after running `code`."""
    program = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("name", [n for n in LIGHT if find_spec(f"svhn_tune.{n}")])
def test_module_imports_neither_keras_nor_tensorflow(name, tmp_path):
    modules = imported(f"import svhn_tune.{name}", tmp_path)
    assert f"svhn_tune.{name}" in modules
    assert not modules & HEAVY


def test_the_package_imports_neither_keras_nor_tensorflow(tmp_path):
    assert not imported("import svhn_tune", tmp_path) & HEAVY


def running(arguments):
    """The code that runs a command."""
    return f"""
import sys
from svhn_tune.cli import main
sys.argv[1:] = {arguments}
try:
    main()
except SystemExit as done:
    assert done.code == 0, done.code
"""


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_command_imports_neither_keras_nor_tensorflow(arguments, tmp_path, make_project):
    make_project(tmp_path / "results" / "cnn", [{"score": 0.5}])
    assert not imported(running(arguments), tmp_path) & HEAVY


def test_help_imports_next_to_nothing(tmp_path):
    assert not imported(running(["--help"]), tmp_path) & (HEAVY | BULKY)
    # Of a command's options typer asks pydantic.
    assert not imported(running(["search", "--help"]), tmp_path) & (HEAVY | BULKY - {"pydantic"})


def test_status_of_a_project_at_rest_imports_no_numpy(tmp_path, make_project):
    make_project(tmp_path / "results" / "cnn", [{"score": 0.5}])
    bulky = BULKY - {"pydantic", "rich"}
    assert not imported(running(["status"]), tmp_path) & (HEAVY | bulky)


def test_status_of_confirmed_runs_imports_no_more_of_scipy_than_it_needs(tmp_path, make_project):
    project = make_project(tmp_path / "results" / "cnn", [{}, {}])
    for record in project.ended("search"):
        for run, score in enumerate((0.4, 0.5)):
            project.record(record | {"stage": "confirm", "run": run, "score": score})
    modules = imported(running(["status"]), tmp_path)
    assert "scipy.special" in modules
    assert "scipy.stats" not in modules


def test_a_name_of_the_package_is_a_function_imported_when_asked_for(tmp_path):
    code = """
from svhn_tune import confirm, plan, search
import svhn_tune
assert all(map(callable, (confirm, plan, search, svhn_tune.search)))
assert set(svhn_tune.__all__) <= set(dir(svhn_tune))
"""
    assert not imported(code, tmp_path) & HEAVY


def test_tables_for_pandas_import_neither_keras_nor_tensorflow(tmp_path, make_project):
    make_project(tmp_path / "results" / "cnn", [{"score": 0.5}])
    modules = imported("import svhn_tune; svhn_tune.open_project().trials", tmp_path)
    assert "pandas" in modules
    assert not modules & HEAVY
