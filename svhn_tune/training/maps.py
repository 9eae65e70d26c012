"""pictures.npz: what the report shows of the model to hand in and of the images that it gets wrong.

Two steps, so that whoever holds the project needs no Keras: the worker that trained a model writes
its filters and feature maps beside its file (`write_maps`), and when confirm ends those of the
best run are put together with the hardest test images (`write_pictures`). The report reads the
result and imports no Keras.
"""

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from ..data.dataset import Split
from ..files import write_atomically
from ..project.journal import Record
from ..project.records import decode_predicted
from ..space.task import Task

if TYPE_CHECKING:
    import keras

    from ..project.project import Project

HARDEST = 24
CHANNELS = 24  # of each block, those that vary most over the image


def maps_path(model_file: Path) -> Path:
    """Where the pictures of a confirmed model are, beside its file."""
    return model_file.with_suffix(".npz")


def write_maps(
    model: "keras.Model", task: Task, test: Split, predicted: np.ndarray, path: Path
) -> None:
    """Write a trained model's first-layer filters, and its feature maps of one test image.

    The image is the first that it classifies right. A model without convolutions has neither.

    Args:
        model: images in, classes out.
        task: says how the model gets its images.
        test: the test set, channels last.
        predicted: the class it predicts for each test image, (N,).
        path: the file to write.
    """
    right = np.flatnonzero(predicted == test.labels)
    place = int(right[0]) if len(right) else 0
    image = np.array(test.images[place])
    arrays = {"image": image, "label": test.labels[place], "predicted": predicted[place]}
    kernels = [layer.get_weights()[0] for layer in model.layers if _is_convolution(layer)]
    if kernels:
        arrays["filters"] = kernels[0]
    blocks = _compute_maps(model, task.arrange(image[None]))
    arrays["blocks"] = np.array(list(blocks))
    arrays["channels"] = np.array([maps.shape[-1] for maps in blocks.values()])
    for number, maps in enumerate(blocks.values()):
        order = np.argsort(-maps.std(axis=(0, 1)), kind="stable")[:CHANNELS]
        arrays[f"maps_{number}"] = maps[:, :, order]
    _write(path, arrays)


def _is_convolution(layer: "keras.Layer") -> bool:
    return type(layer).__name__ == "Conv2D"


def _compute_maps(model: "keras.Model", images: np.ndarray) -> dict[str, np.ndarray]:
    """Block name -> maps (height, width, channels) at its end, in the order of the blocks."""
    import keras

    # conv_2, conv_2_2 and pool_2 are of block 2; layers without a number stand for themselves.
    ends: dict[str, Any] = {}
    for layer in model.layers:
        if len(layer.output.shape) == 4:
            number = re.search(r"_(\d+)", layer.name)
            ends[f"block {number[1]}" if number else layer.name] = layer.output
    if not ends:
        return {}
    outputs = keras.Model(model.inputs, ends)([images.astype(np.float32)])
    return {name: keras.ops.convert_to_numpy(outputs[name])[0] for name in ends}


def write_pictures(project: "Project", test: Split) -> None:
    """Write the project's pictures.npz, unless it is of these confirm runs already."""
    runs = longest_runs(project)
    best = project.best_confirmed()
    if best is None:
        return
    made_of = json.dumps(
        [[run["root"], run["run"], run["weights_sha256"]] for run in [best, *runs]]
    )
    path = project.pictures_path
    if _made_of(path) == made_of:
        return
    arrays: dict[str, Any] = {"made_of": np.array(made_of), "trial": np.array(best["trial"])}
    model_file = project.model_path(best["root"], best["run"], best["planned_epochs"])
    arrays |= {f"model_{name}": each for name, each in read_arrays(maps_path(model_file)).items()}
    arrays |= find_hardest(runs, test)
    _write(path, arrays)


def longest_runs(project: "Project") -> list[Record]:
    """The confirm runs of the most epochs that have predictions; a collapsed one says nothing."""
    groups = project.confirm_runs()
    longest = max((epochs for _, epochs in groups), default=0)
    runs = [run for (_, epochs), group in groups.items() if epochs == longest for run in group]
    return [run for run in runs if "predicted" in run and not run["collapsed"]]


def find_hardest(runs: list[Record], test: Split) -> dict[str, np.ndarray]:
    """The test images that most of these runs get wrong, those on whose answer they agree first.

    Returns:
        "hard_images" (n, height, width, 3) uint8, "hard_labels" (n,), "hard_answers" (n,), the most
        frequent wrong class, "hard_shares" (n,) of runs that are wrong, and "hard_runs", of how
        many; empty where there are no runs.
    """
    if not runs:
        return {}
    predicted = np.stack([decode_predicted(run) for run in runs])
    wrong = predicted != test.labels
    classes = int(max(predicted.max(), test.labels.max())) + 1
    votes = np.stack([((predicted == c) & wrong).sum(axis=0) for c in range(classes)])
    shares = wrong.mean(axis=0)
    order = np.lexsort((-votes.max(axis=0), -shares))[:HARDEST]
    order = order[shares[order] > 0]
    return {
        "hard_images": np.array(test.images[order]),
        "hard_labels": np.array(test.labels[order]),
        "hard_answers": votes.argmax(axis=0)[order],
        "hard_shares": shares[order],
        "hard_runs": np.array(len(runs)),
    }


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file that this module wrote; none where it is missing or damaged."""
    try:
        with np.load(path) as stored:
            return dict(stored)
    except (OSError, ValueError, EOFError, BadZipFile):
        return {}


def _made_of(path: Path) -> str:
    return str(read_arrays(path).get("made_of", ""))


def _write(path: Path, arrays: Mapping[str, Any]) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_atomically(path, buffer.getbuffer())
