"""Every slip, through the command line: one line that names it, exit status 2, nothing written."""

import os
import pickle
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from svhn_tune.cli import main
from svhn_tune.data import load_data
from svhn_tune.models.spaces import load_space, space_names

TRAIN, TEST = "p4_2026_svhn_train.npz", "p4_2026_svhn_test.npz"
SPACES = ", ".join(space_names())


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A working folder of the test's own, and the process's signals as they were."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield tmp_path
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def refused(place, monkeypatch, capfd):
    """A function that runs a command, and returns the one line by which it was refused."""

    def run(*arguments):
        before = contents(place)
        monkeypatch.setattr(sys, "argv", ["svhn_tune", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capfd.readouterr()
        assert printed.out == ""
        return check(ended.value.code, printed.err, before, place)

    return run


def contents(folder):
    """Every file in the folder with its bytes, and every folder."""
    return {
        path: path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))
    }


def check(status, stderr, before, folder):
    """The text after `error: `, if all else is as it should be."""
    assert status == 2, stderr
    lines = stderr.splitlines()
    assert len(lines) == 1, stderr
    assert lines[0].startswith("error: ")
    assert contents(folder) == before
    return lines[0].removeprefix("error: ")


@pytest.fixture
def searched(place, archives, make_project):
    """A project on the archives with two completed trials, a failed one and a running one."""
    data = load_data(archives)
    found = {"name": data.name, "fingerprint": data.fingerprint, "synthetic": False}
    return make_project(
        place / "results" / "cnn",
        [{"score": 0.6}, {"score": 0.7}, {"status": "failed"}, {"status": "running"}],
        data=found | {"source": data.source},
    )


def write_archive(folder, name, **arrays):
    """An archive of ten images, but for the arrays given; None leaves one out."""
    default = {
        "images": np.zeros((32, 32, 3, 10), np.uint8),
        "labels": np.array([[str(digit)] for digit in range(10)]),
    }
    kept = {key: value for key, value in (default | arrays).items() if value is not None}
    np.savez(folder / name, **kept)


# The space.


def test_no_such_space(refused):
    assert refused("search", "--space", "cnnn") == (
        f"no space 'cnnn' in search_spaces/ (found: {SPACES}). Did you mean 'cnn'?"
    )


def test_no_such_space_file(refused):
    assert refused("search", "--space", "mine.toml").startswith(
        "cannot read the space file mine.toml: "
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "max_value = 5",
            "max_valeu = 5",
            "mine.toml [hyperparameters.blocks] has no key 'max_valeu'. Did you mean 'max_value'?",
        ),
        (
            "max_value = 5",
            "max_value = 50",
            "mine.toml [hyperparameters.blocks]: 50 is outside 1 to 8",
        ),
        (
            "max_value = 5",
            "max_value = 0",
            "mine.toml [hyperparameters.blocks]: min_value <= max_value must hold, but got 1 and 0",
        ),
        (
            "values = [3, 5, 7]",
            "values = [3, 5, -7]",
            "mine.toml [hyperparameters.kernel_size]: -7 is outside 1 to 31",
        ),
        (
            "epochs = 100",
            "epochs = 0",
            "mine.toml [protocol] epochs: Input should be greater than or equal to 1 (got 0)",
        ),
        ("[protocol]", "[protocol", "mine.toml is not TOML: Expected ']' at the end of a table"),
        (
            '"238.4 MiB"',
            '"10 kB"',
            "the baseline of the space 'mine' is infeasible: the file would have ",
        ),
    ],
)
def test_a_space_file_given_by_its_path(refused, place, archives, old, new, message):
    text = load_space("cnn").text
    assert old in text
    (place / "mine.toml").write_text(text.replace(old, new, 1))
    assert refused("search", "--space", "mine.toml", "--data", archives).startswith(message)


# The data.


@pytest.mark.parametrize("command", ["search", "data"])
def test_no_such_data(refused, command):
    assert refused(command, "--data", "nowhere").startswith(
        f"no SVHN files in nowhere (looked for {TRAIN} and {TEST} or "
    )


@pytest.mark.parametrize(("there", "missing"), [(TRAIN, TEST), (TEST, TRAIN)])
def test_one_of_the_two_archives_is_missing(refused, place, archives, there, missing):
    (place / "data").mkdir()
    shutil.copy(archives / there, place / "data")
    assert refused("search") == f"data has {there} but lacks {missing}"
    assert refused("data", "--data", "data") == f"data has {there} but lacks {missing}"


def test_an_archive_that_is_cut_short(refused, place, write_archives):
    path = write_archives(place / "data") / TRAIN
    path.write_bytes(path.read_bytes()[:-1000])
    assert refused("search") == (
        f"cannot read data/{TRAIN}: it is no .npz archive, or cut short; download it again"
    )


def test_an_archive_that_is_damaged_within(refused, place, write_archives):
    path = write_archives(place / "data") / TRAIN
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    assert refused("search").startswith(
        f"cannot read data/{TRAIN}: it is damaged; download it again ("
    )


def test_an_archive_of_pickled_objects_is_not_run(refused, place, write_archives):
    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(place / "harm"),)

    folder = write_archives(place / "data")
    write_archive(folder, TRAIN, labels=np.array([[Harm()]] * 10, dtype=object))
    assert refused("search") == (
        f"cannot read data/{TRAIN}: it holds pickled objects, which are never loaded; "
        f"download it again"
    )
    (folder / TRAIN).write_bytes(pickle.dumps(Harm()))
    assert refused("search") == (
        f"cannot read data/{TRAIN}: it is no .npz archive, or cut short; download it again"
    )


IMAGES = np.zeros((32, 32, 3, 10), np.uint8)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": None, "X": IMAGES}, "has the keys labels, X; it needs images and labels"),
        ({"labels": None}, "has the keys images; it needs images and labels"),
        (
            {"images": IMAGES.transpose(3, 0, 1, 2)},
            "images have shape (10, 32, 32, 3); it must be (32, 32, 3, N)",
        ),
        ({"images": IMAGES[..., 0]}, "images have shape (32, 32, 3); it must be (32, 32, 3, N)"),
        ({"images": IMAGES / 255}, "images are float64; they must be uint8"),
        ({"labels": np.zeros((10, 1))}, "labels are float64; they must be strings or integers"),
        (
            {"labels": np.zeros((9, 1), int)},
            "labels have shape (9, 1); 10 images need (10, 1)",
        ),
        ({"labels": np.eye(10, dtype=int)}, "labels have shape (10, 10); 10 images need (10, 1)"),
        ({"images": IMAGES[..., :0], "labels": np.zeros((0, 1), int)}, "has no images"),
    ],
)
@pytest.mark.parametrize("name", [TRAIN, TEST])
def test_an_archive_of_other_arrays(refused, place, archives, name, arrays, message):
    shutil.copytree(archives, place / "data")
    write_archive(place / "data", name, **arrays)
    text = refused("search")
    assert text.startswith(f"data/{name}")
    assert text.endswith(message)


def test_train_and_test_with_different_labels(refused, place):
    (place / "data").mkdir()
    write_archive(place / "data", TRAIN)
    for labels, shown in (([["x"]] * 10, "'x'"), ([[0], [1]] * 5, "0, 1")):
        write_archive(place / "data", TEST, labels=np.array(labels))
        assert refused("search") == (
            "data: train and test have different labels: '0', '1', '2', '3', '4', '5', '6', "
            f"'7', '8', '9' and {shown}"
        )


def test_too_few_images_to_hold_any_out(refused, place, write_archives):
    write_archives(place / "data", train=40, test=20)
    assert "40 training images of 10 classes, " in refused("search")


# A new search.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--tuner", "hyperbend"],
            "no tuner 'hyperbend' (there are halving, hyperband, bayesian, ",
        ),
        (["--max-epochs", "0"], "max_epochs=0 must be at least 1"),
        (["--tuner", "random", "--max-trials", "-1"], "max_trials=-1 must be at least 1"),
        (
            ["--tuner", "hyperband", "--max-trials", "9"],
            "max_trials=9 does not apply to hyperband, whose rounds follow ",
        ),
        (
            ["--tuner", "random", "--factor", "3"],
            "factor=3 applies to halving and hyperband, not to ",
        ),
        (
            ["--tuner", "tpe", "--factor", "3"],
            "factor=3 applies to halving and hyperband, not to tpe",
        ),
        (["--factor", "1"], "factor=1 must be at least 2"),
        (["--seed", "-1"], "seed=-1 must be from 0 to 4,294,967,294"),
        (["--validate-on", "train"], "validate_on=train must be 'holdout' or 'test'"),
        (["--train-images", "9"], "train_images=9 must be from 10 to 540, the images that are "),
        (["--train-images", "541"], "train_images=541 must be from 10 to 540, the images that "),
        (["--time-limit", "8"], "the duration '8' must read 90s, 20m or 8h"),
        (["--time-limit", "-1h"], "the duration '-1h' must read 90s, 20m or 8h"),
        (["--time-limit", "8 hours"], "the duration '8 hours' must read 90s, 20m or 8h"),
        (["--time-limit", ""], "the duration '' must read 90s, 20m or 8h"),
        (["--workers", "0"], "Invalid value for '--workers': "),
        (["--workers", "two"], "Invalid value for '--workers': "),
        (["--max-epochs", "1.5"], "Invalid value for '--max-epochs': "),
        (["--sede", "1"], "No such option: --sede"),
        (["--seed"], "Option '--seed' requires an argument"),
        (["cnn"], "Got unexpected extra argument(s) (cnn)"),
    ],
)
def test_an_option_of_search(refused, archives, arguments, message):
    assert refused("search", "--data", archives, *arguments).startswith(message)


@pytest.mark.parametrize("command", ["search", "plan"])
def test_tpe_without_optuna(refused, archives, command, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    expected = "the tuner 'tpe' needs Optuna: pip install 'svhn_tune[tpe]'"
    assert refused(command, "--data", archives, "--tuner", "tpe") == expected


def test_a_search_by_tpe_that_goes_on_without_optuna(
    refused, archives, place, make_project, monkeypatch
):
    data = load_data(archives)
    found = {"name": data.name, "fingerprint": data.fingerprint, "synthetic": False}
    found |= {"source": data.source}
    make_project(place / "results" / "cnn", tuner="tpe", data=found)
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert "pip install 'svhn_tune[tpe]'" in refused("search", "--data", archives)


@pytest.mark.parametrize("project", ["file", "file/cnn"])
def test_a_project_that_cannot_be_written(refused, place, archives, project):
    (place / "file").touch()
    text = refused("search", "--data", archives, "--project", place / project)
    assert text.startswith(f"cannot write the project {place / project}: ")


def test_results_that_cannot_be_written(refused, place, archives):
    (place / "results").touch()
    text = refused("search", "--data", archives)
    assert text.startswith("cannot write the project results/cnn: ")


def test_overwriting_a_folder_that_holds_no_project(refused, place, archives):
    (place / "thesis").mkdir()
    (place / "thesis" / "thesis.tex").touch()
    text = refused("search", "--data", archives, "--project", place / "thesis", "--overwrite")
    assert text.startswith(f"{place / 'thesis'} holds no project, so --overwrite will not delete")


# A project that was searched otherwise.


def test_a_project_searched_with_another_space_file(refused, place, archives, searched):
    text = searched.space.text.replace("max_value = 4096", "max_value = 2048")
    (place / "cnn.toml").write_text(text)
    text = refused("search", "--space", "cnn.toml", "--data", archives)
    assert text.startswith(
        f"results/cnn was searched with another space file ('cnn', sha256 "
        f"{searched.space.sha256[:8]}, now 'cnn', {load_space('cnn.toml').sha256[:8]}): "
        f"pass --project for a new one, or --overwrite to drop this one"
    )


def test_a_project_searched_on_other_data(refused, place, write_archives, searched):
    other = write_archives(place / "other", train=601)
    expected = searched.settings.data.fingerprint[:8]
    assert refused("search", "--data", other).startswith(
        f"results/cnn was searched on other data (SVHN (course archives), fingerprint {expected}, "
        f"now SVHN (course archives), {load_data(other).fingerprint[:8]}): pass --project "
    )
    text = refused("confirm", "--data", other, "--top", "1")
    assert text.startswith("results/cnn was searched on SVHN (course archives), fingerprint ")
    assert "pass --data with the folder that has the search's data" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seed", "1"], "results/cnn was begun with seed=0, not 1: leave the option out"),
        (["--tuner", "hyperband"], "results/cnn was begun with tuner=random, not hyperband: "),
        (["--max-epochs", "9"], "results/cnn was begun with max_epochs=4, not 9: "),
        (["--max-trials", "9"], "results/cnn was begun with max_trials=50, not 9: "),
        (["--train-images", "50"], "results/cnn was begun with train_images=None, not 50: "),
        (["--validate-on", "test"], "results/cnn was begun with validate_on=holdout, not test: "),
    ],
)
def test_a_project_searched_with_other_settings(refused, archives, searched, arguments, message):
    assert refused("search", "--data", archives, *arguments).startswith(message)


def test_overwrite_deletes_nothing_when_the_new_search_is_refused(refused, archives, searched):
    arguments = ["search", "--data", archives, "--overwrite", "--tuner", "foo"]
    assert refused(*arguments).startswith("no tuner 'foo'")
    assert searched.journal_path.exists()


def test_a_project_that_another_process_holds(place, refused, archives, searched):
    with searched.lock():
        for arguments in (["search", "--data", archives], ["confirm", "--top", "1"]):
            assert refused(*arguments) == (
                f"results/cnn is in use by the process {os.getpid()}: wait for it, or end it first"
            )


# Confirm, status and describe.


@pytest.mark.parametrize("command", ["confirm", "status"])
def test_no_project_at_all(refused, place, command):
    expected = "no project in results/: run `python -m svhn_tune search` first"
    assert refused(command) == expected
    (place / "results").mkdir()
    assert refused(command) == expected


@pytest.mark.parametrize("command", ["confirm", "status"])
def test_no_such_project(refused, searched, command):
    assert refused(command, "--project", "cnm") == (
        "no project 'cnm' in results/ (found: cnn). Did you mean 'cnn'?"
    )


def test_confirm_before_any_trial_is_completed(refused, place, make_project):
    make_project(place / "results" / "cnn", [{"status": "failed"}, {"status": "running"}])
    assert refused("confirm") == (
        "--top 3 needs 3 completed trials of different values; results/cnn has 0 (1 running, "
        "1 failed): search more"
    )


def test_confirm_of_more_trials_than_are_completed(refused, searched):
    assert refused("confirm", "--top", "5") == (
        "--top 5 needs 5 completed trials of different values; results/cnn has 2 (1 running, "
        "1 failed): search more or pass --top 2"
    )


@pytest.mark.parametrize("option", ["top", "runs", "epochs"])
def test_confirm_of_nothing(refused, searched, option):
    assert refused("confirm", f"--{option}", "0") == f"{option}=0 must be at least 1"


def test_confirm_with_data_that_are_gone(refused, place, make_project):
    make_project(place / "results" / "cnn", [{}])
    assert refused("confirm", "--top", "1").startswith("no SVHN files in data (looked for ")


@pytest.mark.parametrize("command", ["confirm", "status", "search"])
def test_a_damaged_journal(refused, archives, searched, command):
    lines = searched.journal_path.read_bytes().split(b"\n")
    lines[2] = lines[2][:50]
    searched.journal_path.write_bytes(b"\n".join(lines))
    data = ["--data", archives] if command == "search" else []
    assert refused(command, *data) == (
        "results/cnn/journal.jsonl line 3 is damaged: restore the file from a copy, or cut it off "
        "there (head -n 2) and lose what came after"
    )


@pytest.mark.parametrize("name", ["project.json", "space.toml"])
def test_a_project_that_lacks_a_file(refused, searched, name):
    (searched.folder / name).unlink()
    assert refused("status").startswith("results/cnn is no whole project: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--set", "kernel_siz_1=5"],
            "no hyperparameter 'kernel_siz_1' in the space 'cnn'. Did you mean 'kernel_size_1'? "
            "It has blocks, padding, kernel_initializer, units, dropout, class_weight, "
            "kernel_size_1 … _5, pool_size_1 … _5, l2_1 … _5, spatial_dropout_1 … _5",
        ),
        (
            ["--set", "kernel_size=5"],
            "no hyperparameter 'kernel_size' in the space 'cnn': it has one per block, "
            "kernel_size_1 … _5",
        ),
        (["--set", "kernel_size_4=5"], "kernel_size_4 is not active with blocks=3"),
        (["--set", "blocks=2", "--set", "l2_3=0.001"], "l2_3 is not active with blocks=2"),
        (["--set", "blocks=9"], "blocks=9 is not in the space 'cnn' (min_value 1, max_value 5)"),
        (["--set", "padding=full"], "padding='full' is not in the space 'cnn' (values ['same', "),
        (["--set", "units"], "--set units must be NAME=VALUE, such as kernel_size_1=5"),
        (["--set", "=5"], "--set =5 must be NAME=VALUE, such as kernel_size_1=5"),
        (["--set", "units=NaN"], "units=nan is not in the space 'cnn' (min_value 32, max_value"),
        (["--trial", "0"], "no project 'cnn' in results/"),
    ],
)
def test_an_option_of_describe(refused, arguments, message):
    assert refused("describe", *arguments).startswith(message)


def test_describe_of_a_trial_that_is_not_there(refused, searched):
    assert refused("describe", "--trial", "4") == "no trial 4 in results/cnn (it has 4)"


def test_a_contact_sheet_that_cannot_be_written(refused, archives):
    text = refused("data", "--data", archives, "--sheet", "none/sheet.png")
    assert text == "cannot write the contact sheet none/sheet.png: No such file or directory"


# The commands themselves.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["serch"], "No such command 'serch'. Did you mean 'search'?"),
        (["--seed", "1"], "No such option: --seed"),
        (["check"], "Missing argument"),
        (["check", "none.keras"], "no file none.keras"),
        (["check", "."], ". is a folder; expected a .keras file"),
        (["check", "none.keras", "--space", "cnnn"], "no space 'cnnn' in search_spaces/"),
        (["status", "--project"], "Option '--project' requires an argument"),
    ],
)
def test_a_command_that_cannot_be(refused, arguments, message):
    assert refused(*arguments).startswith(message)


def run_program(place, *arguments):
    """Refused like `refused`, in a process of its own."""
    before = contents(place)
    done = subprocess.run(
        [sys.executable, "-m", "svhn_tune", *map(str, arguments)], capture_output=True, text=True
    )
    assert done.stdout == ""
    return check(done.returncode, done.stderr, before, place)


def test_a_file_that_is_no_keras_archive(place):
    with (place / "model.keras").open("wb") as file:
        np.savez(file, weights=np.zeros(1))
    assert run_program(place, "check", "model.keras") == (
        "model.keras is no .keras archive: it lacks config.json, metadata.json, model.weights.h5"
    )


def test_a_process_of_its_own_prints_the_same_line(place, searched):
    assert run_program(place, "confirm", "--top", "5").startswith("--top 5 needs 5 completed")
    assert run_program(place, "searhc").startswith("No such command 'searhc'.")
