"""Loads every .keras file of a folder in the Keras that is found first, as a grader would.

`main` prints, as JSON, the version and for each file what came of it; predictions go to an .npz
beside. test_keras_versions.py runs it with one version of Keras after another.
"""

import json
import warnings

import keras
import numpy as np

IMAGES = 4


def main(folder):
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
            images = draw_images(model)
            predictions[path.name] = predict(model, images)
        loaded[path.name] = {
            "error": None,
            "warnings": [f"{each.category.__name__}: {each.message}" for each in caught],
            "optimizer": type(model.optimizer).__name__,
            "learning_rate": float(model.optimizer.learning_rate),
            "momentum": getattr(model.optimizer, "momentum", 0.0),
            "moments": [float(np.abs(moment).max()) for moment in model.optimizer.variables[2:]],
            "loss": model.loss,
            "loss_weights": model.get_compile_config()["loss_weights"],
            "metrics": evaluate(model, images) if path.match("submission-*-0.keras") else None,
        }
    np.savez(folder / f"predictions-{keras.__version__}.npz", **predictions)
    print(json.dumps({"keras": keras.__version__, "loaded": loaded}))


def draw_images(model):
    """Images as the model gets them, brighter and brighter: what networks see of noise.

    Pixels are up to 255 where they are divided first, else up to 1, at which no output saturates.
    """
    divided = any(isinstance(layer, keras.layers.Rescaling) for layer in model.layers)
    images = np.random.default_rng(0).random((*model.input_shape[1:], IMAGES), "float32")
    brightness = np.linspace(0, 255 if divided else 1, IMAGES, dtype="float32")
    return np.moveaxis(images * brightness, -1, 0)


def predict(model, images):
    """What it gives for `images`, (N, units): of several heads side by side."""
    outputs = model(images, training=False)
    heads = outputs if isinstance(outputs, list) else [outputs]
    return np.concatenate([np.asarray(head) for head in heads], axis=-1)


def evaluate(model, images):
    """The compiled losses and metrics on `images`, all of class 0."""
    heads = model.output_shape if isinstance(model.output_shape, list) else [model.output_shape]
    labels = [np.eye(units, dtype="float32")[[0] * len(images)] for _, units in heads]
    # To trace a graph would take half a second for each file.
    model.run_eagerly = True
    labels = labels if len(labels) > 1 else labels[0]
    metrics = model.test_on_batch(images, labels, return_dict=True)
    return {name: float(value) for name, value in metrics.items()}
