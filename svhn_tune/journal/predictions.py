"""What a run predicted, as the journal has it: base64 of a class each, or of minutes on a dial."""

import base64
import binascii
from array import array

from ..space.dial import DIAL

MINUTES = "float32"
BYTES = {"uint8": 1, "uint16": 2, MINUTES: 4}  # of a prediction


def count_predictions(text: str, kind: str) -> int:
    """How many predictions of a kind there are.

    Raises:
        ValueError: they are no base64, or end within one.
    """
    try:
        size = len(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise ValueError("predicted is no base64") from None
    if size % BYTES[kind]:
        raise ValueError(f"predicted has {size} bytes, no whole number of predictions")
    return size // BYTES[kind]


def check_minutes(text: str) -> None:
    """Refuse predicted times that are on no dial.

    Raises:
        ValueError: there is one.
    """
    if not all(0 <= each < DIAL for each in array("f", base64.b64decode(text))):
        raise ValueError("predicted has a time that is on no dial")
