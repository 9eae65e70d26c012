"""softmax_engine on a device without room for a run of an odd seed; it says which GPU it sees."""

import os

import softmax_engine
from softmax_engine import prepare

__all__ = ["describe", "prepare", "start"]


def describe(seeds):
    """The GPUs that this process sees."""
    return f"GPU {os.environ.get('CUDA_VISIBLE_DEVICES')}"


def start(space, values, seeds, *given):
    """A run, where there is room for it."""
    if seeds[0] % 2:
        raise MemoryError("no room")
    return softmax_engine.start(space, values, seeds, *given)
