"""cifar10: every form of it gives the same arrays, and a hostile one a line."""

import hashlib
import io
import os
import pickle
import struct
import tarfile
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest

from svhn_tune.data import builtin, cifar10, load_data
from svhn_tune.data.cifar10 import ARCHIVE, ARRAYS, FOLDER, TEST, TRAIN
from svhn_tune.data.objects.draw import BLOCK, CLASSES, KINDS, draw_objects
from svhn_tune.errors import InputError

COUNT = 60  # of a batch


class Python2:
    """Writes what Python 2's pickle wrote: `str` by opcodes that Python 3 has for reading only."""

    def dumps(self, value):
        return b"\x80\x02" + self.encode(value) + b"."

    def encode(self, value):
        if isinstance(value, bytes):
            return b"T" + struct.pack("<i", len(value)) + value
        if isinstance(value, int):
            return b"J" + struct.pack("<i", value)
        if isinstance(value, list):
            return b"](" + b"".join(map(self.encode, value)) + b"e"
        if isinstance(value, tuple):
            return b"(" + b"".join(map(self.encode, value)) + b"t"
        if isinstance(value, dict):
            items = [self.encode(each) for pair in value.items() for each in pair]
            return b"}(" + b"".join(items) + b"u"
        if value is None:
            return b"N"
        made = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
        kind = b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tR"
        kind += b"(K\x03U\x01|NNN" + 2 * b"J\xff\xff\xff\xff" + b"K\x00tb"
        shape = self.encode(value.shape)
        return made + b"(K\x01" + shape + kind + b"\x89" + self.encode(value.tobytes()) + b"tb"


def make_batch(name):
    """A batch as Krizhevsky's files have it, of images that the project draws itself."""
    seed = (*TRAIN, TEST).index(name)
    images, labels = draw_objects("test", COUNT, seed)
    rows = images.transpose(0, 3, 1, 2).reshape(COUNT, 3072)
    return {
        b"batch_label": name.encode(),
        b"labels": labels.tolist(),
        b"data": rows,
        b"filenames": [b"%d.png" % number for number in range(COUNT)],
    }


def write_batches(folder, dumps=None):
    """cifar-10-batches-py/ in a folder, which is returned."""
    (folder / FOLDER).mkdir(parents=True)
    for name in (*TRAIN, TEST):
        content = (dumps or Python2().dumps)(make_batch(name))
        (folder / FOLDER / name).write_bytes(content)
    (folder / FOLDER / "batches.meta").write_bytes(pickle.dumps({b"label_names": []}, 2))
    return folder


def write_archive(folder, source):
    folder.mkdir()
    with tarfile.open(folder / ARCHIVE, "w:gz") as archive:
        archive.add(source / FOLDER, FOLDER)
    return folder


def write_npz(folder, data):
    folder.mkdir()
    arrays = {"x_train": data.train.images, "y_train": data.train.labels[:, None].astype(np.uint8)}
    arrays |= {"x_test": data.test.images, "y_test": data.test.labels[:, None].astype(np.uint8)}
    np.savez_compressed(folder / ARRAYS, **arrays)
    return folder


@pytest.fixture(scope="module")
def batches(tmp_path_factory):
    return write_batches(tmp_path_factory.mktemp("cifar"))


@pytest.fixture(autouse=True)
def without_keras_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))


def read_as_keras(path):
    """Images, channels first, and labels, by the lines of keras.src.datasets.cifar (3.15)."""
    with path.open("rb") as file:
        found = {key.decode(): value for key, value in pickle.load(file, encoding="bytes").items()}
    return found["data"].reshape(len(found["data"]), 3, 32, 32), found["labels"]


def test_the_batches_are_read_as_keras_reads_them(batches):
    data = load_data(batches, "cifar10")
    assert (data.name, data.synthetic, data.classes) == ("CIFAR-10", False, cifar10.CLASSES)
    for number, name in enumerate(TRAIN):
        images, labels = read_as_keras(batches / FOLDER / name)
        here = slice(number * COUNT, (number + 1) * COUNT)
        np.testing.assert_array_equal(data.train.images[here], images.transpose(0, 2, 3, 1))
        np.testing.assert_array_equal(data.train.labels[here], labels)
    images, labels = read_as_keras(batches / FOLDER / TEST)
    np.testing.assert_array_equal(data.test.images, images.transpose(0, 2, 3, 1))
    np.testing.assert_array_equal(data.test.labels, labels)


def test_every_form_gives_the_same_data(batches, tmp_path):
    data = load_data(batches, "cifar10")
    forms = [batches / FOLDER, write_archive(tmp_path / "tar", batches)]
    forms.append(write_npz(tmp_path / "npz", data))
    for protocol in (2, 4, 5):
        # As Python 3 writes them, whose NumPy names its modules otherwise.
        folder = tmp_path / f"protocol-{protocol}"
        forms.append(write_batches(folder, lambda batch, p=protocol: dump_plainly(batch, p)))
    for folder in forms:
        found = load_data(folder, "cifar10")
        assert found.fingerprint == data.fingerprint, folder
        assert load_data(found.source, "cifar10").fingerprint == data.fingerprint
        assert found.train.images.flags.c_contiguous


def dump_plainly(batch, protocol):
    buffer = io.BytesIO()
    # By protocol 5 NumPy pickles a buffer, unless the array is not contiguous.
    strided = np.repeat(batch[b"data"], 2, axis=1)[:, ::2]
    pickle.Pickler(buffer, min(protocol, 4)).dump(batch | {b"data": strided})
    return buffer.getvalue()


def test_keras_cache_is_found_where_there_is_no_data_folder(batches, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "keras" / "datasets" / "cifar-10-batches-py-target"
    place.mkdir(parents=True)
    (place / FOLDER).symlink_to(batches / FOLDER)
    found = load_data(None, "cifar10")
    assert found.fingerprint == load_data(batches, "cifar10").fingerprint
    assert load_data(found.source, "cifar10").fingerprint == found.fingerprint
    (tmp_path / "data").symlink_to(write_npz(tmp_path / "npz", found))
    assert load_data(None, "cifar10").source == str(tmp_path / "npz")


def test_what_is_wanted_and_where_to_get_it_is_said(tmp_path):
    with pytest.raises(InputError, match=r"no CIFAR-10 files in .*cs\.toronto\.edu.*x_train"):
        load_data(tmp_path, "cifar10")


def test_a_source_that_is_none_is_named(tmp_path):
    with pytest.raises(
        InputError, match=r"no source 'cifar' \(there are svhn, cifar10, fashion_mnist, clocks, "
    ):
        load_data(tmp_path, "cifar")


def test_a_missing_batch_is_named(tmp_path):
    folder = write_batches(tmp_path / "cifar")
    (folder / FOLDER / "data_batch_3").unlink()
    with pytest.raises(InputError, match="lacks data_batch_3"):
        load_data(folder, "cifar10")
    with pytest.raises(InputError, match="lacks cifar-10-batches-py/data_batch_3"):
        load_data(write_archive(tmp_path / "tar", folder), "cifar10")


class Bad:
    """Pickles as a call of a function."""

    def __init__(self, function, *arguments):
        self.made = (function, arguments)

    def __reduce__(self):
        return self.made


def change(batches, tmp_path, content, name="data_batch_2"):
    """A folder with the batches, one of them with this content."""
    folder = tmp_path / "changed"
    (folder / FOLDER).mkdir(parents=True)
    for path in (batches / FOLDER).iterdir():
        (folder / FOLDER / path.name).write_bytes(path.read_bytes())
    (folder / FOLDER / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (Bad(os.system, "touch harmed"), "it would use posix.system"),
        (Bad(eval, "1"), r"it would use (builtins|__builtin__)\.eval"),
        ({b"data": Bad(np.load, "x")}, "it would use numpy"),
        ({b"data": np.arange(3)}, "an array of the type 'i8', not of bytes"),
        ({b"data": np.array([{}])}, "an array of the type 'O8', not of bytes"),
        ({b"data": 3.5}, "it has a step BINFLOAT"),
        ({b"data": np.zeros((2, 3072), np.uint8)}, "no list 'labels' of 2 labels"),
        ({b"data": np.zeros((2, 100), np.uint8), b"labels": [1, 2]}, r"of shape \(N, 3072\)"),
        ({b"data": b"abc", b"labels": []}, "has no array 'data'"),
        ([1, 2], "has no array 'data'"),
        ({b"data": np.zeros((2, 3072), np.uint8), b"labels": [1, 10]}, "from 0 to 9"),
        ({b"data": np.zeros((2, 3072), np.uint8), b"labels": [1, True]}, "from 0 to 9"),
    ],
)
def test_a_pickle_that_is_no_batch_is_refused_by_what_it_has(
    batches, tmp_path, monkeypatch, value, message
):
    monkeypatch.chdir(tmp_path)
    for protocol in (2, 4):
        content = pickle.dumps(value, protocol)
        folder = change(batches, tmp_path / str(protocol), content)
        with pytest.raises(InputError, match=message) as caught:
            load_data(folder, "cifar10")
        assert "data_batch_2" in str(caught.value)
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle at all",
        b"\x80\x02]" + b"r" + struct.pack("<I", 2**31) + b".",  # a memo of 2 billion
        b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"x.",  # bytes that do not follow
        b"\x80\x02T" + struct.pack("<i", 2**31 - 1) + b"x.",
        b"(" * 1_100_000 + b".",
        b"\x80\x02cnumpy\nndarray\n}b.",  # the state of a class
        b"\x80\x02c_codecs\nencode\n(X\x01\x00\x00\x00aX\x03\x00\x00\x00zipt.",
        b"\x80\x02c_codecs\nencode\n(X\x01\x00\x00\x00aX\x03\x00\x00\x00ziptR.",
    ],
)
def test_hostile_bytes_are_an_input_error_and_take_no_memory(batches, tmp_path, content):
    folder = change(batches, tmp_path, content)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match="data_batch_2"):
            load_data(folder, "cifar10")
        assert tracemalloc.get_traced_memory()[1] < 100 * 2**20
    finally:
        tracemalloc.stop()


def test_damage_anywhere_in_a_batch_is_an_input_error_or_read(batches, tmp_path):
    whole = (batches / FOLDER / TEST).read_bytes()
    folder = change(batches, tmp_path, whole, TEST)
    places = [*range(0, 400, 5), *range(len(whole) - 2_000, len(whole), 41)]
    for place in places:
        damaged = bytearray(whole)
        damaged[place] ^= 0xFF
        (folder / FOLDER / TEST).write_bytes(damaged)
        with suppress(InputError):
            load_data(folder, "cifar10")
    for length in range(0, len(whole), len(whole) // 20):
        (folder / FOLDER / TEST).write_bytes(whole[:length])
        with pytest.raises(InputError, match="is damaged or cut short"):
            load_data(folder, "cifar10")


def test_a_batch_that_is_too_large_is_not_read(batches, tmp_path, monkeypatch):
    monkeypatch.setattr(cifar10, "LARGEST_BATCH", 10_000)
    with pytest.raises(InputError, match="it has over 10,000 bytes"):
        load_data(batches, "cifar10")
    archive = write_archive(tmp_path / "tar", batches)
    with pytest.raises(InputError, match=r"it has (over|more)"):
        load_data(archive, "cifar10")


def test_an_archive_is_unpacked_no_further_than_batches_can_be(batches, tmp_path, monkeypatch):
    monkeypatch.setattr(cifar10, "LARGEST_ARCHIVE", 2**22)
    folder = tmp_path / "bomb"
    folder.mkdir()
    with tarfile.open(folder / ARCHIVE, "w:gz") as archive:
        member = tarfile.TarInfo("zeros")
        member.size = 2**26
        archive.addfile(member, io.BytesIO(bytes(2**26)))
        archive.add(batches / FOLDER, FOLDER)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"bomb.*more in it than the batches"):
            load_data(folder, "cifar10")
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()


def test_damage_in_an_archive_is_an_input_error(batches, tmp_path):
    folder = write_archive(tmp_path / "tar", batches)
    whole = (folder / ARCHIVE).read_bytes()
    for content in (b"", b"x" * 100, whole[: len(whole) // 2], whole[:-9]):
        (folder / ARCHIVE).write_bytes(content)
        with pytest.raises(InputError, match=r"cannot read .*|lacks .*"):
            load_data(folder, "cifar10")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x_train": np.zeros((4, 32, 32, 3))}, "x_train is float64"),
        ({"x_test": np.zeros((4, 28, 28), np.uint8)}, r"shape \(4, 28, 28\)"),
        ({"x_test": np.array([{}])}, "pickled objects, which are never loaded"),
        ({"y_train": np.full((600, 1), 3.5)}, "y_train is float64"),
        ({"y_test": np.zeros((3, 1), int)}, r"y_test is int64 of shape \(3, 1\)"),
        ({"y_test": np.arange(COUNT)}, "y_test must be whole numbers from 0 to 9"),
        ({"y_test": np.zeros((COUNT, 1), int)}, "no image of automobile to test"),
    ],
)
def test_other_arrays_are_refused(batches, tmp_path, changed, message):
    folder = write_npz(tmp_path / "npz", load_data(batches, "cifar10"))
    with np.load(folder / ARRAYS) as archive:
        arrays = dict(archive)
    np.savez(folder / ARRAYS, **(arrays | changed))
    with pytest.raises(InputError, match=message):
        load_data(folder, "cifar10")


def test_objects_stand_in_and_are_drawn_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(builtin, "TRAIN_IMAGES", 250)
    monkeypatch.setattr(builtin, "TEST_IMAGES", 250)
    data = load_data(None, "cifar10")
    assert (data.name, data.source) == ("coloured objects, not CIFAR-10", "builtin")
    assert data.synthetic
    monkeypatch.setattr(builtin.objects, "draw_objects", None)
    assert load_data("builtin", "cifar10").fingerprint == data.fingerprint


PINNED = {
    "train": "505752c246ddaae15f7813761df9d2534647300ab711d4e9bb9638520afe6e56",
    "test": "b62fe7fee5f63c5df18a5c9c6a5cc4175f4b57780a24b1fedcbd081fec780c6c",
}


@pytest.mark.parametrize("split", PINNED)
def test_objects_are_the_same_bytes_on_every_machine(split):
    images, labels = draw_objects(split, BLOCK)
    assert hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest() == PINNED[split]


def test_objects_are_the_same_bytes_however_many_and_whoever_draws():
    images, labels = draw_objects("train", 2 * BLOCK, workers=1)
    few, of_few = draw_objects("train", 30, workers=3)
    np.testing.assert_array_equal(few, images[:30])
    np.testing.assert_array_equal(of_few, labels[:30])
    other, _ = draw_objects("test", BLOCK)
    assert not {image.tobytes() for image in other} & {image.tobytes() for image in images}


def test_objects_have_as_many_of_each_class_and_every_pair_shares_something():
    _, labels = draw_objects("train", BLOCK)
    assert np.bincount(labels).tolist() == [BLOCK // 10] * 10
    assert len(set(CLASSES)) == 10
    # No two of the three tell all classes apart.
    for left_out in range(3):
        kept = {kind[:left_out] + kind[left_out + 1 :] for kind in KINDS}
        assert len(kept) < 10
