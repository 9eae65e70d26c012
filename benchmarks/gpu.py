"""What a step costs on this machine's GPU, or CPU: Keras's `fit`, our engines, seeds together.

    python benchmarks/gpu.py [--repeats 3] [--images 50000] [--models 6] [--seeds 1 2 5 10 20]

Question 1's model, and random models of `cnn` of up to 20 times its multiply-adds, on random
images. Each row is trained in a process of its own, `repeats` times, the rows in turn: two epochs,
of which the second counts; the first compiles. What is not installed is left out. "loop" and "step"
are what `jit_compile` is around; "product" and "grouped" say how seeds that train together convolve
(grouped in both directions: the gradient of each seed, mapped over the seeds). The share of the
peak is that of a product of two large float32 matrices; "confirm" is 3 configurations of this cost
x 10 runs x 100 epochs on 50,000 images, extrapolated. On a CPU our engine on TensorFlow has one
core, as each of several workers has, and the others have all.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import numpy as np
import psutil

from svhn_tune.data.dataset import Split
from svhn_tune.engines.devices import list_gpus
from svhn_tune.engines.engine import DEFAULT, JAX, load_engine
from svhn_tune.models.size import measure_size
from svhn_tune.models.spaces import load_space
from svhn_tune.models.work import measure_work
from svhn_tune.space.space import Space

BATCH = 32
LOOP = 10  # batches in one call compiled by XLA
TIMES = 20
CONFIRM = 3 * 10 * 100 * 50_000 / BATCH  # steps


def choose_models(space: Space, count: int) -> list[dict[str, Any]]:
    """Question 1's values, then random ones of at most TIMES its multiply-adds."""
    # KerasTuner's Keras needs a backend, whichever is there.
    os.environ.setdefault("KERAS_BACKEND", "tensorflow" if find_spec("tensorflow") else "jax")
    from svhn_tune.oracles.ask_tell import make_oracle

    most = TIMES * measure_work(space, space.baseline).operations
    drawn, _ = make_oracle(space, "random").sample(200)
    near = [values for values in drawn if measure_work(space, values).operations <= most]
    return [space.baseline, *near][:count]


def make_split(images: int) -> Split:
    """Random images and labels."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (images, 32, 32, 3), dtype=np.uint8)
    return Split(pictures, rng.integers(0, 10, images).astype(np.int32))


def describe_machine() -> str:
    """Its GPUs, or that it has none; its cores; and the versions of what is installed."""
    names = "NO GPU: this is a CPU, and says nothing of one"
    if gpus := list_gpus():
        asked = [
            "nvidia-smi",
            "--query-gpu=name",
            "--format=csv,noheader",
            f"--id={','.join(gpus)}",
        ]
        told = subprocess.run(asked, capture_output=True, text=True)
        names = ", ".join(told.stdout.split("\n")[:-1]) or f"{len(gpus)} GPU(s) without a name"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    packages = [each for each in ("keras", "tensorflow", "jax") if find_spec(each)]
    versions = ", ".join(f"{each} {version(each)}" for each in packages)
    return f"{platform.machine()}, {cores} cores, {names}; {versions}"


def name_parts(seeds: list[int]) -> list[str]:
    """The rows whose package is there."""
    parts = []
    if find_spec("tensorflow"):
        parts += ["fit tensorflow", "engine tensorflow"]
        parts += ["engine tensorflow+loop", "engine tensorflow+step"]
    if find_spec("jax"):
        parts += ["fit jax", *(f"engine jax {count} product" for count in seeds)]
        parts += [f"engine jax {count} grouped" for count in seeds if count > 1]
    return parts


# --- in a process of its own ----------------------------------------------------------------------


def measure(part: str, values: dict[str, Any], images: int) -> dict[str, Any]:
    """Seconds of two epochs, memory in bytes, the device and its peak in multiply-adds."""
    how, backend, *more = part.split()
    backend, _, xla = backend.partition("+")
    engine = load_engine(DEFAULT if backend == "tensorflow" else JAX)
    device = "GPU" if list_gpus() else "CPU"
    if xla:
        _compile_by_xla(whole_loop=xla == "loop", on_gpu=device == "GPU")
    elif how == "engine":
        # `fit` is as it comes: with all cores, and products in TensorFloat-32 where a GPU has it.
        device = engine.prepare()
    space, split = load_space("cnn"), make_split(images)
    seeds = int(more[0]) if more else 1
    if how == "fit":
        seconds = _fit(space, values, split)
    else:
        if more and more[1] == "grouped":
            _group_convolutions()
        cohort = engine.start(space, values, range(seeds), split)
        among = range(seeds)
        seconds = []
        for _ in range(2):
            metrics = cohort.train_epoch(among, None, lambda: False)
            assert metrics is not None
            seconds.append(sum(each["seconds"] for each in metrics))
    return {
        "device": device,
        "seeds": seeds,
        "seconds": seconds,
        "memory": _read_memory(backend),
        "peak": _measure_peak(backend, 8192 if device == "GPU" else 1024),
    }


def _fit(space: Space, values: dict[str, Any], split: Split) -> list[float]:
    import keras

    from svhn_tune.models.hypermodel import HyperModel

    model = HyperModel(space).build_values(values)
    labels = np.eye(10, dtype=np.float32)[split.labels]
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        model.fit(split.images, labels, batch_size=BATCH, verbose=0)
        keras.ops.convert_to_numpy(model.trainable_variables[0])
        seconds.append(time.perf_counter() - start)
    return seconds


def _compile_by_xla(whole_loop: bool, on_gpu: bool) -> None:
    """Our engine on TensorFlow, with `jit_compile` around its loop over batches, or each step.

    XLA wants batches of a known length: LOOP of them a call, or one; the short one as it was. It
    has no pooling gradient that repeats to the bit, so what `prepare` asks for on a CPU is left.
    """
    import tensorflow as tf

    from svhn_tune.engines import chunks, engine_tensorflow

    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    if not on_gpu:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    usual = chunks._compile_training

    def compile_training(model: Any, encode: Any, batch_size: int, weights: Any) -> Any:
        train_as_usual = usual(model, encode, batch_size, weights)
        weighed = np.ones(10) if weights is None else weights

        def train_step(images: Any, labels: Any) -> None:
            weight = tf.gather(tf.constant(weighed, tf.float32), labels)
            model.train_step((images, encode(labels), weight))

        @tf.function(jit_compile=True, autograph=False)
        def train_batches(images: Any, labels: Any) -> None:
            def train_batch(batch: Any) -> tuple[Any]:
                begin = batch * BATCH
                part = tf.slice(images, [begin, 0, 0, 0], [BATCH, *images.shape[1:]])
                train_step(part, tf.slice(labels, [begin], [BATCH]))
                return (batch + 1,)

            count = labels.shape[0] // BATCH
            tf.while_loop(lambda batch: batch < count, train_batch, (0,), maximum_iterations=count)

        compiled_step = tf.function(train_step, jit_compile=True, autograph=False)

        @tf.function(autograph=False)
        def train_steps(images: Any, labels: Any) -> None:
            def train_batch(begin: Any) -> tuple[Any]:
                part = images[begin : begin + BATCH], labels[begin : begin + BATCH]
                shapes = [BATCH, *images.shape[1:]], [BATCH]
                compiled_step(*map(tf.ensure_shape, part, shapes))
                return (begin + BATCH,)

            tf.while_loop(lambda begin: begin < tf.shape(labels)[0], train_batch, (0,))

        def train_chunk(images: Any, labels: Any) -> None:
            size = LOOP * BATCH if whole_loop else BATCH
            whole = len(labels) // size * size
            if whole_loop:
                for begin in range(0, whole, size):
                    part = slice(begin, begin + size)
                    train_batches(tf.constant(images[part]), tf.constant(labels[part]))
            elif whole:
                train_steps(tf.constant(images[:whole]), tf.constant(labels[:whole]))
            if whole < len(labels):
                train_as_usual(images[whole:], labels[whole:])

        return train_chunk

    chunks._compile_training = compile_training
    vars(engine_tensorflow)["choose_batches"] = lambda batches, seconds: LOOP


def _group_convolutions() -> None:
    """Keras's own convolution, which vmap makes a grouped one."""
    import keras

    from svhn_tune.engines import programs

    def convolve(layer: Any, images: Any, kernel: Any) -> Any:
        return keras.ops.conv(images, kernel, strides=1, padding=layer.padding)

    programs._convolve = convolve


def _read_memory(backend: str) -> float:
    if list_gpus() and backend == "jax":
        import jax

        return float(jax.local_devices()[0].memory_stats()["peak_bytes_in_use"])
    if list_gpus():
        import tensorflow as tf

        return float(tf.config.experimental.get_memory_info("GPU:0")["peak"])
    return float(psutil.Process().memory_info().rss)


def _measure_peak(backend: str, size: int) -> float:
    """Multiply-adds a second of a product of two matrices, on the cores or the GPU in use."""
    import keras

    matrix = keras.ops.ones((size, size))
    best = float("inf")
    for _ in range(4):
        start = time.perf_counter()
        product = keras.ops.matmul(matrix, matrix)
        keras.ops.convert_to_numpy(product[0, :1])
        best = min(best, time.perf_counter() - start)
    return float(size**3 / best)


# --- the parent -----------------------------------------------------------------------------------


def run_part(part: str, values: dict[str, Any], images: int) -> dict[str, Any]:
    """What a process of its own measures; {"error"} where it cannot."""
    command = [sys.executable, __file__, "--part", part, json.dumps(values), str(images)]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["?"])[-1][:70]}
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def print_row(
    part: str, results: list[dict[str, Any]], operations: int, steps: int, fit: float | None
) -> float | None:
    """One line; returns the median milliseconds a step and seed."""
    if failed := next((each for each in results if "error" in each), None):
        print(f"{part:28} {failed['error']}")
        return None
    seeds = results[0]["seeds"]
    each = [1000 * result["seconds"][1] / steps / seeds for result in results]
    usual = statistics.median(each)
    hour = 3.6e6 / usual * BATCH / 50_000
    # Forward, and twice that backward.
    share = 3 * BATCH * operations / (usual / 1000) / max(result["peak"] for result in results)
    compiled = statistics.median(r["seconds"][0] - r["seconds"][1] for r in results)
    memory = max(result["memory"] for result in results) / 1e6
    times = f"{fit / usual:6.1f}x" if fit else "      -"
    print(
        f"{part:28} {usual:9.3f} {min(each):8.3f}..{max(each):<8.3f} {times} {hour:9.1f} "
        f"{share:7.1%} {compiled:8.1f} {memory:8.0f} {CONFIRM * usual / 60_000:9.1f}"
    )
    return usual


def main() -> None:
    """Measure, and print a table for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--images", type=int, default=None)
    parser.add_argument("--models", type=int, default=6)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 5, 10, 20])
    options = parser.parse_args()
    if options.part:
        part, values, images = options.part
        print(json.dumps(measure(part, json.loads(values), int(images))))
        return
    images = options.images or (50_000 if list_gpus() else 640)
    space = load_space("cnn")
    print(f"{describe_machine()}; {images} images, n = {options.repeats}", flush=True)
    parts = name_parts(options.seeds)
    steps = -(-images // BATCH)
    for values in choose_models(space, options.models):
        operations = sum(layer.operations for layer in measure_size(space, values).layers)
        print(f"\n{space.changes(values)}: {operations / 1e6:.1f} million multiply-adds an image")
        print(
            f"{'':28} {'ms/step':>9} {'min..max':>18} {'x fit':>7} {'epochs/h':>9} {'peak':>7} "
            f"{'compile':>8} {'MB':>8} {'confirm/min':>9}"
        )
        results: dict[str, list[dict[str, Any]]] = {part: [] for part in parts}
        for _ in range(options.repeats):
            for part in parts:
                results[part].append(run_part(part, values, images))
        fit = None
        for part in parts:
            usual = print_row(part, results[part], operations, steps, fit)
            fit = usual if part == "fit tensorflow" else fit


if __name__ == "__main__":
    main()
