"""What every space in search_spaces/ promises, from its file to the one that is handed in."""

import multiprocessing

import dials
import numpy as np
import pytest
from conftest import FORKED, SPAWNED, TENSORFLOW, draw_few, train_by, train_by_tensorflow
from test_fashion_mnist import write_idx

from benchmarks.survival import read_result
from svhn_tune import confirm, load_data, search, status
from svhn_tune.data.dataset import Split
from svhn_tune.engines.engine_tensorflow import KerasTraining
from svhn_tune.figures import FIGURES, Figures
from svhn_tune.models.describe import describe_values
from svhn_tune.models.families import list_layers
from svhn_tune.models.spaces import load_space, parse_space, space_names
from svhn_tune.progress.progress import Progress
from svhn_tune.project.results import find_origin
from svhn_tune.report import write_report
from svhn_tune.submission.check import check_submission

SLACK = 64 * 1024
SETTINGS = {"tuner": "random", "max_trials": 1, "max_epochs": 2, "train_images": 400}


# What makes the baseline of a space small, so that it trains in seconds.
SMALLER = {"fashion_cnn": ("default = 64\n", "default = 8\n")}
# Of those that tell the time two heads stand for all; the others differ from them in these alone.
LIKE_HEADS = ("clock_classes", "clock_720", "clock_regression", "clock_angle", "clock_hands")


@pytest.fixture(scope="module", autouse=True)
def draws():
    with draw_few():
        yield


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=pytest.mark.soak) if name in LIKE_HEADS else name
        for name in space_names()
    ],
)
def space(request):
    space = load_space(request.param)
    if request.param not in SMALLER:
        return space
    text = space.text.replace(*SMALLER[request.param], 1)
    assert text != space.text
    return parse_space(text, space.name, "smaller.toml")


@pytest.fixture(scope="module")
def images(space, archives, tmp_path_factory):
    """A folder with the files that the space wants, the same images in each."""
    if space.data == "svhn":
        return archives
    folder = tmp_path_factory.mktemp(space.data)
    if space.data == "clocks":
        minutes = np.arange(0, 720, 1.3).astype(int)
        np.save(folder / "images.npy", dials.draw(minutes)[..., 0])
        np.save(folder / "labels.npy", np.stack([minutes // 60, minutes % 60], axis=1))
        return folder
    data = load_data(archives)
    if space.data == "fashion_mnist":
        for part, split in {"train": data.train, "t10k": data.test}.items():
            grey = split.images[:, 2:30, 2:30].mean(axis=-1).astype(np.uint8)
            write_idx(folder, part, grey, split.labels)
        return folder
    arrays = {"x_train": data.train.images, "y_train": data.train.labels[:, None]}
    arrays |= {"x_test": data.test.images, "y_test": data.test.labels[:, None]}
    np.savez(folder / "cifar10.npz", **arrays)
    return folder


@pytest.fixture(scope="module")
def confirmed(space, images, tmp_path_factory):
    """Two runs of the baseline by TensorFlow."""
    folder = tmp_path_factory.mktemp("contract") / space.name
    project = search(space, images, project=folder, **SETTINGS)
    with train_by_tensorflow():
        return confirm_baseline(project, images)


def confirm_baseline(project, images):
    """Two runs of it; as its own question's, where the space has one."""
    number = find_question(project.space)
    asked = {"top": 1} if number is None else {"question": number}
    return confirm(project, images, runs=2, epochs=1, **asked)


def of_few_spaces(*few):
    """A test of these spaces; of the others in the long form."""
    long = [pytest.param(name, marks=pytest.mark.soak) for name in space_names() if name not in few]
    return pytest.mark.parametrize("space", [*few, *long], indirect=True, scope="module")


def find_question(space):
    """The number of the question that asks for the baseline alone, if there is one."""
    alone = [each for each in space.questions if each.configurations == [{}]]
    return alone[0].number if alone else None


class KillsTheWorker(Progress):
    """Kills the worker, once, after its first epoch."""

    killed = False

    def end_epoch(self, run, epochs, metrics):
        if not self.killed:
            for child in multiprocessing.active_children():
                child.kill()
                self.killed = True


def test_describe_gives_layers_and_bytes_within_the_limit(space):
    described = describe_values(space, {})
    assert described["feasible"]
    assert described["file_bytes"] <= space.limits.file_size
    assert len(described["layers"]) == len(list_layers(space, space.baseline))
    heads = [(head.units,) for head in space.task.heads]
    assert [layer["output_shape"] for layer in described["layers"][-len(heads) :]] == heads


@of_few_spaces("cnn", "cnn_open", "linear", "mlp", "fashion_cnn", "clock_heads")
@pytest.mark.parametrize(
    ("trains", "start", "epochs"),
    [
        ("softmax_engine", FORKED, 100),
        pytest.param(TENSORFLOW, SPAWNED, 2, marks=pytest.mark.soak),
    ],
)
def test_a_search_killed_after_an_epoch_ends_with_the_same_bits(
    trains, start, epochs, space, images, tmp_path
):
    settings = SETTINGS | {"max_epochs": epochs}
    progress = KillsTheWorker()
    with train_by(trains, start):
        calm = search(space, images, project=tmp_path / "calm", **settings)
        killed = search(space, images, project=tmp_path / "killed", progress=progress, **settings)
    assert calm.trials["status"].tolist() == ["completed"]
    assert calm.trials["epochs"].tolist() == [epochs]
    assert progress.killed
    assert calm.ended("search")[0].weights_sha256
    assert read_result(killed.folder) == read_result(calm.folder)


# Of each family, of grey images, of a time.
@of_few_spaces("cnn", "mlp", "tiny_resnet", "fashion_cnn", "clock_heads")
def test_a_model_continued_after_an_epoch_ends_with_the_same_bits(space, images):
    train = load_data(images, space.data).train.take(np.arange(80))
    split = Split(space.task.arrange(train.images), train.labels)
    whole, continued = (KerasTraining(space, space.baseline, 5, split) for _ in range(2))
    whole.train_epoch()
    saved, after_one = whole.save(), whole.weights_sha256
    whole.train_epoch()
    continued.restore(saved)
    continued.train_epoch()
    assert continued.weights_sha256 == whole.weights_sha256 != after_one


# Of a time in test_tell_time.py.
@of_few_spaces("cnn", "mlp", "tiny_resnet")
def test_the_files_of_confirm_are_within_the_bound_and_may_be_handed_in_but_for_epochs(
    confirmed, images
):
    runs, data = confirmed.ended("confirm"), load_data(images, confirmed.space.data)
    assert [run.run for run in runs] == [0, 1]
    assert runs[0].weights_sha256 != runs[1].weights_sha256
    bound = describe_values(confirmed.space, {})["file_bytes"]
    files = [confirmed.submission_path, *(confirmed.folder / "models").glob("*.keras")]
    assert len(files) == 2
    for file in files:
        real = file.stat().st_size
        assert real <= bound <= real * 1.01 + SLACK
        checks = check_submission(file, confirmed.space, data, find_origin(file))["checks"]
        assert [check["name"] for check in checks if not check["ok"]] == ["training"]
        objective = confirmed.space.objective
        told = next(check["detail"] for check in checks if check["name"].startswith("test "))
        best = objective.best(runs, lambda run: run.score).score
        assert told.startswith(objective.say(best))


@of_few_spaces("cnn", "mlp")
def test_the_page_and_the_figures_show_what_there_is_and_fail_on_nothing(space, confirmed):
    page = write_report(confirmed).read_text()
    figures = Figures(confirmed)
    drawn = {entry.name: getattr(figures, entry.name)() is not None for entry in FIGURES}
    for name, is_drawn in drawn.items():
        assert (f'<figure id="{name}"' in page) == is_drawn
    has_convolutions = any(
        layer.type == "Conv2D" for layer in list_layers(confirmed.space, confirmed.space.baseline)
    )
    of_convolutions = ("filters", "filters_by_channel", "feature_maps", "filter_through_layers")
    assert {drawn[name] for name in of_convolutions} == {has_convolutions}
    assert drawn["first_layer_weights"] != has_convolutions
    of_differences = ("effects", "importance", "parallel_coordinates")
    assert not any(drawn[name] for name in of_differences), "there is one configuration"
    assert drawn["learning_curves"]
    assert drawn["confirmed"]


def test_status_gives_an_answer_for_every_question(space, images, tmp_path):
    project = search(space, images, project=tmp_path / space.name, **SETTINGS)
    done = confirm_baseline(project, images)
    answers = status(done)["answers"]
    asked = [question.number for question in done.space.questions]
    assert [each["question"] for each in answers] == asked
    for each in answers:
        if each["question"] != find_question(done.space):
            continue
        assert each["answer"] is not None
        assert each["epochs"] == 1
