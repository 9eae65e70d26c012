"""Writes files that can be handed in, for every space, in the Keras that is found first.

`main` writes submission-KERAS-SPACE-0.keras into a folder, the baseline's, and those of other
models; the first ones also as Keras itself saves them (plain-...); and what all of them predict for
the folder's images.npy. test_keras_versions.py runs it with the oldest version, too.
"""

import keras
import keras_tuner as kt
import numpy as np

from svhn_tune.models.hypermodel import HyperModel, declare, draw_values
from svhn_tune.models.size import measure_size
from svhn_tune.models.spaces import load_space, space_names
from svhn_tune.submission.save import save_submission

LARGEST = 2_000_000  # parameters
PLAIN = 2


def main(folder, initializers):
    images = np.load(folder / "images.npy")
    predictions = {}
    for space, chosen in choose_models(initializers):
        for index, values in enumerate(chosen):
            model = HyperModel(space).build_values(values)
            shake(model, index)
            file = folder / f"submission-{keras.__version__}-{space.name}-{index}.keras"
            save_submission(space, values, model, file)
            predictions[file.name] = np.asarray(model(space.task.arrange(images), training=False))
            if index < PLAIN:
                model.save(folder / file.name.replace("submission", "plain"))
    np.savez(folder / f"written-{keras.__version__}.npz", **predictions)


def choose_models(initializers):
    """Each space with the values of its models: the baseline, and others.

    Those are random ones, an initializer each in turn through the spaces that vary it; of another
    space the last that its questions name.
    """
    spaces = [load_space(name) for name in space_names()]
    varying = [space for space in spaces if "kernel_initializer" in space.hyperparameters]
    for space in spaces:
        if space in varying:
            turn = initializers[varying.index(space) :: len(varying)]
            yield space, [space.baseline, *draw_models(space, turn)]
        else:
            yield space, [space.baseline, *space.listed[1:][-1:]]


def draw_models(space, initializers):
    """A small random feasible model with each initializer."""
    hp = kt.HyperParameters()
    declare(space, hp)
    for index, initializer in enumerate(initializers):
        keep = {"kernel_initializer": initializer, "units": 32}
        keep["batch_normalization"] = index % 2 == 0
        seed = 1000 * index
        while True:
            values = draw_values(hp, seed, keep)
            size = measure_size(space, values)
            if size.feasible and size.parameters < LARGEST:
                break
            seed += len(hp.space)
        yield values


def shake(model, seed):
    """Move every weight, so that none that is lost goes unseen; the softmax stays unsaturated."""
    random = np.random.default_rng(seed)
    *weights, kernel, bias = model.get_weights()
    weights = [weight * random.uniform(0.9, 1, weight.shape) for weight in weights]
    weights = [weight + random.uniform(0, 1e-3, weight.shape) for weight in weights]
    model.set_weights([*weights, kernel / 10, bias + random.uniform(0, 1, bias.shape)])
    model.optimizer.build(model.trainable_variables)
