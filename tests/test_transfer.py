"""confirm --data cifar10: the same configurations on other images, and nothing mixed."""

import json
import shutil

import numpy as np
import pytest
from test_contract import KillsTheWorker
from test_fashion_mnist import write_idx

from svhn_tune import confirm, load_data, open_project, search, status, transfers
from svhn_tune.errors import InputError
from svhn_tune.journal.record_types import BeginRecord, from_json
from svhn_tune.project.transfer import latest_call, list_others
from svhn_tune.report import write_report
from svhn_tune.report.other_images import compare_images, list_all_runs
from svhn_tune.report.repetition import repeat_commands
from svhn_tune.statistics import ranks
from svhn_tune.summary import transfer
from svhn_tune.summary.begun import read_standing
from svhn_tune.summary.next_step import list_steps

RUNS = 3


@pytest.fixture(scope="module")
def folders(archives, tmp_path_factory):
    """The same digits as files of both sources: grey ones of 28 pixels, and in colours."""
    data = load_data(archives)
    grey, coloured = (tmp_path_factory.mktemp(name) for name in ("grey", "coloured"))
    for part, split in {"train": data.train, "t10k": data.test}.items():
        images = split.images[:, 2:30, 2:30].mean(axis=-1).astype(np.uint8)
        write_idx(grey, part, images, split.labels)
    arrays = {"x_train": data.train.images, "y_train": data.train.labels[:, None]}
    arrays |= {"x_test": data.test.images, "y_test": data.test.labels[:, None]}
    np.savez(coloured / "cifar10.npz", **arrays)
    return {"fashion_mnist": str(grey), "cifar10": f"cifar10:{coloured}"}


@pytest.fixture(scope="module")
def searched(folders, tmp_path_factory):
    """A search of four configurations, on the grey digits."""
    folder = tmp_path_factory.mktemp("transfer") / "fashion_mlp"
    settings = {"tuner": "random", "max_trials": 4, "max_epochs": 2}
    return search("fashion_mlp", folders["fashion_mnist"], project=folder, **settings)


@pytest.fixture(scope="module")
def confirmed(searched, folders, tmp_path_factory):
    """The best three, of which one is the baseline, on both, and the status between."""
    project = copy_of(searched, tmp_path_factory.mktemp("confirmed"))
    asked = {"top": 3, "runs": RUNS, "epochs": 3}
    confirm(project, **asked)
    before = status(project)
    confirm(project, folders["cifar10"], **asked)
    return project, before


def copy_of(project, folder):
    """A copy of a project, to be changed."""
    shutil.copytree(project.folder, folder / "fashion_mlp")
    return open_project(folder / "fashion_mlp")


@pytest.fixture
def copied(searched, tmp_path):
    return copy_of(searched, tmp_path)


def test_runs_on_other_images_are_of_models_built_for_those(confirmed):
    project, _ = confirmed
    (other,) = list_others(project)
    assert (project.space.task.image_shape, other.space.task.image_shape) == (
        (28, 28, 1),
        (32, 32, 3),
    )
    here, there = project.confirm_runs(), other.confirm_runs()
    assert set(here) == set(there)
    assert {len(runs) for runs in [*here.values(), *there.values()]} == {RUNS}
    for key, runs in there.items():
        assert {run.data_fingerprint for run in runs} == {other.settings.data.fingerprint}
        assert {run.data_fingerprint for run in here[key]} == {project.settings.data.fingerprint}
        # The engine of the tests has a weight for each fourth number of an image.
        assert {run.parameters for run in runs} == {(32 * 32 * 3 // 4 + 1) * 10}
        assert {run.parameters for run in here[key]} == {(28 * 28 // 4 + 1) * 10}
        assert [run.seed for run in runs] == [run.seed for run in here[key]]


def test_no_summary_of_its_own_images_reads_them(confirmed):
    project, before = confirmed
    after = status(project)
    changing = ("seconds_spent", "disk_bytes", "progress", "other_data")
    for name in set(after) - set(changing):
        assert after[name] == before[name], name
    assert before["other_data"] == []
    assert (project.folder / "submission.keras").exists()
    kept = sorted(path.name for path in (project.folder / "models").iterdir())
    assert all("-on-" not in name for name in kept)
    assert not list((project.folder / "checkpoints").iterdir())


def test_the_journal_is_read_again_as_it_was_written(confirmed):
    project, _ = confirmed
    again = open_project(project.folder)
    assert again.journal == project.journal
    assert again.records == project.records
    assert len(again.records) < len(again.journal)
    assert status(again)["other_data"] == status(project)["other_data"]


def test_the_comparison_has_the_means_of_both_and_the_correlation_of_their_ranks(confirmed):
    from scipy.stats import kendalltau, spearmanr

    project, _ = confirmed
    (found,) = transfers(project)
    (other,) = list_others(project)
    assert (found.here, found.there, found.epochs) == ("Fashion-MNIST", "CIFAR-10", 3)
    means = {}
    for name, each in (("here", project), ("there", other)):
        groups = each.confirm_runs().items()
        means[name] = {root: np.mean([run.score for run in runs]) for (root, _), runs in groups}
    for row in found.rows:
        assert row.here.mean == pytest.approx(means["here"][row.trial])
        assert row.there.mean == pytest.approx(means["there"][row.trial])
        assert (row.here.n, row.there.n) == (RUNS, RUNS)
    ordered = [row.there.mean for row in found.rows]
    assert ordered == sorted(ordered, reverse=True)
    assert found.rows[0].ranks[1] == 1
    sides = [[means[name][row.trial] for row in found.rows] for name in ("here", "there")]
    assert found.tau.value == pytest.approx(kendalltau(*sides).statistic)
    assert found.rho.value == pytest.approx(spearmanr(*sides).statistic)
    for each in (found.tau, found.rho):
        low, high = each.ci95
        assert -1 <= low <= each.value <= high <= 1
    frame = found.frame
    assert frame["mean_there"].tolist() == pytest.approx(ordered)
    assert json.loads(json.dumps(status(project)["other_data"][0]))["rows"][0]["there"]["runs"] == 3


def test_the_report_has_the_comparison_all_runs_and_how_to_repeat_them(confirmed, folders):
    project, _ = confirmed
    (found,) = compare_images(project)
    assert "CIFAR-10, beside Fashion-MNIST" in found.table.caption
    assert "Kendall's tau" in found.sentence
    assert [len(table.rows) for table in list_all_runs(project)] == [
        RUNS * len(project.confirm_runs())
    ] * 2
    commands = repeat_commands(project)
    assert len(commands) == 3
    assert f"--runs {RUNS} --epochs 3" in commands[2]
    assert f"--data {folders['cifar10']} --project" in commands[2]


@pytest.mark.soak
def test_the_page_shows_the_comparison_and_how_to_repeat_it(confirmed, folders):
    project, _ = confirmed
    page = write_report(project).read_text()
    assert '<section id="other-images">' in page
    assert "CIFAR-10, beside Fashion-MNIST" in page
    assert "Kendall&#39;s tau" in page
    assert f"--data {folders['cifar10']}" in page
    assert page.count('<table id="confirm-runs') == 2


def test_what_a_kill_left_goes_on_there_and_ends_with_the_same_bits(searched, folders, tmp_path):
    progress = KillsTheWorker()
    asked = {"top": 1, "runs": 1, "epochs": 60, "baseline": False}
    ended = []
    for name, told in (("calm", None), ("killed", progress)):
        (tmp_path / name).mkdir()
        project = copy_of(searched, tmp_path / name)
        confirm(project, folders["cifar10"], progress=told, **asked)
        (other,) = list_others(project)
        ((run,),) = other.confirm_runs().values()
        ended.append((run.status, run.score, run.weights_sha256))
    assert progress.killed
    assert ended[0] == ended[1]
    assert ended[0][0] == "completed"
    count = len(project.journal)
    confirm(project, folders["cifar10"], **asked)
    assert not [each for each in project.journal[count:] if each.event == "run"]


def test_a_stopped_one_is_told_with_its_data_and_goes_on(copied, folders):
    project = copied
    asked = {"top": 2, "runs": 2, "epochs": 5, "baseline": False}
    confirm(project, folders["cifar10"], time_limit=1e-9, **asked)
    other, begin = latest_call(project)
    assert other.settings.data.name == begin.data.name == "CIFAR-10"
    standing = read_standing(project)
    assert standing.title == "confirm on CIFAR-10"
    assert standing.trials_planned == 4
    if standing.trials < 4:
        step = list_steps(project, standing)[0]
        assert step.text == "go on with confirm on CIFAR-10, which has stopped"
        assert f"--data {folders['cifar10']}" in step.command
    confirm(project, folders["cifar10"], **asked)
    done = [runs for (_, epochs), runs in other.confirm_runs().items() if epochs == 5]
    assert [len(runs) for runs in done] == [2, 2]
    assert not project.confirm_runs()
    (found,) = transfers(project)
    assert found.tau is None
    assert "0 configurations with runs on both, 3 are needed" in found.verdict
    assert {row.here for row in found.rows} == {None}


def test_a_model_that_does_not_fit_the_other_images_is_one_clear_line(folders, tmp_path):
    from svhn_tune import load_space

    text = load_space("fashion_mlp").text.replace('"100 MiB"', '"2 MiB"')
    (tmp_path / "small.toml").write_text(text)
    settings = {"tuner": "random", "max_trials": 1, "max_epochs": 2}
    project = search(
        tmp_path / "small.toml", folders["fashion_mnist"], project=tmp_path / "p", **settings
    )
    before = len(project.journal)
    with pytest.raises(InputError) as refused:
        confirm(project, folders["cifar10"], top=1, runs=1, epochs=1)
    told = str(refused.value)
    assert told.startswith("trial 000 cannot be trained on CIFAR-10 (--data cifar10): the file")
    assert "the limit of 'small' is 2,097,152" in told
    assert "\n" not in told
    assert len(project.journal) == before


def test_a_source_with_other_labels_is_one_clear_line(searched):
    with pytest.raises(InputError, match=r"--data clocks cannot be trained on in .* a time is no"):
        confirm(searched, "clocks", top=1)


def test_its_own_source_by_name_is_no_transfer(copied, folders):
    with pytest.raises(InputError, match="no Fashion-MNIST files in"):
        confirm(copied, f"fashion_mnist:{folders['cifar10'][8:]}", top=1)
    with pytest.raises(InputError, match="no CIFAR-10 files in"):
        confirm(copied, f"cifar10:{folders['fashion_mnist']}", top=1)
    project = confirm(copied, f"fashion_mnist:{folders['fashion_mnist']}", top=1, epochs=1, runs=1)
    assert latest_call(project)[1].data is None


TAMPERED = [
    ({"fingerprint": "x"}, "data_fingerprint"),
    ({"source": "mnist"}, r"data.source='mnist' is none of svhn, cifar10"),
    ({"source": "clocks"}, "data.source=clocks, whose labels are not as fashion_mnist's"),
    ({"name": 3}, "data.name=3"),
]


@pytest.mark.parametrize(("change", "message"), TAMPERED)
def test_a_tampered_journal_is_refused(change, message, confirmed, tmp_path):
    project, _ = confirmed
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in ("project.json", "space.toml"):
        (folder / name).write_text((project.folder / name).read_text())
    lines = (project.folder / "journal.jsonl").read_text().splitlines()
    changed = []
    for line in lines:
        record = json.loads(line)
        if record["event"] == "begin" and record.get("data"):
            record["data"] |= change
        changed.append(json.dumps(record))
    (folder / "journal.jsonl").write_text("\n".join(changed) + "\n")
    with pytest.raises(InputError, match=message):
        open_project(folder)


def test_only_confirm_has_other_data():
    record = BeginRecord(stage="search", began=1.0, workers=1, trials=1, epochs=1, runs=[])
    other = {"source": "cifar10", "where": "x", "name": "x", "fingerprint": "x", "synthetic": False}
    with pytest.raises(ValueError, match="data in a search"):
        from_json(record.as_json() | {"data": other})


def draw_means(seed, count, spread):
    """Runs of configurations whose means are 0, 0.01, 0.02, ... apart."""
    random = np.random.default_rng(seed)
    return [list(0.5 + 0.01 * n + spread * random.standard_normal(4)) for n in range(count)]


@pytest.mark.parametrize(
    ("there", "verdict", "value"),
    [
        (draw_means(1, 5, 1e-4), "the order holds", 1.0),
        (draw_means(1, 5, 1e-4)[::-1], "the order is turned around", -1.0),
        ([draw_means(1, 5, 1e-4)[n] for n in (1, 0, 2, 3, 4)], "the order holds in part", 0.8),
        (draw_means(1, 5, 1.0), "it is not shown that the order holds", None),
    ],
)
def test_whether_the_order_holds_follows_from_the_interval(there, verdict, value):
    here = draw_means(0, 5, 1e-4)
    tau, rho, by_chance = ranks.correlate_means(here, there)
    assert transfer._judge(tau, 5) == verdict
    assert tau.ci95[0] <= tau.value <= tau.ci95[1]
    assert rho.ci95[0] <= rho.value <= rho.ci95[1]
    if value is not None:
        assert tau.value == pytest.approx(value)
        assert tau.ci95 == pytest.approx((value, value))
    if value == 1:
        assert by_chance == pytest.approx(1 / 120)


def test_no_interval_of_one_run_and_no_order_of_equal_means():
    tau, _, _ = ranks.correlate_means([[0.1], [0.2], [0.3]], [[0.1, 0.2], [0.3, 0.3], [0.2, 0.1]])
    assert tau.ci95 is None
    assert transfer._judge(tau, 3).startswith("no interval: it needs 2 runs")
    assert ranks.correlate_means([[0.1, 0.1]] * 3, [[0.1], [0.2], [0.3]]) == (None, None, None)


def test_rank_correlations_are_scipys_with_ties_and_for_many_draws_at_once():
    from scipy.stats import kendalltau, spearmanr

    random = np.random.default_rng(0)
    a, b = random.integers(0, 4, (2, 6, 20)).astype(float)
    for ours, theirs in ((ranks._kendall, kendalltau), (ranks._spearman, spearmanr)):
        expected = [theirs(*pair).statistic for pair in zip(a.T, b.T, strict=True)]
        np.testing.assert_allclose(ours(a, b), np.nan_to_num(expected))
        assert ours(np.ones(3), np.arange(3.0)) == 0
