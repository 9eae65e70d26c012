"""Confirm: the top trials again, from fresh seeds, on all training images, for the full epochs.

It runs the seeds; choice.py says of which trials, and summary/confirmed.py what came out. The test
set is looked at once per run, after the last epoch; where a space asks for its curve, after each,
and nothing follows from that. A space's validation split is held out here, too.
"""

import time
from pathlib import Path

from ..cost.budget import Budget
from ..cost.forecast import Forecast, Planned
from ..data import Data
from ..data.cache import share_arrays
from ..data.dataset import split_holdout
from ..engines.devices import choose_engine, module_of
from ..engines.maps import maps_path
from ..errors import InputError
from ..files import write_atomically
from ..journal.numbers import check_numbers
from ..journal.record_types import RunRecord
from ..machines.choice import open_machines
from ..models.work import measure_work
from ..progress.progress import Progress
from ..project.project import Project
from ..project.records import decode_predicted, run_record
from ..project.results import open_project
from ..project.transfer import on_data
from ..summary.invocation import name_data
from ..training.pool import Machines
from ..training.runs import Event, Run, Setup
from .begin import record_begin
from .choice import choose
from .drive import Call, drive
from .other_source import check_fit, find_data
from .pictures import write_pictures
from .threads import count_places, share_threads
from .together import find_engine, group_runs, leave_out_done, plan_runs


def confirm(
    project: str | Path | Project | None = None,
    data: str | Path | Data | None = None,
    *,
    top: int | None = None,
    question: int | None = None,
    runs: int = 10,
    epochs: int | None = None,
    baseline: bool = True,
    workers: int | None = None,
    time_limit: float | None = None,
    budget: float | None = None,
    engine: str | None = None,
    cluster: str | None = None,
    gpus_per_run: float | None = None,
    progress: Progress | None = None,
) -> Project:
    """Retrain the `top` trials until each has `runs` runs; called again, it adds what is missing.

    The top is the search's. Once more configurations are confirmed than `top`, it is theirs by the
    mean of their runs: `top=8, runs=3`, then `top=3, runs=10` trains seven more of the best three.

    With a `question` of the space it is the configurations that the question names, and no control
    beside them; with `top`, too, the best of these by the mean of the runs that they have.

    Args:
        project: a name in results/, a folder, or a `Project`; by default the latest.
        data: where the project's data are, if they moved; or another source's name, such as
            "cifar10" or "cifar10:DIR", to train the same configurations on its images instead.
        top: how many of the best completed trials, 3 by default; of a question's configurations,
            all by default.
        question: the number of a question of the project's space.
        runs: of each, runs of an earlier call included.
        epochs: of each run; the question's or the protocol's by default.
        baseline: retrain the baseline, too, as a control beside the top.
        workers: how many runs train side by side: 1, or as many as a cluster has room for.
        time_limit: stop after this many seconds, within an epoch if need be.
        budget: seconds for the whole project, its search included; by default the search's.
        engine: "tensorflow", "jax" or "auto" (default): that of the runs there are, else jax where
            JAX sees a GPU. On jax the seeds of a configuration train together.
        cluster: a Ray cluster's address, or "auto"; this machine's processes by default.
        gpus_per_run: of the cluster's GPUs, such as 0.25; CPUs by default.
        progress: told what happens; silent by default.

    Raises:
        InputError: fewer completed trials than `top`, a question that the space lacks or whose
            configurations were not proposed, other data than the search had, or an engine that is
            not there.
    """
    deadline = None if time_limit is None else time.monotonic() + time_limit
    project = project if isinstance(project, Project) else open_project(project)
    epochs = project.space.epochs_of(question) if epochs is None else epochs
    numbers = {"top": top, "question": question, "runs": runs, "epochs": epochs, "workers": workers}
    top, question, runs, epochs, workers = check_numbers(numbers).values()
    choose(project, top, epochs, baseline, question)
    data, other = find_data(project, data)
    before = find_engine(project if other is None else on_data(project, other))
    before = before or find_engine(project)
    trains = choose_engine(before if engine in (None, "auto") else engine)
    with project.lock():
        project.refresh()
        chosen, choice = choose(project, top, epochs, baseline, question)
        if budget is not None:
            project.update_settings(budget=budget)
        home = project
        if other is not None:
            project, choice = on_data(home, other), None
            check_fit(project, chosen)
        planned = [run for trial in chosen for run in plan_runs(project, trial, runs, epochs)]
        # One run of each, then a second one of each: when time is up, all have about as many. The
        # dearest of them first, so that no long one is left for the end, the other cores idle.
        planned.sort(key=lambda run: (run.run, -measure_work(project.space, run.values).rough_cost))
        places = 1 if cluster else count_places(workers or 1, module_of(trains))
        planned = share_threads(project, planned, len(data.train.labels), places)
        missing = leave_out_done(project, planned)
        if choice and any(run.root in choice.chosen for run in missing):
            project.record(choice)
        progress = progress or Progress()
        if other is not None:
            progress.note(f"confirm trains on the {other.name}, found by --data {name_data(other)}")
        if before not in (None, trains):
            progress.note(f"the runs so far were trained by {before}, the next ones by {trains}")
        if missing:
            with open_machines(workers, cluster, gpus_per_run, progress.note) as machines:
                _train(project, data, planned, machines, deadline, progress, question, trains)
        if other is None:
            _draw(project, data, progress)
    return home


def _draw(project: Project, data: Data, progress: Progress) -> None:
    """Make the pictures for the report; without them the confirmed runs are as valid."""
    try:
        write_pictures(project, data.test, () if project.space.task.on_dial else data.classes)
    except Exception as error:
        progress.note(f"no pictures for the report, all runs are saved: {error!r}")


def _train(
    project: Project,
    data: Data,
    planned: list[Run],
    machines: Machines,
    deadline: float | None,
    progress: Progress,
    question: int | None,
    engine: str,
) -> None:
    protocol = project.space.protocol
    train, held_out = None, None
    if protocol.validation_split is not None:
        labels = project.space.task.group(data.train.labels)
        train, held_out = split_holdout(labels, share=protocol.validation_split)
    setup = Setup(
        space=project.space,
        arrays=share_arrays(data),
        fingerprint=data.fingerprint,
        train_index=train,
        validate_on=held_out,
        test_at_end=True,
        test_each_epoch=protocol.test_curve,
        engine=module_of(engine),
    )
    missing = leave_out_done(project, planned)
    cohorts = group_runs(project.space, missing, machines, engine)
    count = machines.count
    most = min(count, len(cohorts))
    # Where each run has one thread, more of them are of no use.
    count = count if machines.shares and count_places(count, setup.engine) > 1 else most
    left = {(run.root, run.run): (run.values, run.epochs) for run in missing}
    forecast = Forecast(project, "confirm", data, lambda: Planned(left))
    budget = Budget(project, "confirm", count, data, forecast)
    if budget.is_spent:
        raise InputError(
            f"nothing is left of the budget of {project.folder} ({budget.describe()}): pass "
            f"--budget with more hours, of search and confirm together"
        )
    epochs = sum(run.epochs for run in planned)
    # As they are trained: those that are done, then cohort by cohort.
    order = [run for run in planned if run not in missing]
    order += [run for cohort in cohorts for run in cohort]
    standing = record_begin(
        project,
        "confirm",
        count,
        len(planned),
        epochs,
        order,
        deadline,
        question,
        engine,
        cohorts if engine == "jax" else (),
    )

    def next_runs(free: int) -> list[Run]:
        fits = cohorts and min(cohorts[0][0].threads, count) <= free
        return cohorts.pop(0) if fits else []

    with budget.clock(), machines.open(setup, len(cohorts), count) as workers:
        drive(
            Call(project, workers, deadline, budget, forecast, progress),
            standing,
            next_runs=next_runs,
            end_run=lambda event: _record(project, data, setup, event),
        )


def _record(project: Project, data: Data, setup: Setup, event: Event) -> RunRecord:
    # Imported late: a second that `import svhn_tune` should not pay.
    from sklearn.metrics import confusion_matrix

    record = run_record(event, 0, project.space, setup)
    if event.outcome is not None and not project.space.task.on_dial:
        confusion = confusion_matrix(
            data.test.labels, decode_predicted(record), labels=range(len(data.classes))
        ).tolist()
        record = record.model_copy(update={"confusion": confusion})
    project.record(record)
    event.run.checkpoint.unlink(missing_ok=True)
    if project.other is None:
        _keep_best_models(project)
    return record


def _keep_best_models(project: Project) -> None:
    """Keep one file per configuration, its best run's; the best of all is the submission."""
    for (root, epochs), group in project.confirm_runs().items():
        best = project.space.objective.best(group, lambda run: run.score)
        for run in group:
            if run is not best:
                model_file = project.model_path(root, run.run, epochs)
                model_file.unlink(missing_ok=True)
                maps_path(model_file).unlink(missing_ok=True)
    best_of_all = project.best_confirmed()
    if best_of_all is not None:
        best = best_of_all
        model_file = project.model_path(best.root, best.run, best.planned_epochs)
        # If somebody removed it, the submission stays as it is.
        if model_file.exists():
            write_atomically(project.submission_path, model_file.read_bytes())
