"""The built-in digits: the same bytes everywhere, and as varied as house numbers."""

import hashlib

import numpy as np
import pytest

from svhn_tune.data.digits.draw import BLOCK, CLASS_COUNTS, draw_digits
from svhn_tune.data.digits.glyphs import FONTS, TILE, load_faces

PINNED = {
    "train": "c71215e1c7651c7f565fd8a489368d100a62dd18a253c3465eaad653cf43ed45",
    "test": "2ce9d27243655f1babb9f4dfc7df72e1df8e596e5227cdfd8fcf8a66838e00cc",
}


@pytest.fixture(scope="module")
def train():
    return draw_digits("train", 1000, workers=1)


def sha256(images, labels):
    return hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()


def drawn_faces(split):
    return load_faces(split).fields[:-1].reshape(-1, 10, TILE, TILE)


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_bytes_are_the_same_on_every_machine(split):
    assert sha256(*draw_digits(split, 200, workers=1)) == PINNED[split]


def test_two_threads_draw_the_same(train):
    images, labels = draw_digits("train", 2 * BLOCK, workers=2)
    np.testing.assert_array_equal(images, train[0][: 2 * BLOCK])
    np.testing.assert_array_equal(labels, train[1][: 2 * BLOCK])


def test_a_smaller_count_is_the_beginning_of_a_larger_one(train):
    images, labels = draw_digits("train", BLOCK + 7, workers=1)
    assert images.shape == (BLOCK + 7, 32, 32, 3)
    assert images.dtype == labels.dtype == np.uint8
    np.testing.assert_array_equal(images, train[0][: BLOCK + 7])
    np.testing.assert_array_equal(labels, train[1][: BLOCK + 7])


def test_seeds_and_splits_differ(train):
    for split, seed in (("train", 1), ("test", 0)):
        images, _ = draw_digits(split, 10, seed, workers=1)
        assert not np.array_equal(images, train[0][:10])


def test_zero_digits_may_be_asked_for():
    images, labels = draw_digits("test", 0)
    assert images.shape == (0, 32, 32, 3)
    assert labels.shape == (0,)


def test_the_splits_share_no_font_file_and_no_face():
    files = [{file for file, _ in FONTS[split]} for split in ("train", "test")]
    assert not files[0] & files[1]
    faces = [{face.tobytes() for face in drawn_faces(split)} for split in ("train", "test")]
    assert not faces[0] & faces[1]


def test_every_shape_has_ink_and_ground():
    inked = (drawn_faces("test") > 0).mean(axis=(2, 3))
    assert inked.min() > 0.01
    assert inked.max() < 0.6


def test_classes_are_as_frequent_as_among_real_house_numbers(train):
    shares = np.bincount(train[1], minlength=10) / len(train[1])
    np.testing.assert_allclose(shares, np.array(CLASS_COUNTS) / sum(CLASS_COUNTS), atol=0.04)


def test_digits_are_dark_on_light_and_light_on_dark(train):
    grey = train[0].mean(axis=3)
    middle = grey[:, 8:24, 12:20].mean(axis=(1, 2))
    sides = grey[:, :, [0, 1, 2, -3, -2, -1]].mean(axis=(1, 2))
    assert 0.3 < (middle > sides).mean() < 0.7


def test_contrast_runs_from_faint_to_strong(train):
    contrast = train[0].mean(axis=3).std(axis=(1, 2))
    faint, strong = np.percentile(contrast, [5, 95])
    assert faint < 20
    assert strong > 45


def test_neighbours_reach_into_most_images(train):
    grey = train[0].mean(axis=3)
    sides = np.concatenate([grey[:, 6:26, :5], grey[:, 6:26, -5:]], axis=2)
    assert (sides.std(axis=(1, 2)) > 0.5 * grey.std(axis=(1, 2))).mean() > 0.5


def test_some_images_are_blurred_and_some_sharp(train):
    grey = train[0].mean(axis=3)
    steps = np.abs(np.diff(grey, axis=2)).mean(axis=(1, 2)) / grey.std(axis=(1, 2))
    blurred, sharp = np.percentile(steps, [5, 95])
    assert sharp > 2 * blurred


@pytest.mark.parametrize("split", ["", "Train", "validation"])
def test_an_unknown_split_is_refused(split):
    with pytest.raises(ValueError, match=f"split must be 'train' or 'test', got '{split}'"):
        draw_digits(split, 1)


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="count must be 0 or more, got -1"):
        draw_digits("train", -1)
