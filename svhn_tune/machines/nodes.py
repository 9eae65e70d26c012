"""A Ray cluster that this process is connected to: its nodes, and which of them may train."""

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from ..errors import InputError

Host = tuple[str, int]
# Seconds: to answer at all, between two looks at the nodes, for a node to say what it has.
REACH, LOOK, ANSWER = 5.0, 2.0, 60.0
# So long may a head be silent, as while a switch restarts; Ray ends its processes after 60.
SILENCE = 15.0


@dataclass(frozen=True)
class Node:
    """A machine of the cluster, by its name for people, with room for so many runs.

    `memory` is what each of them has, in bytes: of a GPU, where it trains on one.
    """

    id: str
    name: str
    room: int
    memory: float


class Cluster:
    """A cluster that this process is connected to.

    Args:
        address: of its head, as for people.
        head: host and port that must answer; None where Ray itself says that it is gone.
        gpus_per_run: of the GPUs, None to train on CPUs.
        workers: how many runs train side by side, None for as many as there is room for.
        note: is told which nodes come, go and cannot be used.
    """

    def __init__(
        self,
        address: str,
        head: Host | None,
        workers: int | None,
        gpus_per_run: float | None,
        note: Callable[[str], None],
    ) -> None:
        self.gpus_per_run = gpus_per_run
        self.workers = workers
        self.note = note
        self.is_gone = False
        self._address, self._head = address, head
        self._heard = time.monotonic()
        self._names: dict[str, str] = {}
        # What each node said of itself, or is still asked.
        self._asked: dict[str, Any] = {}
        self._refused: dict[str, str] = {}
        self._wanted, _ = _make_probe()()
        self._nodes: dict[str, Node] = {}
        self._ports: dict[str, Host] = {}
        self._looked = -LOOK

    @property
    def count(self) -> int:
        """How many runs can train side by side now."""
        return self.limit(sum(node.room for node in self._nodes.values()))

    def limit(self, count: int) -> int:
        """No more than were asked for."""
        return count if self.workers is None else min(count, self.workers)

    def wait(self) -> None:
        """Ask all nodes what they have, until each has answered or had its time.

        Raises:
            InputError: none of them can train.
        """
        end = time.monotonic() + ANSWER
        self.look()
        while self._asked and time.monotonic() < end:
            with suppress(RayError):
                ray.wait(list(self._asked.values()), num_returns=len(self._asked), timeout=LOOK)
            self._looked = -LOOK
            self.look()
        if not self._nodes:
            told = "; ".join(self._refused.values()) or "it has no node with a free CPU"
            if self.gpus_per_run is not None and not self._refused:
                told = f"no node has {self.gpus_per_run:g} GPU and a CPU"
            raise InputError(f"the cluster {self._address} cannot train: {told}")

    def look(self) -> dict[str, Node]:
        """The nodes that are there now and may train, by their ids; news every two seconds.

        Raises:
            InputError: the head is gone.
        """
        if time.monotonic() - self._looked < LOOK:
            return self._nodes
        self._looked = time.monotonic()
        if not self._hears_head():
            return self._nodes
        try:
            found = [node for node in ray.nodes() if node["Alive"]]
        except (RayError, ConnectionError) as error:
            raise self._say_lost() from error
        there = {node["NodeID"]: node for node in found}
        for node in found:
            self._ask(node)
        self._listen(there)
        for gone in self._nodes.keys() - there.keys():
            self._leave(gone)
        return self._nodes

    @property
    def is_sure(self) -> bool:
        """Whether a node that is gone is known at once, as it can be asked from here."""
        return self._head is not None

    def is_lost(self, node: str) -> bool:
        """Whether a node is gone, as far as can be known now."""
        if node in self._nodes and self.is_sure and not answers(self._ports[node]):
            # Ray knows it once the node has missed some questions: 15 s later.
            self._leave(node)
        return node not in self._nodes

    def _leave(self, node: str) -> None:
        self.note(f"node {self._nodes.pop(node).name} is gone")

    def _ask(self, node: dict[str, Any]) -> None:
        """Ask a node that is new what it has."""
        key, name = node["NodeID"], node["NodeManagerHostname"]
        if key in self._names or not _count_room(node["Resources"], self.gpus_per_run):
            return
        self._ports[key] = (node["NodeManagerAddress"], node["NodeManagerPort"])
        self._names[key] = f"{name} {key[:6]}" if name in self._names.values() else name
        probe = ray.remote(_make_probe()).options(num_cpus=0, scheduling_strategy=pinned(key))
        self._asked[key] = probe.remote()

    def _listen(self, there: dict[str, dict[str, Any]]) -> None:
        """Hear what nodes have answered: one with other versions is not used."""
        for key, asked in list(self._asked.items()):
            if key not in there:
                del self._asked[key]
                continue
            if not ray.wait([asked], timeout=0)[0]:
                continue
            del self._asked[key]
            try:
                told, memory = ray.get(asked)
            except RayError as error:
                self.refuse(key, f"it does not answer ({type(error).__name__})")
                continue
            others = [name for name in self._wanted if told.get(name) != self._wanted[name]]
            if others:
                has = ", ".join(f"{name} {told.get(name) or 'missing'}" for name in others)
                here = ", ".join(f"{name} {self._wanted[name] or 'missing'}" for name in others)
                self.refuse(key, f"it has {has}, this machine {here}")
                continue
            room = _count_room(there[key]["Resources"], self.gpus_per_run)
            if self.gpus_per_run is None:
                memory = there[key]["Resources"].get("memory", memory) / room
            else:
                memory *= self.gpus_per_run
            self._nodes[key] = Node(key, self._names[key], room, memory)

    def refuse(self, node: str, reason: str) -> None:
        """Use a node no longer, and say why."""
        self._nodes.pop(node, None)
        self._refused[node] = f"node {self._names[node]} is not used: {reason}"
        self.note(self._refused[node])

    def _hears_head(self) -> bool:
        """Whether Ray may be asked: it waits for a head that is gone, then ends this process."""
        if self._head is None or answers(self._head):
            self._heard = time.monotonic()
            return True
        if time.monotonic() - self._heard > SILENCE:
            raise self._say_lost()
        return False

    def _say_lost(self) -> InputError:
        self.is_gone = True
        return InputError(
            f"the head of the cluster {self._address} is gone. What came back before is saved: "
            f"the same command goes on, on any cluster or without --cluster"
        )


def pinned(node: str) -> NodeAffinitySchedulingStrategy:
    """To run on this node or not at all."""
    return NodeAffinitySchedulingStrategy(node, soft=False)


def _count_room(resources: dict[str, float], gpus_per_run: float | None) -> int:
    """How many runs a node has room for: one a CPU, and of its GPUs what each takes."""
    cpus = int(resources.get("CPU", 0))
    if gpus_per_run is None:
        return cpus
    gpus = int(resources.get("GPU", 0))
    # Those that share a GPU have equal parts of it; a run does not take a part of each of two.
    return min(cpus, gpus * int(1 / gpus_per_run + 1e-9))


def _make_probe() -> Callable[[], tuple[dict[str, str | None], float]]:
    """A function that says which versions there are, and the bytes of the smallest GPU.

    One that is made here is sent as its code, so that it runs where svhn_tune is missing.
    """

    def probe() -> tuple[dict[str, str | None], float]:
        import subprocess
        import sys
        from importlib.metadata import PackageNotFoundError, version

        found: dict[str, str | None] = {"Python": f"{sys.version_info[0]}.{sys.version_info[1]}"}
        for name in ("svhn_tune", "keras", "tensorflow"):
            try:
                found[name] = version(name)
            except PackageNotFoundError:
                found[name] = None
        asked = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
        try:
            told = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=20)
            return found, min(map(float, told.stdout.split())) * 2**20
        except (OSError, ValueError, subprocess.SubprocessError):
            # Of a GPU that does not tell, what a small one has.
            return found, 8.0 * 2**30

    return probe


def answers(head: Host) -> bool:
    """Whether somebody listens there."""
    try:
        with socket.create_connection(head, timeout=REACH):
            return True
    except OSError:
        return False
