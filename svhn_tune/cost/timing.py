"""Short epochs of a few models on this machine, in the workers that a search would use."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from ..data import Data
from ..data.cache import share_arrays
from ..engines.devices import module_of
from ..errors import InputError
from ..journal.settings import Cap
from ..machines.choice import ThisMachine
from ..models.work import Work, measure_work
from ..space.space import Space
from ..training.pool import Machines
from ..training.runs import Run, Setup
from .cap import Hours, make_cap
from .cost_model import CostModel, Timing, fit_cost

PROBES = 9
# For a cap: so many, of up to so many times what the baseline may cost.
FEW, NEAR = 5, 10
# Models drawn to choose those from, and to say which share of them a cap leaves out.
SAMPLE = 200
# Multiply-adds of an epoch of the dearest model timed: 2 s on one core at 130 GFLOP/s.
OPERATIONS = 40e9
# Evaluated, at most, with the small models and the large ones, and in times of those trained on. If
# all had as many, nobody could tell what an image costs from what an evaluation does.
MANY, SOME, TIMES = 2_500, 500, 3
# The first compiles and is saved; the next one has no saving behind it to wait for.
EPOCHS = 3
WARM_UP = -1


@dataclass
class _Watch:
    """When a run was handed out, when its events were told, and came about; what epochs took.

    One that has failed has a reason, and maybe no epoch.
    """

    begun: float
    told: list[float] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    train: list[float] = field(default_factory=list)
    reason: str = ""

    @property
    def usual(self) -> float:
        """Of the epochs that did not compile, if there are any."""
        return fmean(self.train[1:] or self.train)


def measure_cost(
    space: Space,
    data: Data,
    models: Sequence[dict[str, Any]],
    workers: int,
    engine: str = "tensorflow",
    seeds: int = 1,
    machines: Machines | None = None,
) -> CostModel:
    """Time the baseline, the smallest, the largest and some between of `models`; half a minute.

    The small ones train on more images than the large ones. The first epoch of a run compiles,
    and is no part of what an epoch costs. The baseline is timed once more with so many `seeds`
    together, if confirm will train more than one.
    """
    batch = space.protocol.batch_size
    machines = machines or ThisMachine(workers)
    small, large = choose_probes(space, models)
    warm = [space.baseline] * workers
    timings, process = _time(space, data, warm, small, machines, engine, MANY)
    timings += _time(space, data, [], large, machines, engine, SOME)[0]
    cost = fit_cost(timings, batch, process)
    if seeds == 1:
        return cost
    return replace(cost, together=_time_together(space, data, seeds, engine, machines))


def measure_cap(
    space: Space, data: Data, settings: Mapping[str, Any], hours: Hours, machines: Machines
) -> Cap:
    """The cap of a search on these machines; see `make_cap`.

    The search waits for it: a few models are timed, and none that costs far more than the baseline,
    in a third of the time that `measure_cost` takes.
    """
    # It imports KerasTuner, which takes seconds: what can be refused has been.
    from ..oracles.ask_tell import make_oracle

    models, _ = make_oracle(space, "random").sample(SAMPLE)
    most = NEAR * measure_work(space, space.baseline).rough_cost
    near = [each for each in models if measure_work(space, each).rough_cost <= most]
    small, large = choose_probes(space, near, FEW)
    warm = [space.baseline] * hours.workers
    probes = [*small, *large]
    timings, process = _time(space, data, warm, probes, machines, settings["engine"], MANY)
    cost = fit_cost(timings, space.protocol.batch_size, process)
    return make_cap(space, data, settings, hours, cost, models)


def choose_probes(
    space: Space, models: Sequence[dict[str, Any]], count: int = PROBES
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The models to time, spread over what they may cost: the smaller half and the larger half.

    The baseline is the first of the smaller half.
    """

    ordered = sorted(models, key=lambda values: measure_work(space, values).rough_cost)
    positions = sorted({round(p) for p in np.linspace(0, len(ordered) - 1, count - 1)})
    chosen = [ordered[position] for position in positions]
    half = (len(chosen) + 1) // 2
    return [space.baseline, *chosen[:half]], chosen[half:]


def _time(
    space: Space,
    data: Data,
    first: Sequence[dict[str, Any]],
    probes: Sequence[dict[str, Any]],
    machines: Machines,
    engine: str,
    validation: int,
) -> tuple[list[Timing], float]:
    """Timings of `probes`, and the seconds that a process needs before it trains `first`."""
    if not probes:
        return [], 0.0
    works = [measure_work(space, values) for values in probes]
    setup = _make_setup(space, data, max(work.rough_cost for work in works), engine, validation)
    with tempfile.TemporaryDirectory() as folder:
        warm = [_make_run(WARM_UP - n, values, 1, folder) for n, values in enumerate(first)]
        runs = [_make_run(n, values, EPOCHS, folder) for n, values in enumerate(probes)]
        watches = _train([[run] for run in [*warm, *runs]], setup, machines)
    timings = [
        _read(watches[run.root], work, setup)
        for run, work in zip(runs, works, strict=True)
        if watches[run.root].train
    ]
    # Those that come with `first` are the small ones: where they train, larger ones may fail.
    if first and not timings:
        reason = watches[runs[0].root].reason
        raise InputError(f"no model trains here, so none can be timed: {reason}")
    if not warm:
        # The start of the first ones includes that of their process.
        for first_in_process in range(min(machines.count, len(timings))):
            timings[first_in_process] = replace(timings[first_in_process], start=None)
        return timings, 0.0
    begin = fmean(watches[run.root].told[0] - watches[run.root].begun for run in warm)
    usual = watches[0].told[0] - watches[0].begun
    return timings, max(begin - usual, 0.0)


def _time_together(space: Space, data: Data, seeds: int, engine: str, machines: Machines) -> float:
    """What an epoch of the baseline costs a seed that trains with others, in times of one alone.

    1 where they do not train here.
    """
    setup = _make_setup(space, data, measure_work(space, space.baseline).rough_cost, engine, SOME)
    with tempfile.TemporaryDirectory() as folder:
        alone, *others = (_make_run(n, space.baseline, EPOCHS, folder) for n in range(seeds + 1))
        watches = _train([[alone], others], setup, machines, 1)
    if not all(watch.train for watch in watches.values()):
        return 1.0
    return fmean(watches[run.root].usual for run in others) / watches[alone.root].usual


def _make_setup(space: Space, data: Data, weight: int, engine: str, validation: int) -> Setup:
    """Few enough images that an epoch of the dearest model stays below OPERATIONS."""
    batch = space.protocol.batch_size
    wanted = min(max(int(OPERATIONS / max(weight, 1)), 2 * batch), 960)
    available = len(data.train.labels)
    images = max(min(wanted, available // 2), 1)
    validation = min(validation, TIMES * images, available - images)
    return Setup(
        space=space,
        arrays=share_arrays(data),
        fingerprint=data.fingerprint,
        train_index=np.arange(images),
        validate_on=np.arange(images, images + validation),
        test_at_end=False,
        engine=module_of(engine),
    )


def _make_run(number: int, values: dict[str, Any], epochs: int, folder: str) -> Run:
    return Run(
        stage="plan",
        trial=number,
        root=number,
        run=0,
        seed=abs(number),
        values=values,
        epochs=epochs,
        checkpoint=Path(folder) / f"{number}.npz",
    )


def _train(
    cohorts: Sequence[Sequence[Run]], setup: Setup, machines: Machines, most: int | None = None
) -> dict[int, _Watch]:
    waiting = list(cohorts)
    watches: dict[int, _Watch] = {}
    with machines.open(setup, most or len(waiting)) as workers:
        while waiting or workers.running:
            while waiting and workers.free:
                runs = waiting.pop(0)
                watches |= {run.root: _Watch(time.monotonic()) for run in runs}
                workers.submit(*runs)
            for event in workers.events():
                watch = watches[event.run.root]
                watch.told.append(time.monotonic())
                watch.at.append(event.at)
                if event.kind == "epoch":
                    watch.train.append(event.metrics["seconds"])
                watch.reason = watch.reason or event.reason
    return watches


def _read(watch: _Watch, work: Work, setup: Setup) -> Timing:
    """What the epochs took that did not compile, and what comes once in a run.

    A run is saved after its first epoch, and then no more before its last one unless an epoch takes
    fifty times as long as that (training/breaks.py).
    """
    told, at, train = watch.told, watch.at, watch.train
    assert setup.train_index is not None
    assert isinstance(setup.validate_on, np.ndarray)
    timing = Timing(
        work=work,
        images=len(setup.train_index),
        validation=len(setup.validate_on),
        train=watch.usual,
    )
    if len(train) < EPOCHS:  # it diverged
        return timing
    rest = max(at[2] - at[1] - train[2], 1e-4)
    save = max(at[1] - at[0] - train[1] - rest, 0.0)
    usual = save + timing.train + rest
    start = max(told[0] - watch.begun - usual, 0.0) + max(told[-1] - told[-2] - rest, 0.0)
    return replace(timing, rest=rest, save=save, start=start)
