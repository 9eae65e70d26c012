"""The variables of all seeds of a cohort, and each seed as its checkpoint and its file have it."""

import random
from collections.abc import Mapping, Sequence
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
from .programs import list_variables, make_template

_take = jax.jit(lambda state, place: [array[place] for array in state])


class Seeds:
    """The arrays of all seeds: here until they are first needed on the device, then there."""

    def __init__(self, space: Space, values: Mapping[str, Any], seeds: Sequence[int]) -> None:
        self.space, self.values = space, values
        self.state: list[Any] = []
        for place, seed in enumerate(seeds):
            keras.utils.clear_session(free_memory=False)
            # As `keras.utils.set_random_seed` does, which imports TensorFlow: initializers and
            # the generators of dropout draw their seeds from here.
            random.seed(seed)
            self.template = make_template(
                HyperModel(space).build_values(values), space.task, values
            )
            variables = list_variables(self.template)
            if not self.state:
                self.state = [np.empty((len(seeds), *v.shape), v.dtype) for v in variables]
            for array, variable in zip(self.state, variables, strict=True):
                array[place] = variable.numpy()
        self.metrics = range(-len(self.template.metrics_variables), 0)

    def place(self) -> list[Any]:
        """The arrays, on the device from now on."""
        self.state = [*map(jnp.asarray, self.state)]
        return self.state

    def set_metrics(self, places: Sequence[int], sums: Sequence[Any] | None = None) -> None:
        """Give these seeds the sums of their metrics, (S,) each; or let them begin anew."""
        for number, position in enumerate(self.metrics):
            array = np.array(self.state[position])
            array[places] = 0 if sums is None else sums[number][places]
            self.state[position] = array

    def read_metrics(self, place: int) -> dict[str, float]:
        """The metrics that a seed's sums are of."""
        for variable, position in zip(self.template.metrics_variables, self.metrics, strict=True):
            variable.assign(self.state[position][place])
        results = self.template.get_metrics_result()
        return {name: float(value) for name, value in results.items()}

    def read(self, place: int) -> list[np.ndarray]:
        """A seed's arrays as a checkpoint has them: those of the engine on TensorFlow."""
        arrays = jax.device_get(_take(self.state, place))
        return [each.astype(np.int64) if each.dtype.kind in "iu" else each for each in arrays]


class JaxMember:
    """One seed in training.

    `within` is how far it is beyond its `history`; `guesses` are those of the images it looks at.
    """

    def __init__(self, seeds: Seeds, place: int, seed: int, whole: int) -> None:
        self._seeds, self._whole = seeds, whole
        self.place, self.seed = place, seed
        self.history: checkpoints.History = []
        self.within: dict[str, Any] = {}
        self.guesses: list[np.ndarray] = []

    @property
    def parameters(self) -> int:
        """How many numbers the model consists of."""
        return int(self._seeds.template.count_params())

    @property
    def weights_sha256(self) -> str:
        """The hash of the weights as they are now, in hexadecimal."""
        return hash_weights(self._build())

    def _build(self) -> keras.Model:
        """Its Keras model, the softmax included."""
        model = HyperModel(self._seeds.space).build_values(self._seeds.values)
        layers = [variable for layer in model.layers for variable in layer.variables]
        for variable, array in zip(layers, self._seeds.read(self.place), strict=False):
            variable.assign(array)
        return model

    def save(self) -> checkpoints.State:
        """All that continuing needs, with either engine."""
        arrays = self._seeds.read(self.place)
        if not self.within:
            del arrays[self._seeds.metrics[0] :]
        if "predicted" in self.within:
            on_dial = self._seeds.space.task.on_dial
            arrays.append(np.concatenate(self.guesses).astype("float32" if on_dial else "int64"))
        return checkpoints.State(arrays, [*self.history], {**self.within})

    def restore(self, state: checkpoints.State) -> None:
        """Continue from what `save` returned, of either engine; before the cohort trains.

        Raises:
            ValueError: this run cannot have been there; nothing has changed.
        """
        arrays = self._seeds.state
        types = ["int64" if each.dtype.kind in "iu" else "float32" for each in arrays]
        fresh = [(each.shape[1:], name) for each, name in zip(arrays, types, strict=True)]
        optimizer = len(self._seeds.template.optimizer.variables)
        fresh, task = fresh[: self._seeds.metrics[0]], self._seeds.space.task
        reason = find_misfit(state, fresh, optimizer, self._whole, task)
        if reason:
            raise ValueError(f"this run cannot continue from there: {reason}")
        for array, value in zip(arrays, state.arrays, strict=False):
            array[self.place] = value
        self.guesses = [*state.arrays[len(arrays) :]]
        self.history, self.within = state.history, state.within

    def write_model(self, path: Path, test: Split, predicted: np.ndarray) -> None:
        """Write the .keras file to hand in, and beside it maps of the model."""
        space, model = self._seeds.space, self._build()
        save_submission(space, self._seeds.values, model, path)
        # Only for the report: whatever goes wrong with them, the run is valid.
        with suppress(Exception):
            write_maps(model, space.task, test, predicted, maps_path(path))
