"""A table of trials for pandas."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .record_types import RunRecord, TrialRecord

if TYPE_CHECKING:
    import pandas as pd


def frame_trials(proposals: Sequence[TrialRecord], runs: Sequence[RunRecord]) -> "pd.DataFrame":
    """One row per trial: trial, score, epochs, status, collapsed, parent, values, ..."""
    import pandas as pd

    ended = {record.trial: record for record in runs}
    rows = []
    for proposal in proposals:
        end = ended.get(proposal.trial)
        rows.append(
            {
                "trial": proposal.trial,
                "score": end and end.score,
                "epochs": proposal.epochs,
                "status": end.status if end else "running",
                "collapsed": end and end.collapsed,
                "parent": proposal.parent,
                "bracket": proposal.bracket,
                "round": proposal.round,
                "values": proposal.values,
            }
        )
    return pd.DataFrame(rows)
