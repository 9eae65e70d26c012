"""How text and tables look on stdout: words wrap at spaces, no number is ever cut."""

import os
from collections.abc import Iterable, Sequence
from textwrap import wrap

from rich.console import Console
from rich.table import Table
from rich.text import Text

GAP = 2  # characters between columns
WORDS = 40  # characters that a column of words needs beside the others


def make_console() -> Console:
    """Stdout as wide as the terminal or COLUMNS; else tables are as wide as 120 characters."""
    # Values such as [3, 5] are no markup, and a pipe has no width to wrap at.
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if not _has_width(console):
        console = Console(highlight=False, markup=False, soft_wrap=True, width=120)
    return console


def _has_width(console: Console) -> bool:
    return console.is_terminal or os.environ.get("COLUMNS", "").isdigit()


def print_text(console: Console, text: str, indent: int = 0, hang: int = 0) -> None:
    """Words, wrapped at spaces; in a pipe they are one line.

    Args:
        console: of `make_console`.
        text: without line breaks.
        indent: of each line, in characters.
        hang: of all lines but the first, beside `indent`.
    """
    margin = " " * indent
    if not _has_width(console):
        console.print(margin + text)
        return
    for line in _wrap(text, console.width - indent, " " * hang) or [""]:
        console.print(margin + line)


def _wrap(text: str, width: int, hang: str = "") -> list[str]:
    return wrap(
        text,
        max(width, 1),
        subsequent_indent=hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


def print_table(
    console: Console,
    titles: Sequence[str],
    rows: Iterable[Sequence[str]],
    words: bool = False,
    left: int = 1,
) -> None:
    """A table without lines: the first `left` columns to the left, the others to the right.

    Columns that do not fit stand below the others, beside the first one again. With `words`, the
    last column is words, to the left: it wraps at spaces, and has lines of its own below each row
    where there is little room beside the others.
    """
    given = [list(row) for row in [titles, *rows]]
    count = len(titles) - words
    widths = [max(len(row[column]) for row in given) for column in range(count)]
    for row in given:
        row[:left] = [cell.ljust(width) for cell, width in zip(row, widths[:left], strict=False)]
    titles, *given = given
    taken = sum(widths) + GAP * count
    if words and taken + WORDS <= console.width:
        _print_beside(console, titles, given, widths)
    elif words:
        _print_block(console, titles, given, widths, range(count), titles[-1])
    else:
        for block in _split(widths, console.width):
            _print_block(console, titles, given, widths, block)


def _split(widths: list[int], width: int) -> list[list[int]]:
    """The columns in blocks that fit, each with the first one."""
    blocks, taken = [[0]], widths[0]
    for column in range(1, len(widths)):
        if taken + GAP + widths[column] > width and len(blocks[-1]) > 1:
            blocks.append([0])
            taken = widths[0]
        blocks[-1].append(column)
        taken += GAP + widths[column]
    return blocks


def _print_block(
    console: Console,
    titles: Sequence[str],
    rows: list[list[str]],
    widths: list[int],
    columns: Iterable[int],
    below: str | None = None,
) -> None:
    """These columns of all rows; with `below`, the title of words that stand below each row."""
    chosen = list(columns)
    heading = _align(titles, widths, chosen) + (f"{' ' * GAP}{below}" if below else "")
    console.print(Text(heading, "bold"))
    for row in rows:
        console.print(_align(row, widths, chosen).rstrip())
        if below:
            print_text(console, row[-1], indent=GAP)


def _print_beside(
    console: Console, titles: Sequence[str], rows: list[list[str]], widths: list[int]
) -> None:
    """All columns, the words beside the others."""
    columns = list(range(len(widths)))
    margin = sum(widths) + GAP * len(widths)
    gap = " " * GAP
    console.print(Text(f"{_align(titles, widths, columns)}{gap}{titles[-1]}", "bold"))
    for row in rows:
        first, *others = _wrap(row[-1], console.width - margin) or [""]
        console.print(f"{_align(row, widths, columns)}{gap}{first}".rstrip())
        for line in others:
            console.print(" " * margin + line)


def _align(row: Sequence[str], widths: list[int], columns: Sequence[int]) -> str:
    return (" " * GAP).join(row[column].rjust(widths[column]) for column in columns)


def make_table(*columns: str) -> Table:
    """A table that is drawn again and again: the first column to the left, others to the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right", no_wrap=True)
    return table


def say_count(number: int, name: str) -> str:
    """`1 run`, `3 runs`."""
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def format_seconds(seconds: float) -> str:
    """`42 s`, `12.3 min` or `8.1 h`."""
    for size, unit in ((3600.0, "h"), (60.0, "min")):
        # 59.96 minutes would read 60.0.
        if seconds >= 0.999 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
