"""data: every source gives the same kind of arrays, and every split is the same every time."""

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from svhn_tune.data import Data, Split, builtin, load_data
from svhn_tune.data.cache import open_arrays, share_arrays, store_arrays
from svhn_tune.data.dataset import count_confirmed, split_holdout
from svhn_tune.data.sheet import write_contact_sheet
from svhn_tune.errors import InputError

TRAIN, TEST = "p4_2026_svhn_train.npz", "p4_2026_svhn_test.npz"
SOURCES = ["course", "course with integers", "stanford", "builtin"]


def write_stanford(folder, archives):
    """Stanford's files with the images of the course's archives, the digit 0 as 10."""
    folder.mkdir()
    for split in ("train", "test"):
        with np.load(archives / f"p4_2026_svhn_{split}.npz") as archive:
            labels = archive["labels"].astype(np.uint8)
            labels[labels == 0] = 10
            savemat(folder / f"{split}_32x32.mat", {"X": archive["images"], "y": labels})
    return folder


@pytest.fixture(scope="module")
def sources(tmp_path_factory, archives, write_archives):
    """What `load_data` finds each source by: a folder, or the word for the built-in digits."""
    folder = tmp_path_factory.mktemp("sources")
    # Few of the built-in digits, in a cache where they are taken for nobody else's 60,000.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        patch.setattr(builtin, "TRAIN_IMAGES", 250)
        patch.setattr(builtin, "TEST_IMAGES", 200)
        yield {
            "course": archives,
            "course with integers": write_archives(folder / "integers", labels=int),
            "stanford": write_stanford(folder / "stanford", archives),
            "builtin": "builtin",
        }


@pytest.fixture(params=SOURCES)
def where(request, sources):
    return sources[request.param]


def small(labels):
    """A data set of empty images with these training labels."""
    images = np.zeros((len(labels), 32, 32, 3), np.uint8)
    split = Split(images, np.asarray(labels, np.int32))
    return Data("small", split, split, tuple(range(10)), synthetic=False, source="here")


def test_source_gives_images_and_labels_of_one_kind(where):
    data = load_data(where)
    for split in (data.train, data.test):
        assert split.images.shape == (len(split.labels), 32, 32, 3)
        assert split.images.dtype == np.uint8
        assert split.images.flags.c_contiguous
        assert split.labels.ndim == 1
        assert split.labels.dtype == np.int32
        assert split.images.max() > 128
    assert data.image_shape == (32, 32, 3)


def test_source_numbers_its_classes_from_0_and_has_each(where):
    data = load_data(where)
    assert len(data.classes) == 10
    for split in (data.train, data.test):
        assert set(split.labels.tolist()) == set(range(10))
        assert sum(split.counts(10)) == len(split.labels)


def test_source_keeps_train_and_test_apart(where):
    data = load_data(where)
    assert not np.shares_memory(data.train.images, data.test.images)
    assert not np.shares_memory(data.train.labels, data.test.labels)
    train = {image.tobytes() for image in data.train.images}
    assert not any(image.tobytes() in train for image in data.test.images)


def test_source_has_the_same_fingerprint_every_time(where):
    assert load_data(where).fingerprint == load_data(where).fingerprint


def test_source_is_found_again_by_its_own_word_for_it(where):
    data = load_data(where)
    again = load_data(data.source)
    assert (again.fingerprint, again.name) == (data.fingerprint, data.name)


def test_source_is_synthetic_only_if_built_in(where):
    data = load_data(where)
    assert data.synthetic == (where == "builtin")
    assert ("not SVHN" in data.name) == data.synthetic


def test_source_is_shared_between_processes_as_it_is(where):
    data = load_data(where)
    train, test = open_arrays(share_arrays(data))
    for shared, split in ((train, data.train), (test, data.test)):
        assert isinstance(shared.images, np.memmap)
        np.testing.assert_array_equal(shared.images, split.images)
        np.testing.assert_array_equal(shared.labels, split.labels)


def test_the_course_archives_are_read_as_the_assignment_reads_them(archives):
    data = load_data(archives)
    for name, split in ((TRAIN, data.train), (TEST, data.test)):
        images = np.load(archives / name)["images"].transpose(3, 0, 1, 2)
        strings = np.load(archives / name)["labels"].squeeze()
        names = sorted(set(strings))
        np.testing.assert_array_equal(split.images, images)
        np.testing.assert_array_equal(split.labels, [names.index(label) for label in strings])
    assert data.classes == tuple("0123456789")


def test_integers_sort_as_numbers_and_strings_as_text(tmp_path):
    images = np.zeros((32, 32, 3, 3), np.uint8)
    for labels, order in (([10, 9, 1], (1, 9, 10)), (["10", "9", "1"], ("1", "10", "9"))):
        for name in (TRAIN, TEST):
            np.savez(tmp_path / name, images=images, labels=np.array(labels)[:, None])
        data = load_data(tmp_path)
        assert data.classes == order
        assert [data.classes[label] for label in data.train.labels] == labels


def test_the_type_of_the_labels_does_not_change_the_data(sources):
    strings, integers = load_data(sources["course"]), load_data(sources["course with integers"])
    assert strings.fingerprint == integers.fingerprint
    assert integers.classes == tuple(range(10))


def test_labels_may_be_bytes_and_lie_flat(tmp_path, archives):
    for name in (TRAIN, TEST):
        with np.load(archives / name) as archive:
            labels = archive["labels"].astype("S")[:, 0]
            np.savez(tmp_path / name, images=archive["images"], labels=labels)
    data = load_data(tmp_path)
    assert data.fingerprint == load_data(archives).fingerprint
    assert data.classes == tuple("0123456789")


def test_stanfords_label_10_is_the_digit_0(sources):
    stanford, course = load_data(sources["stanford"]), load_data(sources["course"])
    assert stanford.fingerprint == course.fingerprint
    assert stanford.classes == tuple(range(10))


def test_the_default_is_the_folder_data_and_else_the_built_in_digits(
    tmp_path, monkeypatch, sources, write_archives
):
    monkeypatch.chdir(tmp_path)
    assert load_data().source == "builtin"
    write_archives(tmp_path / "data", train=100, test=50)
    assert load_data().source == str(tmp_path / "data")


def test_damage_anywhere_in_an_archive_is_an_input_error_or_harmless(tmp_path, write_archives):
    write_archives(tmp_path, train=20, test=20)
    whole = (tmp_path / TRAIN).read_bytes()
    expected = load_data(tmp_path).train.images
    for position in range(0, len(whole), 97):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        (tmp_path / TRAIN).write_bytes(damaged)
        try:
            found = load_data(tmp_path).train.images
        except InputError:
            continue
        np.testing.assert_array_equal(found, expected)


def test_an_archive_cut_short_anywhere_is_an_input_error(tmp_path, write_archives):
    write_archives(tmp_path, train=20, test=20)
    whole = (tmp_path / TRAIN).read_bytes()
    for length in range(0, len(whole), 997):
        (tmp_path / TRAIN).write_bytes(whole[:length])
        with pytest.raises(InputError, match=f"{TRAIN}: it is no .npz archive, or cut short"):
            load_data(tmp_path)


def test_a_damaged_mat_file_is_an_input_error(tmp_path, archives):
    folder = write_stanford(tmp_path / "stanford", archives)
    path = folder / "train_32x32.mat"
    for content in (b"", path.read_bytes()[:5000], b"no mat file " * 100):
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"cannot read .*train_32x32\.mat: it is damaged"):
            load_data(folder)


def test_mat_labels_that_are_not_1_to_10_are_refused(tmp_path, archives):
    folder = write_stanford(tmp_path / "stanford", archives)
    images = np.zeros((32, 32, 3, 10), np.uint8)
    savemat(folder / "test_32x32.mat", {"X": images, "y": np.arange(10)[:, None]})
    with pytest.raises(InputError, match=r"labels are \[0, .*they must be 1 to 10"):
        load_data(folder)


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_fingerprint_changes_with_one_pixel_and_with_one_label(archives, split):
    data = load_data(archives)
    one = getattr(data, split)
    images, labels = one.images.copy(), one.labels.copy()
    images[7, 31, 0, 2] ^= 1
    labels[3] = (labels[3] + 1) % 10
    found = {data.fingerprint}
    for changed in (Split(images, one.labels), Split(one.images, labels)):
        found.add(Data(**(vars_of(data) | {split: changed})).fingerprint)
    assert len(found) == 3


def vars_of(data):
    return {name: getattr(data, name) for name in Data.__dataclass_fields__}


def test_the_fingerprint_knows_train_from_test(archives):
    data = load_data(archives)
    swapped = Data(**(vars_of(data) | {"train": data.test, "test": data.train}))
    assert swapped.fingerprint != data.fingerprint


@pytest.mark.parametrize(("images", "held"), [(600, 60), (50_000, 5_000), (73_257, 5_000)])
def test_the_holdout_has_a_fixed_size_and_the_rest_is_trained_on(images, held):
    labels = np.random.default_rng(0).integers(0, 10, images)
    train, holdout = split_holdout(labels)
    assert len(holdout) == held
    np.testing.assert_array_equal(np.sort(np.concatenate([train, holdout])), np.arange(images))


def test_the_holdout_is_stratified(archives):
    labels = load_data(archives).train.labels
    _, holdout = split_holdout(labels)
    expected = np.bincount(labels) * len(holdout) / len(labels)
    assert np.abs(np.bincount(labels[holdout], minlength=10) - expected).max() < 1


def test_the_holdout_is_the_same_every_time_and_for_every_subset(archives):
    labels = load_data(archives).train.labels
    train, holdout = split_holdout(labels)
    for images in (None, 50, 300, 540):
        some, same = split_holdout(labels, images)
        np.testing.assert_array_equal(same, holdout)
        assert not set(some) & set(holdout)
        assert set(some) <= set(train)
        np.testing.assert_array_equal(some, split_holdout(labels, images)[0])


@pytest.mark.parametrize("images", [50, 300, 529, 530, 531, 535, 539, 540])
def test_a_subset_has_the_size_asked_for_and_is_stratified(archives, images):
    labels = load_data(archives).train.labels
    train, _ = split_holdout(labels, images)
    assert len(train) == images
    assert (np.diff(train) > 0).all()
    expected = np.bincount(labels) * images / len(labels)
    assert np.abs(np.bincount(labels[train], minlength=10) - expected).max() <= 2


@pytest.mark.parametrize("labels", [[*range(10)] * 9, [*([0, 1] * 60), 2]])
def test_a_holdout_needs_images_of_every_class(labels):
    with pytest.raises(InputError, match=f"{len(labels)} training images of .* are too few"):
        split_holdout(np.array(labels))


def test_arrays_are_written_once_for_equal_data(archives):
    folder = share_arrays(load_data(archives))
    written = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert share_arrays(load_data(archives)) == folder
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == written


def test_built_in_digits_are_drawn_once_and_again_if_damaged(sources, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = load_data("builtin")
    folder = share_arrays(first)
    drawn = (folder / "train_images.npy").stat().st_mtime_ns
    load_data("builtin")
    assert (folder / "train_images.npy").stat().st_mtime_ns == drawn
    fingerprint = first.fingerprint
    (folder / "test_images.npy").write_bytes(b"")
    assert load_data("builtin").fingerprint == fingerprint


def test_stored_arrays_leave_nothing_else_behind(tmp_path):
    split = small([0, 1]).train
    store_arrays(tmp_path / "arrays", split, split)
    store_arrays(tmp_path / "arrays", split, split)
    assert [path.name for path in tmp_path.iterdir()] == ["arrays"]


def test_a_cache_that_cannot_be_written_is_an_input_error(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"cannot write the cache .*: Not a directory; set XDG"):
        share_arrays(small([0, 1]))


def test_the_contact_sheet_shows_every_class_in_a_row(archives, tmp_path):
    data = load_data(archives)
    write_contact_sheet(data, tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape == (10 * 66, 20 * 66, 3)
    for row in range(10):
        first = data.train.images[np.flatnonzero(data.train.labels == row)[0]]
        np.testing.assert_array_equal(sheet[row * 66 : row * 66 + 64 : 2, 0:64:2], first)


def test_a_contact_sheet_that_cannot_be_written_is_an_input_error(archives, tmp_path):
    with pytest.raises(InputError, match=r"cannot write the contact sheet .*: No such file"):
        write_contact_sheet(load_data(archives), tmp_path / "none" / "sheet.png")


def test_a_share_is_held_out_stratified_and_the_same_every_time():
    labels = np.random.default_rng(0).permutation(np.arange(1_000) % 10)
    train, holdout = split_holdout(labels, share=0.3)
    assert len(holdout) == 300
    assert np.bincount(labels[holdout]).tolist() == [30] * 10
    np.testing.assert_array_equal(np.sort(np.concatenate([train, holdout])), np.arange(1_000))
    some, same = split_holdout(labels, 100, 0.3)
    np.testing.assert_array_equal(same, holdout)
    assert set(some) < set(train)
    assert count_confirmed(1_000, 0.3) == len(train)
    with pytest.raises(InputError, match="too few to hold out 5%: 200 are needed"):
        split_holdout(labels[:100], share=0.05)
