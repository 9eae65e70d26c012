"""Writes files that can be handed in, for some spaces, in the Keras that is found first.

`main` writes submission-KERAS-SPACE-0.keras into a folder, the baseline's, and those of other
models; the first of each family also as Keras itself saves it (plain-...); the values of all of
them, and what they predict for the images of load_in_keras. test_keras_versions.py runs it with the
oldest version, too.
"""

import json

import keras
import keras_tuner as kt
import numpy as np
from load_in_keras import draw_images, predict

from svhn_tune.models.hypermodel import HyperModel, declare, draw_values
from svhn_tune.models.size import measure_size
from svhn_tune.models.spaces import load_space
from svhn_tune.submission.save import save_submission

LARGEST = 2_000_000  # parameters


def main(folder, names, initializers):
    written, predictions, plain = {}, {}, set()
    for space, chosen in choose_models(names, initializers):
        for index, values in enumerate(chosen):
            model = HyperModel(space).build_values(values)
            shake(model, space.task, index)
            file = folder / f"submission-{keras.__version__}-{space.name}-{index}.keras"
            save_submission(space, values, model, file)
            written[file.name] = {"space": space.name, "values": values}
            predictions[file.name] = predict(model, draw_images(model))
            if space.model not in plain:
                plain.add(space.model)
                model.save(folder / file.name.replace("submission", "plain"))
    (folder / f"written-{keras.__version__}.json").write_text(json.dumps(written))
    np.savez(folder / f"written-{keras.__version__}.npz", **predictions)


def choose_models(names, initializers):
    """Each space with the values of its models: the baseline, and others.

    Those are random ones, an initializer each in turn through the spaces that vary it; of another
    space the last that it lists.
    """
    spaces = [load_space(name) for name in names]
    varying = [space for space in spaces if "kernel_initializer" in find_choices(space)]
    for space in spaces:
        if space in varying:
            turn = initializers[varying.index(space) :: len(varying)]
            yield space, [space.baseline, *draw_models(space, turn)]
        else:
            yield space, [space.baseline, *space.listed[1:][-1:]]


def find_choices(space):
    """What a space chooses from a list, by name."""
    given = space.hyperparameters.items()
    return {name: each.extremes for name, each in given if each.type == "Choice"}


def draw_models(space, initializers):
    """A small random feasible model with each initializer, by other optimizers than the baseline's.

    As far as the space varies them.
    """
    hp = kt.HyperParameters()
    declare(space, hp)
    optimizers = list(find_choices(space).get("optimizer", ()))
    optimizers.sort(key=lambda name: name == space.baseline["optimizer"])
    for index, initializer in enumerate(initializers):
        keep = {"kernel_initializer": initializer}
        if "units" in space.hyperparameters:
            keep["units"] = min(space.hyperparameters["units"].extremes)
        if optimizers:
            keep["optimizer"] = optimizers[index % len(optimizers)]
        keep["batch_normalization"] = index % 2 == 0
        seed = 1000 * index
        while True:
            values = draw_values(hp, seed, keep)
            size = measure_size(space, values)
            if size.feasible and size.parameters < LARGEST:
                break
            seed += len(hp.space)
        yield values


def shake(model, task, seed):
    """Move every weight, so that none that is lost goes unseen, and let the outputs tell images.

    What each unit of an output adds up differs by 1 among the images: neither does it drown in its
    bias nor does it saturate. Every other unit rises from the darkest to the brightest, and the
    others fall: a softmax of outputs that rise together is the same for all images.
    """
    random = np.random.default_rng(seed)
    weights = [weight * random.uniform(0.9, 1, weight.shape) for weight in model.get_weights()]
    model.set_weights([weight + random.uniform(0, 1e-3, weight.shape) for weight in weights])
    heads = [model.get_layer(head.name) for head in task.heads]
    features = np.asarray(keras.Model(model.inputs[0], heads[0].input)(draw_images(model)))
    for head in heads:
        kernel = random.uniform(-1, 1, head.kernel.shape)
        sums = features @ kernel
        falls = sums[-1] < sums[0]
        kernel *= np.where(falls == np.arange(len(falls)) % 2, 1, -1) / np.ptp(sums, axis=0)
        bias = random.uniform(0, 1, head.bias.shape) - (features @ kernel).mean(axis=0)
        head.set_weights([kernel, bias])
    model.optimizer.build(model.trainable_variables)
