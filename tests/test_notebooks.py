"""The notebooks of examples/: they run as a student would run them, in a kernel of their own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import TENSORFLOW
from nbclient import NotebookClient

import svhn_tune
from svhn_tune import open_project
from svhn_tune.engines import engine
from svhn_tune.summary.confirmed import summarize_confirmed

FOLDER = Path(__file__).parents[1] / "examples"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))


def read(name):
    return nbformat.read(FOLDER / name, as_version=4)


def tagged(notebook, tag):
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def set_parameters(notebook, settings):
    """Other values in the cell of the settings; one that it lacks is an error."""
    (cell,) = tagged(notebook, "parameters")
    for setting, value in settings.items():
        cell.source, count = re.subn(
            rf"^{setting} = .*$",
            lambda _, s=setting, v=value: f"{s} = {v!r}",
            cell.source,
            flags=re.M,
        )
        assert count == 1, setting


def execute(name, place, **settings):
    """The notebook after running it in `place`: other settings, and nothing installed.

    Its kernel, a process of its own, trains by the engine of the test.
    """
    notebook = read(name)
    set_parameters(notebook, settings)
    notebook.cells = [
        cell for cell in notebook.cells if "install" not in cell.metadata.get("tags", [])
    ]
    chosen = f"from svhn_tune.engines import engine\nengine.DEFAULT = {engine.DEFAULT!r}"
    notebook.cells.insert(0, nbformat.v4.new_code_cell(chosen))
    resources = {"metadata": {"path": str(place)}}
    return NotebookClient(notebook, timeout=240, resources=resources).execute()


def outputs(notebook, cell):
    """What a cell has shown: the texts of its streams, and the types of the rest."""
    (found,) = [each for each in notebook.cells if each.id == cell]
    text = "".join(each.text for each in found.outputs if each.output_type == "stream")
    types = {kind for each in found.outputs for kind in each.get("data", {})}
    return text, types


def pictures(notebook, cell):
    """What a cell shows as HTML."""
    (found,) = [each for each in notebook.cells if each.id == cell]
    return [each.data["text/html"] for each in found.outputs if "text/html" in each.get("data", {})]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_valid_without_outputs_and_names_no_folder_of_ours(name):
    notebook = read(name)
    nbformat.validate(notebook)
    assert len(tagged(notebook, "parameters")) == 1
    for cell in notebook.cells:
        assert not cell.get("outputs"), cell.id
        assert not re.search(r"/home/|/Users/|/root/|[A-Z]:\\", cell.source), cell.id
    assert notebook.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize(
    "trains",
    [
        pytest.param("softmax_engine", marks=pytest.mark.slow),
        pytest.param(TENSORFLOW, marks=pytest.mark.soak),
    ],
)
def test_the_notebook_searches_confirms_and_draws(trains, archives, tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "DEFAULT", trains)
    settings = {"IMAGES": 200, "MAX_EPOCHS": 2, "RUNS": 2, "WORKERS": 2}
    done = execute("cnn.ipynb", tmp_path, DATA=str(archives), **settings)
    project = open_project(tmp_path / "results" / "cnn")
    assert set(project.trials.status) == {"completed"}
    entries = summarize_confirmed(project)
    assert [entry.summary.n for entry in entries] == [2] * len(entries)
    assert (tmp_path / "results" / "cnn" / "submission.keras").is_file()
    assert "89,834" in str([cell.outputs for cell in done.cells if cell.id == "model"])
    for cell, planned in {"search": "trials", "confirm": "runs"}.items():
        told, _ = outputs(done, cell)
        assert re.match(r"trial \d{3} .* \d epochs?  [\d.]+ s  ", told)
        (picture,) = pictures(done, cell)
        assert re.search(rf"{cell}: {planned} \d+ of \d+, epochs \d+ of \d+", picture)
        assert re.search(r"best (mean )?so far: .*trial \d{3}", picture), picture
    for cell in ("trials", "runs"):
        assert "text/html" in outputs(done, cell)[1]
    assert "application/vnd.plotly.v1+json" in outputs(done, "parallel")[1]
    for cell in ("look", "rounds", "curves", "confirmed", "confusion"):
        assert "image/png" in outputs(done, cell)[1]


@pytest.fixture(autouse=True)
def path_of_the_tests(monkeypatch):
    """A kernel finds the tests' engine by it."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))


@pytest.mark.parametrize("name", ["kaggle.ipynb", "colab.ipynb"])
def test_a_notebook_for_a_gpu_plans_before_it_searches_and_names_its_placeholder(name):
    notebook = read(name)
    sources = ["".join(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    first = {
        what: next(place for place, source in enumerate(sources) if what in source)
        for what in ("pip install", "svhn_tune plan", "project = search(", "confirm(\n")
    }
    assert list(first.values()) == sorted(first.values())
    (settings,) = tagged(notebook, "parameters")
    assert 'YOUR-NAME/svhn_tune"  # a placeholder' in settings.source
    (install,) = tagged(notebook, "install")
    assert "tensorflow[and-cuda]" in install.source
    assert "jax[cuda12]" in install.source
    assert "pip download" not in str(notebook)


SMALL = {"TRAIN_IMAGES": 64, "MAX_EPOCHS": 4, "TOP": 1, "RUNS": 1, "EPOCHS": 1, "BUDGET": 0.05}


@pytest.mark.soak
@pytest.mark.usefixtures("tensorflow")
@pytest.mark.parametrize("name", ["kaggle.ipynb", "colab.ipynb"])
def test_a_notebook_for_a_gpu_goes_on_in_the_next_session(name, archives, small_space, tmp_path):
    settings = SMALL | {"DATA": str(archives), "SPACE": str(small_space)}
    # Kaggle's is given the last session's output, Colab's has it on the Drive.
    first = tmp_path / "first" / "results"
    second = first if name == "colab.ipynb" else tmp_path / "second" / "results"
    previous = {} if name == "colab.ipynb" else {"PREVIOUS": str(first)}
    week = execute(name, tmp_path, RESULTS=str(first), HOURS=1e-6, **settings)
    assert "goes on in the next session" in outputs(week, "confirm")[0]
    assert "budget 3.0 min: " in outputs(week, "plan")[0]
    begun = open_project(first / "cnn")
    assert svhn_tune.status(begun)["trials"]["running"]
    assert svhn_tune.status(begun)["epochs_trained"] == 0
    records = begun.records

    week = execute(name, tmp_path, RESULTS=str(second), HOURS=1, **previous, **settings)
    project = open_project(second / "cnn")
    assert project.records[: len(records)] == records
    assert svhn_tune.status(project)["trials"]["completed"] > 0
    assert {entry.trial for entry in summarize_confirmed(project)} >= {0}
    assert "trials completed" in outputs(week, "status")[0]
    # A file trained for one epoch on drawn digits: it is looked at, whatever the verdict.
    assert "be handed in" in outputs(week, "check")[0]


@pytest.mark.soak
@pytest.mark.network
@pytest.mark.timeout(1800)
def test_the_notebooks_for_a_gpu_run_in_a_fresh_environment(archives, small_space, tmp_path):
    """As they stand but for their settings, and without CUDA's gigabytes: they install the rest."""
    environment = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    # Without PYTHONPATH: what the tests have is not there.
    clean = {name: os.environ[name] for name in ("PATH", "HOME", "XDG_CACHE_HOME")}
    install = [python, "-m", "pip", "install", "-q", "ipykernel", "nbconvert"]
    subprocess.run(install, env=clean, check=True)
    settings = SMALL | {"DATA": str(archives), "SPACE": str(small_space), "HOURS": 1}
    settings["REPOSITORY"] = (FOLDER.parent).as_uri()
    for name in ("kaggle.ipynb", "colab.ipynb"):
        place = tmp_path / name.removesuffix(".ipynb")
        place.mkdir()
        notebook = read(name)
        set_parameters(notebook, settings | {"RESULTS": str(place / "results")})
        (cell,) = tagged(notebook, "install")
        for package, extra in (("tensorflow", "[and-cuda]"), ("jax", "[cuda12]")):
            cell.source = cell.source.replace(f"{package}{extra}", package)
        nbformat.write(notebook, place / name)
        done = subprocess.run(
            [python, "-m", "nbconvert", "--to", "notebook", "--inplace", "--execute", name],
            cwd=place,
            env=clean,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        ran = nbformat.read(place / name, as_version=4)
        assert "budget 3.0 min: " in outputs(ran, "plan")[0]
        assert "be handed in" in outputs(ran, "check")[0]
        project = open_project(place / "results" / "cnn")
        assert project.submission_path.exists()
