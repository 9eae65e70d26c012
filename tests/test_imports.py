"""What answers at once, and reads a results folder anywhere, never imports Keras or TensorFlow."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

HEAVY = {"keras", "keras_tuner", "tensorflow"}
LIGHT = ["space", "journal", "project", "statistics", "report", "tables", "cli"]
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


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_command_imports_neither_keras_nor_tensorflow(arguments, tmp_path, make_project):
    make_project(tmp_path / "results" / "cnn", [{"score": 0.5}])
    run = f"""
import sys
from svhn_tune.cli import main
sys.argv[1:] = {arguments}
try:
    main()
except SystemExit as done:
    assert done.code == 0, done.code
"""
    assert not imported(run, tmp_path) & HEAVY


def test_tables_for_pandas_import_neither_keras_nor_tensorflow(tmp_path, make_project):
    make_project(tmp_path / "results" / "cnn", [{"score": 0.5}])
    modules = imported("import svhn_tune; svhn_tune.open_project().trials", tmp_path)
    assert "pandas" in modules
    assert not modules & HEAVY
