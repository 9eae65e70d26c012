"""From a search space to a .keras file that can be handed in: the names for a notebook."""

from typing import Any

from .confirm import confirm
from .data import load_data
from .plan import plan
from .project import open_project
from .search import search
from .space import load_space

__all__ = ["CNNHyperModel", "confirm", "load_data", "load_space", "open_project", "plan", "search"]


def __getattr__(name: str) -> Any:
    """`CNNHyperModel`, imported when it is asked for: Keras takes seconds."""
    if name == "CNNHyperModel":
        from .models.cnn import CNNHyperModel

        return CNNHyperModel
    raise AttributeError(f"module 'svhn_tune' has no attribute '{name}'")
