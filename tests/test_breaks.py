"""When a run is saved and when it stops, by a clock that the test winds."""

import pytest

from svhn_tune.training import breaks
from svhn_tune.training.breaks import Breaks


class Clock:
    """Seconds that pass when told to."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(breaks, "time", clock)
    return clock


class Run:
    """A run whose saving takes `cost` seconds; `saved` and `told` say when, and what."""

    def __init__(self, clock, cost):
        self.clock, self.cost = clock, cost
        self.saved, self.told, self.is_wished = [], [], False
        self.breaks = Breaks(self.write, self.tell, lambda: self.is_wished)

    def write(self):
        self.clock.now += self.cost
        self.saved.append(self.clock.now)

    def tell(self, event):
        # Once it is on the disk.
        assert self.saved
        self.told.append(event)

    def work(self, seconds, piece=1.0):
        """Pieces of work; whether it stopped."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.clock.now += piece
            if self.breaks.stop():
                return True
        return False


@pytest.mark.parametrize("cost", [0.01, 1.0, 4.0])
def test_a_kill_within_an_epoch_costs_a_minute_at_most(cost, clock):
    run, begin = Run(clock, cost), clock.now
    run.work(600, piece=2.0)
    # What is lost is what came after a saving began, until the next is on the disk.
    begins = [begin, *(end - cost for end in run.saved)]
    assert len(run.saved) >= 10
    assert max(end - before for before, end in zip(begins, run.saved, strict=False)) <= 60


def test_saving_takes_no_more_than_a_tenth_of_the_time_where_a_disk_is_slow(clock):
    run, begin = Run(clock, 20.0), clock.now
    run.work(2000)
    assert 0 < 20.0 * len(run.saved) <= (clock.now - begin) / 10


@pytest.mark.parametrize("epoch", [0.05, 0.5, 20.0])
def test_saving_each_epoch_takes_no_more_than_a_fiftieth_of_the_time(epoch, clock):
    run, begin = Run(clock, 0.01), clock.now
    for number in range(2000):
        run.work(epoch, piece=epoch)
        run.breaks.end_epoch(number)
        assert len(run.told) == number + 1 or clock.now - run.saved[-1] < 1
    run.breaks.end()
    assert run.told == list(range(2000))
    # The first two of each run are saved at once: what it costs is not known before.
    assert 0.01 * (len(run.saved) - 2) <= (clock.now - begin) / 50


def test_the_first_and_the_last_epoch_are_told_as_soon_as_they_end(clock):
    run = Run(clock, 1.0)
    run.breaks.end_epoch("first")
    assert run.told == ["first"]
    run.work(3)
    run.breaks.end_epoch("last")
    assert run.told == ["first"]
    run.breaks.end()
    assert run.told == ["first", "last"]
    run.breaks.end()
    assert len(run.saved) == 2


def test_a_run_gets_on_for_two_seconds_before_it_stops(clock):
    run = Run(clock, 1.0)
    run.is_wished = True
    begin = clock.now
    assert run.work(30)
    # Its first piece takes as long as it takes: it compiles.
    assert 1 + breaks.GRACE < clock.now - begin <= 1 + breaks.GRACE + 1


def test_a_run_that_is_to_stop_does_after_the_piece_of_work_in_progress(clock):
    run = Run(clock, 1.0)
    assert not run.work(30)
    run.is_wished = True
    begin = clock.now
    assert run.work(30)
    assert clock.now - begin == 1
    # Its worker hears the wish once only.
    run.is_wished = False
    assert run.breaks.is_wished
