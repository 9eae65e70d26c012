"""On which node of a cluster each run is, while a call trains there: for who looks on, no more."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..files import parse_json, write_atomically

if TYPE_CHECKING:
    from ..training.runs import Key

NAME = ".nodes.json"


def write_nodes(folder: Path, nodes: "Mapping[Key, str]") -> None:
    """Write the node of each run; without any, there is no file.

    Raises:
        OSError: it could not be written.
    """
    path = folder / NAME
    if nodes:
        write_atomically(path, json.dumps([[*key, node] for key, node in nodes.items()]))
    else:
        path.unlink(missing_ok=True)


def read_nodes(folder: Path) -> "dict[Key, str]":
    """The node of each run; none where nobody wrote them down."""
    try:
        lines = parse_json((folder / NAME).read_bytes())
        return {(str(stage), int(root), int(run)): str(node) for stage, root, run, node in lines}
    except (OSError, TypeError, ValueError):
        return {}
