"""Which engine trains, and on what: the GPUs of this machine, without importing what uses them."""

import os
import re
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ..bounds import MAX_WORKERS
from ..errors import InputError
from . import engine as engines

ENGINES = ("tensorflow", "jax")
GIB = 2**30


def choose_engine(asked: str | None) -> str:
    """The engine that is asked for; for "auto", or None, JAX where it sees a GPU.

    On a CPU TensorFlow is the faster one.

    Raises:
        InputError: there is none of this name, or its package is not installed.
    """
    if asked in (None, "auto"):
        return "jax" if _jax_sees_gpu() else "tensorflow"
    if asked not in ENGINES:
        raise InputError(f"no engine '{asked}' (there are auto, {', '.join(ENGINES)})")
    if asked == "jax" and find_spec("jax") is None:
        raise InputError("the engine 'jax' needs JAX: pip install 'svhn_tune[jax]'")
    assert asked is not None
    return asked


def module_of(engine: str) -> str:
    """The module of an engine, as a `Setup` names it."""
    return engines.JAX if engine == "jax" else engines.DEFAULT


def list_gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name.strip() for name in chosen.split(",") if name.strip() not in ("", "-1")]
    names = (path.name.removeprefix("nvidia") for path in Path("/dev").glob("nvidia*"))
    return sorted((name for name in names if re.fullmatch("[0-9]+", name)), key=int)


@cache
def _jax_sees_gpu() -> bool:
    """Asked in another process: what asks holds memory on the GPU until it ends."""
    if not list_gpus() or find_spec("jax") is None:
        return False
    code = "import jax; print(jax.default_backend())"
    environment = os.environ | {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    try:
        asked = [sys.executable, "-c", code]
        told = subprocess.run(asked, env=environment, capture_output=True, text=True, timeout=120)
    except (OSError, subprocess.SubprocessError):
        return False
    return told.stdout.split()[-1:] == ["gpu"]


def read_memory() -> float:
    """Bytes of the smallest GPU; of what this machine has free where there is none."""
    if gpus := list_gpus():
        asked = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
        asked.append(f"--id={','.join(gpus)}")
        try:
            told = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60)
            return min(map(float, told.stdout.split())) * 2**20
        except (OSError, ValueError, subprocess.SubprocessError):
            # Of a GPU that does not tell, what a small one has.
            return 8.0 * GIB
    import psutil

    return float(psutil.virtual_memory().available)


def check_workers(count: int) -> int:
    """The number of workers of this machine.

    Raises:
        InputError: it is a typing error.
    """
    if count > MAX_WORKERS:
        raise InputError(
            f"--workers {count} must be at most {MAX_WORKERS} on this machine: pass --cluster for "
            f"more than one"
        )
    return count
