"""The first layer by channel, and one filter through all layers, of pictures made by hand."""

import numpy as np
import pytest

from svhn_tune.errors import InputError
from svhn_tune.figures import Figures
from svhn_tune.files import write_arrays

SHAPES = {"conv_1": (8, 8, 2), "pool_1": (4, 4, 2), "conv_2": (4, 4, 5)}


@pytest.fixture(scope="module")
def arrays():
    random = np.random.default_rng(0)
    maps = [random.random(shape).astype(np.float32) for shape in SHAPES.values()]
    maps[0][:, :, 0] = 0  # the first filter is dead
    return {
        "trial": np.array(3),
        "model_image": random.integers(0, 256, (8, 8, 3), np.uint8),
        "model_label": np.array(7),
        "model_filters": random.normal(0, 1, (3, 3, 3, 14)).astype(np.float32),
        "model_layers": np.array(list(SHAPES)),
        **{f"model_layer_maps_{number}": each for number, each in enumerate(maps)},
    }


@pytest.fixture
def project(arrays, tmp_path, make_project):
    project = make_project(tmp_path / "cnn")
    write_arrays(project.pictures_path, arrays)
    return project


def find_pictures(chart):
    """What each panel shows, by its title; without one, in order."""
    return [
        (axes.get_title("center"), axes.images[0].get_array()) for axes in chart.axes if axes.images
    ]


def test_a_filter_is_shown_in_every_layer_that_has_it(project, arrays):
    for number, names in {1: [*SHAPES], 2: [*SHAPES], 4: ["conv_2"]}.items():
        (_, image), *maps = find_pictures(Figures(project).filter_through_layers(number))
        assert (image == arrays["model_image"]).all()
        assert [title.split()[0] for title, _ in maps] == names
        for name, (_, shown) in zip(names, maps, strict=True):
            place = [*SHAPES].index(name)
            assert (shown == arrays[f"model_layer_maps_{place}"][:, :, number - 1]).all()


def test_without_a_number_it_is_none_that_is_dead(project, arrays):
    _, (title, shown), *_ = find_pictures(Figures(project).filter_through_layers())
    assert title == "conv_1\n8 x 8"
    assert (shown == arrays["model_layer_maps_0"][:, :, 1]).all()


@pytest.mark.parametrize("number", [0, 6, -1])
def test_a_filter_that_no_layer_has_is_refused(project, number):
    with pytest.raises(InputError, match=f"filter {number}: there are maps of the filters 1 to 5"):
        Figures(project).filter_through_layers(number)


def test_first_layer_filters_have_a_row_for_each_channel(project, arrays):
    axes = Figures(project).filters_by_channel().axes
    labels = [label.get_text() for each in axes for label in each.get_xticklabels()]
    assert labels == [f"{number}" for number in range(1, 15)]
    for each in axes:
        assert [label.get_text() for label in each.get_yticklabels()] == ["red", "green", "blue"]
    for number in range(14):
        sheet = axes[number // 12].images[0].get_array()
        for channel in range(3):
            top, left = 4 * channel, 4 * (number % 12)
            shown = sheet[top : top + 3, left : left + 3]
            np.testing.assert_array_equal(shown, arrays["model_filters"][:, :, channel, number])
    assert np.ma.getmaskarray(axes[1].images[0].get_array())[:, 4 * 2 :].all()


def test_pictures_of_an_earlier_version_have_no_layers(project, arrays):
    old = {name: each for name, each in arrays.items() if "layer" not in name}
    write_arrays(project.pictures_path, old)
    assert Figures(project).filter_through_layers() is None
    assert Figures(project).filters_by_channel() is not None
