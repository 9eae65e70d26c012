"""Trainers that died: which runs go on, and which have failed; on which nodes none is started."""

import time
from typing import NamedTuple

from ..training.runs import Key, Run
from ..training.workers import MAX_DEATHS
from .nodes import Cluster, Node

# Seconds until Ray knows that a node is gone, and not only the trainer on it.
DOUBT = 30.0
# A node rests after a trainer did not start.
REST = 20.0


class Judged(NamedTuple):
    """Runs whose trainer died: those that go on elsewhere, and those that have failed."""

    going: list[Run]
    failed: list[Run]


class Losses:
    """Who died where. That a node is gone is not the fault of the runs that were on it.

    Args:
        cluster: knows which nodes are gone.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._nodes: dict[Key, list[str]] = {}
        self._doubted: list[tuple[float, list[Run]]] = []
        # How often trainers did not start on a node, and until when it rests.
        self._resting: dict[str, tuple[int, float]] = {}

    def add(self, runs: list[Run], node: str) -> Judged | None:
        """A trainer of these runs died on this node; None where nobody knows yet what of it."""
        for run in runs:
            self._nodes.setdefault(run.key, []).append(node)
        if self._cluster.is_sure or not self._find_failed(runs):
            return self._judge(runs)
        self._doubted.append((time.monotonic() + DOUBT, runs))
        return None

    @property
    def doubted(self) -> list[list[Run]]:
        """Runs that have failed, unless their node is gone, which will be known soon."""
        return [runs for _, runs in self._doubted]

    def drop_doubted(self) -> None:
        """Time is up for them, too."""
        self._doubted = []

    def settle(self) -> list[Judged]:
        """What has become of those in doubt, as far as is known by now."""
        doubted, self._doubted = self._doubted, []
        judged = []
        for end, runs in doubted:
            if time.monotonic() < end and self._find_failed(runs):
                self._doubted.append((end, runs))
            else:
                judged.append(self._judge(runs))
        return judged

    def _judge(self, runs: list[Run]) -> Judged:
        failed = self._find_failed(runs)
        return Judged([run for run in runs if run not in failed], failed)

    def _find_failed(self, runs: list[Run]) -> list[Run]:
        """Those whose trainers died too often on nodes that are still there."""
        failed = []
        for run in runs:
            alive = [node for node in self._nodes[run.key] if not self._cluster.is_lost(node)]
            if len(alive) >= MAX_DEATHS:
                failed.append(run)
        return failed

    def add_failed_start(self, node: Node) -> None:
        """A trainer ended before it began: the node rests, and after three is not used."""
        if self._cluster.is_lost(node.id):
            return
        failed, _ = self._resting.get(node.id, (0, 0.0))
        self._resting[node.id] = (failed + 1, time.monotonic() + REST)
        if failed + 1 >= MAX_DEATHS:
            self._cluster.refuse(node.id, f"{MAX_DEATHS} trainers ended as they started there")

    def is_resting(self, node: Node) -> bool:
        """Whether no trainer is to be started there now."""
        return self._resting.get(node.id, (0, 0.0))[1] > time.monotonic()
