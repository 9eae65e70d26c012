"""export: what other tools read back is what the journal says."""

import math
import subprocess
import sys

import optuna
import pytest
from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna_dashboard import wsgi
from pydantic import TypeAdapter
from werkzeug.test import Client

from svhn_tune.errors import InputError
from svhn_tune.exports import export
from svhn_tune.exports.optuna import _distribution, _value
from svhn_tune.files import write_atomically
from svhn_tune.models.spaces import load_space
from svhn_tune.project.records import search_seed
from svhn_tune.space.hyperparameters import Hyperparameter

# The objective of each configuration, an epoch each.
CURVES = {0: [0.1, 0.3, 0.4, 0.5], 1: [0.2, 0.6, 0.7, 0.8], 2: [0.85, 0.9], 3: [0.1, None]}


def columns(accuracies):
    """The metrics of some epochs, as a record has them."""
    return {
        "loss": [None if value is None else 2 - value for value in accuracies],
        "categorical_accuracy": accuracies,
        "val_loss": [None if value is None else 2.5 - value for value in accuracies],
        "val_categorical_accuracy": accuracies,
        "seconds": [0.5] * len(accuracies),
    }


@pytest.fixture
def project(tmp_path, make_project):
    """A Hyperband search: 0 and 1 promoted as 4 and 5, 2 not, 3 diverged, 6 failed, 7 running.

    Trial 1 has 2 blocks; the baseline is confirmed twice, of which one collapsed.
    """
    short, long = {"epochs": 2, "seconds": 1.0}, {"initial_epoch": 2, "epochs": 4, "seconds": 1.0}
    two = {"values": load_space("cnn").complete({"blocks": 2, "units": 4096})}
    trials = [
        short | {"score": 0.3, "metrics": columns(CURVES[0][:2])},
        short | two | {"score": 0.6, "metrics": columns(CURVES[1][:2])},
        short | {"score": 0.9, "metrics": columns(CURVES[2])},
        short | {"score": None, "metrics": columns(CURVES[3]), "collapsed": True},
        long | {"score": 0.5, "metrics": columns(CURVES[0][2:]), "parent": 0},
        long | two | {"score": 0.8, "metrics": columns(CURVES[1][2:]), "parent": 1},
        short | {"status": "failed", "score": None, "seconds": 0.0},
        {"status": "running"},
    ]
    trials[4]["values"] = load_space("cnn").complete({"units": 64})
    project = make_project(tmp_path / "cnn", trials, tuner="hyperband")
    search = next(record for record in project.ended("search") if record.trial == 4)
    for run, score in enumerate([0.55, 0.25]):
        changes = {"stage": "confirm", "run": run, "score": score, "collapsed": run == 1}
        metrics = {"loss": [1.75, 1.5], "categorical_accuracy": [0.3, 0.4], "seconds": [1.0, 1.0]}
        test = {"loss": 1.25, "categorical_accuracy": score}
        lengths = {"epochs": 2, "planned_epochs": 2, "initial_epoch": 0}
        changes |= lengths | {"metrics": metrics, "test": test}
        project.record(search.model_copy(update=changes))
    return project


@pytest.fixture
def study(project, tmp_path):
    """The study that Optuna reads back."""
    export(project, "optuna", tmp_path / "cnn.db")
    return optuna.load_study(study_name="cnn", storage=f"sqlite:///{tmp_path / 'cnn.db'}")


def test_optuna_reads_the_study(study):
    assert study.direction == optuna.study.StudyDirection.MAXIMIZE
    assert study.metric_names == ["val_categorical_accuracy"]
    assert study.user_attrs["data"] == "SVHN (course archives)"
    assert study.user_attrs["validate_on"] == "holdout"


def test_optuna_has_a_trial_a_configuration_in_its_state(study):
    states = [trial.state.name for trial in study.trials]
    assert states == ["COMPLETE", "COMPLETE", "PRUNED", "FAIL", "FAIL", "RUNNING"]
    assert [trial.user_attrs["root"] for trial in study.trials] == [0, 1, 2, 3, 6, 7]
    assert [trial.user_attrs["trial"] for trial in study.trials] == [4, 5, 2, 3, 6, 7]
    assert [trial.user_attrs["epochs"] for trial in study.trials] == [4, 4, 2, 2, 0, 0]
    assert [trial.values for trial in study.trials] == [[0.5], [0.8], [0.9], None, None, None]


def test_optunas_best_trial_is_the_projects(study, project):
    assert study.best_trial.user_attrs["trial"] == project.ranking()[0].trial == 5


def test_a_continued_run_is_one_curve(study):
    for trial, root in ((0, 0), (1, 1), (2, 2)):
        expected = dict(enumerate(CURVES[root], start=1))
        assert study.trials[trial].intermediate_values == expected
    assert math.isnan(study.trials[3].intermediate_values[2])
    assert study.trials[3].user_attrs["collapsed"] is True
    assert study.trials[1].duration.total_seconds() == pytest.approx(2.0)


def test_a_trials_seed_is_the_runs(study):
    assert [t.user_attrs["seed"] for t in study.trials] == [
        search_seed(0, root) for root in (0, 1, 2, 3, 6, 7)
    ]


def test_values_come_with_what_the_space_allows(study):
    trial = study.trials[1]
    assert trial.params == load_space("cnn").complete({"blocks": 2, "units": 4096})
    assert "kernel_size_3" not in trial.params
    assert trial.distributions["blocks"] == IntDistribution(1, 5)
    assert trial.distributions["units"] == IntDistribution(32, 4096, log=True)
    assert trial.distributions["padding"] == CategoricalDistribution(["same", "valid"])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"type": "Int", "min_value": 1, "max_value": 10, "step": 4, "default": 1},
            IntDistribution(1, 9, step=4),
        ),
        (
            {"type": "Float", "min_value": 0.1, "max_value": 0.5, "step": 0.1, "default": 0.1},
            FloatDistribution(0.1, 0.5),
        ),
        (
            {"type": "Float", "min_value": 1e-5, "max_value": 1.0, "sampling": "log", "default": 1},
            FloatDistribution(1e-5, 1.0, log=True),
        ),
        (
            {"type": "Choice", "values": [3, 5], "default": 3},
            CategoricalDistribution([3, 5]),
        ),
        ({"type": "Boolean", "default": False}, CategoricalDistribution([False, True])),
        ({"type": "Fixed", "value": "relu"}, CategoricalDistribution(["relu"])),
    ],
)
def test_every_type_of_hyperparameter_has_a_distribution(given, expected):
    declared = TypeAdapter(Hyperparameter).validate_python(given)
    assert _distribution(declared) == expected


def test_a_value_a_rounding_beyond_the_range_is_at_its_end():
    given = {"type": "Float", "min_value": 0.1, "max_value": 0.3, "default": 0.1}
    declared = TypeAdapter(Hyperparameter).validate_python(given)
    assert _value(declared, 0.1 + 0.1 + 0.1) == 0.3


def test_optunas_dashboard_shows_the_study(study, tmp_path):
    client = Client(wsgi(f"sqlite:///{tmp_path / 'cnn.db'}"))
    found = client.get("/api/studies").json["study_summaries"]
    assert [(each["study_name"], each["directions"]) for each in found] == [("cnn", ["maximize"])]
    shown = client.get(f"/api/studies/{found[0]['study_id']}?after=0").json
    assert shown["has_intermediate_values"]
    assert shown["objective_names"] == ["val_categorical_accuracy"]
    states = [trial["state"] for trial in shown["trials"]]
    assert states == ["Complete", "Complete", "Pruned", "Fail", "Fail", "Running"]
    steps = shown["trials"][1]["intermediate_values"]
    assert [step["value"] for step in steps] == CURVES[1]


@pytest.fixture
def events(project, tmp_path):
    """TensorBoard's own reader over the logs."""
    from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer

    export(project, "tensorboard", tmp_path / "logs")
    return EventMultiplexer().AddRunsFromDirectory(str(tmp_path / "logs")).Reload()


def read_scalars(events, run, tag):
    """Steps and values, as TensorBoard reads them."""
    from tensorboard.util.tensor_util import make_ndarray

    found = [(each.step, make_ndarray(each.tensor_proto)) for each in events.Tensors(run, tag)]
    return {step: float(value) for step, value in found}


def test_tensorboard_reads_a_run_a_curve(events):
    searched = {f"search/trial-{root:04d}" for root in (0, 1, 2, 3, 6, 7)}
    confirmed = {f"confirm/trial-0000/epochs-2/run-{run:02d}" for run in (0, 1)}
    assert set(events.Runs()) == {"."} | searched | confirmed
    read = read_scalars(events, "search/trial-0001", "val_categorical_accuracy")
    assert read == pytest.approx(dict(enumerate(CURVES[1], start=1)))
    diverged = read_scalars(events, "search/trial-0003", "loss")
    assert diverged[1] == pytest.approx(1.9)
    assert math.isnan(diverged[2])
    tested = "confirm/trial-0000/epochs-2/run-00"
    assert read_scalars(events, tested, "test_categorical_accuracy") == {2: pytest.approx(0.55)}
    assert read_scalars(events, tested, "loss") == {1: 1.75, 2: 1.5}


def test_event_accumulator_reads_one_runs_folder(project, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    export(project, "tensorboard", tmp_path / "logs")
    run = EventAccumulator(str(tmp_path / "logs" / "search" / "trial-0001")).Reload()
    assert {"loss", "val_categorical_accuracy", "seconds"} <= set(run.Tags()["scalars"])
    assert [event.step for event in run.Scalars("loss")] == [1, 2, 3, 4]
    times = [event.wall_time for event in run.Scalars("loss")]
    assert [later - times[0] for later in times] == pytest.approx([0, 0.5, 1.0, 1.5], abs=1e-3)


@pytest.fixture
def hparams(events, tmp_path):
    """What the HParams tab reads: its context, and a request's."""
    from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
    from tensorboard.context import RequestContext
    from tensorboard.plugins.base_plugin import TBContext
    from tensorboard.plugins.hparams.backend_context import Context

    provider = MultiplexerDataProvider(events, str(tmp_path / "logs"))
    return RequestContext(), Context(TBContext(data_provider=provider))


def test_the_hparams_tab_knows_the_space(hparams):
    from tensorboard.plugins.hparams import api_pb2
    from tensorboard.plugins.hparams.get_experiment import Handler

    experiment = Handler(*hparams, "", api_pb2.GetExperimentRequest()).run()
    known = {info.name: info for info in experiment.hparam_infos}
    declared = {declaration.name for declaration in load_space("cnn").declarations}
    assert set(known) == declared | {"stage", "epochs"}
    assert known["units"].domain_interval.max_value == 4096
    choices = known["padding"].domain_discrete.values
    assert [choice.string_value for choice in choices] == ["same", "valid"]
    assert {info.display_name for info in experiment.metric_infos} == {
        "val_categorical_accuracy",
        "test_categorical_accuracy",
    }


def test_the_hparams_tab_has_a_row_a_configuration(hparams):
    from tensorboard.plugins.hparams import api_pb2
    from tensorboard.plugins.hparams.list_session_groups import Handler

    statuses = [api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE, api_pb2.STATUS_RUNNING]
    request = api_pb2.ListSessionGroupsRequest(
        allowed_statuses=statuses, slice_size=100, aggregation_type=api_pb2.AGGREGATION_AVG
    )
    rows = {row.name: row for row in Handler(*hparams, "", request).run().session_groups}
    assert len(rows) == 7
    best = rows["0001 search"]
    assert best.hparams["units"].number_value == 4096
    assert best.hparams["epochs"].number_value == 4
    assert "kernel_size_3" not in best.hparams
    assert [metric.value for metric in best.metric_values] == [pytest.approx(0.8)]
    confirmed = rows["0000 confirm 2"]
    assert len(confirmed.sessions) == 2
    # The mean of the two runs.
    assert [metric.value for metric in confirmed.metric_values] == [pytest.approx(0.4)]
    found = [rows[f"{root:04d} search"].sessions[0].status for root in (6, 7)]
    assert found == [api_pb2.STATUS_FAILURE, api_pb2.STATUS_RUNNING]


def test_the_hparams_tab_says_that_the_data_are_built_in(tmp_path, make_project):
    name = "built-in digits, not SVHN"
    data = {"name": name, "fingerprint": "0", "synthetic": True, "source": "builtin"}
    export(make_project(tmp_path / "cnn", data=data), "tensorboard", tmp_path / "logs")
    (file,) = (tmp_path / "logs").iterdir()
    assert b"val_categorical_accuracy, built-in digits, not SVHN" in file.read_bytes()


def test_a_project_without_trials_is_exported(tmp_path, make_project):
    project = make_project(tmp_path / "empty")
    export(project, "optuna", tmp_path / "empty.db")
    storage = f"sqlite:///{tmp_path / 'empty.db'}"
    assert optuna.load_study(study_name="empty", storage=storage).trials == []
    export(project, "tensorboard", tmp_path / "logs")
    assert (tmp_path / "logs").is_dir()


@pytest.mark.parametrize("to", ["optuna", "tensorboard"])
def test_what_is_there_is_left_alone(to, project, tmp_path):
    there = tmp_path / "mine"
    there.write_text("mine")
    with pytest.raises(InputError, match="mine is there already: give another name"):
        export(project, to, there)
    assert there.read_text() == "mine"


@pytest.mark.parametrize("to", ["optuna", "tensorboard"])
def test_a_target_that_cannot_be_written_is_one_clear_line(to, project, tmp_path):
    with pytest.raises(InputError, match=r"cannot write .*target: No such file or directory"):
        export(project, to, tmp_path / "no folder" / "target")


def test_another_format_is_refused(project, tmp_path):
    with pytest.raises(InputError, match=r"no format 'wandb'.*optuna, tensorboard"):
        export(project, "wandb", tmp_path / "x")


def test_what_fails_half_way_leaves_nothing(project, tmp_path, monkeypatch):
    from svhn_tune.exports import tensorboard

    written = []

    def fill_the_disk(path, content):
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        written.append(path)
        write_atomically(path, content)

    monkeypatch.setattr(tensorboard, "write_atomically", fill_the_disk)
    target = project.folder / "logs"
    with pytest.raises(InputError, match="No space left on device"):
        export(project, "tensorboard", target)
    assert written
    assert not [path for path in project.folder.iterdir() if "logs" in path.name]


def test_without_optuna_the_error_says_what_to_install(project, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.delitem(sys.modules, "svhn_tune.exports.optuna")
    with pytest.raises(InputError, match=r"needs Optuna.*extra 'tpe'"):
        export(project, "optuna", tmp_path / "cnn.db")


def test_the_command_says_how_to_look_at_it_and_needs_no_tensorflow(project, tmp_path):
    program = (
        "import sys; from svhn_tune.cli import app; "
        "app(sys.argv[1:], standalone_mode=False); assert 'tensorflow' not in sys.modules"
    )
    for to, command in (
        ("optuna", "optuna-dashboard sqlite:///out-optuna"),
        ("tensorboard", "tensorboard --logdir out-tensorboard"),
    ):
        arguments = ["export", "--to", to, f"out-{to}", "--project", str(project.folder)]
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == f"wrote out-{to}; to look at it: {command}\n"
