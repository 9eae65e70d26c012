"""Pickles from strangers: arrays of bytes, texts, whole numbers, lists, tuples and dictionaries.

Nothing else is built, and NumPy's own way of unpickling is not used: an array is what its shape and
its bytes say. Every length that a pickle states is judged before anything of it is made.
"""

import io
import pickle
import pickletools
from math import prod
from typing import Any, Literal

import numpy as np

# Strings, numbers, containers and the memo, of all protocols; FRAME and PROTO say how they come.
_PLAIN = """
    PROTO FRAME STOP MARK POP POP_MARK DUP NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG
    LONG1 STRING BINSTRING SHORT_BINSTRING UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINBYTES
    SHORT_BINBYTES BINBYTES8 EMPTY_LIST APPEND APPENDS LIST EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3
    EMPTY_DICT DICT SETITEM SETITEMS GET BINGET LONG_BINGET PUT BINPUT LONG_BINPUT MEMOIZE
"""
# How an array is made: functions by name, called, and what they made filled in.
_CALLS = "GLOBAL STACK_GLOBAL REDUCE BUILD"
ALLOWED = frozenset((_PLAIN + _CALLS).split())
MOST_STEPS = 1_000_000  # CIFAR-10's batches have some 40,000


class RefusedPickleError(ValueError):
    """What a pickle holds beside arrays and plain values, in words."""


def load_pickle(content: bytes) -> Any:
    """The value of a pickle; what Python 2 wrote as `str` is bytes.

    Raises:
        RefusedPickleError: it would build something else, or states sizes that it does not have.
        Exception: it is damaged; pickle raises some ten types.
    """
    for number, (step, argument, _) in enumerate(pickletools.genops(content)):
        if step.name not in ALLOWED:
            raise RefusedPickleError(f"it has a step {step.name}")
        # The memo is a table as long as its largest number.
        place = argument if "PUT" in step.name and isinstance(argument, int) else 0
        if max(number, place) > MOST_STEPS:
            raise RefusedPickleError(f"it has more than {MOST_STEPS:,} parts")
    return _Unpickler(io.BytesIO(content), encoding="bytes").load()


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (made := _MAKERS.get((module, name))) is None:
            raise RefusedPickleError(f"it would use {module}.{name}")
        return made


class _Type:
    """A type of numbers, of which a pickle may have single bytes."""

    def __init__(self, code: Any, *_: Any) -> None:
        if code not in ("u1", b"u1"):
            raise RefusedPickleError(f"it has an array of the type {code!r}, not of bytes")

    def __setstate__(self, _: Any) -> None:
        """Single bytes have no order."""


class Array:
    """An array of bytes, which its state fills in; `whole` is None until then."""

    def __init__(self, *_: Any) -> None:
        self.whole: np.ndarray | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, is_fortran, content = state
        plain = isinstance(shape, tuple) and all(type(side) is int and side >= 0 for side in shape)
        if not (plain and isinstance(kind, _Type) and isinstance(content, bytes)):
            raise RefusedPickleError("it has an array that is not of bytes")
        if prod(shape) != len(content):
            raise RefusedPickleError(f"it has {len(content):,} bytes for an array of shape {shape}")
        order: Literal["F", "C"] = "F" if is_fortran else "C"
        self.whole = np.frombuffer(content, np.uint8).reshape(shape, order=order)


class _Encoded(bytes):
    """Bytes as Python 3 writes them by the protocols of Python 2: a text, and "latin1"."""

    def __new__(cls, text: Any, encoding: Any = "latin1", *_: Any) -> "_Encoded":
        if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
            raise RefusedPickleError(f"it would encode something as {encoding!r}")
        return super().__new__(cls, text, "latin1")

    def __setstate__(self, _: Any) -> None:
        raise RefusedPickleError("it would change bytes")


# Classes alone, all with a state of their own: of a function a pickle could change the attributes.
_MAKERS = {
    ("numpy", "ndarray"): Array,
    ("numpy", "dtype"): _Type,
    ("numpy.core.multiarray", "_reconstruct"): Array,
    ("numpy._core.multiarray", "_reconstruct"): Array,
    ("_codecs", "encode"): _Encoded,
}
