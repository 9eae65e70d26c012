"""The size that is computed against the files that are really saved, over every space."""

import keras
import keras_tuner as kt
import pytest

from svhn_tune.models.hypermodel import CNNHyperModel, declare, draw_values
from svhn_tune.models.size import measure_size
from svhn_tune.models.spaces import load_space, space_names
from svhn_tune.submission.save import save_submission

# Of each space: values whose file is saved, and those whose layers are built.
FEW = [3, pytest.param(10, marks=pytest.mark.soak)]
# A space of each kind of network; the others, where there is time.
KINDS = ("linear", "mlp", "cnn", "cnn_open", "tiny_resnet", "clock_heads")
SPACES = [
    name if name in KINDS else pytest.param(name, marks=pytest.mark.slow) for name in space_names()
]
SLACK = 64 * 1024
DRAWS = 1_000


def draw(space, seed):
    """`DRAWS` random values of `space`, feasible or not; a small space repeats them."""
    hp = kt.HyperParameters()
    declare(space, hp)
    for number in range(DRAWS):
        yield draw_values(hp, (seed << 32) + (number << 8))


def draw_feasible(space, count, largest, seed=0):
    """`count` random feasible values of `space` whose file is at most `largest` bytes."""
    found = [space.baseline]
    for values in draw(space, seed):
        size = measure_size(space, values)
        if size.feasible and size.file_bytes <= largest and values not in found:
            found.append(values)
        if len(found) == count:
            break
    return found


@pytest.mark.parametrize("count", FEW)
@pytest.mark.parametrize("name", SPACES)
def test_the_bound_is_never_below_the_file_and_close_above_it(name, count, tmp_path):
    """`benchmarks/size.py` does the same for 200 values a space, of every size."""
    space = load_space(name)
    for values in draw_feasible(space, count, largest=20_000_000):
        model = CNNHyperModel(space).build_values(values)
        path = tmp_path / "model.keras"
        save_submission(space, values, model, path)
        size = measure_size(space, values)
        real = path.stat().st_size
        assert real <= size.file_bytes <= real * 1.01 + SLACK, values
        assert size.parameters == model.count_params()


@pytest.mark.parametrize("count", FEW)
@pytest.mark.parametrize("name", SPACES)
def test_layers_have_the_shapes_that_keras_gives_them(name, count):
    space = load_space(name)
    for values in draw_feasible(space, count, largest=20_000_000, seed=7):
        model = CNNHyperModel(space).build_values(values)
        computed = [
            (layer.name, layer.output_shape) for layer in measure_size(space, values).layers
        ]
        built = [layer for layer in model.layers if not isinstance(layer, keras.layers.InputLayer)]
        assert computed == [(layer.name, tuple(layer.output.shape[1:])) for layer in built]


@pytest.mark.parametrize("name", SPACES)
def test_what_is_called_impossible_keras_cannot_build(name):
    space = load_space(name)
    sizes = ((values, measure_size(space, values)) for values in draw(space, seed=3))
    impossible = [(values, size) for values, size in sizes if size.parameters == 0]
    # Pools that do not fit on what is left are what makes a model impossible.
    assert bool(impossible) == ("pool_size" in space.hyperparameters)
    for values, size in impossible[:5]:
        assert "does not fit on the" in size.reasons[0]
        with pytest.raises(ValueError, match=r"."):
            CNNHyperModel(space).build_values(values)


def test_the_reason_names_the_layer_and_what_is_left():
    space = load_space("cnn")
    values = space.complete({"blocks": 5, "pool_size_1": 3, "pool_size_2": 3, "pool_size_3": 3})
    size = measure_size(space, values)
    assert size.reasons == ["pool_4: a pool of 2x2 does not fit on the 1x1 left"]
    assert not size.feasible


def test_a_file_above_the_limit_is_infeasible():
    space = load_space("cnn")
    values = space.complete(
        {"blocks": 5, "units": 4096} | {f"pool_size_{i}": 1 for i in range(1, 6)}
    )
    size = measure_size(space, values)
    assert size.file_bytes > 4_000_000_000
    assert "the limit of 'cnn' is 249,980,518" in size.reasons[0]


def test_question_1_has_89834_parameters():
    space = load_space("cnn")
    assert measure_size(space, space.baseline).parameters == 89_834
