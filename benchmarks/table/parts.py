"""Which models the table is of, part by part: defaults, what stands near them, random draws."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

import numpy as np

from svhn_tune.cost.cost_model import CostModel
from svhn_tune.models.size import measure_size
from svhn_tune.models.spaces import parse_space
from svhn_tune.oracles.ask_tell import make_oracle
from svhn_tune.space.space import Space

from .defaults import LATER, list_defaults
from .protocol import RATES, epoch_seconds, read_space

PART, DEAR, REPEATED = 16, 1, 6
DEFAULTS_REPEATED = 6
NEAR, NEAR_REPEATED = 6, 2
CHEAP, DEAREST = 10, 30


class Part(NamedTuple):
    """A project: models of a space, trained from one seed."""

    name: str
    space: Space
    models: list[dict[str, Any]]
    seed: int


def draw_part(space: Space, cost: CostModel, part: int) -> list[dict[str, Any]]:
    """The models of a part: drawn at random, the dear ones apart, in random order."""
    oracle = make_oracle(space, "random", seed=1_000 + part)
    baseline = epoch_seconds(space, cost, space.baseline)
    cheap: list[dict[str, Any]] = []
    dear: list[dict[str, Any]] = []
    draw = 0
    while len(cheap) < PART - DEAR or len(dear) < DEAR:
        values = oracle._draw(draw)
        draw += 1
        if not measure_size(space, values).feasible:
            continue
        times = epoch_seconds(space, cost, values) / baseline
        if times <= CHEAP and len(cheap) < PART - DEAR:
            cheap.append(values)
        elif CHEAP < times <= DEAREST and len(dear) < DEAR:
            dear.append(values)
    cheap.insert(part % PART, dear[0])
    return cheap


def list_models(space: Space, models: list[dict[str, Any]]) -> Space:
    """The space with these models as a question's, which a search trains first."""
    defaults = {each.name: each.hyperparameter.default for each in space.declarations}
    lines = []
    for values in models:
        changed = {name: value for name, value in values.items() if value != defaults[name]}
        lines.append(
            "{"
            + ", ".join(f"{name} = {json.dumps(value)}" for name, value in changed.items())
            + "}"
        )
    text = (
        space.text
        + "\n[[questions]]\nnumber = 1\ntitle = 'the table'\nanswer = 'means'\nconfigurations = [\n"
        + ",\n".join(lines)
        + ",\n]\n"
    )
    return parse_space(text, space.name, f"{space.name}.toml")


def draw_neighbours(
    space: Space, cost: CostModel, itself: dict[str, Any], seed: int
) -> list[dict[str, Any]]:
    """What stands near a default: one to three of its values drawn anew, none dear."""
    rng = np.random.default_rng(seed)
    oracle = make_oracle(space, "random", seed=seed)
    baseline = epoch_seconds(space, cost, space.baseline)
    near: list[dict[str, Any]] = []
    draw = 0
    while len(near) < NEAR:
        drawn = oracle._draw(draw)
        draw += 1
        names = rng.permutation(sorted(drawn))[: rng.integers(1, 3, endpoint=True)]
        values = space.complete({}, itself | {name: drawn[name] for name in names})
        if (
            values != itself
            and values not in near
            and measure_size(space, values).feasible
            and epoch_seconds(space, cost, values) <= CHEAP * baseline
        ):
            near.append(values)
    return near


def list_around(
    space: Space, cost: CostModel, models: list[dict[str, Any]], kind: str, seed: int
) -> Iterator[Part]:
    """Defaults, then what is near them."""
    for repeat in range(DEFAULTS_REPEATED):
        yield Part(f"{space.name}_guess_{kind}{repeat}", space, models, 900 + seed + repeat)
    near = [
        values
        for number, model in enumerate(models)
        for values in draw_neighbours(space, cost, model, 2_000 + seed + number)
    ]
    for repeat in range(NEAR_REPEATED):
        yield Part(f"{space.name}_near_{kind}{repeat}", space, near, 950 + seed + repeat)


def list_parts(costs: dict[str, CostModel]) -> Iterator[Part]:
    """The defaults of each space and what is near, then part after part without end, in turn."""
    spaces = [read_space(name) for name in RATES]
    for space in spaces:
        yield from list_around(space, costs[space.name], list_defaults(space), "", 0)
        for number, (kind, changes) in enumerate(LATER.items(), start=1):
            if later := list_defaults(space, changes):
                yield from list_around(space, costs[space.name], later, f"{kind}_", 100 * number)
    for part in count():
        for space in spaces:
            models = draw_part(space, costs[space.name], part)
            for repeat, chosen in enumerate((models, models[:REPEATED])):
                yield Part(f"{space.name}_{part:02}_{repeat}", space, chosen, 2 * part + repeat)
