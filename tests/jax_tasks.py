"""What tests do in a process with JAX: Keras has one backend per process, and theirs is TensorFlow.

`in_jax` starts such a process; the functions below run there.
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import get_context

import numpy as np
import pytest
from stops import AfterQuestions

from svhn_tune.data.dataset import Split
from svhn_tune.engines import checkpoints, engine
from svhn_tune.models.spaces import load_space

needs_jax = pytest.mark.skipif(find_spec("jax") is None, reason="JAX is not installed")
IMAGES = 112  # three batches of 32 and a short one
CLASSES = 10
# Programs that run for a second are not optimised for ten.
FAST = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"


@contextmanager
def start_jax():
    """A function that runs one of these in a process with JAX, and returns what it returns."""
    with ProcessPoolExecutor(1, get_context("spawn"), begin) as process:
        yield lambda function, *given: process.submit(function, *given).result(120)


def begin():
    """As a worker does."""
    os.environ["XLA_FLAGS"] = FAST
    engine.load_engine(engine.JAX).prepare()


def make_split(task, count=IMAGES):
    """Random images; the labels are those of few classes, so that class weights do something."""
    rng = np.random.default_rng(0)
    shape = (count, task.height, task.width, task.channels)
    images = rng.integers(0, 256, shape, dtype=np.uint8)
    labels = np.r_[np.arange(CLASSES), rng.integers(0, 4, count - CLASSES)].astype(np.int32)
    return Split(task.arrange(images), labels)


def make_case(name, chosen, count=IMAGES):
    """A space, values of it, and so many images as its models get them."""
    space = load_space(name)
    return space, space.complete(chosen), make_split(space.task, count)


def start(case, seeds, states=(), part=None, block=None):
    """A cohort, restored from `states`, and what it trains on."""
    from svhn_tune.engines import engine_jax

    space, values, split = make_case(*case)
    cohort = engine_jax.start(space, values, seeds, split)
    cohort._part = part or cohort._part
    cohort._block = block or cohort._block
    for member, state in zip(cohort.members, states, strict=False):
        member.restore(state)
    return cohort, split


def train(case, seeds, states=(), epochs=1, block=None, validates=True):
    """The state of each seed after some epochs, validated on what it trains on, or not at all."""
    cohort, split = start(case, seeds, states, block=block)
    for _ in range(epochs):
        judged = split if validates else None
        cohort.train_epoch(range(len(seeds)), judged, engine.never, judged)
    return [member.save() for member in cohort.members]


def evaluate(case, state):
    """The metrics of a state, on what it would train on."""
    cohort, split = start(case, [0], [state])
    return cohort.evaluate([0], split)[0]


def lower(case, seeds):
    """The program of a batch as it is given to the compiler."""
    cohort, _ = start(case, seeds)
    batches = np.zeros((1, len(seeds), 32), np.int32)
    return cohort._train.lower(cohort._seeds.place(), batches, None, cohort._data).as_text()


def begin_by_keras(case, seed):
    """The variables of a fresh model after `keras.utils.set_random_seed`."""
    import keras

    from svhn_tune.models.hypermodel import HyperModel

    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(seed)
    model = HyperModel(load_space(case[0])).build_values(make_case(*case)[1])
    return [variable.numpy() for layer in model.layers for variable in layer.variables]


def tell_settings():
    """What a worker with JAX is set to."""
    import jax
    import keras

    return {
        "backend": keras.backend.backend(),
        "preallocates": os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"],
        "precision": jax.config.jax_default_matmul_precision,
        "cache": jax.config.jax_compilation_cache_dir,
        "shortest": jax.config.jax_persistent_cache_min_compile_time_secs,
    }


def predict(case, seeds, states, folder):
    """Metrics, predictions and weights' hashes of states; a file of each in the folder."""
    cohort, split = start(case, seeds, states)
    among = range(len(seeds))
    metrics, predicted = cohort.evaluate(among, split), cohort.predict(among, split)
    for place, member in enumerate(cohort.members):
        member.write_model(folder / f"{place}.keras", split, predicted[place])
    return metrics, predicted, [member.weights_sha256 for member in cohort.members]


def train_stopping(case, seeds, places, path, part):
    """Two epochs and their end, stopped at some questions: each time in another cohort.

    Returns the states, what was brought, and where each stop was.
    """
    cohort, split = start(case, seeds, part=part)
    seen, brought = [], {}
    for questions in (*places, 1000):
        if _go_on(cohort, split, AfterQuestions(questions), brought):
            return [member.save() for member in cohort.members], brought, seen
        states = []
        for member in cohort.members:
            checkpoints.write(path, member.save(), {})
            states.append(checkpoints.read(path, {}, 2))
        seen.append((len(states[0].history), *sorted(set(states[0].within) - {"seconds"})))
        cohort, _ = start(case, seeds, states, part)
    raise AssertionError("it never ends")


def _go_on(cohort, split, stop, brought):
    among = range(len(cohort.members))
    while len(cohort.members[0].history) < 2:
        if cohort.train_epoch(among, split, stop) is None:
            return False
    for name in ("evaluate", "predict"):
        if name not in brought:
            result = getattr(cohort, name)(among, split, stop)
            if result is None:
                return False
            brought[name] = result if name == "evaluate" else [each.tolist() for each in result]
    return True


def stop_after(case, seed, questions, state, validates=True):
    """The state of a seed that goes on, and is stopped at a question within its epoch."""
    cohort, split = start(case, [seed], [state], part=32)
    stop = AfterQuestions(questions)
    assert cohort.train_epoch([0], split if validates else None, stop) is None
    return cohort.members[0].save()


def is_barred(name):
    """Whether this process has not imported a package, and cannot."""
    if name in sys.modules:
        return False
    try:
        import_module(name)
    except ImportError:
        return True
    return False


def execute(setup, runs, questions=1000, room=None):
    """What a fresh worker tells of runs: kind, run and epochs of each event, and the outcomes.

    It is asked to pause after so many questions, none of which is too early; where there is `room`
    for some seeds only, the device says so.
    """
    from svhn_tune.engines import engine_jax
    from svhn_tune.training import breaks, execution

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(breaks, "GRACE", -1.0)
        if room is not None:
            patch.setattr(engine_jax, "start", _with_room(engine_jax.JaxCohort, room))
        told = []
        execution.Executor(setup).execute(runs, told.append, AfterQuestions(questions))
    events = [(event.kind, event.run.run, event.epochs) for event in told]
    return events, {event.run.run: event.outcome for event in told if event.kind == "done"}


def _with_room(cohort, room):
    import jax

    class Cramped(cohort):
        """Finds no room as JAX says it, once it trains."""

        def __init__(self, *given):
            super().__init__(*given)
            train = self._train

            def refuse(*given):
                if len(self.members) > room:
                    raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory")
                return train(*given)

            self._train = refuse

    return Cramped
