"""The engine on JAX: seeds of one configuration that train together, each as it would alone.

A GPU is handed many batches of all seeds at once (programs.py), where TensorFlow's executor hands
it each operation of each batch of one seed. A seed's weights, its order of images and its
checkpoint are its own: it may go on alone, in another cohort, or on TensorFlow.

Bits repeat on one machine with one number of cores and of seeds. Alone and together agree to
rounding: to 3e-8 after one epoch, 8e-6 after three (x86-64, question 1's model).
"""

import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"  # several workers may share a GPU

import jax
import jax.numpy as jnp
import numpy as np

from ..data.cache import cache_folder
from ..data.dataset import Split
from ..models.hypermodel import class_weights
from ..space.dial import measure_apart
from ..space.space import Space
from .cohorts import choose_block, choose_part
from .engine import Stop, never
from .programs import compile_evaluation, compile_training, take, unpack
from .seeds import JaxMember, Seeds

# Bytes of compiled programs in the user's cache folder: from there one takes 0.1 s instead of 2.
CACHE = 1 << 30


def prepare(threads: int = 1) -> str:
    """The device's type, "CPU" or "GPU". Products are of 32 bits on any: TensorFloat-32 is off."""
    jax.config.update("jax_default_matmul_precision", "highest")
    jax.config.update("jax_compilation_cache_dir", str(cache_folder("jax")))
    jax.config.update("jax_compilation_cache_max_size", CACHE)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    return str(jax.default_backend()).upper()


def describe(seeds: int) -> str:
    """What trains so many seeds together, with its version."""
    return f"jax {jax.__version__}, {seeds} {'seed' if seeds == 1 else 'seeds'}"


class JaxCohort:
    """Seeds of one configuration in training; the arguments are those of `Engine.start`."""

    def __init__(
        self,
        space: Space,
        values: Mapping[str, Any],
        seeds: Sequence[int],
        train: Split,
        index: np.ndarray | None = None,
    ) -> None:
        self._index = np.arange(len(train.labels)) if index is None else index
        self._batch = space.protocol.batch_size
        self._whole = len(self._index) // self._batch
        self._total = -(-len(self._index) // self._batch)
        self._seeds = Seeds(space, values, seeds)
        self.members = [
            JaxMember(self._seeds, place, seed, self._total) for place, seed in enumerate(seeds)
        ]
        weights = class_weights(train.labels[self._index], values.get("class_weight", 0.0))
        # What is asked of the model for each label.
        self._task = space.task
        self._answers = unpack(space.task.target.encode(np.arange(space.task.labels)))
        # They stay on the device.
        data = (train.images, train.labels, self._answers, weights.astype(np.float32))
        self._data = jax.tree.map(jnp.asarray, data)
        self._block = 1  # a CPU waits for no launches
        if jax.default_backend() != "cpu":
            self._block = choose_block(space, values, len(seeds), self._whole)
        self._part = choose_part(space, values, len(seeds))
        self._train = compile_training(self._seeds.template)
        self._evaluate = compile_evaluation(self._seeds.template)

    def train_epoch(
        self,
        among: Sequence[int],
        validation: Split | None = None,
        stop: Stop = never,
        test: Split | None = None,
    ) -> list[dict[str, float]] | None:
        """Train one epoch; who is behind within it catches up with the others first."""
        members = [self.members[place] for place in among]
        begun = [member for member in members if "batches" not in member.within]
        for member in begun:
            member.within = {"batches": 0, "seconds": 0.0}
        self._seeds.set_metrics([member.place for member in begun])
        if not self._train_rest(members, stop):
            return None
        for kind, split in (("val", validation), ("test", test)):
            left = [p for p in among if kind not in self.members[p].within.get("judged", {})]
            if split is None or not left:
                continue
            if not self._look(left, split, "evaluated", stop):
                return None
            for place in left:
                within, judged = self.members[place].within, self._read_metrics(place, split)
                within["judged"] = within.get("judged", {}) | {kind: judged}
        for member in members:
            metrics = member.within["metrics"] | {"seconds": member.within["seconds"]}
            for kind, found in member.within.get("judged", {}).items():
                metrics |= {f"{kind}_{name}": value for name, value in found.items()}
            member.within = {}
            member.history.append(metrics)
        return [member.history[-1] for member in members]

    def _train_rest(self, members: Sequence[JaxMember], stop: Stop) -> bool:
        """Train what is left of an epoch's batches; whether there are none left."""
        order = np.zeros((len(self.members), len(self._index)), np.int32)
        for member in members:
            random = np.random.default_rng((member.seed, len(member.history)))
            order[member.place] = random.permutation(self._index)
        while (first := min(each.within["batches"] for each in members)) < self._total:
            start = time.perf_counter()
            behind = [each for each in members if each.within["batches"] == first]
            active, count = None, self._block
            if len(behind) < len(members):
                active = np.isin(range(len(self.members)), [each.place for each in behind])
            if active is not None or first + count > self._whole:
                count = 1
            taken = order[:, first * self._batch : (first + count) * self._batch]
            batches = taken.reshape(len(taken), count, -1).swapaxes(0, 1)
            self._seeds.state = self._train(self._seeds.place(), batches, active, self._data)
            jax.block_until_ready(self._seeds.state)
            for member in behind:
                member.within["batches"] += count
                member.within["seconds"] += (time.perf_counter() - start) / len(behind)
            if stop():
                return False
        for member in members:
            if "metrics" not in member.within:
                member.within["metrics"] = self._seeds.read_metrics(member.place)
        return True

    def evaluate(
        self, among: Sequence[int], split: Split, stop: Stop = never
    ) -> list[dict[str, float]] | None:
        """Loss and metrics on `split`."""
        if not self._look(among, split, "evaluated", stop):
            return None
        return [self._read_metrics(place, split) for place in among]

    def _read_metrics(self, place: int, split: Split) -> dict[str, float]:
        """The metrics of a seed that was evaluated; around a dial, minutes."""
        metrics = self._seeds.read_metrics(place)
        if self._task.on_dial:
            metrics["minutes"] = self.members[place].within.pop("apart") / len(split.labels)
        return metrics

    def predict(
        self, among: Sequence[int], split: Split, stop: Stop = never
    ) -> list[np.ndarray] | None:
        """What is predicted of each image of `split`, (N,) each: classes, or minutes."""
        if not self._look(among, split, "predicted", stop):
            return None
        return [np.concatenate(self.members[place].guesses) for place in among]

    def _look(self, among: Sequence[int], split: Split, name: str, stop: Stop) -> bool:
        """Evaluate what is left of the images; whether none are left. All begin where one does."""
        members = [self.members[place] for place in among]
        reached = {member.within.get(name, 0) for member in members}
        first = reached.pop() if len(reached) == 1 else 0
        if first == 0:
            self._seeds.set_metrics(among)
            for member in members:
                member.guesses = []
                member.within.pop("apart", None)
        while first < len(split.labels):
            part = slice(first, first + self._part)
            images, labels = split.images[part], split.labels[part]
            answers = take(self._answers, labels)
            sums, outputs = self._evaluate(self._seeds.place(), images, answers)
            self._seeds.set_metrics(among, jax.device_get(sums))
            first += len(images)
            outputs = jax.device_get(outputs)
            for member in members:
                guess = self._task.decode(take(outputs, member.place))
                member.guesses.append(guess)
                member.within[name] = first
                if self._task.on_dial and name == "evaluated":
                    apart = float(measure_apart(labels, guess).sum())
                    member.within["apart"] = member.within.get("apart", 0.0) + apart
            if stop():
                return False
        for member in members:
            member.within.pop(name, None)
        return True


# A cohort is all that starting one takes.
start = JaxCohort
