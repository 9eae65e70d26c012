"""Which runs train together, and on which engine: without a GPU, and without JAX."""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from svhn_tune.engines import devices
from svhn_tune.engines.cohorts import choose_block, choose_part, choose_size
from svhn_tune.engines.devices import choose_engine, list_gpus
from svhn_tune.errors import InputError
from svhn_tune.models.spaces import load_space
from svhn_tune.stages.together import form_cohorts
from svhn_tune.training.places import choose_places
from svhn_tune.training.runs import Run

GB = 1e9
# Of `cnn`: 59 million parameters, and the widest patches.
LARGE = {"blocks": 1, "pool_size_1": 1, "units": 3600}
WIDE = {"blocks": 5, **{f"pool_size_{n}": 1 for n in range(1, 5)}, "kernel_size_5": 7}


def make_runs(counts):
    run = Run("confirm", 0, 0, 0, 0, {}, 1, Path("c"))
    return [
        replace(run, trial=root, root=root, run=number)
        for number in range(max(counts.values()))
        for root, count in counts.items()
        if number < count
    ]


def shape(cohorts):
    return [(cohort[0].root, [run.run for run in cohort]) for cohort in cohorts]


def test_seeds_are_in_equal_parts_and_the_first_of_every_configuration_comes_first():
    cohorts = form_cohorts(make_runs({7: 10, 3: 10}), {7: 5, 3: 5})
    first, second = [0, 1, 2, 3, 4], [5, 6, 7, 8, 9]
    assert shape(cohorts) == [(7, first), (3, first), (7, second), (3, second)]


@pytest.mark.parametrize(
    ("most", "sizes"), [(4, [4, 3, 3]), (9, [5, 5]), (1, [1] * 10), (10, [10])]
)
def test_parts_differ_by_one_seed_at_most(most, sizes):
    cohorts = form_cohorts(make_runs({0: 10}), {0: most})
    assert [len(cohort) for cohort in cohorts] == sizes
    assert [run.run for cohort in cohorts for run in cohort] == list(range(10))


def test_a_cohort_is_of_one_configuration():
    cohorts = form_cohorts(make_runs({0: 3, 1: 1, 2: 2}), {0: 5, 1: 5, 2: 5})
    assert shape(cohorts) == [(0, [0, 1, 2]), (1, [0]), (2, [0, 1])]


def test_as_many_seeds_train_together_as_have_room():
    space = load_space("cnn")
    small, large, wide = (space.complete(chosen) for chosen in ({}, LARGE, WIDE))
    assert choose_size(space, small, 16 * GB) == 5
    assert choose_size(space, small, 0.1 * GB) == 1
    assert 1 < choose_size(space, large, 4 * GB) < 5
    assert choose_size(space, wide, 3 * GB) < choose_size(space, wide, 16 * GB)


def test_fewer_images_are_evaluated_at_once_the_more_seeds_there_are():
    space = load_space("cnn")
    wide = space.complete(WIDE)
    parts = [choose_part(space, wide, seeds) for seeds in (1, 2, 5)]
    assert parts == sorted(parts, reverse=True)
    assert min(parts) == space.protocol.batch_size
    assert choose_part(load_space("linear"), load_space("linear").baseline, 5) == 250


@pytest.mark.parametrize(("whole", "block"), [(1562, 71), (1406, 74), (1567, 128), (3, 1), (0, 1)])
def test_an_epoch_is_handed_out_in_equal_parts_where_it_has_any(whole, block):
    space = load_space("cnn")
    assert choose_block(space, space.baseline, 5, whole) in {block, whole}


def test_the_batches_of_a_dear_model_are_handed_out_one_by_one():
    space = load_space("cnn")
    assert choose_block(space, space.complete(WIDE), 5, 1562) < 8


def test_an_engine_that_is_not_there_is_refused_by_name(monkeypatch):
    with pytest.raises(InputError, match=r"no engine 'torch' \(there are auto, tensorflow, jax\)"):
        choose_engine("torch")
    monkeypatch.setattr(devices, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs JAX: pip install 'svhn_tune\[jax\]'"):
        choose_engine("jax")


@pytest.mark.parametrize(("said", "engine"), [("gpu\n", "jax"), ("cpu\n", "tensorflow")])
def test_auto_takes_jax_where_jax_sees_a_gpu(said, engine, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setattr(devices, "find_spec", lambda name: True)
    done = subprocess.CompletedProcess([], 0, said, "")
    monkeypatch.setattr(devices.subprocess, "run", lambda *_, **__: done)
    devices._jax_sees_gpu.cache_clear()
    try:
        assert choose_engine("auto") == choose_engine(None) == engine
    finally:
        devices._jax_sees_gpu.cache_clear()


def test_workers_take_the_gpus_in_turn(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0, 2")
    assert list_gpus() == ["0", "2"]
    assert [place.gpu for place in choose_places(3)] == ["0", "2", "0"]
    assert {place.cores for place in choose_places(3)} == {()}


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_hidden_gpus_are_none(hidden, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    assert list_gpus() == []
    assert choose_engine("auto") == "tensorflow"
    count = len(os.sched_getaffinity(0))
    if count > 1:
        assert [place.cores for place in choose_places(count)] == [
            (core,) for core in sorted(os.sched_getaffinity(0))
        ]
