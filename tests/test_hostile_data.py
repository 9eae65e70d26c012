"""Data of strangers, and places that keep no data: a line each, and nothing read in vain."""

import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.io import savemat

from svhn_tune.data import builtin, load_data, stanford
from svhn_tune.errors import InputError

TRAIN, TEST = "p4_2026_svhn_train.npz", "p4_2026_svhn_test.npz"
COUNT = 20
IMAGES = np.random.default_rng(0).integers(0, 256, (32, 32, 3, COUNT), dtype=np.uint8)
DIGITS = np.arange(COUNT)[:, None] % 10
STRINGS = DIGITS.astype(str)


def write_archives(folder, **arrays):
    """The course's two archives with these arrays in place of sound ones."""
    for name in (TRAIN, TEST):
        np.savez_compressed(folder / name, **({"images": IMAGES, "labels": STRINGS} | arrays))
    return folder


def with_letter(code):
    """Labels of which one has a letter of this number."""
    labels = STRINGS.copy()
    labels.view(np.uint32)[3] = code
    return labels


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": IMAGES / 255}, "images are float64; they must be uint8"),
        ({"images": IMAGES[..., :2].astype(object)}, "pickled objects, which are never loaded"),
        ({"images": IMAGES.transpose(3, 0, 1, 2)}, r"it must be \(32, 32, 3, N\)"),
        ({"images": np.uint8(3)}, r"images have shape \(\)"),
        ({"images": IMAGES[..., :0], "labels": STRINGS[:0]}, "has no images"),
        ({"labels": np.array("x")}, r"labels have shape \(\)"),
        ({"labels": np.eye(10, dtype=int)[DIGITS[:, 0]]}, r"labels have shape \(20, 10\)"),
        ({"labels": np.zeros((COUNT, 1), [("a", "u1")])}, "must be strings or integers"),
        ({"labels": DIGITS.astype(float)}, "labels are float64; they must be strings or"),
        ({"labels": np.arange(COUNT) % 11}, "classes found: 11 .* SVHN has 10"),
        ({"labels": np.zeros(COUNT, int)}, "classes found: 1 .* SVHN has 10"),
        ({"labels": with_letter(0x110000)}, "labels are no text that can be shown"),
        ({"labels": with_letter(0xD800)}, "labels are no text that can be shown"),
        ({"labels": with_letter(0x1B)}, "labels are no text that can be shown"),
        ({"labels": np.char.add("a" * 1_000, STRINGS)}, "64 letters are enough"),
    ],
)
def test_arrays_that_are_no_digits_are_an_input_error(tmp_path, arrays, message):
    with pytest.raises(InputError, match=message) as caught:
        load_data(write_archives(tmp_path, **arrays))
    assert str(caught.value).isprintable()


def test_images_may_lie_in_fortrans_order(tmp_path):
    plain = load_data(write_archives(tmp_path)).train.images
    fortran = load_data(write_archives(tmp_path, images=np.asfortranarray(IMAGES))).train.images
    np.testing.assert_array_equal(plain, fortran)


def write_header(folder, name, description, version=1, length=None, megabytes=0):
    """Archives of which the first has an array that says this of itself, and so many zeros."""
    write_archives(folder)
    length = len(description) if length is None else length
    size = struct.pack("<H" if version == 1 else "<I", length)
    arrays = {"images": IMAGES, "labels": STRINGS}
    with zipfile.ZipFile(folder / TRAIN, "w", zipfile.ZIP_DEFLATED) as archive:
        for key, array in arrays.items():
            with archive.open(f"{key}.npy", "w") as member:
                if key != name:
                    np.lib.format.write_array(member, array)
                    continue
                member.write(b"\x93NUMPY" + bytes([version, 0]) + size + description.encode())
                for _ in range(megabytes):
                    member.write(bytes(2**20))
    return folder


def describe(dtype, shape):
    return f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"


@pytest.mark.parametrize(
    ("name", "header", "message"),
    [
        ("images", describe("|u1", (32, 32, 3, 10**12)), "1,000,000,000,000 images; 650,000 are"),
        ("images", describe("|u1", (32, 32, 3, 3 * 10**6)), "3,000,000 images; 650,000 are the"),
        ("images", describe("|u1", (32, 32, 3, -1)), "-1 images"),
        ("images", describe("|u1", (32, 32, 3, 2.0)), "is damaged"),
        ("images", describe("|u1", (32, 32, 3, COUNT)), "is damaged"),  # nothing follows
        ("images", "__import__('os').system('false')", "is damaged"),
        ("images", "(" * 9_000, "is damaged"),
        ("images", "", "is damaged"),
        ("labels", describe("<U1000000", (COUNT, 1)), "64 letters are enough"),
        ("labels", describe("<U16", (2 * 10**8, 1)), "20 images need"),
        ("labels", describe("|V1000000", (COUNT, 1)), "must be strings or integers"),
    ],
)
def test_what_an_array_says_of_itself_is_judged_before_it_is_read(tmp_path, name, header, message):
    with pytest.raises(InputError, match=message):
        load_data(write_header(tmp_path, name, header))


def peak_of_loading(folder, message):
    """Bytes that a refused folder took at once."""
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=message):
            load_data(folder)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("header", "version", "length", "message"),
    [
        (describe("|u1", (32, 32, 3, 10**6)), 1, None, "650,000 are the most"),
        ("x", 2, 2**30, r"a \.npy file of version \(2, 0\)"),
    ],
)
def test_no_array_is_unpacked_in_vain(tmp_path, header, version, length, message):
    write_header(tmp_path, "images", header, version, length, megabytes=300)
    assert peak_of_loading(tmp_path, message) < 50 * 2**20


@settings(
    max_examples=50,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    key=st.sampled_from(["images", "labels"]),
    array=hnp.arrays(
        hnp.scalar_dtypes() | hnp.unicode_string_dtypes() | hnp.byte_string_dtypes(),
        hnp.array_shapes(max_dims=4, max_side=3) | st.just((COUNT, 1)),
    ),
)
def test_whatever_array_stands_in_an_archive_is_answered(tmp_path, key, array):
    try:
        data = load_data(write_archives(tmp_path, **{key: array}))
    except InputError as error:
        answer = str(error)
    else:
        answer = ", ".join(map(str, data.classes))
    assert answer.isprintable()


# Stanford's files.


def write_mat(folder, **variables):
    for split in ("train", "test"):
        sound = {"X": IMAGES, "y": (DIGITS + 1).astype(np.uint8)}
        savemat(folder / f"{split}_32x32.mat", sound | variables)
    return folder / "train_32x32.mat"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"X": np.array([IMAGES, 1], dtype=object)}, "images are .*cell"),
        ({"X": {"a": IMAGES}}, "images are .*struct"),
        ({"X": IMAGES / 255}, "images are float64"),
        ({"X": IMAGES.transpose(3, 0, 1, 2)}, "images have shape"),
        ({"y": "abc"}, "labels are .*char"),
        ({"y": DIGITS.astype(np.uint8)}, "they must be 1 to 10"),
        ({"y": DIGITS + 1j}, "labels are float64"),
    ],
)
def test_variables_that_are_no_digits_are_an_input_error(tmp_path, variables, message):
    write_mat(tmp_path, **variables)
    with pytest.raises(InputError, match=message):
        load_data(tmp_path)


def test_a_mat_file_of_version_7_3_is_refused_by_its_name(tmp_path):
    path = write_mat(tmp_path)
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(384))
    with pytest.raises(InputError, match=r"version 7\.3 \(HDF5\); save it with -v7"):
        load_data(tmp_path)


def test_variables_of_one_name_are_refused(tmp_path):
    path = write_mat(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content + content[128:])
    with pytest.raises(InputError, match="two variables of one name"):
        load_data(tmp_path)


@pytest.mark.parametrize("length", [0, 1, 100, 127, 130, 200, 5_000])
def test_a_mat_file_cut_short_is_an_input_error(tmp_path, length):
    path = write_mat(tmp_path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match="it is damaged or cut short; download it again"):
        load_data(tmp_path)


def pack(shape, name, megabytes):
    """A compressed variable that says this of itself, and so many zeros."""
    flags = struct.pack("<IIII", 6, 8, 9, 0)
    dimensions = struct.pack(f"<II{len(shape)}i", 5, 4 * len(shape), *shape)
    head = flags + dimensions + struct.pack("<I4s", len(name) << 16 | 1, name)
    packed = zlib.compress(struct.pack("<II", 14, 2**32 - 8) + head + bytes(megabytes * 2**20))
    return struct.pack("<II", 15, len(packed)) + packed


def test_no_variable_is_unpacked_beyond_what_it_says_of_itself(tmp_path):
    path = write_mat(tmp_path)
    path.write_bytes(path.read_bytes()[:128] + pack((32, 32, 3, COUNT), b"X", 300))
    peak = peak_of_loading(tmp_path, "unpacked, X has more than 1,048,576 bytes")
    assert peak < 50 * 2**20


def test_no_variable_is_unpacked_beyond_what_images_can_be(tmp_path, monkeypatch):
    monkeypatch.setattr(stanford, "LARGEST", 2**22)
    path = write_mat(tmp_path)
    path.write_bytes(path.read_bytes()[:128] + pack((32, 32, 3, 10**8), b"X", 300))
    peak = peak_of_loading(tmp_path, "unpacked, X has more than 4,194,304 bytes")
    assert peak < 50 * 2**20


def test_variables_that_nobody_asked_for_are_not_unpacked(tmp_path):
    savemat(tmp_path / "X.mat", {"X": IMAGES, "y": (DIGITS + 1).astype(np.uint8)})
    sound = (tmp_path / "X.mat").read_bytes()
    for split in ("train", "test"):
        other = pack((1, 10**6), b"Z", 300) if split == "train" else b""
        (tmp_path / f"{split}_32x32.mat").write_bytes(sound[:128] + other + sound[128:])
    tracemalloc.start()
    try:
        assert len(load_data(tmp_path).train.labels) == COUNT
        assert tracemalloc.get_traced_memory()[1] < 50 * 2**20
    finally:
        tracemalloc.stop()


# Places.


def test_a_place_that_is_no_folder_is_an_input_error(tmp_path):
    write_archives(tmp_path)
    with pytest.raises(InputError, match="is a file; pass the folder that it is in"):
        load_data(tmp_path / TRAIN)
    for where in ("/dev/null", "a" * 5_000, "a\0b", tmp_path / TRAIN / "below"):
        with pytest.raises(InputError, match="no SVHN files in"):
            load_data(where)


@pytest.fixture
def never_draw(monkeypatch):
    def draw(*_):
        raise AssertionError("drawn in vain")

    monkeypatch.setattr(builtin, "draw_digits", draw)


def test_a_cache_that_cannot_be_written_is_found_out_before_drawing(
    tmp_path, monkeypatch, never_draw
):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"cannot write the cache .*; set XDG_CACHE_HOME to"):
        load_data("builtin")


def test_a_file_in_the_caches_place_is_found_out_before_drawing(tmp_path, monkeypatch, never_draw):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    builtin.cache_folder("x").parent.mkdir(parents=True)
    builtin.cache_folder(f"digits-v{builtin.VERSION}-seed0").touch()
    with pytest.raises(InputError, match=r"cannot write the cache .*: it is a file; set XDG"):
        load_data("builtin")


def test_a_full_disk_is_found_out_before_drawing(tmp_path, monkeypatch, never_draw):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(builtin, "TRAIN_IMAGES", 10**15)
    with pytest.raises(InputError, match=r"cannot write the cache .* are free, .* are needed"):
        load_data("builtin")
