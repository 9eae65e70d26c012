"""report: the page's text, without a browser. What a browser makes of it is next door."""

import base64
import hashlib
import json
import re
import shlex
from html import escape
from html.parser import HTMLParser

import pytest

from svhn_tune.commands.output import try_report
from svhn_tune.errors import InputError
from svhn_tune.models.spaces import load_space
from svhn_tune.project.project import Project
from svhn_tune.report import write_report
from svhn_tune.summary.confirmed import summarize_confirmed
from svhn_tune.summary.status import status
from svhn_tune.summary.wording import say_answer

EVIL = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"
GOOD = [0.850, 0.852, 0.848, 0.851]
POOR = [0.800, 0.803, 0.798, 0.801]
EMPTY = {"br", "img", "link", "meta", "hr", "input"}


class Page(HTMLParser):
    """The elements of a page: (tag, attributes, text below it), in order."""

    def __init__(self, text):
        super().__init__()
        self.text, self.elements, self._open = text, [], []
        self.feed(text)
        assert not self._open, self._open

    def handle_starttag(self, tag, attributes):
        element = [tag, dict(attributes), ""]
        self.elements.append(element)
        if tag not in EMPTY:
            self._open.append(element)

    def handle_startendtag(self, tag, attributes):
        self.elements.append([tag, dict(attributes), ""])

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        for element in self._open:
            element[2] += data

    def find(self, tag, **attributes):
        """The texts of these elements."""
        wanted = {name.rstrip("_"): value for name, value in attributes.items()}
        return [
            text.strip()
            for name, given, text in self.elements
            if name == tag and wanted.items() <= given.items()
        ]


def metrics(scores):
    """Curves of a search run that end with its score."""
    names = ("loss", "categorical_accuracy", "val_loss", "val_categorical_accuracy")
    columns = {name: list(scores) for name in names}
    return columns | {"seconds": [1.0] * len(scores)}


TRIALS = [
    {"score": score, "metrics": metrics([0.2, 0.3, 0.4, score])}
    for score in (0.60, 0.64, 0.63, 0.62)
]


def add_runs(project, trial, scores, **changes):
    """Record confirm runs of a trial."""
    search = next(record for record in project.ended("search") if record.trial == trial)
    for number, score in enumerate(scores):
        run = {"stage": "confirm", "run": number, "score": score, "seed": 1000 + number}
        curves = {"loss": [2.0, 1.0], "categorical_accuracy": [0.3, score]}
        changed = {"epochs": 2, "planned_epochs": 2, "metrics": curves | {"seconds": [1.0, 1.0]}}
        project.record(search.model_copy(update=changed | run | changes))


def read(project):
    return Page(write_report(project).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def confirmed(tmp_path_factory, make_project):
    """A project whose best trial is better than the baseline."""
    project = make_project(tmp_path_factory.mktemp("confirmed") / "cnn", TRIALS)
    add_runs(project, 0, POOR)
    add_runs(project, 1, GOOD)
    return project


@pytest.fixture(scope="module")
def page(confirmed):
    return read(confirmed)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory, make_project, change_space):
    """Everything that a person or a file names is an attempt to run a script."""
    folder = tmp_path_factory.mktemp("hostile") / EVIL.replace("/", "\\")
    data = {"name": EVIL, "fingerprint": EVIL, "synthetic": False, "source": EVIL}
    given = [*TRIALS, {"status": "failed", "reason": EVIL}]
    make_project(folder, given, data=data, machine=EVIL, versions={"keras": EVIL})
    text = load_space("cnn").text
    title = f"title = {json.dumps(EVIL)}  # {EVIL}"
    change_space(folder, re.sub("^title = .*$", lambda _: title, text, flags=re.M))
    return Project(folder)


def test_the_page_begins_with_the_answer(page, confirmed):
    (sentence,) = page.find("p", class_="answer")
    told = say_answer(confirmed, summarize_confirmed(confirmed), status(confirmed))
    assert sentence == f"{told[0].upper()}{told[1:]}."
    assert "trial 001's run 1, 0.8520 on the test set, but it is none to hand in" in sentence
    assert "by that trial 001 (0.8502) is better than every other, over 4 runs each" in sentence
    assert page.text.index(escape(sentence, quote=False).replace("'", "&#39;")) < page.text.index(
        "<table"
    )


def test_the_first_table_has_the_confirmed_numbers(page, confirmed):
    best, baseline = summarize_confirmed(confirmed)
    texts = [text for tag, _, text in page.elements if tag in ("th", "td")]
    row = texts[8:16]
    assert row[:2] == ["trial 001", f"{best.summary.mean:.4f} ± {best.summary.sd:.4f}"]
    assert row[2] == f"{best.summary.ci95[0]:.4f}..{best.summary.ci95[1]:.4f}"
    assert row[3].startswith(f"+{best.against_baseline.difference:.4f} (")
    assert row[4] == "better"
    assert row[5] == f"{best.file_bytes:,}"
    assert texts[16:18] == ["trial 000", f"{baseline.summary.mean:.4f} ± {baseline.summary.sd:.4f}"]
    assert texts[20] == "the baseline"


def test_what_was_chosen_on_the_test_set_is_said(page):
    notes = " ".join(page.find("li"))
    assert "The test set was used to choose: the best file is that of the run" in notes
    assert not page.find("p", class_="banner")


def test_collapsed_runs_are_counted(tmp_path, make_project):
    project = make_project(tmp_path / "cnn", TRIALS[:1])
    add_runs(project, 0, [0.8, 0.7])
    add_runs(project, 0, [0.1], collapsed=True)
    text = read(project).text
    assert "3 (1 collapsed)" in text
    assert "A run collapses where it puts all images into one class" in text


def test_an_unconfirmed_answer_is_about_the_search(tmp_path, make_project):
    page = read(make_project(tmp_path / "cnn", TRIALS))
    (sentence,) = page.find("p", class_="answer")
    assert sentence.startswith("Nothing is confirmed yet: trial 001 is the best of the search")
    assert "not confirmed" in page.find("figcaption", id="searched-caption")[0]


def test_every_trial_and_run_has_a_row(page, confirmed):
    trials = page.text[page.text.index('<table id="trials"') :]
    rows = re.findall(r"<tr>\s*<th scope=\"row\"", trials[: trials.index("</table>")])
    assert len(rows) == len(TRIALS)
    runs = page.text[page.text.index('<table id="confirm-runs"') :]
    runs = runs[: runs.index("</table>")]
    assert runs.count('scope="row"') == 8
    assert runs.count(">1003<") == 2


def test_built_in_digits_are_told_everywhere(tmp_path, make_project):
    name = "built-in digits, not SVHN"
    data = {"name": name, "fingerprint": "0", "synthetic": True, "source": "builtin"}
    page = read(make_project(tmp_path / "cnn", TRIALS, data=data))
    (banner,) = page.find("p", class_="banner")
    assert "Built-in digits, not SVHN" in banner
    captions = page.find("figcaption")
    assert len(captions) > 3
    assert all("uilt-in digits, not SVHN" in caption for caption in captions)


def test_a_search_on_the_test_set_is_told_beside_every_number(tmp_path, make_project):
    page = read(make_project(tmp_path / "cnn", TRIALS, validate_on="test"))
    (banner,) = page.find("p", class_="banner")
    assert "validated on the test set" in banner
    assert all("validated on the test set" in caption for caption in page.find("figcaption"))
    assert any("used to choose: the search validated on it" in note for note in page.find("li"))


def test_text_of_people_and_files_stays_text(hostile):
    page = read(hostile)
    scripts = [given for tag, given, _ in page.elements if tag == "script"]
    assert [given.get("type") for given in scripts].count(None) == 1
    assert not page.find("img")
    assert not [given for _, given, _ in page.elements if any(n.startswith("on") for n in given)]
    assert page.find("p", class_="subtitle") == [EVIL]
    assert page.find("h1") == [hostile.name]
    assert any(text == f"failed: {EVIL}" for text in page.find("td", class_="words"))
    assert EVIL in page.find("pre", class_="space")[0]
    assert "<script>alert" not in page.text


def test_nothing_asks_the_network(page):
    for tag, given, _ in page.elements:
        for name, value in given.items():
            if name in ("src", "href", "xlink:href", "action", "poster", "srcset", "data"):
                assert value.startswith(("#", "data:")), (tag, name, value)
    outside = re.sub(r"(?s)<script.*?</script>", "", page.text)
    assert set(re.findall(r"\w+://[\w./]+", outside)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert not re.findall(r"url\((?!['\"]?(?:#|data:))", outside)
    assert "@import" not in outside


def test_the_policy_allows_the_page_s_own_script_only(page):
    (policy,) = [
        given["content"] for tag, given, _ in page.elements if tag == "meta" and "content" in given
        and given.get("http-equiv") == "Content-Security-Policy"
    ]  # fmt: skip
    (script,) = re.findall(r"(?s)<script>(.*?)</script>", page.text)
    own = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{own}'" in policy


def test_ids_are_unique_and_labels_lead_somewhere(page):
    ids = [given["id"] for _, given, _ in page.elements if "id" in given]
    assert len(ids) == len(set(ids))
    for _, given, _ in page.elements:
        assert set(given.get("aria-labelledby", "").split()) <= set(ids)
        assert given.get("href", "#")[1:] in {"", "ata:,", *ids}
    assert all(given.get("role") == "img" for tag, given, _ in page.elements if tag == "svg")
    assert page.text.startswith("<!doctype html>")


def test_the_commands_to_repeat_it_are_commands(tmp_path, make_project):
    from typer.main import get_command

    from svhn_tune.cli import app

    project = make_project(tmp_path / "my cnn", TRIALS, train_images=100)
    add_runs(project, 0, POOR)
    add_runs(project, 1, GOOD)
    commands = read(project).find("pre", class_="commands")
    assert [shlex.split(command)[3] for command in commands] == ["search", "confirm"]
    found = []
    for command in commands:
        name, *arguments = shlex.split(command)[3:]
        found.append(get_command(app).commands[name].make_context(name, arguments).params)
    search, confirm = found
    assert search["space"] == "cnn"
    assert search["project"] == confirm["project"] == "my cnn-again"
    assert (search["max_trials"], search["train_images"], search["seed"]) == (50, 100, 0)
    assert (confirm["top"], confirm["runs"], confirm["epochs"]) == (1, 4, 2)
    assert confirm["baseline"]


@pytest.mark.parametrize(
    ("trials", "says"),
    [
        ([], "No trial was proposed yet."),
        ([{"status": "running"}], "No trial has ended yet: 1 running."),
        ([{"status": "failed", "reason": "its worker died"}] * 2, "No trial has completed: 2 fail"),
    ],
    ids=["empty", "running", "failed"],
)
def test_a_project_without_a_score_has_a_page(trials, says, tmp_path, make_project):
    page = read(make_project(tmp_path / "cnn", trials))
    assert page.find("p", class_="answer")[0].startswith(says)
    assert page.find("section", id="repeat")


def test_a_report_that_fails_leaves_the_results_and_says_so(tmp_path, make_project, capsys):
    project = make_project(tmp_path / "cnn")
    (project.folder / "report.html" / "in the way").mkdir(parents=True)
    with pytest.raises(InputError, match="cannot write"):
        write_report(project)
    try_report(project)
    err = capsys.readouterr().err
    assert err.startswith("note: the report could not be written, all results are saved: cannot")
    assert err.count("\n") == 1


def test_writing_again_leaves_one_file(confirmed):
    write_report(confirmed)
    assert [path.name for path in confirmed.folder.glob("*report*")] == ["report.html"]


def test_a_project_whose_every_run_diverged_has_a_page(tmp_path, make_project):
    project = make_project(tmp_path / "cnn", [{"score": None, "collapsed": True}] * 2)
    sentence = read(project).find("p", class_="answer")[0]
    assert "val_categorical_accuracy - after 4 epochs" in sentence
