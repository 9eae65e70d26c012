"""How hard are the drawings? What a linear network, a perceptron and a plain CNN make of them.

    python benchmarks/objects.py [--source cifar10] [--epochs 10]

50,000 of them to train, 10,000 to test; batches of 128, Adam at Keras's rate, one seed. Printed on
two busy x86-64 cores (TensorFlow 2.20.0, Keras 3.15.1), test accuracy after each epoch, n = 1:

    linear (30,730 parameters)         0.264 0.271 0.274 0.278 0.278
    one block (82,826 parameters)      0.446 0.478 0.495 0.505 0.510 0.513 0.517 0.521 0.526 0.529
    three blocks (89,834 parameters)   0.452 0.512 0.632 0.704 0.736 0.762 0.783 0.797 0.810 0.817

Chance is 0.1. One block is PW04's simple CNN, three are A4.3's network with raw pixels divided by
255. A figure on them says nothing about CIFAR-10.

The clothes-like shapes, by --source fashion_mnist --epochs 3, with fashion_mlp's perceptron in
place of one block:

    linear (7,850 parameters)          0.817 0.837 0.848
    300-100 (266,610 parameters)       0.872 0.891 0.903
    three blocks (60,874 parameters)   0.880 0.898 0.926
"""

import argparse
from collections.abc import Callable

import keras
from keras import layers

from svhn_tune.data.builtin import STAND_INS
from svhn_tune.data.dataset import Data


def main() -> None:
    """Train three networks, and print their test accuracy after each epoch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--source", choices=("cifar10", "fashion_mnist"), default="cifar10")
    given = parser.parse_args()
    epochs, data = given.epochs, STAND_INS[given.source]()
    print(f"{data.name}: {len(data.train.labels):,} to train, {len(data.test.labels):,} to test")
    nets: dict[str, tuple[Callable[[], list[keras.layers.Layer]], int]] = {
        "linear": (lambda: [], min(epochs, 5)),
        "one block": (lambda: _block(32), epochs),
        "300-100": (lambda: [layers.Flatten(), *_hidden(300), *_hidden(100)], epochs),
        "three blocks": (
            lambda: [*_block(16), *_block(32), *_block(64), layers.Flatten(), *_hidden(64)],
            epochs,
        ),
    }
    nets.pop("300-100" if given.source == "cifar10" else "one block")
    for name, (make, each) in nets.items():
        _train(name, make(), data, each)


def _block(filters: int) -> list[keras.layers.Layer]:
    convolution = layers.Conv2D(filters, 3, padding="same", activation="relu")
    return [convolution, layers.MaxPooling2D()]


def _hidden(units: int) -> list[keras.layers.Layer]:
    return [layers.Dense(units, activation="relu")]


def _train(name: str, body: list[keras.layers.Layer], data: Data, epochs: int) -> None:
    keras.utils.set_random_seed(0)
    ends = [layers.Flatten(), layers.Dense(10, activation="softmax")]
    images = keras.Input(data.image_shape)
    model = keras.Sequential([images, layers.Rescaling(1 / 255), *body, *ends])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    test = (data.test.images, data.test.labels)
    train = (data.train.images, data.train.labels)
    told = model.fit(
        *train, batch_size=128, epochs=epochs, validation_data=test, verbose=0
    ).history["val_accuracy"]
    shown = " ".join(f"{accuracy:.3f}" for accuracy in told)
    print(f"{name} ({model.count_params():,} parameters)".ljust(34), shown, flush=True)


if __name__ == "__main__":
    main()
