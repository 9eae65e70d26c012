"""From a search space to a .keras file that can be handed in: the names for a notebook.

Each is imported when it is first asked for, so that `--help` and `status` import none of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cost.plan import plan
    from .data import load_data
    from .figures import Figures
    from .figures.resnet50 import draw_resnet50_filters
    from .models.hypermodel import CNNHyperModel
    from .models.spaces import load_space
    from .progress.live import make_progress
    from .project.results import open_project
    from .stages.confirm import confirm
    from .stages.search import search
    from .summary.across import compare_projects
    from .summary.status import status
    from .summary.transfer import transfers

__all__ = [
    "CNNHyperModel",
    "Figures",
    "compare_projects",
    "confirm",
    "draw_resnet50_filters",
    "load_data",
    "load_space",
    "make_progress",
    "open_project",
    "plan",
    "search",
    "status",
    "transfers",
]

_MODULES = {
    "CNNHyperModel": ".models.hypermodel",
    "Figures": ".figures",
    "compare_projects": ".summary.across",
    "confirm": ".stages.confirm",
    "draw_resnet50_filters": ".figures.resnet50",
    "load_data": ".data",
    "load_space": ".models.spaces",
    "make_progress": ".progress.live",
    "open_project": ".project.results",
    "plan": ".cost.plan",
    "search": ".stages.search",
    "status": ".summary.status",
    "transfers": ".summary.transfer",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return globals().setdefault(name, getattr(import_module(_MODULES[name], __name__), name))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
