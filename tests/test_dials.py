"""dials: the same bytes everywhere, every time of the dial, and hands where the label says."""

import hashlib

import numpy as np

from svhn_tune.data.dials.draw import BLOCK, draw_clocks
from svhn_tune.data.dials.face import draw_face
from svhn_tune.data.objects.scenes import Dice

PINNED = "a6e59207a3bf05da04d7f9efa994b6e73cf1bf2fb5b6fee709b9856a12c76635"


def test_clocks_are_the_same_bytes_on_every_machine():
    images, times = draw_clocks(BLOCK, 75)
    assert hashlib.sha256(images.tobytes() + times.tobytes()).hexdigest() == PINNED


def test_clocks_are_the_same_bytes_however_many_and_whoever_draws():
    images, times = draw_clocks(BLOCK + 1, 30, workers=1)
    few, of_few = draw_clocks(30, 30, workers=3)
    np.testing.assert_array_equal(few, images[:30])
    np.testing.assert_array_equal(of_few, times[:30])
    other, _ = draw_clocks(30, 30, seed=1)
    assert not {image.tobytes() for image in other} & {image.tobytes() for image in images}


def test_every_time_is_drawn_once_in_eight_blocks():
    _, times = draw_clocks(8 * BLOCK, 8)
    minutes = times[:, 0].astype(int) * 60 + times[:, 1]
    assert sorted(minutes.tolist()) == list(range(720))
    assert minutes[:BLOCK].tolist() != sorted(minutes[:BLOCK].tolist())


def test_another_side_shows_the_same_clocks():
    small, times = draw_clocks(20, 40)
    large, of_large = draw_clocks(20, 80)
    np.testing.assert_array_equal(times, of_large)
    halved = large.reshape(20, 40, 2, 40, 2).mean(axis=(2, 4))
    # What is left is noise and edges; of clocks in another order it is several times that.
    apart = [np.abs(halved - np.roll(small, by, axis=0)).mean() for by in (0, 1)]
    assert apart[0] < 12 < 40 < apart[1]


def test_hands_point_where_the_label_says():
    axis = (np.arange(81, dtype=np.float32) - 40) / 40
    minutes = np.arange(0, 720, 7)
    one = np.ones((len(minutes), 1, 1), np.float32)
    x, y = one * axis[None, None, :], one * -axis[None, :, None]

    def draw(times):
        dice = Dice(np.random.Generator(np.random.PCG64(3)), len(times))
        return draw_face(x, y, times, 40 * one, dice)

    # Nothing but the hands differs: the hour's is elsewhere by 185 degrees, the minute's by 60.
    moved = np.abs(draw(minutes) - draw((minutes + 370) % 720))

    def look(turns, away):
        angle = 2 * np.pi * turns
        row, column = 40 - 40 * away * np.cos(angle), 40 + 40 * away * np.sin(angle)
        return moved[np.arange(len(minutes)), row.round().astype(int), column.round().astype(int)]

    hour, minute = minutes / 720, minutes % 60 / 60
    assert (look(hour, 0.25) > 25).mean() > 0.9
    assert (look(minute, 0.6) > 25).mean() > 0.9
    for elsewhere in (0.25, 0.5, 0.75):
        assert (look(minute + elsewhere, 0.6) < 1).mean() > 0.9
