"""commands/look: what is shown without training."""

import json
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from svhn_tune.cli import app


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """What a command prints as JSON, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        done = CliRunner().invoke(app, [*arguments, "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    return run


def test_describe_of_a_project_is_of_its_space_and_of_its_trial(shown, make_project, tmp_path):
    project = make_project(tmp_path / "results" / "mine", [{}])
    baseline = shown("describe", "--project", "mine")["values"]
    assert baseline == project.space.baseline
    assert shown("describe", "--project", "mine", "--trial", "0")["values"] == project.values(0)
    assert shown("describe", "--project", "mine", "--set", "units=128")["values"]["units"] == 128


def test_describe_of_linear_has_its_parameters(shown):
    assert shown("describe", "--space", "linear")["parameters"] == 30_730


def test_the_version_is_that_of_the_package():
    done = CliRunner().invoke(app, ["--version"])
    assert (done.exit_code, done.stdout) == (0, f"svhn_tune {version('svhn_tune')}\n")
