"""From a search space to a .keras file that can be handed in: the names for a notebook.

Each is imported when it is first asked for, so that `--help` and `status` import none of them.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .confirm import confirm
    from .data import load_data
    from .models.cnn import CNNHyperModel
    from .plan import plan
    from .progress import make_progress
    from .project import open_project
    from .search import search
    from .space import load_space

__all__ = [
    "CNNHyperModel",
    "confirm",
    "load_data",
    "load_space",
    "make_progress",
    "open_project",
    "plan",
    "search",
]

_MODULES = {
    "CNNHyperModel": ".models.cnn",
    "confirm": ".confirm",
    "load_data": ".data",
    "load_space": ".space",
    "make_progress": ".progress",
    "open_project": ".project",
    "plan": ".plan",
    "search": ".search",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return globals().setdefault(name, getattr(import_module(_MODULES[name], __name__), name))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Python sets `svhn_tune.search` when it imports the module: it would hide the function."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _MODULES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
