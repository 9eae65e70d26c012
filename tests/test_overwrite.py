"""--project and --overwrite: a project goes where nothing is, and deletes only what it wrote."""

import sys
from pathlib import Path

import pytest

from svhn_tune.cli import main
from svhn_tune.engines.maps import maps_path
from svhn_tune.errors import InputError
from svhn_tune.files import count_bytes
from svhn_tune.models.spaces import load_space
from svhn_tune.project.ownership import find_obstacle, remove_leftovers
from svhn_tune.project.project import Project
from svhn_tune.project.results import create_project, delete_project, open_project, project_folder
from svhn_tune.summary.status import status

HEADER = '{"event": "journal", "format": 1}\n'


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A working folder of the test's own."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def project(make_project):
    """A project with every file that one can have."""
    made = make_project(Path("results/cnn"), [{"score": 0.6}, {"score": 0.7}])
    for path in own_files(made):
        if not path.exists():
            path.write_text("x")
    return made


def own_files(project):
    """The path of every file that svhn_tune writes into a project's folder, but for its lock."""
    model = project.model_path(0, 3, 100)
    top = ("space.toml", "project.json", "report.html", "trials.csv", "runs.csv", "confirm.csv")
    paths = [project.folder / name for name in (*top, "architectures.csv")]
    paths += [project.journal_path, project.submission_path, project.pictures_path]
    paths += [model, maps_path(model), project.model_path(12345, 100, 7)]
    paths += [project.checkpoint_path("search", 0, 0), project.checkpoint_path("search", 12345, 0)]
    paths += [project.checkpoint_path("confirm", 4, 100, 100)]
    # What kills leave: of atomic writes, and of Keras's own.
    left = [path.with_name(f".{path.name}.4711.tmp") for path in paths]
    return [*paths, *left, model.with_name(f".{model.stem}.4711.keras")]


def contents(folder):
    """Every file below a folder with its bytes, and every link with where it goes."""
    return {
        path: path.readlink() if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def refuse(*arguments, monkeypatch, capsys):
    """The one line by which `search` was refused."""
    monkeypatch.setattr(sys, "argv", ["svhn_tune", "search", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    lines = capsys.readouterr().err.splitlines()
    assert (ended.value.code, len(lines)) == (2, 1), lines
    return lines[0].removeprefix("error: ")


# Names and paths.


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("cnn", "results/cnn"),
        ("a b", "results/a b"),
        ("results", "results/results"),
        ("./cnn", "cnn"),
        ("./results/cnn", "results/cnn"),
        ("results/cnn/", "results/cnn"),
        ("cnn/", "cnn"),
        (".hidden", ".hidden"),
        ("../cnn", "../cnn"),
        ("~/cnn", "home/cnn"),
        (Path("cnn"), "cnn"),
        (Path("/tmp/cnn"), "/tmp/cnn"),
    ],
)
def test_what_has_a_separator_is_a_path_and_all_else_a_name(name, folder, monkeypatch):
    monkeypatch.setenv("HOME", "home")
    assert project_folder(name) == Path(folder)


@pytest.mark.parametrize(
    "name",
    [
        *("", ".", "..", "./", "../", "../..", "a/..", "a/../..", "results/..", "./.."),
        *("/", "//", "/..", "results/../thesis", "/tmp/../home/x"),
        *("~nobody-of-this-name/x", "x\0y", "x\ny", "\udcff"),
    ],
)
@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_a_name_that_leaves_results_is_refused(
    name, overwrite, archives, place, project, monkeypatch, capsys
):
    before = contents(place)
    with pytest.raises(InputError):
        project_folder(name)
    if "\0" not in name:
        arguments = ["--data", archives, "--project", name, *overwrite]
        refuse(*arguments, monkeypatch=monkeypatch, capsys=capsys)
    assert contents(place) == before


# Where a project goes.


def test_a_new_project_goes_into_an_empty_folder(place, project):
    (place / "empty").mkdir()
    made = create_project(place / "empty", project.space, project.settings)
    assert open_project("./empty").settings == made.settings


@pytest.mark.parametrize("name", ["thesis.tex", ".bashrc", "checkpoints/mine.npz", "folder/x"])
def test_a_new_project_goes_into_no_folder_that_holds_anything(place, project, name):
    path = place / "mine" / name
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    before = contents(place)
    with pytest.raises(
        InputError, match=r"mine holds no project, but holds .*: a project goes into"
    ):
        create_project(place / "mine", project.space, project.settings)
    assert contents(place) == before


@pytest.mark.parametrize("name", ["space.toml", "project.json", ".lock", ".pid", "report.html"])
def test_a_file_of_the_users_with_a_projects_name_is_kept(place, project, name):
    (place / "mine").mkdir()
    (place / "mine" / name).write_text("mine")
    with pytest.raises(InputError, match="holds no project, but holds"):
        create_project(place / "mine", project.space, project.settings)
    assert [path.read_text() for path in (place / "mine").iterdir()] == ["mine"]


def test_what_a_kill_left_of_a_creation_is_no_obstacle(place, project):
    text = project.space.text
    project.journal_path.unlink()
    assert find_obstacle(project.folder, text).name != "space.toml"
    for path in own_files(project):
        if path.name not in ("space.toml", "project.json", ".space.toml.4711.tmp"):
            path.unlink(missing_ok=True)
    assert find_obstacle(project.folder, text) is None
    assert find_obstacle(project.folder, text + "\n").name == "space.toml"
    assert create_project(project.folder, project.space, project.settings).records == []


# What --overwrite deletes.


def test_deleting_takes_every_file_that_a_project_writes(project):
    assert delete_project(project.folder) == []
    left = {path.name for path in project.folder.rglob("*")}
    assert left == {".lock", ".pid", "checkpoints", "models"}
    create_project(project.folder, project.space, project.settings)


def test_deleting_leaves_what_the_project_did_not_write_and_says_so(project, place):
    mine = [
        *("notes.txt", "report.html.bak", ".draft.tmp", ".report.html.tmp", "logs/run/events"),
        *(
            "checkpoints/best.npz",
            "checkpoints/search-0-0.npz",
            "checkpoints/deep/search-0000-00.npz",
        ),
        *(
            "models/mine.keras",
            "models/.mine.keras.1.tmp",
            "report_files/space.toml",
            "journal.jsonl~",
        ),
    ]
    for name in mine:
        path = project.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    left = delete_project(project.folder)
    kept = {path for path in project.folder.rglob("*") if path.is_file()}
    assert {path.relative_to(project.folder).as_posix() for path in kept} == {
        *mine,
        ".lock",
        ".pid",
    }
    assert {path.name for path in left} == {
        *("notes.txt", "report.html.bak", ".draft.tmp", ".report.html.tmp", "logs", "best.npz"),
        *(
            "search-0-0.npz",
            "deep",
            "mine.keras",
            ".mine.keras.1.tmp",
            "report_files",
            "journal.jsonl~",
        ),
    }
    # It was a project, so it may be one again; and again.
    again = create_project(project.folder, project.space, project.settings, beside=left)
    assert delete_project(again.folder) == left


@pytest.mark.parametrize("target", ["folder", "file"])
def test_deleting_follows_no_link_out_of_the_folder(project, place, target):
    thesis = place / "thesis"
    thesis.mkdir()
    for name in ("thesis.tex", "search-0000-00.npz", "journal.jsonl"):
        (thesis / name).write_text("mine")
    link = project.folder / "checkpoints" / "mine"
    link.symlink_to(thesis if target == "folder" else thesis / "search-0000-00.npz")
    assert delete_project(project.folder) == [link]
    assert link.is_symlink()
    assert len(contents(thesis)) == 3


@pytest.mark.parametrize(
    "name",
    ["checkpoints", "models", "report.html", "project.json", "checkpoints/search-0000-00.npz"],
)
@pytest.mark.parametrize("kind", ["link to a folder", "link to a file", "dangling", "folder"])
def test_a_link_in_place_of_a_projects_file_is_refused_and_nothing_deleted(
    project, place, name, kind
):
    (place / "thesis").mkdir()
    (place / "thesis" / "search-0001-00.npz").write_text("mine")
    path = project.folder / name
    if path.is_dir():
        path.rename(place / "moved")
    else:
        path.unlink()
    if kind == "folder":
        path.mkdir()
    else:
        targets = {
            "link to a folder": ".",
            "link to a file": "search-0001-00.npz",
            "dangling": "no",
        }
        path.symlink_to(place / "thesis" / targets[kind])
    if kind == "folder" and name in ("checkpoints", "models"):
        return
    before = contents(place)
    with pytest.raises(InputError, match=rf"{name} has the name of a file of the project, but is"):
        delete_project(project.folder)
    assert {**contents(place), project.folder / ".pid": 0} == {**before, project.folder / ".pid": 0}


def test_a_folder_that_is_a_link_is_refused(project, place, archives, monkeypatch, capsys):
    (place / "results" / "linked").symlink_to(project.folder.resolve())
    before = contents(place)
    arguments = ["--data", archives, "--project", "linked", "--overwrite"]
    text = refuse(*arguments, monkeypatch=monkeypatch, capsys=capsys)
    assert text.startswith(f"results/linked is a link to {project.folder.resolve()}: --overwrite ")
    assert contents(place) == before
    assert open_project("linked").records == project.records


@pytest.mark.parametrize(
    "lines",
    ["", "\n", '{"level": "info"}\n', "[1]\n", '{"event": "login"}\n', "\xff\n", "[" * 9999],
)
def test_a_journal_that_is_not_ours_is_kept(place, archives, lines, monkeypatch, capsys):
    (place / "logs").mkdir()
    (place / "logs" / "journal.jsonl").write_text(lines)
    (place / "logs" / "thesis.tex").write_text("mine")
    before = contents(place)
    for more in (["--overwrite"], []):
        arguments = ["--data", archives, "--project", "./logs", *more]
        refuse(*arguments, monkeypatch=monkeypatch, capsys=capsys)
        assert contents(place) == before


@pytest.mark.parametrize(
    "where", ["./x", "{place}", "{home}", "/", "..", ".", "results", "./results"]
)
def test_overwrite_touches_nothing_where_no_project_is(
    where, place, project, archives, tmp_path, monkeypatch, capsys
):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for folder in (
        home,
        place,
        place / "x",
        place / "results" / "x",
        place / "results" / "results",
    ):
        folder.mkdir(exist_ok=True)
        (folder / "thesis.tex").write_text("mine")
    before = contents(tmp_path)
    arguments = ["--data", archives, "--overwrite", "--project"]
    arguments.append(where.format(place=place, home=home))
    refuse(*arguments, monkeypatch=monkeypatch, capsys=capsys)
    assert contents(tmp_path) == before


def test_a_project_with_a_damaged_journal_or_settings_can_be_overwritten(project):
    project.journal_path.write_text("")
    assert delete_project(project.folder) == []
    made = create_project(project.folder, project.space, project.settings)
    (made.folder / "project.json").write_text("{")
    assert delete_project(made.folder) == []


def test_a_path_beside_results_is_not_the_project_of_that_name(
    project, place, archives, monkeypatch
):
    from svhn_tune import search

    (place / "cnn").mkdir()
    (place / "cnn" / "thesis.tex").write_text("mine")
    with pytest.raises(InputError, match=r"^cnn holds no project, so"):
        search("cnn", archives, project="./cnn", overwrite=True)
    assert Project(project.folder).records == project.records


def test_overwrite_begins_again_and_names_what_it_left(
    place, archives, small_space, make_project, monkeypatch, capfd
):
    made = make_project(place / "results" / "small", [{"score": 0.6}])
    (made.folder / "notes.txt").write_text("mine")
    arguments = [
        "--space",
        small_space,
        "--data",
        archives,
        "--tuner",
        "random",
        "--max-trials",
        "1",
    ]
    arguments += ["--max-epochs", "1", "--train-images", "64", "--workers", "1", "--overwrite"]
    monkeypatch.setattr(sys, "argv", ["svhn_tune", "search", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    (told,) = [line for line in capfd.readouterr().err.splitlines() if "--overwrite" in line]
    assert told == "--overwrite left results/small/notes.txt: the project did not write it"
    assert (made.folder / "notes.txt").read_text() == "mine"
    assert len(open_project("small").ended("search")) == 1


# What else deletes.


def test_leftovers_are_those_of_the_projects_own_files(project, place):
    others = [
        ".draft.tmp",
        ".notes.txt.12.tmp",
        "checkpoints/.x.npz.1.tmp",
        "logs/.space.toml.1.tmp",
    ]
    for name in others:
        (project.folder / name).parent.mkdir(exist_ok=True)
        (project.folder / name).write_text("mine")
    (place / "models").mkdir()
    kept = place / "models" / ".trial-0000-run-00-epochs-1.keras.1.tmp"
    kept.write_text("mine")
    for path in (project.folder / "models").iterdir():
        path.unlink()
    (project.folder / "models").rmdir()
    (project.folder / "models").symlink_to(place / "models")
    remove_leftovers(project.folder)
    left = {path.name for path in project.folder.rglob(".*.tmp")}
    assert left == {Path(name).name for name in others}
    assert kept.exists()


def test_a_loop_of_links_is_counted_once(project):
    before = count_bytes(project.folder)
    (project.folder / "loop").symlink_to("loop")
    (project.folder / "up").symlink_to("..")
    assert count_bytes(project.folder) - before < 100
    assert status(project)["disk_bytes"] == count_bytes(project.folder)


def test_a_searched_space_that_was_changed_is_refused(project):
    (project.folder / "space.toml").write_text(load_space("cnn_open").text)
    with pytest.raises(
        InputError, match=r"space\.toml is not the file that was searched \(sha256 "
    ):
        Project(project.folder)
