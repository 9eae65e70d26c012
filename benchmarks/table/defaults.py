"""What one would try without a search."""

from typing import Any

from svhn_tune.space.space import Space


def _drop(blocks: int) -> dict[str, Any]:
    """Spatial dropout in each block."""
    return {f"spatial_dropout_{block}": 0.1 for block in range(1, blocks + 1)}


# Written down before any of it was trained. The plain guess first: three blocks, batch
# normalisation where the space has it.
CHANGES: dict[str, list[dict[str, Any]]] = {
    "cnn_open": [
        {"learning_rate": 1e-3, "filters": 32, "batch_normalization": True},
        {"learning_rate": 1e-3, "filters": 16, "batch_normalization": True},
        {"learning_rate": 3e-4, "filters": 32, "batch_normalization": True, "blocks": 4},
        {"learning_rate": 3e-4, "filters": 32, "kernel_initializer": "he_uniform"},
    ],
    "cnn": [{}, {"units": 512, "kernel_initializer": "he_uniform"}, {"units": 256, "blocks": 4}],
}
_FAST = {"learning_rate": 1e-3, "batch_normalization": True}
_PAIRS = {f"convolutions_{block}": 2 for block in (1, 2, 3)}
# What did best on photographs, as it was found (LOG.md, 2026-11-22 and 2026-11-23).
LATER: dict[str, dict[str, list[dict[str, Any]]]] = {
    "later": {"cnn_open": [_FAST | _PAIRS | _drop(3) | {"filters": 16}]},
    "wide": {
        "cnn_open": [
            _FAST | _PAIRS | _drop(3) | {"filters": 16, "units": 512},
            _FAST | _drop(4) | {"filters": 32, "blocks": 4, "units": 256},
            _FAST | _drop(3) | {"filters": 32, "units": 512},
        ],
    },
}
FOR_ALL = {"units": 128, "dropout": 0.3}


def list_defaults(
    space: Space, changes: dict[str, list[dict[str, Any]]] = CHANGES
) -> list[dict[str, Any]]:
    """All active values of each; of an entry of `LATER`, those that were found then."""
    return [space.complete(FOR_ALL | each) for each in changes.get(space.name, [])]
