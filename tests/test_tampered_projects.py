"""Projects that somebody edited: what they say is right, or one line tells what is wrong."""

import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from svhn_tune.errors import InputError
from svhn_tune.journal.record_types import RunRecord, from_json
from svhn_tune.journal.settings import read_settings
from svhn_tune.project.project import Project
from svhn_tune.project.results import open_project
from svhn_tune.report import write_report
from svhn_tune.summary.status import status

# A search by Hyperband, stopped and continued, and two confirms, as an earlier version wrote them.
TINY = Path(__file__).parent / "assets" / "tiny"
LINES = [json.loads(line) for line in (TINY / "journal.jsonl").read_text().splitlines()]
SETTINGS = json.loads((TINY / "project.json").read_text())
RUNS = [n for n, line in enumerate(LINES) if line["event"] == "run"]
CONFIRMED = [n for n in RUNS if LINES[n]["stage"] == "confirm"]
PROMOTED = next(n for n, line in enumerate(LINES) if line.get("parent") is not None)


@pytest.fixture
def tiny(tmp_path):
    """A copy of the project."""
    return Path(shutil.copytree(TINY, tmp_path / "tiny"))


def write(folder, lines=LINES, changed=SETTINGS):
    """The project's journal and settings, given as what their JSON says."""
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "journal.jsonl").write_text(text)
    (folder / "project.json").write_text(json.dumps(changed))


def change(line, **fields):
    """The journal with other fields in one line."""
    return [each | fields if n == line else each for n, each in enumerate(LINES)]


def refuse(folder):
    """The one line by which it is refused."""
    with pytest.raises(InputError) as refused:
        open_project(folder)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500
    return str(refused.value)


# What svhn_tune wrote is read as it was.


def test_a_journal_of_an_earlier_version_is_read_unchanged(tiny):
    project = Project(tiny)
    assert [record.as_json() for record in project.records] == LINES[1:]
    assert [from_json(line).as_json() for line in LINES[1:]] == LINES[1:]
    assert project.settings.as_json() == SETTINGS
    assert read_settings(tiny / "project.json").as_json() == SETTINGS


def test_a_project_of_an_earlier_version_says_what_it_said(tiny):
    told = status(Project(tiny))
    assert told["trials"] == {"completed": 5, "running": 0, "failed": 0, "collapsed": 0}
    assert (told["epochs_trained"], told["best"]["trial"]) == (12, 2)
    assert [(each["trial"], each["runs"]) for each in told["confirm"]] == [(4, 2), (0, 2), (2, 1)]
    assert told["confirm"][0]["used"] == [0]
    assert told["seconds_spent"] == pytest.approx(22.44, abs=0.01)
    assert (told["progress"]["trials"], told["progress"]["trials_planned"]) == (4, 4)


def test_a_line_is_a_type_that_nobody_changes():
    run = from_json(LINES[RUNS[0]])
    assert isinstance(run, RunRecord)
    assert (run.stage, run.epochs, run.metrics["loss"]) == ("search", 1, [28.2185001373291])
    with pytest.raises(ValueError, match="frozen"):
        run.epochs = 7


@pytest.mark.parametrize("initial", [2, 4])
def test_a_run_that_diverged_before_it_was_promoted_is_read(initial, tmp_path, make_project):
    """It is not trained again: today's journals say so, those of an earlier version did not."""
    promoted = {"parent": 0, "initial_epoch": 4, "epochs": 12, "status": "running"}
    project = make_project(tmp_path / "cnn", [{"score": 0.0, "collapsed": True}, promoted])
    changes = {"trial": 1, "epochs": 2, "planned_epochs": 12, "initial_epoch": initial}
    project.record(project.ended("search")[0].model_copy(update=changes))
    assert status(Project(project.folder))["epochs_trained"] == 4


def test_a_torn_last_line_is_forgiven(tiny):
    content = (tiny / "journal.jsonl").read_bytes()
    for length in range(len(content) - 700, len(content)):
        (tiny / "journal.jsonl").write_bytes(content[:length])
        assert len(Project(tiny).records) in (len(LINES) - 2, len(LINES) - 3)


# What it cannot have written.


@pytest.mark.parametrize(
    ("line", "fields", "message"),
    [
        (RUNS[0], {"epochs": -5}, "epochs=-5: input should be greater than or equal to 1"),
        (RUNS[0], {"epochs": 10**9}, "epochs=1000000000: input should be less than or equal to"),
        (RUNS[0], {"epochs": 2}, "epochs=2 is above planned_epochs=1"),
        (RUNS[0], {"planned_epochs": 2}, "epochs=1 is below planned_epochs=2, but the run neither"),
        (RUNS[0], {"trial": 99}, "trial=99 was not proposed before (there are 2)"),
        (RUNS[0], {"root": 0}, "root=0, where trial 1 is of the root 1"),
        (RUNS[0], {"run": 1}, "run=1, where trial 1 has 0"),
        (RUNS[0], {"score": 2.0}, "score=2.0 is not from 0 to 1"),
        (RUNS[0], {"score": None}, "score=None of a run that neither failed nor collapsed"),
        (RUNS[0], {"score": float("nan")}, "score=nan: input should be a finite number"),
        (
            RUNS[0],
            {"metrics": {"loss": [1.0, 2.0]}},
            "metrics.loss has 2 values for 1 trained epoch",
        ),
        (RUNS[0], {"metrics": {"loss": []}}, "metrics.loss has 0 values for 1 trained epochs"),
        (RUNS[0], {"values": {}}, "values are not those of trial 1"),
        (RUNS[0], {"status": "done"}, "status='done': input should be 'completed' or 'failed'"),
        (RUNS[0], {"file_bytes": None}, "a completed run has parameters and file_bytes"),
        (RUNS[0], {"data_fingerprint": "0"}, "data_fingerprint='0' is not that of project.json"),
        (RUNS[0], {"note": 1}, "note is an unknown field"),
        (RUNS[0], {"seconds": True}, "seconds=True: input should be a valid number"),
        (CONFIRMED[0], {"run": 10**9}, "run=1000000000: input should be less than 1000"),
        (CONFIRMED[0], {"run": 7}, "run=7 of 1 epochs of trial 2 was never planned"),
        (CONFIRMED[0], {"predicted": "AA"}, "predicted is no base64"),
        (CONFIRMED[0], {"predicted": "AAAA"}, "confusion is of 60 images, predicted of 3"),
        (CONFIRMED[0], {"confusion": [[1, 2], [3]]}, "confusion has not as many columns as rows"),
        (CONFIRMED[1], {"confusion": [[60]]}, "confusion is of 1 classes and 60 images, that of"),
        (PROMOTED, {"parent": 2}, "parent=2, which is no trial that had ended"),
        (
            PROMOTED,
            {"parent": 1},
            "it continues trial 1 with another initial_epoch or other values",
        ),
        (PROMOTED, {"epochs": 3}, "epochs=3 is above max_epochs=2 of project.json"),
        (PROMOTED, {"trial": 4}, "trial=4, where trial 3 is the next"),
        (2, {"initial_epoch": 1, "epochs": 2}, "initial_epoch=1 of a trial that continues none"),
        (2, {"values": LINES[2]["values"] | {"blocks": 9}}, "values.blocks=9 is not in the space"),
        (2, {"values": LINES[2]["values"] | {"x": 9}}, "values.x is no active hyperparameter"),
        (2, {"values": LINES[3]["values"] | {"blocks": 2}}, "values.pool_size_3 is no active"),
        (1, {"event": "beginn"}, "event='beginn' is none of trial, run, session, begin, choice"),
        (1, {"workers": 0}, "workers=0: input should be greater than or equal to 1"),
        (1, {"stage": "confirm"}, "runs has 0 entries in a confirm"),
    ],
)
def test_a_line_is_refused_by_its_field_and_value(tiny, line, fields, message):
    write(tiny, change(line, **fields))
    text = refuse(tiny)
    assert text.startswith(f"{tiny / 'journal.jsonl'} line {line + 1}: {message}"), text
    assert "; restore the file from a copy, or " in text


@pytest.mark.parametrize("line", range(1, len(LINES)))
def test_a_repeated_line_is_no_run_more(tiny, line):
    before = status(Project(tiny))
    write(tiny, [*LINES[: line + 1], *LINES[line:]])
    if LINES[line]["event"] in ("run", "trial"):
        assert f"line {line + 2}: " in refuse(tiny)
    else:
        assert status(Project(tiny)) | {"disk_bytes": 0} == before | {"disk_bytes": 0}


def test_following_the_advice_opens_the_project(tiny):
    repeated = RUNS[-1]
    write(tiny, [*LINES[: repeated + 1], *LINES[repeated:]])
    assert refuse(tiny).endswith("or delete the line: that run is trained again")
    lines = (tiny / "journal.jsonl").read_text().splitlines(keepends=True)
    (tiny / "journal.jsonl").write_text("".join(lines[: repeated + 1] + lines[repeated + 2 :]))
    assert [record.as_json() for record in Project(tiny).records] == LINES[1:]
    write(tiny, change(PROMOTED, parent=2))
    assert f"cut it off there (head -n {PROMOTED})" in refuse(tiny)
    write(tiny, LINES[:PROMOTED])
    assert len(Project(tiny).proposals()) == 3


def test_the_time_of_a_call_does_not_go_back(tiny):
    sessions = [n for n, line in enumerate(LINES) if line["event"] == "session"]
    first, second = sessions[:2]
    lines = list(LINES)
    lines[first], lines[second] = lines[second], lines[first]
    write(tiny, lines)
    assert "of a call that had spent" in refuse(tiny)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"seed": -1}, "seed=-1: input should be greater than or equal to 0"),
        (
            {"tuner": "grid"},
            "tuner='grid': input should be 'halving', 'hyperband', 'bayesian', 'tpe'",
        ),
        ({"budget": "30h"}, "budget='30h': input should be a valid number"),
        ({"data": []}, "data=[]: input should be a valid dictionary"),
        ({"data": {"name": "x"}}, "data.fingerprint is missing"),
        ({"machine": "\ud800"}, "surrogates not allowed"),
        ({"epochs": 3}, "epochs is an unknown field"),
    ],
)
def test_settings_are_refused_by_their_field_and_value(tiny, fields, message):
    write(tiny, changed=SETTINGS | fields)
    text = refuse(tiny)
    assert text.startswith(f"{tiny} is no whole project: its project.json is missing or damaged (")
    assert message in text


def test_a_lower_limit_in_the_settings_does_not_fit_the_journal(tiny):
    write(tiny, changed=SETTINGS | {"max_epochs": 1})
    assert "epochs=2 is above max_epochs=1 of project.json" in refuse(tiny)


@pytest.mark.parametrize(
    "damage", ["[" * 100_000, '{"event": "run", "device": "\\ud800"}', "1" * 5000]
)
def test_json_that_is_none_is_a_damaged_line(tiny, damage):
    lines = (tiny / "journal.jsonl").read_text().splitlines()
    lines[3] = damage
    (tiny / "journal.jsonl").write_text("\n".join(lines) + "\n")
    assert "line 4 is damaged" in refuse(tiny)
    (tiny / "project.json").write_text(damage)
    assert "its project.json is missing or damaged" in refuse(tiny)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes in this system's folders")
@pytest.mark.parametrize("name", ["project.json", "space.toml"])
def test_a_pipe_in_place_of_a_file_is_not_waited_for(tiny, name):
    (tiny / name).unlink()
    os.mkfifo(tiny / name)
    assert f"its {name} is missing or damaged (Not a file)" in refuse(tiny)


@pytest.mark.parametrize("name", ["checkpoints", "models"])
def test_a_folder_that_was_taken_away_is_made_again_where_something_trains(tiny, name):
    project = Project(tiny)
    with project.lock():
        assert (tiny / name).is_dir()
    (tiny / name).rmdir()
    (tiny / name).touch()
    with pytest.raises(InputError, match=f"cannot write .*{name}: File exists"), project.lock():
        pass


# Any single change.

ODD = st.sampled_from(
    [
        *(None, True, False, 0, -1, 1, 2, 7, 10**9, -(10**9), 2**31, 2**64, 10**400, 0.5),
        *(1e308, -1e308, float("nan"), float("inf"), "", "x", "x" * 9999, "2", "\ud800", "<b>"),
        *("\x1b[2J\n", "search", "confirm", "failed", "trial", "session"),
        *([], [1], [[1]], [None], {}, {"a": 1}),
    ]
)


def places(node, before=()):
    """Where every value of a document is: the keys that lead to it."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in items:
        yield (*before, key)
        if isinstance(value, dict | list):
            yield from places(value, (*before, key))


@st.composite
def single_changes(draw):
    """The project's lines and settings with one change."""
    document = json.loads(json.dumps({"lines": LINES, "settings": SETTINGS}))
    lines = document["lines"]
    one, other = (draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    match draw(st.sampled_from(["field", "field", "number", "swap", "repeat", "delete", "copy"])):
        case "swap":
            lines[one], lines[other] = lines[other], lines[one]
        case "repeat":
            lines.insert(other, lines[one])
        case "delete":
            del lines[one]
        case "copy":
            name = draw(st.sampled_from(sorted(lines[one])))
            lines[other] = lines[other] | {name: lines[one][name]}
        case kind:
            # In the settings, or in one line: a field that is one in a thousand is met, too.
            node = document["settings"] if draw(st.integers(0, 5)) == 0 else lines[one]
            *keys, last = draw(st.sampled_from(list(places(node))))
            for key in keys:
                node = node[key]
            if kind == "number":
                assume(isinstance(node[last], int | float))
                node[last] += draw(st.sampled_from([1, -1, 0.5, -0.5, 1000, -1000]))
            elif draw(st.booleans()):
                node[last] = draw(ODD)
            else:
                del node[last]
    return lines, document["settings"]


def once(examples):
    """As many examples, the same in each call."""
    return settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


def look_at(folder, read):
    """What `read` says of the project, or the one line by which it is refused."""
    try:
        return read(open_project(folder))
    except InputError as error:
        return str(error)


# Two runs may have the same score to the last digit.
@pytest.mark.filterwarnings("ignore:Precision loss occurred:RuntimeWarning")
@once(300)
@given(changed=single_changes())
def test_after_any_single_change_there_is_a_result_or_one_line(tiny, changed):
    def read(project):
        assert len(project.trials) == len(project.proposals())
        assert len(project.runs) == len(project.ended("search")) + len(project.ended("confirm"))
        assert all(0 <= score <= 1 for score in project.runs["score"])
        return json.dumps(status(project), allow_nan=False)

    write(tiny, *changed)
    assert "\n" not in look_at(tiny, read)


@pytest.mark.filterwarnings("ignore:Precision loss occurred:RuntimeWarning")
@once(10)
@given(changed=single_changes())
def test_after_any_single_change_the_report_is_written_or_one_line_says_why_not(tiny, changed):
    write(tiny, *changed)
    assert "\n" not in look_at(tiny, lambda project: str(write_report(project)))
