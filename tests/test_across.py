"""across: the best of several projects in one table, and projects that cannot be compared."""

import json

import pytest
from dials import make_clocks, make_space
from typer.testing import CliRunner

from svhn_tune import compare_projects, confirm, open_project, search
from svhn_tune.cli import app
from svhn_tune.data.dataset import Data
from svhn_tune.errors import InputError
from svhn_tune.statistics.samples import summarize

TARGETS = ("angle", "heads")


@pytest.fixture(scope="module")
def clocks():
    return make_clocks(train=120)


@pytest.fixture(scope="module")
def projects(clocks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clocks")
    found = []
    for target in TARGETS:
        project = search(
            make_space(target),
            clocks,
            project=folder / target.split()[0],
            tuner="random",
            max_trials=2,
        )
        found.append(confirm(project, clocks, top=1, runs=3, baseline=False))
    return found


def test_the_best_of_each_is_told_with_its_spread_the_best_of_all_first(projects):
    found = compare_projects(projects)
    assert sorted(each.asked for each in found) == sorted(TARGETS)
    means = [each.entry.summary.mean for each in found]
    assert means == sorted(means)
    for each in found:
        groups = each.project.confirm_runs().values()
        of_runs = [summarize([run.score for run in runs], highest=360) for runs in groups]
        assert each.entry.summary == min(of_runs, key=lambda summary: summary.mean)
        assert each.parameters == each.project.ended("confirm")[0].parameters
    assert found[0].against is None
    for each, mean in zip(found[1:], means[1:], strict=True):
        assert each.against.difference == pytest.approx(mean - means[0])


def test_the_command_prints_a_line_each_or_one_document(projects, monkeypatch):
    folders = [str(project.folder) for project in projects]
    table = CliRunner().invoke(app, ["compare", *folders], env={"COLUMNS": "200"}).stdout
    assert "minutes on the test set, the best confirmed of each project; tiny clocks" in table
    for each in compare_projects(projects):
        (line,) = [line for line in table.splitlines() if f" {each.asked} " in line]
        assert f"{each.entry.summary.mean:.2f} ± {each.entry.summary.sd:.2f}" in line
    printed = json.loads(CliRunner().invoke(app, ["compare", *folders, "--json"]).stdout)
    assert [each["asked"] for each in printed] == [e.asked for e in compare_projects(projects)]
    assert all(len(each["scores"]) == 3 for each in printed)


def test_projects_that_cannot_be_compared_are_refused(projects, clocks, tmp_path):
    first, second = projects
    with pytest.raises(InputError, match="two projects or more"):
        compare_projects([first])
    with pytest.raises(InputError, match=r"was given .*angle twice"):
        compare_projects([first, second, open_project(first.folder)])
    fewer = Data("tiny clocks", clocks.train, clocks.test.take(slice(0, 50)), (), True, "tiny")
    other = search(make_space(), fewer, project=tmp_path / "fewer", tuner="random", max_trials=1)
    with pytest.raises(InputError, match=r"of images [0-9a-f]{60}, .* cannot be compared"):
        compare_projects([first, other])
    same = search(make_space(), clocks, project=tmp_path / "same", tuner="random", max_trials=1)
    with pytest.raises(InputError, match="no confirmed run to compare: first `python -m"):
        compare_projects([first, same])
