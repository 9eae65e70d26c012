"""Connects to a Ray cluster that is there, or starts one on this machine.

One that is started here ends with this process, however that ends, listens on the loopback device
alone, and asks for a token that nobody else has.
"""

import os
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
from ray._private import ray_constants
from ray._private import worker as ray_worker
from ray._private.utils import read_ray_address
from ray._raylet import AuthenticationTokenLoader, Config
from ray.exceptions import RayError

from ..engines.devices import list_gpus
from ..errors import InputError
from .guard import guarded_folder
from .nodes import Cluster, Host, answers

CLIENT = "ray://"
# Of a cluster that is started here: no metrics, no processes started before they are needed, no
# guard that kills by its own count of memory, and workers at the priority of any process.
FRUGAL = {
    "RAY_enable_metrics_collection": "0",
    "RAY_enable_open_telemetry": "0",
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_memory_monitor_refresh_ms": "0",
    "RAY_worker_niceness": "0",
}
# Bytes for the images and for checkpoints on their way; taken as they are needed.
STORE = 2 << 30


@contextmanager
def connect(
    cluster: str,
    workers: int | None,
    gpus_per_run: float | None,
    note: Callable[[str], None],
) -> Iterator[Cluster]:
    """The cluster of an address, or of "auto"; left, this process is no part of it any more.

    Raises:
        InputError: it does not answer, or cannot train.
    """
    address = _find_running() if cluster == "auto" else cluster
    entered = _started(workers) if address is None else _joined(address)
    with entered as (name, head):
        found = Cluster(name, head, workers, gpus_per_run, note)
        found.wait()
        yield found


def _init(fault: str, **given: Any) -> None:
    before = signal.getsignal(signal.SIGTERM)
    # Ray writes what nodes complain of to stdout, which has our result alone.
    ray_worker.print_to_stdstream = lambda *_, **__: None
    try:
        ray.init(log_to_driver=False, logging_level="ERROR", configure_logging=False, **given)
    except (RayError, OSError, RuntimeError, ValueError) as error:
        ray.shutdown()
        raise InputError(f"{fault}: {error}") from error
    finally:
        # Ray takes it for itself.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


@contextmanager
def _joined(address: str) -> Iterator[tuple[str, Host | None]]:
    """Connected to the cluster at an address; what can be asked whether its head is there."""
    host = _read_host(address)
    if host is None:
        raise InputError(f"--cluster {address} must read auto, HOST:PORT or ray://HOST:PORT")
    if not answers(host):
        raise InputError(
            f"no Ray cluster answers at {address}: start its head there, "
            f"ray start --head --port={host[1]}, or pass --cluster auto"
        )
    _init(f"cannot use the Ray cluster at {address}", address=address)
    try:
        yield address, None if address.startswith(CLIENT) else host
    finally:
        ray.shutdown()


@contextmanager
def _started(workers: int | None) -> Iterator[tuple[str, Host | None]]:
    """A cluster of this machine alone, which ends with this process."""
    token = secrets.token_hex(32)
    # Ray takes for 127.0.0.1 the machine's address in its network, but where there are no clusters.
    clusters, ray_constants.ENABLE_RAY_CLUSTER = ray_constants.ENABLE_RAY_CLUSTER, False
    with guarded_folder("svhn_tune-") as folder:
        # Its trainers have their files there, too.
        changed = FRUGAL | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token, "TMPDIR": folder}
        before = {name: os.environ.get(name) for name in changed}
        try:
            os.environ |= changed
            _read_environment()
            _init(
                "Ray cannot be started on this machine",
                address="local",
                num_cpus=workers or _count_cores(),
                num_gpus=len(list_gpus()),
                include_dashboard=False,
                object_store_memory=STORE,
                _temp_dir=folder,
            )
            yield "on this machine", _read_host(ray.get_runtime_context().gcs_address)
        finally:
            ray.shutdown()
            ray_constants.ENABLE_RAY_CLUSTER = clusters
            for name, value in before.items():
                os.environ.pop(name)
                os.environ |= {} if value is None else {name: value}
            _read_environment()


def _read_environment() -> None:
    """Ray reads it when it is imported, and keeps what it has read."""
    Config.initialize("")
    AuthenticationTokenLoader.instance().reset_cache()


def _find_running() -> str | None:
    """The address of the cluster that was started here, or that RAY_ADDRESS names, if it is up.

    Ray would look through all processes, and find a cluster that another call has for itself.
    """
    address = os.environ.get("RAY_ADDRESS") or read_ray_address()
    host = _read_host(address) if address else None
    return address if host is not None and answers(host) else None


def _count_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _read_host(address: str) -> Host | None:
    host, _, port = address.removeprefix(CLIENT).rpartition(":")
    return (host.strip("[]"), int(port)) if host and port.isascii() and port.isdigit() else None
