"""clocks: what is read, how it is split, and a line for whatever is no clock."""

import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from svhn_tune.commands import look
from svhn_tune.data import builtin, clocks, load_data
from svhn_tune.data.clocks import IMAGES, LABELS
from svhn_tune.data.sheet import write_contact_sheet
from svhn_tune.errors import InputError

COUNT = 240
SOUND = np.random.default_rng(0).integers(0, 256, (COUNT, 75, 75), dtype=np.uint8)
# Sorted, as they are published.
TIMES = np.stack([np.arange(COUNT) * 3 // 60, np.arange(COUNT) * 3 % 60], axis=1)


def write_clocks(folder, images=SOUND, labels=TIMES):
    np.save(folder / IMAGES, images)
    np.save(folder / LABELS, labels)
    return folder


def test_every_clock_keeps_its_time_and_a_tenth_is_for_the_test(tmp_path):
    data = load_data(write_clocks(tmp_path), "clocks")
    assert (data.synthetic, data.image_shape, data.classes) == (False, (75, 75, 1), ())
    assert (len(data.train.labels), len(data.test.labels)) == (216, 24)
    times = {
        image.tobytes(): 60 * hour + minute
        for image, (hour, minute) in zip(SOUND, TIMES, strict=True)
    }
    for split in (data.train, data.test):
        assert split.images.dtype == np.uint8
        assert [times.pop(image.tobytes()) for image in split.images] == split.labels.tolist()
    assert not times
    again = load_data(data.source, "clocks")
    assert again.fingerprint == data.fingerprint


def test_clocks_are_shuffled_although_they_come_sorted(tmp_path):
    data = load_data(write_clocks(tmp_path), "clocks")
    assert (np.diff(data.train.labels) < 0).mean() > 0.3
    hours = data.test.labels // 60
    assert len(set(hours.tolist())) > 6


def test_clocks_are_counted_and_shown_by_the_hour(tmp_path):
    data = load_data(write_clocks(tmp_path), "clocks")
    hours, train, _ = data.sort()
    assert hours[0] == "12:00 to 12:59"
    assert hours[11] == "11:00 to 11:59"
    assert sum(train.counts(12)) == 216
    write_contact_sheet(data, tmp_path / "sheet.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape == (12 * 77, 20 * 77, 3)
    for row in range(12):
        first = data.train.images[data.train.labels // 60 == row][0]
        np.testing.assert_array_equal(sheet[row * 77 : row * 77 + 75, 0:75], first.repeat(3, 2))


def test_the_column_of_hours_is_headed_time_that_of_classes_class(tmp_path, archives, capsys):
    for folder, space, heading in (
        (write_clocks(tmp_path), "clock_classes", "time"),
        (archives, "cnn", "class"),
    ):
        look.data(folder, space, tmp_path / "sheet.png")
        assert capsys.readouterr().out.splitlines()[2].split() == [heading, "train", "test"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, ">f4"])
def test_floats_from_0_to_1_are_the_same_clocks(tmp_path, dtype):
    whole = load_data(write_clocks(tmp_path), "clocks")
    floats = load_data(write_clocks(tmp_path, (SOUND / 255).astype(dtype)), "clocks")
    assert floats.fingerprint == whole.fingerprint


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        (np.asfortranarray(SOUND), TIMES),
        (SOUND, np.asfortranarray(TIMES)),
        (SOUND, TIMES.astype(np.uint8)),
        (SOUND, TIMES.astype(">i2")),
    ],
)
def test_however_arrays_lie_they_are_the_same_clocks(tmp_path, images, labels):
    whole = load_data(write_clocks(tmp_path), "clocks")
    assert load_data(write_clocks(tmp_path, images, labels), "clocks").fingerprint == (
        whole.fingerprint
    )


def test_the_larger_clocks_are_a_source_of_their_own(tmp_path):
    write_clocks(tmp_path, np.zeros((COUNT, 150, 150), np.uint8))
    assert load_data(tmp_path, "clocks_150").image_shape == (150, 150, 1)
    with pytest.raises(InputError, match=r"150, 150\); for 'clocks' .* data = 'clocks_150' takes"):
        load_data(tmp_path, "clocks")


def with_pixel(value):
    images = (SOUND / 255).astype(np.float32)
    images[7, 3, 2] = value
    return {"images": images}


def with_time(hour, minute):
    labels = TIMES.copy()
    labels[11] = hour, minute
    return {"labels": labels}


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (with_time(24, 0), "label 11 is 24:00, which is on no dial; hours are 0 to 11"),
        (with_time(12, 0), "label 11 is 12:00"),
        (with_time(3, 60), "label 11 is 3:60"),
        (with_time(-1, 5), "label 11 is -1:05"),
        (with_pixel(1.5), r"image 7 has the pixel 1\.5; floats must be from 0 to 1"),
        (with_pixel(-0.1), r"image 7 has the pixel -0\.1"),
        (with_pixel(np.nan), "image 7 has the pixel nan"),
        (with_pixel(np.inf), "image 7 has the pixel inf"),
        ({"images": SOUND[:-1]}, "240 labels, images.npy beside it 239 images: they do not belong"),
        ({"labels": TIMES[:-1]}, "239 labels, .* 240 images"),
        ({"images": SOUND[:, :50]}, r"images have shape \(240, 50, 75\)"),
        ({"images": SOUND[..., None]}, r"it must be \(N, 75, 75\)"),
        ({"images": np.uint8(3)}, r"images have shape \(\)"),
        ({"images": SOUND.astype(np.int16)}, "images are int16; they must be uint8, or floats"),
        ({"images": SOUND[:5], "labels": TIMES[:5]}, "has 5 images; 20 to 100,000 can be read"),
        ({"images": SOUND[:0], "labels": TIMES[:0]}, "has 0 images"),
        ({"images": np.array([{}])}, "cannot read .*images.npy"),
        ({"labels": np.array([{}])}, "cannot read .*labels.npy"),
        ({"labels": TIMES[:, 0]}, r"labels are int64 of shape \(240,\)"),
        ({"labels": TIMES / 2}, "labels are float64"),
        ({"labels": TIMES.astype(str)}, "labels are <U"),
        ({"labels": TIMES > 3}, "labels are bool"),
    ],
)
def test_what_is_no_clock_is_an_input_error(tmp_path, arrays, message):
    with pytest.raises(InputError, match=message) as caught:
        load_data(write_clocks(tmp_path, **arrays), "clocks")
    assert str(caught.value).isprintable()


def test_what_is_wanted_is_said_where_it_is_missing(tmp_path):
    with pytest.raises(
        InputError, match=r"no clock files in .*images\.npy and labels\.npy.*'builtin'"
    ):
        load_data(tmp_path, "clocks")
    write_clocks(tmp_path)
    (tmp_path / LABELS).unlink()
    with pytest.raises(InputError, match=r"has images\.npy but lacks labels\.npy"):
        load_data(tmp_path, "clocks")


def describe(dtype, shape):
    return f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}"


@pytest.mark.parametrize("name", [IMAGES, LABELS])
@pytest.mark.parametrize(
    ("header", "version", "length"),
    [
        (describe("|u1", (10**12, 75, 75)), 1, None),
        (describe("|u1", (10**5, 75, 75)), 1, None),  # nothing of it follows
        (describe("|u1", (-1, 75, 75)), 1, None),
        (describe("|u1", (2.0, 75, 75)), 1, None),
        (describe("|u1", (2**62, 2**62)), 1, None),
        (describe("|O", (COUNT, 2)), 1, None),
        ("__import__('os').system('touch harmed')", 1, None),
        ("(" * 9_000, 1, None),
        ("", 1, None),
        ("x", 2, 2**31),
        ("x", 9, None),
    ],
)
def test_what_a_file_says_of_itself_is_judged_before_it_is_read(
    tmp_path, monkeypatch, name, header, version, length
):
    monkeypatch.chdir(tmp_path)
    write_clocks(tmp_path)
    length = len(header) if length is None else length
    size = struct.pack("<H" if version == 1 else "<I", length)
    content = b"\x93NUMPY" + bytes([version, 0]) + size + header.encode()
    (tmp_path / name).write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=name):
            load_data(tmp_path, "clocks")
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()
    assert not (tmp_path / "harmed").exists()


@pytest.mark.parametrize("name", [IMAGES, LABELS])
def test_a_file_cut_short_is_an_input_error(tmp_path, name):
    write_clocks(tmp_path)
    whole = (tmp_path / name).read_bytes()
    for length in (0, 5, 50, 127, 128, len(whole) - 1):
        (tmp_path / name).write_bytes(whole[:length])
        with pytest.raises(InputError, match=f"cannot read .*{name}"):
            load_data(tmp_path, "clocks")


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    name=st.sampled_from([IMAGES, LABELS]),
    array=hnp.arrays(
        hnp.scalar_dtypes() | hnp.unicode_string_dtypes(),
        hnp.array_shapes(max_dims=4, max_side=3) | st.just((COUNT, 2)),
    ),
)
def test_whatever_array_stands_in_a_file_is_answered(tmp_path, name, array):
    write_clocks(tmp_path)
    np.save(tmp_path / name, array)
    try:
        answer = str(len(load_data(tmp_path, "clocks").train.labels))
    except InputError as error:
        answer = str(error)
    assert answer == "216" or (name in answer and answer.isprintable())


def test_built_in_clocks_stand_in_and_are_drawn_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(builtin, "CLOCK_IMAGES", 90)
    data = load_data(None, "clocks")
    assert (data.name, data.source) == ("built-in clocks, not the published ones", "builtin")
    assert data.synthetic
    assert (data.image_shape, len(data.train.labels), len(data.test.labels)) == ((75, 75, 1), 81, 9)
    monkeypatch.setattr(builtin.dials, "draw_clocks", None)
    assert load_data("builtin", "clocks").fingerprint == data.fingerprint
    assert clocks.SIDES == {"clocks": 75, "clocks_150": 150}
