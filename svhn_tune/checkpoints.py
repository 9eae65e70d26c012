"""What a checkpoint says of its run, without Keras: training.py writes and restores it."""

import json
from pathlib import Path

History = list[dict[str, float]]


def read_history(path: Path) -> History:
    """The metrics of each epoch that the run has trained; none without a whole checkpoint.

    Only the history is read, not the weights beside it.
    """
    if not path.exists():
        return []
    # Imported late: a tenth of a second that `status` of a project at rest does not pay.
    import numpy as np

    try:
        with path.open("rb") as file, np.load(file) as arrays:
            return parse_history(str(arrays["history"]))
    except Exception:
        # Damaged, or deleted meanwhile, as when its run ends.
        return []


def parse_history(text: str) -> History:
    """The metrics of each epoch, from JSON.

    Raises:
        ValueError: it is something else.
    """
    history = json.loads(text)
    if not isinstance(history, list):
        raise ValueError("it is no list of epochs")
    for epoch in history:
        if not (
            isinstance(epoch, dict) and all(isinstance(each, float) for each in epoch.values())
        ):
            raise ValueError(f"{epoch!r} are no metrics of an epoch")
    return history
