"""What a checkpoint says of its run, without Keras: training.py writes and restores it."""

import json
from pathlib import Path


def read_history(path: Path) -> list[dict[str, float]]:
    """The metrics of each epoch that the run has trained; none without a whole checkpoint.

    Only the history is read, not the weights beside it.
    """
    if not path.exists():
        return []
    # Imported late: a tenth of a second that `status` of a project at rest does not pay.
    import numpy as np

    try:
        with path.open("rb") as file, np.load(file) as arrays:
            history: list[dict[str, float]] = json.loads(str(arrays["history"]))
    except Exception:
        # Damaged, or deleted meanwhile, as when its run ends.
        return []
    return history
