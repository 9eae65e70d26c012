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
from ..space.space import Space
from .cohorts import choose_block, choose_part
from .engine import Stop, never
from .programs import asking_memory, compile_evaluation, compile_training
from .seeds import JaxMember, Seeds, place_split

# What the device is handed between two questions whether to stop.
SECONDS = 1.0
# Bytes of compiled programs in the user's cache folder: from there one takes 0.1 s instead of 2.
CACHE = 1 << 30


def prepare() -> str:
    """The device's type, "CPU" or "GPU". Products are of 32 bits on any: TensorFloat-32 is off."""
    jax.config.update("jax_default_matmul_precision", "highest")
    jax.config.update("jax_compilation_cache_dir", str(cache_folder("jax")))
    jax.config.update("jax_compilation_cache_max_size", CACHE)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    return str(jax.default_backend()).upper()


def describe(seeds: int) -> str:
    """What trains so many seeds together, with its version."""
    return f"jax {jax.__version__}, {seeds} {'seed' if seeds == 1 else 'seeds'}"


def start(
    space: Space,
    values: Mapping[str, Any],
    seeds: Sequence[int],
    train: Split,
    index: np.ndarray | None = None,
) -> "JaxCohort":
    """Runs before their first epoch."""
    return JaxCohort(space, values, seeds, train, index)


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
        self._split = train
        self._index = np.arange(len(train.labels)) if index is None else index
        self._batch = space.protocol.batch_size
        self._whole = len(self._index) // self._batch
        self._total = -(-len(self._index) // self._batch)
        self._seeds = Seeds(space, values, list(seeds))
        self.members = [
            JaxMember(self._seeds, place, seed, self._total) for place, seed in enumerate(seeds)
        ]
        gamma = values.get("class_weight", 0.0)
        weights = np.ones(space.task.labels)
        if gamma:
            weights = class_weights(train.labels[self._index], gamma)
        self._weights = jnp.asarray(weights, jnp.float32)
        # A CPU waits for no launches.
        on_cpu = jax.default_backend() == "cpu"
        self._block = 1 if on_cpu else choose_block(space, values, len(seeds), self._whole)
        self._part = choose_part(space, values, len(seeds))
        self._train = compile_training(self._seeds.template, self._batch)
        self._evaluate = compile_evaluation(self._seeds.template, self._part)
        # Calls between two questions: the first one compiles.
        self._calls = {"train": 1, "evaluate": 1}

    def train_epoch(
        self,
        among: Sequence[int],
        validation: Split | None = None,
        stop: Stop = never,
        test: Split | None = None,
    ) -> list[dict[str, float]] | None:
        """Train one epoch; who is behind within it catches up with the others first."""
        members = [self.members[place] for place in among]
        for member in members:
            if "batches" not in member.within:
                member.within = {"batches": 0, "seconds": 0.0}
        if not self._train_rest(among, stop):
            return None
        for kind, split in (("val", validation), ("test", test)):
            if split is not None and not self._judge(among, kind, split, stop):
                return None
        for member in members:
            metrics = member.within["metrics"] | {"seconds": member.within["seconds"]}
            for kind, found in member.within.get("judged", {}).items():
                metrics |= {f"{kind}_{name}": value for name, value in found.items()}
            member.within = {}
            member.history.append(metrics)
        return [member.history[-1] for member in members]

    def _judge(self, among: Sequence[int], kind: str, split: Split, stop: Stop) -> bool:
        """Evaluate those that are not yet, at an epoch's end; whether none are left."""
        left = [p for p in among if kind not in self.members[p].within.get("judged", {})]
        found = self.evaluate(left, split, stop) if left else []
        if found is None:
            return False
        for place, metrics in zip(left, found, strict=True):
            within = self.members[place].within
            within["judged"] = within.get("judged", {}) | {kind: metrics}
        return True

    def _train_rest(self, among: Sequence[int], stop: Stop) -> bool:
        """Train what is left of an epoch's batches; whether there are none left."""
        withins = [self.members[place].within for place in among]
        order = self._draw_order(among)
        while (first := min(within["batches"] for within in withins)) < self._total:
            behind = [within for within in withins if within["batches"] == first]
            end = self._whole if first < self._whole else self._total
            until = min([end, *(w["batches"] for w in withins if w["batches"] > first)])
            active = None
            if len(behind) < len(withins):
                active = np.zeros(len(self.members), bool)
                active[np.compress([w["batches"] == first for w in withins], among)] = True
            start = time.perf_counter()
            done = self._train_some(order, first, until, active)
            seconds = time.perf_counter() - start
            for within in behind:
                within["batches"] = done
                within["seconds"] += seconds / len(behind)
            if stop():
                return False
        if any("metrics" not in within for within in withins):
            state = self._seeds.state
            sums = jax.device_get(state.sums)
            for place, within in zip(among, withins, strict=True):
                within.setdefault("metrics", _to_metrics([each[place] for each in sums]))
            self._seeds.state = state._replace(sums=[jnp.zeros_like(each) for each in state.sums])
        return True

    def _train_some(self, order: Any, first: int, until: int, active: Any) -> int:
        """Train up to `until`, as far as a second takes it; the batches that are done then."""
        start, calls = time.perf_counter(), 0
        images, labels = place_split(self._split)
        with asking_memory():
            while first < until and calls < self._calls["train"]:
                is_short = first == self._whole
                size = len(self._index) % self._batch if is_short else self._batch
                count = self._block if until - first >= self._block else 1
                self._seeds.state = self._train(
                    self._seeds.state,
                    order,
                    first,
                    active,
                    self._weights,
                    images,
                    labels,
                    count=count,
                    size=size,
                )
                first, calls = first + count, calls + 1
            jax.block_until_ready(self._seeds.state)
        self._choose_calls("train", calls, start)
        return first

    def _choose_calls(self, name: str, calls: int, start: float) -> None:
        seconds = max(time.perf_counter() - start, 1e-9)
        self._calls[name] = max(int(SECONDS * calls / seconds), 1)

    def _draw_order(self, among: Sequence[int]) -> Any:
        """The order of the images in the epoch of each seed, (S, N)."""
        order = np.zeros((len(self.members), len(self._index)), np.int32)
        for place in among:
            member = self.members[place]
            random = np.random.default_rng((member.seed, len(member.history)))
            order[place] = random.permutation(self._index)
        return jnp.asarray(order)

    def evaluate(
        self, among: Sequence[int], split: Split, stop: Stop = never
    ) -> list[dict[str, float]] | None:
        """Loss and metrics on `split`."""
        if not self._look(among, split, "evaluated", stop):
            return None
        return [_to_metrics(self._seeds.read_seen(place)[0]) for place in among]

    def predict(
        self, among: Sequence[int], split: Split, stop: Stop = never
    ) -> list[np.ndarray] | None:
        """The predicted class of each image of `split`, (N,) each."""
        if not self._look(among, split, "predicted", stop):
            return None
        return [self._seeds.read_seen(place)[1] for place in among]

    def _look(self, among: Sequence[int], split: Split, name: str, stop: Stop) -> bool:
        """Evaluate what is left of the images; whether none are left. All begin where one does."""
        withins = [self.members[place].within for place in among]
        reached = {within.get(name, 0) for within in withins}
        first = reached.pop() if len(reached) == 1 else 0
        images, labels = place_split(split)
        with asking_memory():
            seen = self._seeds.see(first, len(labels))
            while first < len(labels):
                start, calls = time.perf_counter(), 0
                while first < len(labels) and calls < self._calls["evaluate"]:
                    seen = self._evaluate(self._seeds.state, seen, first, images, labels)
                    first, calls = min(first + self._part, len(labels)), calls + 1
                jax.block_until_ready(seen)
                self._seeds.keep(seen)
                self._choose_calls("evaluate", calls, start)
                for within in withins:
                    within[name] = first
                if stop():
                    return False
        for within in withins:
            within.pop(name, None)
        return True


def _to_metrics(sums: Sequence[Any]) -> dict[str, float]:
    loss, images, hits, _ = map(float, sums)
    return {"categorical_accuracy": hits / images, "loss": loss / images}
