"""How real are the built-in digits? Networks that see only them, tested on real house numbers.

    python benchmarks/realism.py --real FILE.npz [--epochs 10] [--seed 0] [--question-1]

FILE.npz holds arrays NAME and NAME's labels: `images` and `labels`, `extra_images` and
`extra_labels`, each (n, 32, 32, 3) uint8 and (n,). The plain network takes about 15 minutes on
one core. With --question-1 the model and rate of question 1 are trained instead, and tested on the
built-in digits. Ganin & Lempitsky (2015) reached 86.7 % on SVHN's test set with about 500,000
synthetic numbers.
"""

import argparse
import os
import platform
import sys
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from scipy.stats import binomtest

sys.path.insert(0, str(Path(__file__).parents[1]))
from svhn_tune.data.digits.draw import VERSION, draw_digits

Examples = tuple[np.ndarray, np.ndarray]


def main() -> None:
    """Draw, train, and print accuracies with 95 % Wilson intervals."""
    options = _parse()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"TensorFlow {tf.__version__}, Keras {keras.__version__}, NumPy {np.__version__}"
    )
    begun = time.perf_counter()
    train, test = draw_digits("train", 50_000), draw_digits("test", 10_000)
    seconds = time.perf_counter() - begun
    print(f"60,000 built-in digits (version {VERSION}) drawn in {seconds:.1f} s")
    keras.utils.set_random_seed(options.seed)
    if options.question_1:
        _train(_build_question_1(), train, test, options.epochs, batch_size=32)
        return
    model = _build_plain()
    _train(model, train, test, options.epochs, batch_size=128)
    _report(model, {"built-in test": test, **_load_real(options.real)})


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--real", type=Path, required=True, help="real house numbers, .npz")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0, help="of the training")
    parser.add_argument("--question-1", action="store_true", help="train question 1's model")
    return parser.parse_args()


def _load_real(file: Path) -> dict[str, Examples]:
    """Each pair of arrays in the file, and all of them together."""
    with np.load(file) as arrays:
        pairs = {
            name: (arrays[name], arrays[name.replace("images", "labels")])
            for name in arrays.files
            if name.endswith("images")
        }
    together = tuple(np.concatenate(parts) for parts in zip(*pairs.values(), strict=True))
    return {**pairs, "all real": (together[0], together[1])}


def _build_plain() -> keras.Model:
    """A plain network at an ordinary rate."""
    stack: list[keras.layers.Layer] = [layers.Input((32, 32, 3)), layers.Rescaling(1 / 127.5, -1)]
    for filters, repeats in ((32, 2), (64, 2), (128, 1)):
        for _ in range(repeats):
            stack.append(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        stack += [layers.MaxPooling2D(), layers.Dropout(0.25)]
    stack += [layers.Flatten(), layers.Dense(256, activation="relu"), layers.Dropout(0.5)]
    return _compile(keras.Sequential([*stack, layers.Dense(10, activation="softmax")]), 1e-3)


def _build_question_1() -> keras.Model:
    """The assignment's first model: raw pixels, Adam at 1e-5."""
    stack: list[keras.layers.Layer] = [layers.Input((32, 32, 3))]
    for filters in (16, 32, 64):
        stack.append(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        stack.append(layers.MaxPooling2D())
    stack += [layers.Flatten(), layers.Dense(64, activation="relu")]
    return _compile(keras.Sequential([*stack, layers.Dense(10, activation="softmax")]), 1e-5)


def _compile(model: keras.Model, rate: float) -> keras.Model:
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def _train(
    model: keras.Model, train: Examples, test: Examples, epochs: int, batch_size: int
) -> None:
    """Fit, and print the accuracy on the built-in test digits after every epoch."""

    def tell(epoch: int, logs: dict[str, float]) -> None:
        print(
            f"epoch {epoch + 1:3}: training {logs['accuracy']:.4f}, "
            f"built-in test {logs['val_accuracy']:.4f}",
            flush=True,
        )

    callback = keras.callbacks.LambdaCallback(on_epoch_end=tell)
    model.fit(
        *train,
        batch_size,
        epochs,
        verbose=0,
        callbacks=[callback],
        validation_data=test,
        validation_batch_size=500,
    )


def _report(model: keras.Model, sets: dict[str, Examples]) -> None:
    for name, (images, labels) in sets.items():
        right = int((model.predict(images, 500, verbose=0).argmax(axis=1) == labels).sum())
        low, high = binomtest(right, len(labels)).proportion_ci(method="wilson")
        print(f"{name:>14}: {right / len(labels):.3f} [{low:.3f}, {high:.3f}] of {len(labels)}")


if __name__ == "__main__":
    main()
