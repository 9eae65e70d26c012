"""wanted: what a search is asked, and whether it is the search that was begun."""

import pytest

from svhn_tune import load_data
from svhn_tune.errors import InputError
from svhn_tune.models.spaces import load_space, parse_space
from svhn_tune.project.wanted import complete_settings, resume


@pytest.fixture
def begun(make_project, tmp_path, archives):
    data = load_data(archives)
    project = make_project(tmp_path / "small", [{}])
    project.update_settings(
        data=project.settings.data.model_dump() | {"fingerprint": data.fingerprint}
    )
    return project, data


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title =", "# a word more\ntitle ="),
        ("title = ", 'title = "another title" # '),
        ("hidden_dense = [1]", "hidden_dense = [1, 2]"),
    ],
)
def test_what_a_search_does_not_depend_on_may_change(begun, old, new):
    project, data = begun
    text = project.space.text
    assert old in text
    changed = parse_space(text.replace(old, new, 1), "cnn", "cnn.toml")
    resume(project, changed, data, {}, None)


def test_what_it_depends_on_may_not(begun):
    project, data = begun
    text = project.space.text.replace("max_value = 4096", "max_value = 2048")
    with pytest.raises(InputError, match="was searched with another space file"):
        resume(project, parse_space(text, "cnn", "cnn.toml"), data, {}, None)


def test_a_search_keeps_its_engine(begun):
    project, data = begun
    for engine in ("tensorflow", "auto", None):
        resume(project, project.space, data, {"engine": engine}, None)
    with pytest.raises(InputError, match="was begun with engine=tensorflow, not jax"):
        resume(project, project.space, data, {"engine": "jax"}, None)


def test_an_unknown_setting_is_refused_by_name(archives):
    with pytest.raises(InputError, match=r"no setting 'max_epoch' .* Did you mean 'max_epochs'"):
        complete_settings(load_space("cnn"), load_data(archives), {"max_epoch": 3})


def test_images_of_another_shape_are_refused(archives):
    data = load_data(archives)
    text = load_space("cnn").text
    space = parse_space(text, "cnn", "cnn.toml")
    object.__setattr__(data, "classes", tuple(range(9)))
    with pytest.raises(InputError, match=r"images of 32x32x3 in 9 classes; the space 'cnn' is for"):
        complete_settings(space, data, {})
