"""A Ray cluster whose nodes are processes of this machine, which can be killed like machines.

It is on the loopback device, and none that `--cluster auto` would find.
"""

import os
from contextlib import contextmanager, suppress

import psutil
import pytest

from svhn_tune.machines.guard import guarded_folder

# A node that is killed is missed after some 5 s, not 15; one that is slow has 10 s for each answer.
IMPATIENT = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
}
TESTS = os.path.dirname(__file__)


@contextmanager
def started(*nodes, head=0):
    """A cluster of a head with so many CPUs, and a node for each number of CPUs.

    It ends with the process of the tests, however that ends.
    """
    pytest.importorskip("ray", reason="Ray is not installed")
    with guarded_folder("ray-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", folder)
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_MODE", "disabled")
        # What trains is imported there by its name.
        patch.setenv("PYTHONPATH", os.pathsep.join([os.path.dirname(TESTS), TESTS]))
        # As for `--cluster auto`: 127.0.0.1 stays the address of a node.
        patch.setenv("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        patch.setattr("ray._private.ray_constants.ENABLE_RAY_CLUSTER", False)
        from svhn_tune.machines.connect import FRUGAL

        for name, value in (FRUGAL | IMPATIENT).items():
            patch.setenv(name, value)
        nodes_of_test = Nodes()
        try:
            for cpus in (head, *nodes):
                nodes_of_test.add(cpus)
            yield nodes_of_test
        finally:
            nodes_of_test.cluster.shutdown()


class Nodes:
    """The nodes of a cluster; `address` is its head's."""

    def __init__(self):
        from ray.cluster_utils import Cluster

        self.cluster = Cluster(shutdown_at_exit=False)

    @property
    def address(self):
        return self.cluster.address

    def add(self, cpus, gpus=0, **environment):
        """Start a node, with what differs in its environment; GPUs it only says it has."""
        return self.cluster.add_node(
            num_cpus=cpus,
            num_gpus=gpus,
            node_ip_address="127.0.0.1",
            include_dashboard=False,
            object_store_memory=200 << 20,
            env_vars=environment or None,
        )

    def find(self, node):
        """The node of this id."""
        (found,) = (each for each in self.cluster.worker_nodes if each.node_id == node)
        return found

    def lose(self, node):
        """Kill all its processes at once, as when a machine loses its power."""
        kill(node)
        self.cluster.worker_nodes.discard(node)


def kill(node):
    """SIGKILL for every process of a node, trainers included."""
    for process in _list(node):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    for infos in node.all_processes.values():
        for info in infos:
            info.process.wait()


def names(node):
    """What the processes of a node are called."""
    for process in _list(node):
        with suppress(psutil.NoSuchProcess):
            yield " ".join(process.cmdline())


def _list(node):
    found = []
    for infos in node.all_processes.values():
        for info in infos:
            with suppress(psutil.NoSuchProcess):
                process = psutil.Process(info.process.pid)
                found += [process, *process.children(recursive=True)]
    return found
