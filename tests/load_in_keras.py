"""Loads every .keras file of a folder in the Keras that is found first, as a grader would.

`main` prints, as JSON, the version and for each file what came of it; predictions go to an .npz
beside. test_keras_versions.py runs it with one version of Keras after another.
"""

import json
import warnings

import keras
import numpy as np


def main(folder):
    channels_last = np.load(folder / "images.npy")
    predictions, loaded = {}, {}
    for path in sorted(folder.glob("*.keras")):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                model = keras.models.load_model(path)
            except Exception as error:
                loaded[path.name] = {"error": str(error)[:2000]}
                continue
            # Of an input that it has in a list, Keras says so when images come in none.
            images = arrange(channels_last, model)
            predictions[path.name] = np.asarray(model(images, training=False))
        loaded[path.name] = {
            "error": None,
            "warnings": [f"{each.category.__name__}: {each.message}" for each in caught],
            "optimizer": type(model.optimizer).__name__,
            "learning_rate": float(model.optimizer.learning_rate),
            "moments": [float(np.abs(moment).max()) for moment in model.optimizer.variables[2:]],
            "loss": model.loss,
            "metrics": evaluate(model, images) if path.match("submission-*-0.keras") else None,
        }
    np.savez(folder / f"predictions-{keras.__version__}.npz", **predictions)
    print(json.dumps({"keras": keras.__version__, "loaded": loaded}))


def arrange(images, model):
    """The images as the model gets them."""
    return images if model.input_shape[-1] == 3 else images.transpose(0, 3, 1, 2)


def evaluate(model, images):
    """The compiled metrics on `images`, all of class 0."""
    labels = np.eye(model.output_shape[-1], dtype="float32")[[0] * len(images)]
    # To trace a graph would take half a second for each file.
    model.run_eagerly = True
    metrics = model.test_on_batch(images, labels, return_dict=True)
    return {name: float(value) for name, value in metrics.items()}
