"""The output of a convolution for any filter, stride and padding, with the formula that gives it.

As in assignment PW04, exercise 1, whose words it reads: "CONV D=2, w=h=3, S=1, P=0". A signal of
one dimension is an image of height 1. No space and no family is asked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

from ..errors import InputError

MOST = 1_000_000  # of any number in the words
FORM = "such as 'CONV D=2, w=h=3, S=1, P=0' or 'MAXPOOL w=h=2, S=2'"
Padding = int | Literal["same", "valid"]


@dataclass(frozen=True)
class Filters:
    """`depth` filters, or a pool, of height times width, moved by a stride over a padded image.

    `padding` is zeros on every side, or "same" or "valid" as Keras has them.
    """

    kind: Literal["CONV", "MAXPOOL"]
    depth: int
    height: int
    width: int
    stride: int
    padding: Padding


def explain_layers(shape: str, layers: Sequence[str]) -> dict[str, Any]:
    """What each layer makes of the output of the one before.

    Args:
        shape: of the input, "HEIGHTxWIDTHxCHANNELS", "HEIGHTxWIDTH" or the length of a signal.
        layers: each in the words of the text.

    Returns:
        {"input", "layers": [{"words", "output", "maps", "formulas", "preserves", "parameters",
        "same_size"}]}: shapes are (height, width, channels); `formulas` are of the height and the
        width, `preserves` whether both stay as they were, `same_size` what would make it so.

    Raises:
        InputError: words that cannot be read, or a filter that does not fit.
    """
    size = first = _read_shape(shape)
    explained = []
    for words in layers:
        filters = read_filters(words)
        explained.append(_explain(words, filters, size))
        size = explained[-1]["output"]
    return {"input": first, "layers": explained}


def _read_shape(shape: str) -> tuple[int, int, int]:
    if not re.fullmatch(r"[0-9]{1,7}(x[0-9]{1,7}){0,2}", shape):
        raise InputError(f"--input {shape} must be HEIGHTxWIDTHxCHANNELS, such as 5x5x3, or 7")
    height, width, channels = 1, 1, 1
    match [int(side) for side in shape.split("x")]:
        case [width]:
            pass
        case [height, width]:
            pass
        case [height, width, channels]:
            pass
    if not 1 <= min(height, width, channels) <= max(height, width, channels) <= MOST:
        raise InputError(f"--input {shape} must have sides of 1 to {MOST:,}")
    return height, width, channels


def read_filters(words: str) -> Filters:
    """The filters of a layer in the text's words; D, S and P are 1, 1 and 0 where it is silent.

    Raises:
        InputError: they cannot be read.
    """
    kind, _, rest = words.strip().partition(" ")
    if kind not in ("CONV", "MAXPOOL"):
        raise InputError(f"--layer '{words}' must begin with CONV or MAXPOOL, {FORM}")
    given: dict[str, str] = {}
    for part in filter(None, (each.strip() for each in rest.split(","))):
        *names, value = (each.strip() for each in part.split("="))
        for name in names or [part]:
            if name not in ("D", "w", "h", "S", "P") or name in given:
                raise InputError(f"--layer '{words}': '{part}' is not understood; write it {FORM}")
            given[name] = value.strip("'\"")
    given = (
        {"w": "2", "h": "2"} if kind == "MAXPOOL" and not {"w", "h"} & set(given) else {}
    ) | given
    for name in ("w", "h"):
        if name not in given:
            raise InputError(f"--layer '{words}' lacks {name}, the filter's size; write it {FORM}")
    if kind == "MAXPOOL" and {"D", "P"} & set(given):
        raise InputError(f"--layer '{words}': a MAXPOOL has neither D nor P")
    stride = given.get("S", given["w"] if kind == "MAXPOOL" else "1")
    padding = given.get("P", "0")
    return Filters(
        kind="CONV" if kind == "CONV" else "MAXPOOL",
        depth=_read_number(words, "D", given.get("D", "1"), 1),
        height=_read_number(words, "h", given["h"], 1),
        width=_read_number(words, "w", given["w"], 1),
        stride=_read_number(words, "S", stride, 1),
        padding="same"
        if padding == "same"
        else "valid"
        if padding == "valid"
        else _read_number(words, "P", padding, 0),
    )


def _read_number(words: str, name: str, text: str, least: int) -> int:
    if re.fullmatch("[0-9]{1,7}", text) and least <= int(text) <= MOST:
        return int(text)
    raise InputError(f"--layer '{words}': {name}={text} must be a whole number from {least}")


def _explain(words: str, filters: Filters, size: tuple[int, int, int]) -> dict[str, Any]:
    height, width, channels = size
    sides = []
    for name, length, window in (("H", height, filters.height), ("W", width, filters.width)):
        # A signal is not padded above and below, and not moved there either.
        if length == window == 1:
            sides.append((1, f"{name}: 1 (one row)"))
        else:
            sides.append(count_outputs(name, length, window, filters.stride, filters.padding))
            if sides[-1][0] < 1:
                raise InputError(
                    f"--layer '{words}': a filter of {window} does not fit on {length} with "
                    f"padding {filters.padding} ({sides[-1][1]})"
                )
    is_convolution = filters.kind == "CONV"
    maps = filters.depth if is_convolution else channels
    output = (sides[0][0], sides[1][0], maps)
    odd = filters.height % 2 and filters.width % 2
    needed = sorted({(each - 1) // 2 for each in (filters.height, filters.width) if each > 1})
    return {
        "words": words,
        "output": output,
        "maps": maps,
        "formulas": [formula for _, formula in sides],
        "preserves": output[:2] == size[:2],
        "parameters": (filters.height * filters.width * channels + 1) * maps * is_convolution,
        "same_size": f"S=1, P={needed[0] if needed else 0}" if odd and len(needed) < 2 else None,
    }


def count_outputs(
    name: str, length: int, window: int, stride: int, padding: Padding
) -> tuple[int, str]:
    """How many places a window has along a side, and the formula with its numbers in it."""
    if padding == "same":
        count = ceil(length / stride)
        added = max((count - 1) * stride + window - length, 0)
        formula = f"{name}: ceil({name}/S) = ceil({length}/{stride}) = {count}"
        return count, f"{formula} (P=same adds {added // 2} before, {added - added // 2} after)"
    zeros = 0 if padding == "valid" else padding
    rest = length - window + 2 * zeros
    count = rest // stride + 1
    letter = "h" if name == "H" else "w"
    formula = (
        f"{name}: ({name} - {letter} + 2P)/S + 1 = ({length} - {window} + 2*{zeros})/{stride} + 1"
    )
    left = f", rounded down: {rest % stride} not reached" if rest % stride and count > 0 else ""
    return count, f"{formula} = {count}{left}"
