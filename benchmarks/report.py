"""How long does the report of a large project take, and how large is the page?

    python benchmarks/report.py [--trials 500] [--repeats 5] [--keep FOLDER]

Makes a project on the built-in digits through the real Hyperband oracle, with scores, curves and
seconds that are drawn instead of trained, ten confirm runs of its best three and of the baseline,
and pictures of an untrained model. Then a fresh process writes its report. Prints the seconds of
that whole process (median), the bytes of the page, and if it imported Keras or TensorFlow. Exit
status 1 if it takes 10 s or more, has 6 MB or more, or imported them.
"""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
from sklearn.metrics import confusion_matrix

from svhn_tune.data import Data, load_data
from svhn_tune.data.dataset import split_holdout
from svhn_tune.engines.maps import maps_path, write_maps
from svhn_tune.journal.record_types import TrialRecord
from svhn_tune.journal.settings import make_valid_settings
from svhn_tune.models.hypermodel import CNNHyperModel
from svhn_tune.models.size import measure_size
from svhn_tune.models.spaces import load_space, parse_space
from svhn_tune.oracles.ask_tell import Proposal, ask, make_oracle, tell
from svhn_tune.project.project import Project
from svhn_tune.project.records import confirm_seed, decode_predicted, run_record, search_seed
from svhn_tune.project.results import create_project
from svhn_tune.project.wanted import complete_settings
from svhn_tune.stages.choice import choose
from svhn_tune.stages.pictures import write_pictures
from svhn_tune.submission.save import save_submission
from svhn_tune.training.runs import Event, Outcome, Run, Setup

LONGEST, FACTOR = 150, 2  # a Hyperband of 689 trials
TOP, RUNS, EPOCHS = 3, 10, 100
LIMIT_SECONDS, LIMIT_BYTES = 10.0, 6_000_000
WRITE = """
import json, sys
from svhn_tune.cli import main
sys.argv[1:] = ["report", "--project", sys.argv[1]]
try:
    main()
finally:
    print(json.dumps(sorted({"keras", "tensorflow"} & set(sys.modules))), file=sys.stderr)
"""


def make_project(folder: Path, trials: int) -> Project:
    """A project whose search was stopped after so many trials, and whose best are confirmed."""
    data = load_data("builtin")
    text = load_space("cnn").text.replace("min_epochs = 4 ", "min_epochs = 2 ")
    space = parse_space(text, "cnn", "cnn.toml")
    settings = complete_settings(space, data, {"max_epochs": LONGEST, "factor": FACTOR})
    del settings["max_cost"]  # of a call, not of a project
    names = ("name", "fingerprint", "synthetic", "source")
    packages = ("svhn_tune", "keras", "keras-tuner", "tensorflow", "numpy")
    about = {
        "space": space.name,
        "space_sha256": space.sha256,
        "data": {name: getattr(data, name) for name in names},
        "versions": {name: version(name) for name in packages},
        "machine": f"{platform.machine()}, {platform.system()}",
    }
    project = create_project(folder, space, make_valid_settings(settings | about))
    train, holdout = split_holdout(data.train.labels)
    fingerprint = project.settings.data.fingerprint
    _search(project, Setup(space, folder, fingerprint, train, holdout, False), data, trials)
    _confirm(project, Setup(space, folder, fingerprint, None, None, True), data)
    _draw_pictures(project, data)
    return project


def _search(project: Project, setup: Setup, data: Data, trials: int) -> None:
    oracle = make_oracle(project.space, "hyperband", max_epochs=LONGEST, factor=FACTOR)
    truth = data.train.labels[setup.validate_on]
    for _ in range(trials):
        proposal = ask(oracle, LONGEST)
        assert isinstance(proposal, Proposal)
        project.record(TrialRecord(**vars(proposal)))
        root = project.root(proposal.trial)
        run = Run(
            stage="search",
            trial=proposal.trial,
            root=root,
            run=0,
            seed=search_seed(0, root),
            values=proposal.values,
            epochs=proposal.epochs,
            checkpoint=project.checkpoint_path("search", root, 0),
        )
        event = Event("done", run, outcome=draw_outcome(project, run, truth))
        record = run_record(event, proposal.initial_epoch, project.space, setup)
        project.record(record)
        tell(oracle, proposal.trial, project.space.objective.count(record.score))


def _confirm(project: Project, setup: Setup, data: Data) -> None:
    truth = data.test.labels
    chosen, _ = choose(project, TOP, EPOCHS, baseline=True)
    for trial in chosen:
        root, values = project.root(trial), project.values(trial)
        for number in range(RUNS):
            run = Run(
                stage="confirm",
                trial=trial,
                root=root,
                run=number,
                seed=confirm_seed(0, root, number),
                values=values,
                epochs=EPOCHS,
                checkpoint=project.checkpoint_path("confirm", root, number, EPOCHS),
            )
            outcome = draw_outcome(project, run, truth)
            ended = run_record(Event("done", run, outcome=outcome), 0, project.space, setup)
            confusion = confusion_matrix(truth, outcome.predicted).tolist()
            project.record(ended.model_copy(update={"confusion": confusion}))


def _draw_pictures(project: Project, data: Data) -> None:
    best = project.best_confirmed()
    assert best is not None
    model = CNNHyperModel(project.space).build_values(best.values)
    model_file = project.model_path(best.root, best.run, EPOCHS)
    save_submission(project.space, best.values, model, model_file)
    write_maps(model, project.space.task, data.test, decode_predicted(best), maps_path(model_file))
    write_pictures(project, data.test)


def draw_outcome(project: Project, run: Run, truth: np.ndarray) -> Outcome:
    """What such a run might have brought, always the same for its seed."""
    rng = np.random.default_rng(run.seed)
    collapsed = rng.random() < 0.3 * run.values["dropout"]
    parameters = measure_size(project.space, run.values).parameters
    history = list(_draw_history(rng, run, parameters, collapsed))
    accuracy = history[-1]["val_categorical_accuracy"]
    guessed = rng.integers(0, 10, len(truth))
    predicted = np.where(rng.random(len(truth)) > accuracy, guessed, truth).astype(np.uint8)
    if collapsed:
        predicted[:] = 1
    share = float(np.mean(predicted == truth))
    test = {"loss": -math.log(share), "categorical_accuracy": share}
    return Outcome(history, False, parameters, predicted, test, "CPU", "0" * 64)


def _draw_history(
    rng: np.random.Generator, run: Run, parameters: int, collapsed: bool
) -> Iterator[dict[str, float]]:
    values = run.values
    best = 0.5 + 0.04 * values["blocks"] + 0.03 * math.log2(values["units"] / 32)
    best -= 0.3 * values["dropout"] + 0.05 * values["class_weight"]
    best *= 0.97 if values["padding"] == "valid" else 1.0
    pace = rng.uniform(8, 30)
    for epoch in range(1, run.epochs + 1):
        grown = 0.0 if collapsed else 1 - math.exp(-epoch / pace)
        seen, held_out = (
            0.19 + (top - 0.19) * grown + rng.normal(0, 0.006) for top in (best + 0.04, best)
        )
        yield {
            "loss": -math.log(seen),
            "categorical_accuracy": seen,
            "seconds": float(rng.uniform(0.9, 1.1) * (4 + parameters / 400_000)),
            "val_loss": -math.log(held_out),
            "val_categorical_accuracy": held_out,
        }


def write_once(folder: Path) -> tuple[float, list[str]]:
    """Seconds of a fresh process that writes the report, and what it imported and should not."""
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", WRITE, str(folder)], check=True, capture_output=True, text=True
    )
    seconds = time.perf_counter() - start
    return seconds, json.loads(done.stderr.splitlines()[-1])


def main() -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--keep", type=Path, help="make the project there, and leave it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary) / "large"
        project = make_project(folder, options.trials)
        taken, heavy = zip(*[write_once(folder) for _ in range(options.repeats)], strict=True)
        count = (folder / "report.html").stat().st_size
    seconds, imported = statistics.median(taken), sorted(set().union(*heavy))
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, matplotlib {version('matplotlib')}, plotly "
        f"{version('plotly')}\nreport of {len(project.ended('search'))} trials and "
        f"{len(project.ended('confirm'))} confirm runs: {seconds:.1f} s ({min(taken):.1f} to "
        f"{max(taken):.1f}, n = {len(taken)}), {count:,} bytes, imported "
        f"{' and '.join(imported) or 'neither Keras nor TensorFlow'}"
    )
    sys.exit(bool(seconds >= LIMIT_SECONDS or count >= LIMIT_BYTES or imported))


if __name__ == "__main__":
    main()
