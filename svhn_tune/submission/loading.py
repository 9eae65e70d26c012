"""Loads the model of a .keras file, once its archive, configuration and weights turned out sound.

Keras builds whatever a configuration asks for, of any size: so it is first built without memory.
"""

import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from .archive import WEIGHTS, Archive, unpack
from .configuration import find_refusal, strip_compiled

if TYPE_CHECKING:
    import keras

# Bytes beside the weights that a small limit leaves to a file above it: it is refused by its size,
# and the other rules are looked at.
SPARE = 2**24
BYTES = {"float32": 4, "float64": 8}
# Adam's two moments are as large as the weights.
WITH_STATE = 3


class RefusedError(Exception):
    """Why a model is not loaded, in one line."""


def refuse(archive: Archive, limit: int) -> None:
    """Check that Keras may be given a model, as far as its file shows without being unpacked.

    Args:
        archive: what was read of the file.
        limit: bytes that the file may have.

    Raises:
        RefusedError: it may not.
    """
    if refusal := find_refusal(archive.config):
        raise RefusedError(f"not tried: {refusal}")
    if archive.weights_bytes > (most := _most_with_state(limit)):
        raise RefusedError(
            f"not tried: unpacked, its weights have {archive.weights_bytes:,} bytes; within the "
            f"limit on the file, with the optimizer's state, it is {most:,} at most"
        )


def _most_with_state(limit: int) -> int:
    return WITH_STATE * (limit + SPARE)


def load_model(path: Path, archive: Archive, limit: int, compiled: bool) -> "keras.Model":
    """The model of a .keras file that is not refused.

    It takes no more memory than a file within `limit` does.

    Args:
        path: of the file.
        archive: what was read of it.
        limit: bytes that the file may have.
        compiled: whether Keras compiles it as its configuration says.

    Raises:
        InputError: the file is damaged, or cannot be unpacked here.
        RefusedError: Keras cannot load it, or is not to try.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="svhn_tune-")
    except OSError as error:
        raise InputError(f"cannot unpack {path}: {error.strerror or error}") from None
    with folder as name:
        unpack(path, archive, Path(name), compiled)
        return _load(Path(name), archive.config, limit)


def _load(folder: Path, config: dict[str, Any], limit: int) -> "keras.Model":
    from .weights import OddError, count_weight_bytes

    most = limit + SPARE
    try:
        there = count_weight_bytes(folder / WEIGHTS, _most_with_state(limit))
    except OddError as odd:
        raise RefusedError(f"not tried: its {WEIGHTS} is odd: {odd}") from None
    import keras

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it says of a file is no news to its reader
            asked = _count_bytes(config)
            if asked > min(max(there, SPARE), most):
                raise RefusedError(
                    f"not tried: its configuration asks for {asked:,} bytes of weights; there are "
                    f"{there:,}, and {most:,} at most are loaded"
                )
            model = keras.models.load_model(folder, safe_mode=True)
    except RefusedError:
        raise
    except Exception as error:  # whatever Keras says of a file is the answer
        raise RefusedError(f"Keras {keras.__version__}: {_reason(error)}") from None
    if not isinstance(model, keras.Model):
        raise RefusedError(f"it holds no model, but {type(model).__name__}")
    return model


def _count_bytes(config: dict[str, Any]) -> int:
    """Bytes of the weights of a configuration, from a model whose weights are shapes alone.

    It is built in a thread of its own: Keras lists, per thread, the weights that it still has to
    make, and makes them with the next model.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_count_bytes_here, config).result()


def _count_bytes_here(config: dict[str, Any]) -> int:
    import keras

    with keras.StatelessScope(initialize_variables=False):
        model = keras.saving.deserialize_keras_object(strip_compiled(config), safe_mode=True)
        weights = getattr(model, "weights", [])
        return sum(BYTES.get(weight.dtype, 1) * prod(weight.shape) for weight in weights)


def _reason(error: Exception) -> str:
    """The line of Keras's message that says why."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = [line for line in lines if line.startswith("Exception encountered: ")]
    if told:  # of layers in layers, the innermost
        return told[-1].removeprefix("Exception encountered: ")
    # "Example error message for object ...:" is about the next line.
    return " ".join(lines[: 2 if lines and lines[0].endswith(":") else 1]) or type(error).__name__
