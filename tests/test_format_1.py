"""Projects that an earlier version began: what they say, and that they go on as they would have."""

import json
import shutil
from pathlib import Path

import pytest

from svhn_tune.oracles.ask_tell import Proposal, ask, tell
from svhn_tune.project.project import Project
from svhn_tune.stages.search_loop import restore_oracle

ASSETS = Path(__file__).parent / "assets"
# Whole searches by Hyperband and a confirm of the best two, as the version before format 2 wrote
# them: two searched runs and two confirmed ones diverged, one failed.
WORST = {"diverged_loss": 1e9, "diverged_accuracy": 0.0}


@pytest.fixture(params=WORST)
def old(request, tmp_path):
    """The folder of such a project."""
    return Path(shutil.copytree(ASSETS / request.param, tmp_path / request.param))


def read_lines(folder):
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]


def test_what_diverged_or_failed_has_no_score(old):
    project = Project(old)
    worst = [line.get("score") == WORST[old.name] for line in read_lines(old)[1:]]
    assert sum(worst) == 5
    assert [run.score is None for run in project.ended()] == [
        each for each, line in zip(worst, read_lines(old)[1:], strict=True) if "score" in line
    ]
    assert project.trials.score.isna().tolist() == [trial in (1, 4, 6) for trial in range(36)]
    assert project.ranking()[-1].score is None
    assert project.best_confirmed().score is not None


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8])
def test_a_search_goes_on_with_the_proposals_it_would_have_had(old, share):
    lines = [line for line in read_lines(old) if line.get("stage") != "confirm"]
    begun = lines[: 1 + round(share * len(lines))]
    (old / "journal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in begun))
    oracle = restore_oracle(Project(old))
    for line in lines[len(begun) :]:
        if line["event"] == "run":
            tell(oracle, line["trial"], line["score"])
            continue
        proposal = ask(oracle, 8)
        assert isinstance(proposal, Proposal)
        assert {"event": "trial", **vars(proposal)} == line
    assert ask(oracle, 8) == "STOPPED"


def test_what_is_added_is_as_the_earlier_version_reads_it(old):
    before = (old / "journal.jsonl").read_bytes()
    project = Project(old)
    diverged = project.ended("confirm")[1]
    project.record(diverged.model_copy(update={"run": 7}))
    assert (old / "journal.jsonl").read_bytes().startswith(before)
    added = read_lines(old)[-1]
    assert (added["run"], added["score"]) == (7, WORST[old.name])
    assert Project(old).records[-1].score is None


def test_a_new_journal_has_null_and_a_run_that_learnt_a_score(tmp_path, make_project):
    project = make_project(tmp_path / "cnn", [{"score": None, "collapsed": True}, {"score": 0.0}])
    lines = read_lines(project.folder)
    assert lines[0]["format"] == 2
    assert [line["score"] for line in lines if line["event"] == "run"] == [None, 0.0]
    again = Project(project.folder)
    assert [run.score for run in again.ended()] == [None, 0.0]
    assert [run.trial for run in again.ranking()] == [1, 0]
