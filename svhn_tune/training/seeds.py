"""The arrays of all seeds of a cohort, and each seed as its checkpoint and its file have it."""

import random
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from ..data.dataset import Split
from ..models.hypermodel import HyperModel
from ..space.space import Space
from ..submission.save import hash_weights, save_submission
from . import checkpoints
from .maps import maps_path, write_maps
from .misfit import find_misfit
from .programs import State, asking_memory, make_template, stack_seeds, take_seed

_resident: dict[int, tuple[Split, Any, Any]] = {}


class Seeds:
    """Until the first of them is trained, each seed's arrays are here; then all on the device.

    Args:
        space, values: of the model.
        seeds: of its runs.
    """

    def __init__(self, space: Space, values: Mapping[str, Any], seeds: list[int]) -> None:
        self.space, self.values = space, values
        self._here = [self._begin(seed) for seed in seeds]
        self._state: State | None = None
        # What evaluating has seen, sums as those of a State and guesses: of each seed, of all.
        self._here_seen: dict[int, tuple[list[Any], Any]] = {}
        self._seen: Any = None
        self.template = make_template(space, values)
        self._slots = _find_slots(self.template)

    def _begin(self, seed: int) -> State:
        keras.utils.clear_session(free_memory=False)
        # As `keras.utils.set_random_seed` does, which imports TensorFlow: initializers and the
        # generators of dropout draw their seeds from here.
        random.seed(seed)
        model = self._build()
        model.optimizer.build(model.trainable_variables)
        trainable, others, optimizer = ([*map(np.asarray, group)] for group in _group(model))
        return State(trainable, others, optimizer, [np.float32(0)] * 4)

    def _build(self) -> keras.Model:
        return HyperModel(self.space).build_values(self.values)

    @property
    def state(self) -> State:
        """All seeds' arrays on the device."""
        if self._state is None:
            self._state, self._here = stack_seeds(self._here), self._here[:1]
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        self._state = state

    def see(self, first: int, images: int) -> Any:
        """What evaluating has seen of the `first` of so many images."""
        if first and self._seen is not None:
            return self._seen
        seeds = len(self.state.trainable[0])
        sums = [np.zeros(seeds, np.float32) for _ in range(4)]
        guesses = np.zeros((seeds, images), np.uint8)
        for seed, (own, guessed) in self._here_seen.items() if first else ():
            guesses[seed, : len(guessed)] = guessed
            for each, value in zip(sums, own, strict=True):
                each[seed] = value
        self._here_seen = {}
        self._seen = (sums, guesses)
        return self._seen

    def keep(self, seen: Any) -> None:
        """Keep what evaluating has seen."""
        self._seen = seen

    def read_seen(self, seed: int) -> tuple[list[Any], Any]:
        """What evaluating has seen of a seed."""
        if seed in self._here_seen:
            return self._here_seen[seed]
        sums, guesses = self._seen
        return [np.asarray(each)[seed] for each in sums], np.asarray(guesses)[seed]

    def build_model(self, seed: int) -> keras.Model:
        """A seed's Keras model, its softmax included."""
        model = self._build()
        for variables, arrays in zip(_group(model)[:2], self._read(seed), strict=False):
            for variable, array in zip(variables, arrays, strict=True):
                variable.assign(array)
        return model

    def _read(self, seed: int) -> State:
        if self._state is None:
            return self._here[seed]
        with asking_memory():
            one: State = jax.device_get(take_seed(self._state, seed))
        return one

    def read(self, seed: int, within: Mapping[str, Any]) -> list[np.ndarray]:
        """A seed's arrays as a checkpoint has them: those of the engine on TensorFlow."""
        state = self._read(seed)
        arrays = [np.asarray(state[group][i]) for group, i in self._slots]
        arrays = [each.astype(np.int64) if each.dtype.kind in "iu" else each for each in arrays]
        if within:
            sums, guesses = state.sums, np.zeros(0)
            if within.keys() & {"evaluated", "predicted"}:
                sums, guesses = self.read_seen(seed)
            arrays += [np.asarray(each, np.float32) for each in sums]
            if "predicted" in within:
                arrays.append(guesses[: within["predicted"]].astype(np.int64))
        return arrays

    def put(self, seed: int, state: checkpoints.State) -> None:
        """Give a seed the arrays of a checkpoint that fits, before any seed is trained."""
        here = self._here[seed]
        for (group, i), array in zip(self._slots, state.arrays, strict=False):
            here[group][i] = array.astype(here[group][i].dtype)
        if state.within:
            sums = [*state.arrays[len(self._slots) :][:4]]
            if state.within.keys() & {"evaluated", "predicted"}:
                guesses = state.arrays[-1] if "predicted" in state.within else np.zeros(0)
                self._here_seen[seed] = (sums, guesses.astype(np.uint8))
            else:
                here.sums[:] = sums

    def find_misfit(self, state: checkpoints.State, whole: int) -> str | None:
        """Why no seed can have been in this state, if none can, with epochs of `whole` batches."""
        fresh = [(each.shape, str(each.dtype)) for each in self.read(0, {})]
        return find_misfit(state, fresh, len(self._here[0].optimizer), whole)


class JaxMember:
    """One seed in training: its history, and how far it is beyond it."""

    def __init__(self, seeds: Seeds, place: int, seed: int, whole: int) -> None:
        self._seeds, self._place, self._whole = seeds, place, whole
        self.seed = seed
        self.history: checkpoints.History = []
        self.within: dict[str, Any] = {}

    @property
    def parameters(self) -> int:
        """How many numbers the model consists of."""
        return int(self._seeds.template.count_params())

    @property
    def weights_sha256(self) -> str:
        """The hash of the weights as they are now, in hexadecimal."""
        return hash_weights(self._seeds.build_model(self._place))

    def save(self) -> checkpoints.State:
        """All that continuing needs, with either engine."""
        arrays = self._seeds.read(self._place, self.within)
        return checkpoints.State(arrays, [*self.history], {**self.within})

    def restore(self, state: checkpoints.State) -> None:
        """Continue from what `save` returned, of either engine; before the cohort trains.

        Raises:
            ValueError: this run cannot have been there; nothing has changed.
        """
        if reason := self._seeds.find_misfit(state, self._whole):
            raise ValueError(f"this run cannot continue from there: {reason}")
        self._seeds.put(self._place, state)
        self.history, self.within = state.history, state.within

    def write_model(self, path: Path, test: Split, predicted: np.ndarray) -> None:
        """Write the .keras file to hand in, and beside it maps of the model."""
        model = self._seeds.build_model(self._place)
        save_submission(self._seeds.space, self._seeds.values, model, path)
        # Only for the report: whatever goes wrong with them, the run is valid.
        with suppress(Exception):
            write_maps(model, self._seeds.space.task, test, predicted, maps_path(path))


def _group(model: keras.Model) -> tuple[Any, Any, Any]:
    return model.trainable_variables, model.non_trainable_variables, model.optimizer.variables


def _find_slots(model: keras.Model) -> list[tuple[int, int]]:
    """Where each variable of a checkpoint is in a State, in the order of the checkpoint."""
    groups = enumerate(_group(model))
    where = {id(each): (number, i) for number, group in groups for i, each in enumerate(group)}
    layers = [variable for layer in model.layers for variable in layer.variables]
    return [where[id(variable)] for variable in [*layers, *model.optimizer.variables]]


def place_split(split: Split) -> tuple[Any, Any]:
    """Images and labels on the device, where they stay: a worker has two or three splits."""
    if id(split) not in _resident:
        labels = jnp.asarray(np.asarray(split.labels, np.int32))
        _resident[id(split)] = (split, jnp.asarray(np.ascontiguousarray(split.images)), labels)
    return _resident[id(split)][1:]
