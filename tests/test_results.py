"""results: projects found, created and deleted."""

import os

import pytest

from svhn_tune.errors import InputError
from svhn_tune.journal.record_types import SessionRecord
from svhn_tune.models.spaces import load_space
from svhn_tune.project.project import Project
from svhn_tune.project.results import create_project, delete_project, open_project


@pytest.fixture
def project(tmp_path, make_project):
    """Two trials."""
    return make_project(tmp_path / "results" / "cnn", [{"score": 0.6}, {"score": 0.7}])


def test_a_project_is_created_with_what_the_design_of_the_folder_says(project):
    names = {path.name for path in project.folder.iterdir() if path.name not in (".lock", ".pid")}
    assert names == {"space.toml", "project.json", "journal.jsonl", "checkpoints", "models"}
    assert (project.folder / "space.toml").read_text() == load_space("cnn").text


@pytest.mark.parametrize("place", ["file", "file/cnn", "file/deep/cnn"])
def test_a_project_where_nothing_can_be_written_is_an_input_error(tmp_path, project, place):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=rf"cannot write the project .*{place}: "):
        create_project(tmp_path / place, load_space("cnn"), project.settings)


def test_a_project_is_not_created_over_another(project):
    with pytest.raises(InputError, match=r"another process has just created .*cnn: the same"):
        create_project(project.folder, project.space, project.settings)
    assert Project(project.folder).settings == project.settings
    assert len(Project(project.folder).records) == len(project.records)


def test_deleting_removes_the_project_and_nothing_beside_it(project):
    beside = project.folder.parent / "other"
    beside.mkdir()
    assert delete_project(project.folder) == []
    assert sorted(project.folder.parent.iterdir()) == [project.folder, beside]
    assert not [path for path in project.folder.rglob("*.*") if path.name not in (".lock", ".pid")]


def test_deleting_refuses_a_folder_without_a_project(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(InputError, match="holds no project, so --overwrite will not delete it"):
        delete_project(tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_a_project_is_opened_by_name_and_by_folder(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("cnn", "results/cnn", project.folder, str(project.folder)):
        assert open_project(name).records == project.records


def test_the_latest_project_is_opened_by_default(tmp_path, monkeypatch, make_project):
    monkeypatch.chdir(tmp_path)
    for age, name in enumerate(["b", "c", "a"]):
        made = make_project(tmp_path / "results" / name)
        os.utime(made.journal_path, (1_000_000 - age, 1_000_000 - age))
    assert open_project().name == "b"
    make_project(tmp_path / "results" / "d")
    assert open_project().name == "d"
    session = SessionRecord(stage="search", began=1.0, workers=1, seconds=2.0)
    Project(tmp_path / "results" / "a").record(session)
    os.utime(tmp_path / "results" / "d" / "journal.jsonl", (1_000_000, 1_000_000))
    assert open_project().name == "a"


def test_a_project_that_is_not_there_is_refused_with_the_nearest(project, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as refused:
        open_project("cn")
    assert str(refused.value) == ("no project 'cn' in results/ (found: cnn). Did you mean 'cnn'?")
    monkeypatch.chdir(project.folder)
    with pytest.raises(
        InputError, match="no project in results/: run `python -m svhn_tune search`"
    ):
        open_project()
